"""The words that people leave with what they used."""

import numpy as np

from sample_world.grammar import fill, pick, sentence
from sample_world.preference import Preference
from sample_world.styles import LOOKS, MOODS
from sample_world.vocabulary import Category, both

PRAISE = both(
    "Just the {mood} {topic} I was after.; Loved it: {mood} and {look}.; "
    "If you like {topic}, do not miss this.; So {look}. Will tell my friends.",
    "正是我要的{mood}{topic}。; 太喜欢了，{mood}又{look}。; 喜欢{topic}的不要错过。; "
    "很{look}，推荐给朋友。",
)
BLAME = both(
    "Too {mood} for me.; I expected better {topic}.; Not my thing, far too {look}.; Meh.",
    "对我来说太{mood}了。; {topic}不如预期。; 太{look}，不适合我。; 一般般。",
)


def write_review(
    rng: np.random.Generator,
    preference: Preference,
    user: int,
    item: int,
    kind: Category,
    action: str,
    rating: float | None,
) -> str:
    """Return a short review in the user's language, usually "" because most say nothing."""
    share = 0.25 if rating is not None else 0.04 if action == "like" else 0.0
    if rng.random() >= share:
        return ""
    language = "zh" if preference.users.chinese[user] else "en"
    items = preference.items
    templates = PRAISE if rating is None or rating >= 3.5 else BLAME
    slots = {
        "topic": (kind.topics[language][items.topic[item]],),
        "mood": MOODS[items.mood[item]].words[language],
        "look": LOOKS[items.look[item]].words[language],
    }
    text = fill(rng, pick(rng, templates[language]), slots)
    return sentence(text) if language == "en" else text
