"""Golden requests: what training computed for some requests, for serving to compute again.

The ranking service replays them when it loads a release, and refuses one whose scores it cannot
reproduce. Their users are made up, and so are their words, so that a release holds nobody's history
and nothing that anybody said.
"""

import numpy as np
from google.protobuf.json_format import MessageToDict

from features.candidates import SOURCES
from features.events import EventArrays
from features.user_view import ReleaseTables
from models.ranker.ranker import Ranker
from models.ranker.text import PrefixTokenizer
from tandem.v1.candidate_pb2 import Candidate, Hit
from tandem.v1.common_pb2 import Vector
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Action, HistoryEvent
from tandem.v1.ranking_service_pb2 import RankRequest
from tandem.v1.user_pb2 import UserState
from training.examples import Example, ExampleMaker, Models
from training.interactions import Interactions
from training.ranker.packing import Packer
from training.ranker.scoring import scored
from training.settings import TrainSettings
from training.targets import Target
from training.words import NO_WORDS, Words

USERS = 6
EVENTS = 12
HOUR_MS = 3_600_000
OFFSET_MIN = 60


def golden_requests(
    release_id: str,
    models: Models,
    ranker: Ranker,
    tokenizer: PrefixTokenizer,
    words: Words,
    newest_ms: int,
    settings: TrainSettings,
) -> list[dict[str, object]]:
    """Return requests and their engagement logits by item, ready for JSON."""
    random = np.random.default_rng(settings.seed)
    tables = models.tables
    made_up = _made_up_users(tables, newest_ms, random)
    targets = [
        Target(user, user * EVENTS // USERS, said, float(said != NO_WORDS))
        for user in range(USERS)
        for said in [_some_words(words, user, random)]
    ]
    maker = ExampleMaker(models, made_up, words, repeat=False, settings=settings)
    examples = list(maker.examples(targets))
    answers = scored(ranker, Packer(maker, tokenizer), examples)
    return [
        {
            "request": MessageToDict(_request(release_id, maker, example)),
            "engage_logits": {
                tables.items.item_ids[row]: float(logit)
                for row, logit in zip(example.rows, logits[:, 0], strict=True)
            },
        }
        for example, logits in zip(examples, answers, strict=True)
    ]


def _made_up_users(
    tables: ReleaseTables, newest_ms: int, random: np.random.Generator
) -> Interactions:
    """Return users who took popular items at random, hours apart, where the items are."""
    weights = tables.items.popularity + 1e-3
    count = USERS * EVENTS
    rows = random.choice(len(weights), size=count, p=weights / weights.sum()).astype(np.int32)
    steps = random.integers(1, 48, count).cumsum()
    latitudes, longitudes = tables.items.places(rows)
    events = EventArrays(
        rows=rows,
        actions=np.full(count, Action.ACTION_VIEW, np.int32),
        times_ms=newest_ms + steps.astype(np.int64) * HOUR_MS,
        ratings=np.full(count, np.nan, np.float32),
        offsets_min=np.full(count, OFFSET_MIN, np.int32),
        latitudes=latitudes,
        longitudes=longitudes,
    )
    starts = np.arange(0, count + 1, EVENTS)
    return Interactions(events, starts, len(weights), np.arange(count))


def _some_words(words: Words, user: int, random: np.random.Generator) -> int:
    """Return the place of words made from what an item is, for every other user."""
    made = np.setdiff1d(words.of_item, np.concatenate([words.of_user, words.of_event]))
    encoded = made[words.vectors[made].any(axis=1)]
    return int(random.choice(encoded)) if user % 2 and len(encoded) else NO_WORDS


def _request(release_id: str, maker: ExampleMaker, example: Example) -> RankRequest:
    ids, target = maker.tables.items.item_ids, example.target
    events = maker.interactions.of(target.user)
    history = []
    for place in range(target.place):
        event = HistoryEvent(item_id=ids[events.rows[place]], action=Action.ACTION_VIEW)
        event.event_time.FromMilliseconds(int(events.times_ms[place]))
        event.utc_offset.FromSeconds(OFFSET_MIN * 60)
        history.append(event)
    context = RequestContext()
    context.request_time.FromMilliseconds(int(events.times_ms[target.place]))
    context.utc_offset.FromSeconds(OFFSET_MIN * 60)
    request = RankRequest(
        release_id=release_id,
        user=UserState(user_id=f"golden-{target.user}", history=history),
        context=context,
        text=maker.words.texts[target.words],
        candidates=[
            Candidate(item_id=ids[row], hits=hits)
            for row, hits in zip(example.rows, _hits(example), strict=True)
        ],
    )
    if example.user_vector.any():
        user_vector = example.user_vector.astype("<f4").tobytes()
        request.user_vector.CopyFrom(Vector(float32_values=user_vector))
    if target.words != NO_WORDS:
        vector = maker.words.vectors[target.words]
        request.text_vector.CopyFrom(Vector(float32_values=vector.astype("<f4").tobytes()))
        request.interest_tags.extend(maker.interests(target))
    return request


def _hits(example: Example) -> list[list[Hit]]:
    return [
        [
            Hit(source=source, score=float(score), rank=int(rank))
            for source, score, rank in zip(SOURCES, scores, ranks, strict=True)
            if rank > 0
        ]
        for scores, ranks in zip(example.found.scores, example.found.ranks, strict=True)
    ]
