"""Image towers of a few thousand random weights, in the layout of Hugging Face."""

from pathlib import Path

import torch
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    CLIPVisionModelWithProjection,
    ConvNextConfig,
    ConvNextModel,
    SiglipVisionConfig,
    SiglipVisionModel,
    ViTConfig,
    ViTModel,
)

SIDE = 32
_SMALL = {
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 48,
    "image_size": SIDE,
    "patch_size": 8,
}


def write_tiny_tower(directory: Path, *, kind: str = "clip", seed: int = 0) -> Path:
    """Write config, weights and preprocessing of a tower that reads 32 x 32 pixels."""
    torch.manual_seed(seed)
    models = {
        "clip": lambda: CLIPVisionModelWithProjection(
            CLIPVisionConfig(**_SMALL, projection_dim=16)
        ),
        "siglip": lambda: SiglipVisionModel(SiglipVisionConfig(**_SMALL)),
        "vit": lambda: ViTModel(ViTConfig(**_SMALL), add_pooling_layer=False),
        "convnext": lambda: ConvNextModel(
            ConvNextConfig(hidden_sizes=[8, 16], depths=[1, 1], num_stages=2)
        ),
    }
    models[kind]().save_pretrained(directory)
    processor(SIDE).save_pretrained(directory)
    return directory


def processor(side: int) -> CLIPImageProcessorPil:
    """Return Hugging Face's own preprocessing, shortest edge and crop of so many pixels."""
    return CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size=side)
