"""The text encoder as retrieval uses it: always with the version whose vectors are wanted."""

import secrets
import time
from collections.abc import Awaitable, Sequence
from hashlib import blake2b
from typing import TypeVar

import grpc
import grpc.aio
import numpy as np
import numpy.typing as npt
from cachetools import TTLCache

from retrieval_service.courtesy import Courtesy
from serving.errors import DependencyUnavailable, Overloaded, VersionMismatch
from serving.text_encoder import TextEncoder

T = TypeVar("T")
Float32 = npt.NDArray[np.float32]
_VERSION_KEPT_S = 1.0
_RETRY_S = 1.0
# A user who looks at several lists in a row says the same words each time.
WORDS_KEPT = 4_096
WORDS_KEPT_S = 300.0
# What is at the encoder when a request comes is still computed beside it: a piece of each batch
# that an upsert has under way.
PIECE_TEXTS = 32
PIECE_TEXTS_BESIDE_REQUESTS = 2


class EncoderMismatch(VersionMismatch):
    """The encoder that is served is not the one that made the release's vectors."""

    def __init__(self, wanted: str, served: str) -> None:
        super().__init__(wanted)
        self.args = (f"the release needs text encoder {wanted}, {served} is served",)


class Encoder:
    """Encodes words of requests at once, and texts of items in bulk.

    Methods raise DependencyUnavailable or Overloaded where the encoder does not answer.
    """

    def __init__(
        self,
        text_encoder: TextEncoder,
        bulk_timeout_s: float,
        courtesy: Courtesy | None = None,
        words_kept: int = WORDS_KEPT,
    ) -> None:
        """bulk_timeout_s: of a piece of bulk work. courtesy: to what requests; None: to none.
        words_kept: of how many words of requests the vectors are kept for a while.
        """
        # By a hash that nobody else can make, and in memory alone: no words are held here.
        self._hash_key = secrets.token_bytes(16)
        self._kept: TTLCache[bytes, Float32] | None = None
        if words_kept:
            self._kept = TTLCache(words_kept, WORDS_KEPT_S)
        self._text_encoder = text_encoder
        self._bulk_timeout_s = bulk_timeout_s
        self._courtesy = courtesy or Courtesy()
        self._version = ""
        self._version_time = -_VERSION_KEPT_S

    async def version(self) -> str:
        """Return the version that is served, as of at most a second ago."""
        if time.monotonic() - self._version_time >= _VERSION_KEPT_S:
            self._version = await _answer(self._text_encoder.version())
            self._version_time = time.monotonic()
        return self._version

    async def encode_words(self, words: str, *, version: str, budget_s: float) -> Float32:
        """Return the vector of words, float32 [D], read-only. Raises EncoderMismatch."""
        key = blake2b(f"{version} {words}".encode(), key=self._hash_key).digest()
        if self._kept is not None and (kept := self._kept.get(key)) is not None:
            return kept
        served = await self.version()
        if served != version:
            raise EncoderMismatch(version, served)
        vectors, _ = await _answer(self._text_encoder.encode([words], timeout=budget_s))
        vector = np.array(vectors[0])
        vector.flags.writeable = False
        if self._kept is not None:
            self._kept[key] = vector
        return vector

    async def encode_items(self, texts: Sequence[str]) -> tuple[Float32, npt.NDArray[np.bool_]]:
        """Return the vectors of texts, float32 [n, D], and bool [n], true where one was cut.

        Many at a time while the service has no requests, else a few in the gaps between them.
        """
        pieces = []
        done = 0
        while done < len(texts):
            if self._courtesy.quiet():
                piece = texts[done : done + PIECE_TEXTS]
                pieces.append(await self._encode_piece(piece))
            else:
                piece = texts[done : done + PIECE_TEXTS_BESIDE_REQUESTS]
                async with self._courtesy.gap():
                    pieces.append(await self._encode_piece(piece))
            done += len(piece)
        if not pieces:
            return np.empty((0, 0), np.float32), np.empty(0, np.bool_)
        vectors, cut = zip(*pieces, strict=True)
        return np.concatenate(vectors), np.concatenate(cut)

    async def _encode_piece(self, texts: Sequence[str]) -> tuple[Float32, npt.NDArray[np.bool_]]:
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
