"""What to show when retrieval finds nothing."""

import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import blake2b
from itertools import chain, islice
from math import gcd

import numpy as np

from features.near_duplicates import near_duplicates
from features.release import Release
from gateway_service.blocklist import Blocklist
from tandem.v1 import candidate_pb2
from tandem.v1.candidate_pb2 import Candidate, Hit

FALLBACK_SOURCES = frozenset((candidate_pb2.SOURCE_FALLBACK, candidate_pb2.SOURCE_RANDOM))


def fallback_candidates(
    release: Release, blocked: Blocklist, user_id: str, count: int
) -> list[Candidate]:
    """Return up to `count` items: the release's fallback list, then random items of its table.

    The same user gets the same random items.
    """
    listed = (
        _candidate(item_id, candidate_pb2.SOURCE_FALLBACK, rank)
        for rank, item_id in enumerate(release.fallback_item_ids, start=1)
    )
    found = chain(listed, _random_candidates(release, user_id))
    chosen: dict[str, Candidate] = {}
    like_dismissed = _like(release, blocked.dismissed_item_ids)
    allowed = (
        c
        for c in found
        if c.item_id not in chosen and c.item_id not in blocked and not like_dismissed(c.item_id)
    )
    for candidate in islice(allowed, count):
        chosen[candidate.item_id] = candidate
    return list(chosen.values())


def _like(release: Release, dismissed: Sequence[str]) -> Callable[[str], bool]:
    """Return whether an item is nearly the same as one of some items, by the release's texts."""
    items = release.items
    rows = items.rows(dismissed)
    vectors = np.asarray(items.text_vectors[rows[rows >= 0]], np.float32)

    def like(item_id: str) -> bool:
        row = items.row(item_id) if len(vectors) else -1
        own = np.asarray(items.text_vectors[row : row + 1], np.float32)
        return row >= 0 and bool(near_duplicates(own, vectors).any())

    return like


def is_fallback(hits: Iterable[Hit]) -> bool:
    """Return whether an item with these hits was found by no source of the retrieval service."""
    return all(hit.source in FALLBACK_SOURCES for hit in hits)


def _random_candidates(release: Release, user_id: str) -> Iterator[Candidate]:
    """Yield each item of the release's table once, in an order that depends on the user alone.

    The order is a walk with a random stride: unlike a shuffle it costs nothing before it is used.
    """
    item_ids = release.items.item_ids
    size = len(item_ids)
    if not size:
        return
    chance = random.Random(blake2b(user_id.encode(), digest_size=8).digest())
    row = chance.randrange(size)
    stride = next(s for s in iter(lambda: chance.randrange(1, size + 1), 0) if gcd(s, size) == 1)
    for rank in range(1, size + 1):
        yield _candidate(item_ids[row], candidate_pb2.SOURCE_RANDOM, rank)
        row = (row + stride) % size


def _candidate(item_id: str, source: candidate_pb2.Source.ValueType, rank: int) -> Candidate:
    # There is no score to speak of: 0 is the mean of a standardised one.
    return Candidate(item_id=item_id, hits=[Hit(source=source, score=0.0, rank=rank)])
