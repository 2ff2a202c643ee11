"""Lists of ten at a dial of diversity: Tandem's selector, and what it is compared with."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from ranking_service.selector.kinds import Kinds
from ranking_service.selector.select import select

Float32 = npt.NDArray[np.float32]
Places = npt.NDArray[np.intp]
LIST = 10
# What the gateway asks for beyond a list of ten decides on the pool.
BACKFILL = 20
SHUFFLED = 30
Lister = Callable[[Float32, Float32, float, np.random.Generator], Places]


def determinantal(
    values: Float32, vectors: Float32, dial: float, _random: np.random.Generator
) -> Places:
    """Tandem's selector, near duplicates kept: the dial alone."""
    return selected(values, vectors, dial, keep_near_duplicates=True)


def without_near_duplicates(
    values: Float32, vectors: Float32, dial: float, _random: np.random.Generator
) -> Places:
    """Tandem's selector as it is served."""
    return selected(values, vectors, dial, keep_near_duplicates=False)


def selected(
    values: Float32, vectors: Float32, dial: float, *, keep_near_duplicates: bool
) -> Places:
    """Return the first places of the selector's slate."""
    slate = select(
        values,
        vectors,
        [str(place) for place in range(len(values))],
        Kinds([], np.zeros(len(values), np.bool_)),
        LIST + BACKFILL,
        diversity=dial,
        keep_near_duplicates=keep_near_duplicates,
    )
    return slate.places[:LIST]


def marginal_relevance(
    values: Float32, vectors: Float32, dial: float, _random: np.random.Generator
) -> Places:
    """Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998) over the same pool.

    Values are put between 0 and 1, and of each item the greatest cosine to one chosen is taken off.
    """
    pool = np.argsort(-values, kind="stable")[: 4 * (LIST + BACKFILL)]
    own, texts = values[pool], vectors[pool]
    worth = (own - own.min()) / max(float(own.max() - own.min()), 1e-9)
    nearest = np.zeros(len(pool), np.float32)
    chosen: list[int] = []
    while len(chosen) < min(LIST, len(pool)):
        gains = (1 - dial) * worth - dial * nearest
        gains[chosen] = -np.inf
        chosen.append(int(gains.argmax()))
        nearest = np.maximum(nearest, texts @ texts[chosen[-1]])
    return pool[chosen]


def shuffled(
    values: Float32, _vectors: Float32, dial: float, random: np.random.Generator
) -> Places:
    """The best thirty in an order that is by value at 0 and drawn at random at 1."""
    best = np.argsort(-values, kind="stable")[:SHUFFLED]
    drawn = random.random(len(best)) * SHUFFLED
    mixed = (1 - dial) * np.arange(len(best)) + dial * drawn
    return best[np.argsort(mixed, kind="stable")][:LIST]


LISTERS: dict[str, Lister] = {
    "tandem": determinantal,
    "mmr": marginal_relevance,
    "shuffle": shuffled,
    "tandem, near duplicates removed": without_near_duplicates,
}
