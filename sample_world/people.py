"""The people of a world: what they want, where they live, and how they say it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sample_world.cities import CITIES, scatter
from sample_world.grammar import pick, sentence
from sample_world.preference import HIDDEN_WIDTH, TOPIC_WIDTH, CategoryTraits, UserTraits
from sample_world.rhythms import RHYTHMS
from sample_world.styles import LOOKS, MOODS, Style
from sample_world.vocabulary import THEMES, Category, Domain, both

NEW_SHARE = 0.05
SILENT_SHARE = 0.2
TAGGED_SHARE = 0.5
DRIFTING_SHARE = 0.25
HABIT_FACTOR = 5.0
TASTE_SHARPNESS = 1.5
TASTE_FLOOR = 0.003

LIKES = both(
    "I like {a} and {b}, above all {topic} and {other}. Some {c}, too.; "
    "Mostly here for {a}: {topic}, {second}. Then {b}, best of all {other}, and {c}.; "
    "{topic}, {second} and {other} make my week. I never say no to {b}, {a} or {c}.; "
    "Looking for {a}, especially {topic}, for {b}, say {other}, and now and then {c}.",
    "喜欢{a}和{b}，尤其是{topic}、{other}，也看{c}。; "
    "主要看{a}：{topic}、{second}；其次是{b}，比如{other}；偶尔也要{c}。; "
    "{topic}、{second}和{other}最合我意，{a}、{b}、{c}都来者不拒。; "
    "想找{a}，特别是{topic}；还有{b}，比如{other}；有时也要{c}。",
)
STYLED = both(
    "I want {mood}, and {look}.; Give me {mood}, and {look} if possible.; "
    "{mood}, please. Also {look}.",
    "想要{mood}，最好是{look}。; 偏爱{mood}，也爱{look}。; 请给我{mood}、{look}。",
)
DISLIKES = both(
    "Nothing {mood}, please.; No {category}, thanks.; I cannot stand {mood} things.",
    "不要{mood}的。; 请不要推荐{category}。; 受不了{mood}的东西。",
)


@dataclass(frozen=True)
class UserRow:
    """A person as the data set tells of them. Fields are columns of users.csv."""

    user_id: str
    text: str
    language_code: str
    region_code: str
    tags: str
    group: str


@dataclass(frozen=True)
class People:
    """People as rows and as traits, in the same order; new: those who have done nothing yet."""

    rows: list[UserRow]
    traits: UserTraits
    new: npt.NDArray[np.bool_]


def category_traits(rng: np.random.Generator, domains: Sequence[Domain]) -> CategoryTraits:
    """Return the traits of the domains' categories, topics placed at random in their space."""
    pairs = [(domain, category) for domain in domains for category in domain.categories]
    most = max(len(category.topics["en"]) for _, category in pairs)
    topics = rng.normal(size=(len(pairs), most, TOPIC_WIDTH)) / np.sqrt(TOPIC_WIDTH)
    return CategoryTraits(
        names=[category.name for _, category in pairs],
        domains=[domain.name for domain, _ in pairs],
        rhythm=np.array([RHYTHMS[category.rhythm] for _, category in pairs]),
        topics=topics,
    )


def make_people(
    rng: np.random.Generator,
    domains: Sequence[Domain],
    categories: CategoryTraits,
    count: int,
    start_ms: int,
    end_ms: int,
) -> People:
    """Make `count` people; NEW_SHARE of them are new, DRIFTING_SHARE change between the times."""
    kinds = [category for domain in domains for category in domain.categories]
    themes = np.array([[theme in kind.themes for kind in kinds] for theme in THEMES], dtype=float)
    shares = np.array([city.share for city in CITIES])
    city = rng.choice(len(CITIES), size=count, p=shares / shares.sum())
    chinese = rng.random(count) < np.array([CITIES[c].chinese for c in city])
    taste = np.array([_taste(rng, themes) for _ in range(count)])
    drifting = rng.random(count) < DRIFTING_SHARE
    later = np.where(
        drifting[:, None], np.array([_taste(rng, themes) for _ in range(count)]), taste
    )
    places = np.array([_places(rng, int(c)) for c in city])
    traits = UserTraits(
        user_ids=[f"u{number:05d}" for number in range(1, count + 1)],
        taste=taste,
        later_taste=later,
        drift_ms=np.where(drifting, np.floor(rng.uniform(start_ms, end_ms, count)), np.nan),
        topics=rng.normal(size=(count, TOPIC_WIDTH)) * np.sqrt(2.0),
        moods=np.array([_style_wishes(rng, len(MOODS)) for _ in range(count)]),
        looks=np.array([_style_wishes(rng, len(LOOKS)) for _ in range(count)]),
        hidden=rng.normal(size=(count, HIDDEN_WIDTH)),
        chinese=chinese,
        city=city,
        home=places[:, 0],
        work=places[:, 1],
        out=places[:, 2],
        utc_offset_minutes=np.array([CITIES[c].utc_offset_minutes for c in city]),
        shift_hours=rng.choice([-1, 0, 1], size=count, p=[0.2, 0.6, 0.2]),
        habits=[_habits(rng, categories, taste[user]) for user in range(count)],
    )
    new = np.zeros(count, dtype=np.bool_)
    if count > 1:
        new[rng.permutation(count)[: max(1, round(count * NEW_SHARE))]] = True
    rows = [_row(rng, kinds, categories, traits, user, bool(new[user])) for user in range(count)]
    return People(rows, traits, new)


def _taste(rng: np.random.Generator, themes: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return a taste over categories, [categories], from two or three themes of a life."""
    loved = rng.choice(len(themes), size=int(rng.integers(2, 4)), replace=False)
    weights = rng.dirichlet(np.full(len(loved), 2.0))
    taste: npt.NDArray[np.float64] = weights @ themes[loved]
    taste *= rng.gamma(2.0, 0.5, len(taste))
    if not taste.any():
        taste = rng.gamma(0.3, 1.0, len(taste))
    taste = taste**TASTE_SHARPNESS
    taste = taste / taste.sum() + TASTE_FLOOR
    return taste / np.sum(taste)


def _style_wishes(rng: np.random.Generator, styles: int) -> npt.NDArray[np.float64]:
    """Return how much each style is wanted: one much, perhaps a second, one not at all."""
    wishes = rng.normal(0.0, 0.2, styles)
    order = rng.permutation(styles)
    wishes[order[0]] += 1.6
    wishes[order[1]] += 0.8 * rng.random()
    wishes[order[-1]] -= 1.6
    return wishes


def _places(rng: np.random.Generator, city_number: int) -> list[list[float]]:
    """Return home, work and where to go at night: [3, 2], latitude and longitude."""
    city = CITIES[city_number]
    out = [d for d in city.districts if d.out]
    living = [d for d in city.districts if not d.out]
    home, work = (living[i] for i in rng.choice(len(living), 2, replace=False))
    chosen = (home, work, out[int(rng.integers(len(out)))])
    return [scatter(rng, city, district, 1)[0].tolist() for district in chosen]


def _habits(
    rng: np.random.Generator, categories: CategoryTraits, taste: npt.NDArray[np.float64]
) -> list[tuple[int, int, int, float]]:
    """Return two to four hours of the week that belong to a liked category."""
    count = int(rng.integers(2, 5))
    habits = []
    for category in rng.choice(len(taste), size=count, p=taste).tolist():
        rhythm = categories.rhythm[category].ravel()
        slot = int(rng.choice(len(rhythm), p=rhythm / rhythm.sum()))
        weekend, daypart = divmod(slot, categories.rhythm.shape[2])
        habits.append((category, weekend, daypart, HABIT_FACTOR))
    return habits


def _row(
    rng: np.random.Generator,
    kinds: Sequence[Category],
    categories: CategoryTraits,
    traits: UserTraits,
    user: int,
    new: bool,
) -> UserRow:
    language = "zh" if traits.chinese[user] else "en"
    best = np.argsort(-traits.taste[user], kind="stable")
    first, second = kinds[best[0]], kinds[best[1]]
    topics = [
        kinds[category].topics[language][topic]
        for category, count in ((best[0], 2), (best[1], 1))
        for topic in np.argsort(-categories.topics[category] @ traits.topics[user])[:count]
    ]
    told = new or rng.random() >= SILENT_SHARE
    tagged = rng.random() < TAGGED_SHARE
    tags = (_category(first, language), topics[0], _category(second, language))
    text = _text(rng, kinds, traits, user, language, topics)
    return UserRow(
        user_id=traits.user_ids[user],
        text=text if told else "",
        language_code=language,
        region_code=CITIES[traits.city[user]].region,
        tags="|".join(tags) if tagged else "",
        group=CITIES[traits.city[user]].en,
    )


def _text(
    rng: np.random.Generator,
    kinds: Sequence[Category],
    traits: UserTraits,
    user: int,
    language: str,
    topics: Sequence[str],
) -> str:
    order = np.argsort(-traits.taste[user], kind="stable")
    mood, worst = _ends(traits.moods[user])
    look, _ = _ends(traits.looks[user])
    parts = [
        pick(rng, LIKES[language]).format(
            a=_category(kinds[order[0]], language),
            b=_category(kinds[order[1]], language),
            c=_category(kinds[order[2]], language),
            topic=topics[0],
            second=topics[1],
            other=topics[2],
        )
    ]
    if rng.random() < 0.85:
        parts.append(
            pick(rng, STYLED[language]).format(
                mood=pick(rng, MOODS[mood].wish[language]),
                look=pick(rng, LOOKS[look].wish[language]),
            )
        )
    if rng.random() < 0.4:
        parts.append(
            pick(rng, DISLIKES[language]).format(
                mood=_style(MOODS[worst], language),
                category=_category(kinds[order[-1]], language),
            )
        )
    return sentence(" ".join(parts)) if language == "en" else "".join(parts)


def _ends(wishes: npt.NDArray[np.float64]) -> tuple[int, int]:
    return int(wishes.argmax()), int(wishes.argmin())


def _category(category: Category, language: str) -> str:
    return category.name if language == "en" else category.zh


def _style(style: Style, language: str) -> str:
    return style.name if language == "en" else style.zh
