"""How items are told: titles, descriptions, tags and the rest of their rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sample_world.cities import City, scatter
from sample_world.grammar import fill, pick, sentence, title
from sample_world.names import COLOURS, FAMILY, GIVEN, NUMBERS, PLACES
from sample_world.styles import LOOKS, MOODS, Style
from sample_world.vocabulary import Category, Domain

CHINESE_SHARE = 0.25
TITLE_TRIES = 12


@dataclass(frozen=True)
class ItemRow:
    """An item as the data set tells of it. Fields are columns of items.csv."""

    item_id: str
    title: str
    description: str
    categories: str
    tags: str
    brand: str
    language_code: str
    created_at: int
    available: bool
    lat: float | None
    lon: float | None
    price: float | None
    duration_minutes: int | None
    opening_hours: str
    city: str
    family_friendly: bool


class ItemWriter:
    """Writes the texts of items, with titles that nearly never come twice."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        self._titles: set[str] = set()
        self._numbers: dict[str, int] = {}

    def item(
        self,
        domain: Domain,
        category: Category,
        topic: int,
        mood: int,
        look: int,
        city: City,
        *,
        created_ms: int,
        available: bool,
    ) -> ItemRow:
        """Write one item of a topic (a number within its category), a mood and a look."""
        rng = self._rng
        # Places speak the language of their city; the rest of the catalogue is mixed likewise.
        placed = bool(category.opening)
        chinese = city.chinese if placed else CHINESE_SHARE
        language = "zh" if rng.random() < chinese else "en"
        district = city.districts[self._district(city, category)]
        brand = pick(rng, domain.brands[language]) if domain.brands[language] else ""
        slots = self._slots(domain, category, language, topic, mood, look)
        slots |= {"district": (district.zh if language == "zh" else district.en,)}
        if brand:
            slots["brand"] = (brand,)
        name = self._title(domain, language, slots)
        lat, lon = scatter(rng, city, district, 1)[0].tolist() if placed else (None, None)
        number = self._numbers[domain.name] = self._numbers.get(domain.name, 0) + 1
        words = (category.topics[language][topic], _name(MOODS[mood], language))
        return ItemRow(
            item_id=f"{domain.name}-{number:05d}",
            title=name,
            description=self._description(domain, language, slots, mood, look),
            categories=f"{domain.name}|{category.name}",
            tags="|".join((*words, _name(LOOKS[look], language))),
            brand=brand,
            language_code=language,
            created_at=created_ms,
            available=available,
            lat=lat,
            lon=lon,
            price=self._price(category, look),
            duration_minutes=self._minutes(category),
            opening_hours=pick(rng, category.opening) if placed else "",
            city=city.en if placed or domain.name == "social" else "",
            family_friendly=bool(rng.random() < category.family),
        )

    def _district(self, city: City, category: Category) -> int:
        weights = np.ones(len(city.districts))
        if category.rhythm == "night_out":
            weights[[d.out for d in city.districts]] = 8.0
        return int(self._rng.choice(len(weights), p=weights / weights.sum()))

    def _slots(
        self, domain: Domain, category: Category, language: str, topic: int, mood: int, look: int
    ) -> dict[str, Sequence[str]]:
        rng = self._rng
        given = pick(rng, GIVEN[language])
        family = pick(rng, FAMILY[language])
        return {
            "topic": (category.topics[language][topic],),
            "noun": category.nouns.get(language, ()),
            "category": (category.name if language == "en" else category.zh,),
            "mood": MOODS[mood].words[language],
            "look": LOOKS[look].words[language],
            "given": (given,),
            "person": (f"{given} {family}" if language == "en" else f"{family}{given}",),
            "place": (pick(rng, PLACES[language]),),
            "colour": COLOURS[language],
            "number": NUMBERS[language],
            **{slot: words[language] for slot, words in domain.pools.items()},
        }

    def _title(self, domain: Domain, language: str, slots: Mapping[str, Sequence[str]]) -> str:
        text = ""
        for _ in range(TITLE_TRIES):
            text = fill(self._rng, pick(self._rng, domain.titles[language]), slots)
            if text not in self._titles:
                break
        self._titles.add(text)
        return title(text) if language == "en" else text

    def _description(
        self,
        domain: Domain,
        language: str,
        slots: Mapping[str, Sequence[str]],
        mood: int,
        look: int,
    ) -> str:
        rng = self._rng
        parts = [
            fill(rng, pick(rng, domain.texts[language]), slots),
            pick(rng, MOODS[mood].phrases[language]),
        ]
        if rng.random() < 0.7:
            parts.append(pick(rng, LOOKS[look].phrases[language]))
        return sentence(" ".join(parts)) if language == "en" else "".join(parts)

    def _price(self, category: Category, look: int) -> float | None:
        if category.price is None:
            return None
        low, high = np.log(category.price)
        # What is luxurious costs more.
        place = self._rng.beta(4, 1.5) if LOOKS[look].name == "luxurious" else self._rng.beta(2, 3)
        return round(float(np.exp(low + (high - low) * place)), 2)

    def _minutes(self, category: Category) -> int | None:
        if category.minutes is None:
            return None
        low, high = category.minutes
        return int(self._rng.integers(low, high + 1))


def _name(style: Style, language: str) -> str:
    return style.name if language == "en" else style.zh
