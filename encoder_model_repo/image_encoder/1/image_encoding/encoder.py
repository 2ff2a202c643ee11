"""Images to unit vectors, with the engine that fits the machine."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from text_encoding.encoder import ENGINES, EncoderUnusable, blaming

from image_encoding.engines import OpenVinoEngine, TorchEngine
from image_encoding.pixels import Pixels

FORMAT = 1


class ImageEncoder:
    """A directory of an image tower, loaded."""

    def __init__(self, engine: OpenVinoEngine | TorchEngine, about: Mapping[str, object]) -> None:
        self._engine = engine
        self._pixels = Pixels(about["preprocessing"])
        self._dimension = int(str(about["dimension"]))
        self.description = f"{about['version']}, {type(engine).__name__}, {engine.precision}"

    @classmethod
    def load(cls, parameters: Mapping[str, str], device: str) -> "ImageEncoder":
        """Load the directory that `encoder_dir` names for a device, "cpu" or "cuda:N".

        `encoder_version`, unless empty, must be the directory's. Raises EncoderUnusable.
        """
        directory = Path(parameters["encoder_dir"])
        file = directory / "image_encoder.json"
        if not file.is_file():
            raise EncoderUnusable(f"{directory}: there is no image_encoder.json in it")
        with blaming(str(file)):
            about = json.loads(file.read_text(encoding="utf-8"))
            if about["format"] != FORMAT:
                raise EncoderUnusable(f"{directory}: format {about['format']}, not {FORMAT}")
        wanted = parameters.get("encoder_version", "")
        if wanted not in ("", about["version"]):
            raise EncoderUnusable(f"{directory}: holds {about['version']}, not {wanted}")
        name = parameters.get("engine", "auto")
        if name not in ENGINES:
            raise EncoderUnusable(f"engine {name!r} is none of {', '.join(ENGINES)}")
        with blaming(f"{directory}: the network"):
            if name == "torch" or (name == "auto" and device != "cpu"):
                engine: OpenVinoEngine | TorchEngine = TorchEngine(directory, device)
            else:
                engine = OpenVinoEngine(directory, int(parameters.get("threads", "0")))
            return cls(engine, about)

    def encode(self, images: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Return float32 [images, dimension] of unit length and bool [images], whether it is one.

        What is no image that can be read has zeros.
        """
        read = [self._pixels.read(image) for image in images]
        usable = np.array([pixels is not None for pixels in read], np.bool_)
        embeddings = np.zeros((len(images), self._dimension), np.float32)
        if usable.any():
            embeddings[usable] = self._engine.run(np.stack([p for p in read if p is not None]))
        return embeddings, usable
