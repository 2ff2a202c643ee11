"""What a request names, looked up in the release: candidates and history as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from features.candidates import SOURCES
from features.events import EventArrays, event_arrays
from features.item_text import item_text
from ranking_service.loaded_release import LoadedRelease
from tandem.v1.candidate_pb2 import Candidate, Source
from tandem.v1.common_pb2 import Vector
from tandem.v1.event_pb2 import HistoryEvent
from tandem.v1.item_pb2 import Item
from tandem.v1.ranking_service_pb2 import RankRequest

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]
# By a source's number, -1 for one that the ranker does not read.
SOURCE_PLACES = np.full(max(Source.values()) + 2, -1)
SOURCE_PLACES[list(SOURCES)] = np.arange(len(SOURCES))


@dataclass(frozen=True)
class LookedUp:
    """C candidates that can be scored, and the user's whole history of E events.

    candidates: as they came. unscored: ids of those that nobody knows. rows: int32 [C], -1 for
    items that the release does not hold. vectors: float32 [C, D], of texts. media: float32 [C, M].
    latitudes, longitudes: float32 [C], degrees, NaN where unknown. texts: int32 [C, N], tokens.
    hit_scores: float32 [C, sources], hit_ranks: int32 [C, sources], 0 where a source has none.
    live: float32 [C], counts of uses since the release learned. changed: items that are newer than
    the release or changed since, by id. history: as it came; events: its arrays, as the release
    senses them; event_vectors: float32 [E, D]; event_media: float32 [E, M].
    """

    candidates: list[Candidate]
    unscored: list[str]
    rows: Int32
    vectors: Float32
    media: Float32
    latitudes: Float32
    longitudes: Float32
    texts: Int32
    hit_scores: Float32
    hit_ranks: Int32
    live: Float32
    changed: Mapping[str, Item]
    history: Sequence[HistoryEvent]
    events: EventArrays
    event_vectors: Float32
    event_media: Float32

    @property
    def new(self) -> dict[int, Item]:
        """The candidates that the release does not hold, by place."""
        unknown = np.flatnonzero(self.rows < 0).tolist()
        return {place: self.changed[self.candidates[place].item_id] for place in unknown}

    def without(self, item_id: str, places: Sequence[int]) -> "LookedUp":
        """Return the same with some of the candidates, and with an item taken from the history."""
        kept = np.array([event.item_id != item_id for event in self.history], np.bool_)
        return LookedUp(
            candidates=[self.candidates[place] for place in places],
            unscored=[],
            rows=self.rows[places],
            vectors=self.vectors[places],
            media=self.media[places],
            latitudes=self.latitudes[places],
            longitudes=self.longitudes[places],
            texts=self.texts[places],
            hit_scores=self.hit_scores[places],
            hit_ranks=self.hit_ranks[places],
            live=self.live[places],
            changed=self.changed,
            history=[event for event, keep in zip(self.history, kept, strict=True) if keep],
            events=self.events.take(kept),
            event_vectors=self.event_vectors[kept],
            event_media=self.event_media[kept],
        )


def look_up(loaded: LoadedRelease, request: RankRequest) -> LookedUp:
    """Look up every item that a request names."""
    items = loaded.tables.items
    overrides = {o.item.item_id: array_of(o.text_vector) for o in request.item_overrides}
    changed = {override.item.item_id: override.item for override in request.item_overrides}
    candidates, ids = list(request.candidates), [c.item_id for c in request.candidates]
    rows = items.rows(ids)
    unscored: list[str] = []
    if (rows < 0).any():
        known = [row >= 0 or name in overrides for name, row in zip(ids, rows, strict=True)]
        unscored = [name for name, found in zip(ids, known, strict=True) if not found]
        candidates = [c for c, found in zip(candidates, known, strict=True) if found]
        rows, ids = rows[known], [c.item_id for c in candidates]
    history = list(request.user.history)
    events = loaded.tables.senses.of_events(event_arrays(history, items))
    past = [event.item_id for event in history]
    scores, ranks = hit_arrays(candidates)
    latitudes, longitudes = places(loaded, rows, candidates, changed)
    counts = {count.item_id: count.count for count in request.live_counts}
    return LookedUp(
        candidates=candidates,
        unscored=unscored,
        rows=rows,
        vectors=text_vectors(loaded, rows, ids, overrides),
        media=media_vectors(loaded, rows, ids, changed),
        latitudes=latitudes,
        longitudes=longitudes,
        texts=text_tokens(loaded, rows, candidates, changed),
        hit_scores=scores,
        hit_ranks=ranks,
        live=np.array([counts.get(name, 0.0) for name in ids], np.float32),
        changed=changed,
        history=history,
        events=events,
        event_vectors=text_vectors(loaded, events.rows, past, overrides),
        event_media=media_vectors(loaded, events.rows, past, changed),
    )


def text_vectors(
    loaded: LoadedRelease,
    rows: npt.NDArray[np.int32],
    item_ids: list[str],
    overrides: dict[str, Float32],
) -> Float32:
    """Return text vectors [n, D]: an override's, else the release's, else zeros."""
    table = loaded.tables.items.text_vectors
    known = rows >= 0
    if known.all():
        vectors = table[rows]
    else:
        vectors = np.zeros((len(rows), table.shape[1]), np.float32)
        vectors[known] = table[rows[known]]
    for place, item_id in enumerate(item_ids if overrides else []):
        if item_id in overrides:
            vectors[place] = overrides[item_id]
    return vectors


def media_vectors(
    loaded: LoadedRelease,
    rows: npt.NDArray[np.int32],
    item_ids: list[str],
    changed: Mapping[str, Item],
) -> Float32:
    """Return joined vectors of media [n, M]: by space an override's, else the release's."""
    table = loaded.tables.items.media
    joined = table.joined(rows)
    for place, item_id in enumerate(item_ids if changed and table.spaces else []):
        for space, vector in changed[item_id].vectors.items() if item_id in changed else ():
            if space in table.parts:
                joined[place, table.parts[space]] = array_of(vector)
    return joined


def places(
    loaded: LoadedRelease,
    rows: npt.NDArray[np.int32],
    candidates: list[Candidate],
    changed: Mapping[str, Item],
) -> tuple[Float32, Float32]:
    """Return latitudes and longitudes [n]: an override's, else the release's, else NaN."""
    latitudes, longitudes = loaded.tables.items.places(rows)
    if loaded.tables.senses.place and changed:
        for at, candidate in enumerate(candidates):
            item = changed.get(candidate.item_id)
            if item is not None and item.HasField("place"):
                latitudes[at], longitudes[at] = item.place.latitude, item.place.longitude
    return latitudes, longitudes


def text_tokens(
    loaded: LoadedRelease,
    rows: npt.NDArray[np.int32],
    candidates: list[Candidate],
    changed: Mapping[str, Item],
) -> npt.NDArray[np.int32]:
    """Return the tokens of candidates' texts [n, N]: an override's, else the release's."""
    tokens = np.where((rows >= 0)[:, None], loaded.tables.items.text_tokens[rows], -1)
    if not loaded.ranker.config.candidate_tokens:
        return tokens
    places = [place for place, c in enumerate(candidates) if c.item_id in changed]
    texts = [item_text(changed[candidates[place].item_id]) for place in places]
    tokens[places] = loaded.candidate_tokenizer.tokens(texts)
    return tokens


def hit_arrays(candidates: list[Candidate]) -> tuple[Float32, npt.NDArray[np.int32]]:
    """Return the hits' scores and ranks, [candidates, sources], 0 where a source has none."""
    hits = [hit for candidate in candidates for hit in candidate.hits]
    sources = np.array([hit.source for hit in hits], np.int64)
    places = SOURCE_PLACES[np.clip(sources, -1, len(SOURCE_PLACES) - 1)]
    rows = np.repeat(np.arange(len(candidates)), [len(candidate.hits) for candidate in candidates])
    read = places >= 0
    at = rows[read], places[read]
    scores = np.zeros((len(candidates), len(SOURCES)), np.float32)
    ranks = np.zeros((len(candidates), len(SOURCES)), np.int32)
    scores[at] = np.array([hit.score for hit in hits], np.float32)[read]
    ranks[at] = np.array([hit.rank for hit in hits], np.int32)[read]
    return scores, ranks


def array_of(vector: Vector) -> Float32:
    """Return a message's vector without a copy."""
    return np.frombuffer(vector.float32_values, dtype="<f4")
