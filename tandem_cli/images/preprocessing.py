"""How an image tower wants its pixels, as its preprocessor_config.json says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tandem_cli.encoder_settings import EncoderUnusable, read_json

BICUBIC = 3
# Where a file does not say: what the processors of Hugging Face's CLIP, ViT and DINOv2 do.
SCALE = 1 / 255


def read_preprocessing(weights: Path) -> dict[str, Any]:
    """Return what `image_encoding.pixels.Pixels` wants to know. Raises EncoderUnusable."""
    file = weights / "preprocessor_config.json"
    config = read_json(file)
    for step in ("do_resize", "do_rescale", "do_normalize"):
        if not config.get(step, True):
            raise EncoderUnusable(f"{file}: towers that want {step} false are not supported")
    size = config.get("size")
    sides = {"shortest_edge": size} if isinstance(size, int) else dict(size or {})
    if not sides.keys() & {"shortest_edge", "height"}:
        raise EncoderUnusable(f"{file}: size names neither shortest_edge nor height and width")
    shortest = int(sides.get("shortest_edge", 0))
    height, width = int(sides.get("height", shortest)), int(sides.get("width", shortest))
    crop = _square(file, config["crop_size"]) if config.get("do_center_crop") else 0
    if shortest and not crop:
        # Images of different shapes could not be read together.
        height = width = shortest
        shortest = 0
    if crop > min(shortest or height, shortest or width):
        raise EncoderUnusable(f"{file}: crop_size is greater than size")
    return {
        "shortest_edge": shortest,
        "height": height,
        "width": width,
        "crop": crop,
        "resample": int(config.get("resample", BICUBIC)),
        "scale": float(config.get("rescale_factor", SCALE)),
        "mean": [float(value) for value in config["image_mean"]],
        "std": [float(value) for value in config["image_std"]],
    }


def input_size(preprocessing: Mapping[str, Any]) -> tuple[int, int]:
    """Return the height and width, in pixels, that the tower reads."""
    crop = int(preprocessing["crop"])
    return (crop, crop) if crop else (int(preprocessing["height"]), int(preprocessing["width"]))


def _square(file: Path, size: Any) -> int:
    sides = {size} if isinstance(size, int) else set(size.values())
    if len(sides) != 1:
        raise EncoderUnusable(f"{file}: only square crops are supported")
    return int(sides.pop())
