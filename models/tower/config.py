"""The shape of a user tower, as stored beside its weights."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path

CONFIG = "config.json"


@dataclass(frozen=True)
class TowerConfig:
    """What it takes to build a user tower.

    items: rows of the release's item table. text_width: width of the items' text vectors. spaces:
    width by name of the embedding spaces that items bring along, whose vectors follow the texts'.
    event_width: features of an event; context_width: features of a request. width: of user and item
    vectors. max_history: how many of the newest events are read. id_dropout: share of items whose
    id is withheld in training, so that an item without one is nothing unusual.
    """

    items: int
    text_width: int
    event_width: int
    context_width: int
    width: int = 128
    layers: int = 2
    heads: int = 2
    rating_mean: float = 0.0
    rating_scale: float = 1.0
    max_history: int = 100
    dropout: float = 0.2
    id_dropout: float = 0.1
    spaces: dict[str, int] = field(default_factory=dict)

    @property
    def content_width(self) -> int:
        """The width D + M of what is read of an item: its text vector and those of its media."""
        return self.text_width + sum(self.spaces.values())

    def save(self, directory: Path) -> None:
        """Write the configuration into a tower's folder."""
        (directory / CONFIG).write_text(json.dumps(asdict(self), indent=1, sort_keys=True))


def load_tower_config(directory: Path) -> TowerConfig:
    """Read the configuration from a tower's folder."""
    return TowerConfig(**json.loads((directory / CONFIG).read_text()))
