"""The catalogue of a world: what each item is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_world.cities import CITIES
from sample_world.item_writer import ItemRow, ItemWriter
from sample_world.preference import DAY_MS, HIDDEN_WIDTH, ItemTraits
from sample_world.rhythms import opening_mask
from sample_world.styles import LOOKS, MOODS
from sample_world.vocabulary import Domain

NEW_SHARE = 0.03
UNAVAILABLE_SHARE = 0.02


@dataclass(frozen=True)
class Catalogue:
    """Items as rows and as traits, in the same order: by domain, then by category."""

    rows: list[ItemRow]
    traits: ItemTraits


def make_catalogue(
    rng: np.random.Generator, domains: Sequence[Domain], count: int, start_ms: int, end_ms: int
) -> Catalogue:
    """Make `count` items, spread over the domains and their categories.

    Some are created between `start_ms` and `end_ms`, and NEW_SHARE only after that.
    """
    pairs = [(domain, category) for domain in domains for category in domain.categories]
    sizes = _sizes(rng, domains, count)
    category = np.repeat(np.arange(len(pairs)), sizes)
    topic = np.array([rng.integers(len(pairs[c][1].topics["en"])) for c in category])
    mood = rng.integers(len(MOODS), size=count)
    look = rng.integers(len(LOOKS), size=count)
    # A long tail: a few items are far better than the rest.
    quality = 0.75 * rng.gumbel(size=count)
    created, gone = _lifetimes(rng, count, start_ms, end_ms)
    shares = np.array([city.share for city in CITIES])
    cities = rng.choice(len(CITIES), size=count, p=shares / shares.sum())
    writer = ItemWriter(rng)
    rows = []
    for i in range(count):
        domain, kind = pairs[category[i]]
        rows.append(
            writer.item(
                domain,
                kind,
                int(topic[i]),
                int(mood[i]),
                int(look[i]),
                CITIES[cities[i]],
                created_ms=int(created[i]),
                available=bool(np.isinf(gone[i])),
            )
        )
    openings = sorted({row.opening_hours for row in rows})
    traits = ItemTraits(
        item_ids=[row.item_id for row in rows],
        category=category,
        topic=topic,
        mood=mood,
        look=look,
        hidden=rng.normal(size=(count, HIDDEN_WIDTH)),
        quality=quality,
        chinese=np.array([row.language_code == "zh" for row in rows]),
        lat=np.array([np.nan if row.lat is None else row.lat for row in rows]),
        lon=np.array([np.nan if row.lon is None else row.lon for row in rows]),
        opening=np.array([openings.index(row.opening_hours) for row in rows]),
        opening_masks=np.array([opening_mask(opening) for opening in openings]),
        created_ms=created,
        gone_ms=gone,
    )
    return Catalogue(rows, traits)


def _sizes(
    rng: np.random.Generator, domains: Sequence[Domain], count: int
) -> npt.NDArray[np.int64]:
    """Share items evenly among domains, unevenly among their categories, at least one each."""
    shares = np.concatenate(
        [rng.dirichlet(np.full(len(d.categories), 12.0)) / len(domains) for d in domains]
    )
    if count <= len(shares):
        return (np.arange(len(shares)) < count).astype(np.int64)
    extra = shares * (count - len(shares))
    sizes: npt.NDArray[np.int64] = 1 + np.floor(extra).astype(np.int64)
    missing = count - sizes.sum()
    sizes[np.argsort(np.floor(extra) - extra, kind="stable")[:missing]] += 1
    return sizes


def _lifetimes(
    rng: np.random.Generator, count: int, start_ms: int, end_ms: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return when items come and go, float64 Unix milliseconds, infinity for those that stay."""
    order = rng.permutation(count)
    new = order[: max(1, round(count * NEW_SHARE))] if count >= 20 else order[:0]
    going = order[len(new) : len(new) + round(count * UNAVAILABLE_SHARE)]
    created = start_ms - rng.uniform(0, 700, count) * DAY_MS
    recent = rng.random(count) < 0.2
    created[recent] = start_ms + rng.uniform(0, 0.9, recent.sum()) * (end_ms - start_ms)
    created[new] = end_ms + rng.uniform(1, 72, len(new)) * 3_600_000
    gone = np.full(count, np.inf)
    gone[going] = end_ms - rng.uniform(15, 60, len(going)) * DAY_MS
    created[going] = np.minimum(created[going], start_ms)
    return np.floor(created / 1000) * 1000, np.floor(gone)
