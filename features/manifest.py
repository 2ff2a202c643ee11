"""What a release says of itself: `manifest.json`."""

from typing import NotRequired, TypedDict

FORMAT = 10
MANIFEST = "manifest.json"


class DatasetEntry(TypedDict):
    """The data that a release was trained on.

    spec, clean: as given to `tandem train`, for whoever opens the same data again. fingerprint:
    SHA-256 of the canonical content. newest_event_ms: Unix milliseconds of the newest event that
    was learned from. repeat: whether people return to items, so that seen ones may be
    recommended.
    """

    spec: str
    clean: NotRequired[list[str]]
    name: str
    fingerprint: str
    repeat: bool
    interactions: int
    newest_event_ms: int
    items: int
    users: int


class EncoderEntry(TypedDict):
    """The text encoder of a release: its version and the width of its vectors."""

    version: str
    dimension: int


class BesideEntry(TypedDict):
    """Two releases on the same targets: means of the metric, their difference and its interval."""

    metric: str
    targets: int
    ours: float
    theirs: float
    difference: float
    ci95: list[float]


class AgainstEntry(TypedDict):
    """How a release did in training beside the one that served, on what was new to both.

    events: that no list brought about, ranked among all items. lists: that were shown, ordered
    anew. None where there was too little. worse: whether the interval of either is below 0.
    """

    release_id: str
    events: BesideEntry | None
    lists: BesideEntry | None
    worse: bool


class Manifest(TypedDict):
    """`manifest.json`. metrics: system -> metric -> mean and interval. files: name -> SHA-256.

    source_weights: by name of the candidate source, for the fusion of their lists.
    senses: whether time and place are known to it, see `features.senses`.
    spaces: width by name of the embedding spaces that items bring along.
    friends: whether it has learned what it is worth that friends used something.
    warm_start: the id of the release that training began with, "" for none. against: None where
    there was nothing to compare with.
    """

    format: int
    release_id: str
    created_at: str
    tandem_version: str
    dataset: DatasetEntry
    encoder: EncoderEntry
    models: dict[str, str]
    metrics: dict[str, object]
    source_weights: dict[str, dict[str, float]]
    senses: dict[str, bool]
    spaces: dict[str, int]
    friends: bool
    settings: dict[str, object]
    warm_start: NotRequired[str]
    against: NotRequired[AgainstEntry | None]
    files: dict[str, str]
