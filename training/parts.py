"""What a ranker may be made of, to learn what each part is worth."""

from dataclasses import dataclass, field

from features.candidates import FEATURES, HIT_FEATURES
from features.senses import ALL_SENSES, Senses
from models.ranker.config import ADDITIVE, TREES
from training.errors import TrainingError

TEXT = [name for name in FEATURES if name.startswith("text_like") or name.endswith("like_text")]
CF = [
    name
    for name in FEATURES
    if name.startswith(("cf_", "similar_", "neighbour_", "sequence_", "tower_"))
]


@dataclass(frozen=True)
class Parts:
    """withheld: features that the ranker does not see. language, ids: whether it has a language
    model, and item ids. head: what makes the logits of the features. senses: what is known of time
    and place, to sources, tower and ranker alike.
    """

    about: str
    withheld: list[str] = field(default_factory=list)
    language: bool = True
    ids: bool = True
    head: str = ADDITIVE
    senses: Senses = ALL_SENSES


def _without(kept: list[str]) -> list[str]:
    return [name for name in FEATURES if name not in kept]


PARTS = {
    "all": Parts("language model and features"),
    "features": Parts("all features in the additive head, no language model", language=False),
    "trees": Parts(
        "all features in gradient-boosted trees, no language model", language=False, head=TREES
    ),
    "cf": Parts(
        "collaborative filtering and tower in the head alone", _without(CF), language=False
    ),
    "language": Parts("the language model with item ids, no feature", list(FEATURES)),
    "without_time": Parts(
        "all, but hour, weekday and season are not known", senses=Senses(clock=False)
    ),
    "without_place": Parts("all, but whereabouts are not known", senses=Senses(place=False)),
    "text": Parts("the language model on texts alone, no item ids", _without(TEXT), ids=False),
}
# Where candidates were found tells of collaborative filtering.
assert not set(TEXT) & set(HIT_FEATURES)


def parts_of(name: str) -> Parts:
    """Return parts by name. Raises TrainingError."""
    if name not in PARTS:
        raise TrainingError(f"parts={name}: is none of {', '.join(PARTS)}")
    return PARTS[name]
