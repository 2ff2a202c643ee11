"""The code of Triton's image_encoder, importable without Triton, and images to encode."""

import io
import sys

import numpy as np
from PIL import Image

from tandem_cli.stack.triton import ROOT

sys.path.append(str(ROOT / "encoder_model_repo" / "text_encoder" / "1"))
sys.path.append(str(ROOT / "encoder_model_repo" / "image_encoder" / "1"))

from image_encoding import encoder, pixels

__all__ = ["encoder", "picture", "pixels"]


def picture(seed: int, *, size: tuple[int, int] = (60, 40), kind: str = "PNG") -> bytes:
    """Return an encoded image of four patches in random colours; size: width and height."""
    colours = np.random.default_rng(seed).integers(0, 256, (2, 2, 3), np.uint8)
    image = Image.fromarray(colours).resize(size, Image.Resampling.NEAREST)
    file = io.BytesIO()
    image.save(file, kind)
    return file.getvalue()
