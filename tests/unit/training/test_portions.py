import numpy as np

from features.events import EventArrays
from tandem.v1.event_pb2 import Action
from training.interactions import Interactions
from training.tower.portions import portion, users_of_epoch

COUNTS = np.random.default_rng(3).integers(0, 40, 200)
EVENTS = int(COUNTS.sum())


def interactions() -> Interactions:
    rows = np.random.default_rng(4).integers(0, 50, EVENTS).astype(np.int32)
    events = EventArrays(
        rows=rows,
        actions=np.full(EVENTS, Action.ACTION_VIEW, np.int32),
        times_ms=np.arange(EVENTS, dtype=np.int64),
        ratings=np.full(EVENTS, np.nan, np.float32),
        offsets_min=np.zeros(EVENTS, np.int32),
        latitudes=np.full(EVENTS, np.nan, np.float32),
        longitudes=np.full(EVENTS, np.nan, np.float32),
    )
    starts = np.concatenate([[0], np.cumsum(COUNTS)])
    return Interactions(events, starts, 50, np.arange(EVENTS))


def test_what_is_few_is_read_whole_in_every_epoch() -> None:
    known = interactions()
    for epoch in range(3):
        assert portion(known, EVENTS, epoch, seed=1) is known


def test_an_epoch_reads_about_as_much_as_it_may() -> None:
    known, longest = interactions(), int(COUNTS.max())
    for epoch in range(20):
        part = portion(known, 500, epoch, seed=1)
        assert 500 - longest <= len(part.events) <= 500 + longest


def test_an_epoch_reads_users_whole_and_as_they_are() -> None:
    known = interactions()
    users = users_of_epoch(COUNTS, 500, 2, 1)
    part = portion(known, 500, 2, seed=1)
    assert part.users == len(users)
    assert part.items == known.items
    for place, user in enumerate(users.tolist()):
        whole = known.of(user)
        assert part.of(place).rows.tolist() == whole.rows.tolist()
        assert part.of(place).times_ms.tolist() == whole.times_ms.tolist()
    assert part.file_rows.tolist() == part.events.times_ms.tolist()


def test_everybody_is_read_once_before_anybody_is_read_again() -> None:
    known = interactions()
    read: list[int] = []
    for epoch in range(EVENTS // 500):
        read += portion(known, 500, epoch, seed=1).file_rows.tolist()
    assert len(set(read)) == len(read)
    read += portion(known, 500, EVENTS // 500, seed=1).file_rows.tolist()
    assert set(read) == set(range(EVENTS))


def test_the_order_of_users_is_drawn_by_the_seed() -> None:
    first, same, other = (users_of_epoch(COUNTS, 500, 0, seed) for seed in (1, 1, 2))
    assert first.tolist() == same.tolist()
    assert first.tolist() != other.tolist()
    assert first.tolist() != users_of_epoch(COUNTS, 500, 1, 1).tolist()
