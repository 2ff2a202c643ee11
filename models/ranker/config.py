"""The shape of a ranker, as stored beside its weights."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

CONFIG = "config.json"
MAX_TEXT_TOKENS = 48
ADDITIVE, TREES = HEADS = ("additive", "trees")


@dataclass(frozen=True)
class RankerConfig:
    """What it takes to build a ranker and to feed it.

    language_model: the Hugging Face configuration of the backbone. items: rows of the release's
    item table. text_width: width of the items' text vectors. spaces: width by name of the embedding
    spaces that items bring along, whose vectors follow those of the texts. features: names of the
    candidate features, in order. outcomes: names of what is predicted; "engage" is first, the
    others are given engagement ("like", "purchase") or given exposure ("dismiss"); "rating", the
    last, is a number and no probability. candidate_tokens: how many tokens of a candidate's text
    the language model reads beside its item token; 0 is item mode, more is text mode. withheld:
    features that the ranker does not see; language, ids: whether it has a language model and item
    ids. head: one of HEADS, what makes the logits of the features; trees know no language model.
    These four are for ablations: what is missing is missing in serving as in training.
    """

    language_model: dict[str, object]
    items: int
    text_width: int
    features: list[str]
    event_width: int
    context_width: int
    outcomes: list[str]
    rating_mean: float = 0.0
    rating_scale: float = 1.0
    value_weights: dict[str, float] = field(default_factory=lambda: {"engage": 1.0})
    id_width: int = 64
    max_history: int = 50
    max_text_tokens: int = MAX_TEXT_TOKENS
    candidate_tokens: int = 0
    dropout: float = 0.1
    id_dropout: float = 0.2
    withheld: list[str] = field(default_factory=list)
    language: bool = True
    ids: bool = True
    head: str = ADDITIVE
    spaces: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.head not in HEADS:
            raise ValueError(f"head {self.head!r} is none of {', '.join(HEADS)}")
        if self.head == TREES and self.language:
            raise ValueError("a head of trees reads no language model")

    def save(self, directory: Path) -> None:
        """Write the configuration into a ranker's folder."""
        (directory / CONFIG).write_text(json.dumps(asdict(self), indent=1, sort_keys=True))


def load_config(directory: Path) -> RankerConfig:
    """Read the configuration from a ranker's folder."""
    return RankerConfig(**json.loads((directory / CONFIG).read_text()))
