"""The network of an image tower: from Hugging Face weights to what Triton's image_encoder runs."""

import warnings
from pathlib import Path

import numpy as np
import openvino as ov
import torch
from transformers import AutoConfig, AutoModel, CLIPVisionModelWithProjection, SiglipVisionModel

from tandem_cli.encoder_conversion import COSINE_MIN, quiet
from tandem_cli.encoder_settings import EncoderUnusable

# Of these the vectors are compared that they were trained to compare; of others what stands for the
# whole image: the first token, or the pooled map of a convolutional network.
PROJECTED = {
    "clip": CLIPVisionModelWithProjection,
    "clip_vision_model": CLIPVisionModelWithProjection,
    "siglip": SiglipVisionModel,
    "siglip_vision_model": SiglipVisionModel,
}
MAPS = 4


class UnitTower(torch.nn.Module):
    """Pixels, float32 [images, 3, height, width] -> unit vectors [images, dimension]."""

    def __init__(self, model: torch.nn.Module, model_type: str) -> None:
        super().__init__()
        self.model = model
        self.model_type = model_type

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode."""
        output = self.model(pixel_values=pixels)
        if self.model_type.startswith("clip"):
            vectors = output.image_embeds
        elif self.model_type.startswith("siglip") or output.last_hidden_state.ndim == MAPS:
            vectors = output.pooler_output.flatten(1)
        else:
            vectors = output.last_hidden_state[:, 0]
        return torch.nn.functional.normalize(vectors, dim=1)


def load_tower(weights: Path) -> UnitTower:
    """Load a tower in float32. Raises EncoderUnusable."""
    try:
        with quiet():
            kind = str(AutoConfig.from_pretrained(weights, local_files_only=True).model_type)
            model = PROJECTED.get(kind, AutoModel).from_pretrained(
                weights, dtype=torch.float32, local_files_only=True, use_safetensors=True
            )
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise EncoderUnusable(f"{weights}: {reason}") from error
    return UnitTower(model, kind).eval()


def convert_tower(tower: UnitTower, size: tuple[int, int], directory: Path) -> int:
    """Write openvino/ and network.pt2, check that they say the same; return the dimension.

    size: height and width in pixels. Raises EncoderUnusable.
    """
    example = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 3, *size))).float()
    try:
        with quiet(), warnings.catch_warnings(), torch.inference_mode():
            warnings.simplefilter("ignore")
            expected = tower(example).numpy()
            images = torch.export.Dim("images", min=1, max=1024)
            exported = torch.export.export(tower, (example,), dynamic_shapes=({0: images},))
            torch.export.save(exported, directory / "network.pt2")
            model = ov.convert_model(exported)
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise EncoderUnusable(f"this network cannot be converted: {reason}") from error
    file = directory / "openvino" / "encoder.xml"
    ov.save_model(model, file, compress_to_fp16=False)
    compiled = ov.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    actual = compiled([example.numpy()])[0]
    cosine = float((expected * actual).sum(axis=1).min())
    if not cosine >= COSINE_MIN:  # NaN is not either
        raise EncoderUnusable(f"after conversion the cosine to torch is {cosine:.4f}")
    return int(expected.shape[1])
