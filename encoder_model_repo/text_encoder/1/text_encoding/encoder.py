"""Texts to unit vectors, with the engine that fits the machine."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from text_encoding.engine import Engine
from text_encoding.grouping import pad
from text_encoding.pool import Pool
from text_encoding.tokenisation import Tokenisation

FORMAT = 1
ENGINES = ("auto", "openvino", "torch")
# Characters of a library's own explanation that go into ours.
REASON_MAX = 300


class EncoderUnusable(Exception):
    """The encoder cannot be loaded; the text says why in one line."""


class Encoder:
    """An encoder directory, loaded."""

    def __init__(
        self, tokenisation: Tokenisation, engine: Engine, about: Mapping[str, object]
    ) -> None:
        self._tokenise = tokenisation
        self._pool = Pool(
            engine,
            dimension=int(str(about["dimension"])),
            pad_id=int(str(about["pad_id"])),
        )
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
            warm, _ = tokenisation([b"warm", b"up " * 20])
            runs = [*engine.lanes, *engine.bulk_lanes, engine.alone]
            for run in [run for run in runs if run]:
                for ids in warm:
                    run(*pad([ids], about["pad_id"]))
        return encoder

    def encode(self, texts: Sequence[bytes]) -> tuple[np.ndarray, np.ndarray]:
        """Return float32 [texts, dimension] of unit length and bool [texts]: was it truncated?"""
        answer: Future[tuple[np.ndarray, np.ndarray] | Exception] = Future()
        self.submit(texts, answer.set_result)
        result = answer.result()
        if isinstance(result, Exception):
            raise result
        return result

    def submit(
        self,
        texts: Sequence[bytes],
        done: Callable[[tuple[np.ndarray, np.ndarray] | Exception], None],
        *,
        bulk: bool = False,
    ) -> None:
        """Have texts encoded; `done` gets what `encode` returns or raises, from another thread."""
        ids, truncated = self._tokenise(texts)

        def encoded(vectors: np.ndarray | Exception) -> None:
            done(vectors if isinstance(vectors, Exception) else (vectors, truncated))

        self._pool.put(ids, encoded, bulk=bulk)

    def padding(self) -> tuple[int, int]:
        """Return how many tokens were computed up to now, and how many of them were padding."""
        return self._pool.padding()

    def stop(self) -> None:
        """Answer what was submitted, then end."""
        self._pool.stop()


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
