"""Texts to unit vectors, with the engine that fits the machine."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np

from text_encoding.grouping import group_by_length, pad
from text_encoding.tokenisation import Tokenisation

FORMAT = 1
ENGINES = ("auto", "openvino", "torch")
# Characters of a library's own explanation that go into ours.
REASON_MAX = 300


class EncoderUnusable(Exception):
    """The encoder cannot be loaded; the text says why in one line."""


class Engine(Protocol):
    """Runs the network on padded groups of token ids."""

    call_cost: int
    precision: str

    def run(self, groups: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
        """Return float32 [texts, dimension] for each group of token ids and attention mask."""


class Encoder:
    """An encoder directory, loaded."""

    def __init__(
        self, tokenisation: Tokenisation, engine: Engine, about: dict[str, object]
    ) -> None:
        self._tokenise = tokenisation
        self._engine = engine
        self._pad_id = int(str(about["pad_id"]))
        self._dimension = int(str(about["dimension"]))
        self.description = f"{about['version']}, {type(engine).__name__}, {engine.precision}"

    @classmethod
    def load(cls, parameters: Mapping[str, str], device: str) -> "Encoder":
        """Load the directory that `encoder_dir` names for a device, "cpu" or "cuda:N".

        `encoder_version`, unless empty, must be the directory's. Raises EncoderUnusable.
        """
        directory = Path(parameters["encoder_dir"])
        if not (directory / "encoder.json").is_file():
            raise EncoderUnusable(f"{directory}: there is no encoder.json in it")
        with blaming(f"{directory}: encoder.json"):
            about = json.loads((directory / "encoder.json").read_text(encoding="utf-8"))
            version = about["version"]
            if about["format"] != FORMAT:
                raise EncoderUnusable(f"{directory}: format {about['format']}, not {FORMAT}")
        wanted = parameters.get("encoder_version", "")
        if wanted not in ("", version):
            raise EncoderUnusable(f"{directory}: holds {version}, not {wanted}")
        with blaming(f"{directory}: tokenizer.json"):
            tokenisation = Tokenisation(directory / "tokenizer.json", about["max_tokens"])
        with blaming(f"{directory}: the network"):
            engine = _engine(directory, about["pooling"], parameters, device)
            encoder = cls(tokenisation, engine, about)
            # The first call pays for memory and kernels; it also proves that the engine works.
            encoder.encode([b"warm", b"up " * 20])
        return encoder

    def encode(self, texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Return float32 [texts, dimension] of unit length and bool [texts]: was it truncated?"""
        ids, truncated = self._tokenise(texts)
        groups = group_by_length([len(row) for row in ids], self._engine.call_cost)
        padded = [pad([ids[index] for index in group], self._pad_id) for group in groups]
        embeddings = np.empty((len(texts), self._dimension), dtype=np.float32)
        for group, result in zip(groups, self._engine.run(padded), strict=True):
            embeddings[group] = result
        return embeddings, truncated


def _engine(directory: Path, pooling: str, parameters: Mapping[str, str], device: str) -> Engine:
    name = parameters.get("engine", "auto")
    if name not in ENGINES:
        raise EncoderUnusable(f"engine {name!r} is none of {', '.join(ENGINES)}")
    # Imported late: a machine has the libraries of one of them.
    if name == "torch" or (name == "auto" and device != "cpu"):
        from text_encoding.torch_engine import TorchEngine

        return TorchEngine(directory, pooling, device)
    from text_encoding.openvino_engine import OpenVinoEngine

    return OpenVinoEngine(directory, int(parameters.get("threads", "0")))


@contextmanager
def blaming(what: str) -> Iterator[None]:
    """Make any error one line that begins with what is to blame."""
    try:
        yield
    except EncoderUnusable:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:REASON_MAX]
        raise EncoderUnusable(f"{what}: {type(error).__name__}: {reason}") from error
