"""Vectors of item texts by their hash: from releases, from the database, else from the encoder."""

import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.item_text import text_hash
from features.release import Release
from retrieval_service.catalogue.records import NewVector
from retrieval_service.catalogue.store import Store
from retrieval_service.encoder import Encoder

Float32 = npt.NDArray[np.float32]
logger = logging.getLogger(__name__)
_CACHED_MAX = 20_000


@dataclass(frozen=True)
class _Table:
    """The vectors of a release. row_by_hash: text hash -> row of `vectors`, float32 [n, D]."""

    encoder_version: str
    row_by_hash: Mapping[str, int]
    vectors: Float32


class Vectors:
    """Finds and makes vectors, always of one encoder version.

    EMPTY is the hash of the text "", which has no vector.
    """

    EMPTY = text_hash("")

    def __init__(self, store: Store, encoder: Encoder) -> None:
        self._store = store
        self._encoder = encoder
        self._tables: dict[str, _Table] = {}
        self._cached: dict[tuple[str, str], Float32] = {}

    def add_release(self, release: Release) -> None:
        """Look texts up in a release from now on. Reads its item table."""
        rows = {text: row for row, text in enumerate(release.items.text_hashes)}
        version = release.encoder_version
        self._tables[release.release_id] = _Table(version, rows, release.items.text_vectors)

    def remove_release(self, release_id: str) -> None:
        """Forget a release."""
        self._tables.pop(release_id, None)

    async def find(self, version: str, hashes: Iterable[str]) -> dict[str, Float32]:
        """Return the vectors, float32 [D], of those texts that have one already."""
        found: dict[str, Float32] = {}
        unknown = []
        for text in set(hashes) - {self.EMPTY}:
            vector = self._in_memory(version, text)
            if vector is None:
                unknown.append(text)
            else:
                found[text] = vector
        if unknown:
            for text, (raw, _) in (await self._store.vectors(version, unknown)).items():
                found[text] = self._remember(version, text, np.frombuffer(raw, dtype="<f4"))
        return found

    async def ensure(self, version: str, texts: Mapping[str, str]) -> dict[str, Float32]:
        """Return the vectors, float32 [D], of texts by hash; encode and store those without one.

        Left out are those that cannot be had, because the encoder has another version by now.
        Raises DependencyUnavailable where the encoder is down.
        """
        found = await self.find(version, texts)
        new = await self.encode(version, texts, known=found.keys())
        if new:
            await self._store.add_vectors(new)
            found |= await self.find(version, [vector.text_hash for vector in new])
        return found

    async def encode_for_upsert(self, texts: Mapping[str, str]) -> tuple[list[NewVector], set[str]]:
        """Encode texts by hash for every loaded release, or as the encoder is now if none is.

        Return what is to be stored, and the hashes of those texts that were cut.
        """
        if not texts:
            return [], set()
        versions = {table.encoder_version for table in self._tables.values()}
        new: list[NewVector] = []
        cut: set[str] = set()
        for version in versions or {await self._encoder.version()}:
            kept = self._known_in_releases(version, texts)
            stored = await self._store.vectors(version, set(texts) - kept)
            cut |= {text for text, (_, truncated) in stored.items() if truncated}
            new += await self.encode(version, texts, known=kept | set(stored))
        return new, cut | {vector.text_hash for vector in new if vector.truncated}

    async def encode(
        self, version: str, texts: Mapping[str, str], *, known: Collection[str]
    ) -> list[NewVector]:
        """Encode those texts by hash that are not known and not empty."""
        missing = [text for text in texts if text not in known and texts[text]]
        if not missing:
            return []
        serving = await self._encoder.version()
        if serving != version:
            logger.warning(
                "%d texts have no vector of encoder %s: %s is served now",
                len(missing),
                version,
                serving,
            )
            return []
        vectors, truncated = await self._encoder.encode_items([texts[text] for text in missing])
        return [
            NewVector(version, text, vector.astype("<f4").tobytes(), bool(cut))
            for text, vector, cut in zip(missing, vectors, truncated, strict=True)
        ]

    def _known_in_releases(self, version: str, hashes: Iterable[str]) -> set[str]:
        return {text for text in hashes if self._in_release(version, text) is not None}

    def _in_memory(self, version: str, text: str) -> Float32 | None:
        cached = self._cached.get((version, text))
        return cached if cached is not None else self._in_release(version, text)

    def _in_release(self, version: str, text: str) -> Float32 | None:
        for table in self._tables.values():
            if table.encoder_version == version and text in table.row_by_hash:
                return np.asarray(table.vectors[table.row_by_hash[text]])
        return None

    def _remember(self, version: str, text: str, vector: Float32) -> Float32:
        if len(self._cached) >= _CACHED_MAX:
            self._cached.pop(next(iter(self._cached)))
        self._cached[version, text] = vector
        return vector
