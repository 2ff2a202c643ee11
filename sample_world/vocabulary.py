"""What a domain of the sample world is made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field

LANGUAGES = ("en", "zh")
THEMES = (
    "outdoors",
    "food",
    "night",
    "family",
    "tech",
    "arts",
    "sport",
    "wellness",
    "home",
    "travel",
    "money",
    "games",
    "romance",
    "learning",
    "fashion",
    "animals",
)

Words = Mapping[str, tuple[str, ...]]
"""Words by language."""


def both(en: str, zh: str) -> Words:
    """Return words by language, each written as one string with `; ` between words."""
    return {"en": tuple(en.split("; ")), "zh": tuple(zh.split("; "))}


@dataclass(frozen=True)
class Category:
    """A kind of item.

    themes: what people who like it tend to like, of THEMES. rhythm: when it is wanted, of
    sample_world.rhythms. topics: what an item is about, in the same order in each language;
    nouns: words that its titles are made of. price: lowest and highest, in one made-up
    currency. minutes: shortest and longest duration. opening: patterns of opening hours; an
    item has a place if there are any. family: share of items that suit children.
    """

    name: str
    zh: str
    themes: tuple[str, ...]
    rhythm: str
    topics: Words
    nouns: Words = field(default_factory=dict)
    price: tuple[float, float] | None = None
    minutes: tuple[int, int] | None = None
    opening: tuple[str, ...] = ()
    family: float = 0.5


@dataclass(frozen=True)
class Domain:
    """A field of life with its catalogue.

    titles, texts: templates by language; their slots are named in sample_world.catalogue.
    brands: words by language, or none where the person or place of the title is the brand.
    actions: how often people do what with an item that they like, among view, click, like and
    purchase. rated: share of events that end in a rating. dwell_minutes: typical length of use.
    repeat: whether people come back to the same item.
    """

    name: str
    zh: str
    categories: tuple[Category, ...]
    titles: Words
    texts: Words
    brands: Words
    pools: Mapping[str, Words]
    actions: Mapping[str, float]
    rated: float
    dwell_minutes: float
    repeat: bool = False
