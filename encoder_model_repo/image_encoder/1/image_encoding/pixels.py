"""Encoded images to the pixels that a tower reads."""

import io
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np
from PIL import Image, ImageOps

# What unpacks to more than this is refused before it is unpacked: a file of 50 KB may hold a
# picture that fills the memory.
PIXELS_MOST = 50_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")


class Pixels:
    """Decodes, resizes, crops and normalises as `preprocessing` of an encoder directory says.

    preprocessing: shortest_edge (pixels, 0 for none) or height and width to resize to; crop, pixels
    of the square in the middle (0 for none); resample, a filter's number in Pillow; scale; mean and
    std, one for each colour.
    """

    def __init__(self, preprocessing: Mapping[str, Any]) -> None:
        self._shortest = int(preprocessing["shortest_edge"])
        self._size = (int(preprocessing["width"]), int(preprocessing["height"]))
        self._crop = int(preprocessing["crop"])
        self._resample = Image.Resampling(int(preprocessing["resample"]))
        self._scale = float(preprocessing["scale"])
        self._mean = np.asarray(preprocessing["mean"], np.float32)
        self._std = np.asarray(preprocessing["std"], np.float32)

    def read(self, encoded: bytes) -> np.ndarray | None:
        """Return float32 [3, height, width], or None where the bytes are no image."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of odd but readable files
                with Image.open(io.BytesIO(encoded), formats=FORMATS) as image:
                    if image.width * image.height > PIXELS_MOST:
                        return None
                    # As a viewer would show it: cameras write down which side was up.
                    upright = ImageOps.exif_transpose(image).convert("RGB")
        except Exception:  # Pillow's decoders raise whatever a broken file leads them to
            return None
        pixels = np.asarray(self._cropped(self._resized(upright)), np.float32) * self._scale
        return np.ascontiguousarray(((pixels - self._mean) / self._std).transpose(2, 0, 1))

    def _resized(self, image: Image.Image) -> Image.Image:
        if not self._shortest:
            return image.resize(self._size, self._resample)
        short, long = sorted(image.size)
        other = int(self._shortest * long / short)
        wide = image.width > image.height
        size = (other, self._shortest) if wide else (self._shortest, other)
        return image.resize(size, self._resample)

    def _cropped(self, image: Image.Image) -> Image.Image:
        if not self._crop:
            return image
        top, left = (image.height - self._crop) // 2, (image.width - self._crop) // 2
        return image.crop((left, top, left + self._crop, top + self._crop))
