"""The text encoder as retrieval uses it: always with the version whose vectors are wanted."""

import time
from collections.abc import Awaitable, Sequence
from typing import TypeVar

import grpc
import grpc.aio
import numpy as np
import numpy.typing as npt

from serving.errors import DependencyUnavailable, Overloaded, VersionMismatch
from serving.text_encoder import TextEncoder

T = TypeVar("T")
Float32 = npt.NDArray[np.float32]
_VERSION_KEPT_S = 1.0
_RETRY_S = 1.0


class EncoderMismatch(VersionMismatch):
    """The encoder that is served is not the one that made the release's vectors."""

    def __init__(self, wanted: str, served: str) -> None:
        super().__init__(wanted)
        self.args = (f"the release needs text encoder {wanted}, {served} is served",)


class Encoder:
    """Encodes words of requests at once, and texts of items in bulk.

    Methods raise DependencyUnavailable or Overloaded where the encoder does not answer.
    """

    def __init__(self, text_encoder: TextEncoder, bulk_timeout_s: float) -> None:
        self._text_encoder = text_encoder
        self._bulk_timeout_s = bulk_timeout_s
        self._version = ""
        self._version_time = -_VERSION_KEPT_S

    async def version(self) -> str:
        """Return the version that is served, as of at most a second ago."""
        if time.monotonic() - self._version_time >= _VERSION_KEPT_S:
            self._version = await _answer(self._text_encoder.version())
            self._version_time = time.monotonic()
        return self._version

    async def encode_words(self, words: str, *, version: str, budget_s: float) -> Float32:
        """Return the vector of words, float32 [D]. Raises EncoderMismatch."""
        served = await self.version()
        if served != version:
            raise EncoderMismatch(version, served)
        vectors, _ = await _answer(self._text_encoder.encode([words], timeout=budget_s))
        return np.asarray(vectors[0])

    async def encode_items(self, texts: Sequence[str]) -> tuple[Float32, npt.NDArray[np.bool_]]:
        """Return the vectors of texts, float32 [n, D], and bool [n], true where one was cut."""
        work = self._text_encoder.encode(texts, timeout=self._bulk_timeout_s, bulk=True)
        return await _answer(work)


async def _answer(work: Awaitable[T]) -> T:
    try:
        return await work
    except grpc.aio.AioRpcError as error:
        if error.code() == grpc.StatusCode.RESOURCE_EXHAUSTED:
            raise Overloaded(_RETRY_S) from error
        detail = error.details() or error.code().name
        raise DependencyUnavailable("text_encoder", detail[:200]) from error
