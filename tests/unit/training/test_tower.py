"""What the user tower reads, sees and is trained on."""

import numpy as np
import torch
import torch.nn.functional as F

from features.context import CONTEXT_WIDTH
from features.events import EVENT_WIDTH, EventArrays
from features.moment import Moment
from features.tower import TowerSpace
from models.tower.config import TowerConfig
from models.tower.serving import ServedTower
from models.tower.tower import UserTower
from tandem.v1.event_pb2 import Action
from training.interactions import Interactions
from training.settings import TrainSettings
from training.tower.loop import new_tower
from training.tower.loss import all_or_sampled, next_item_loss
from training.tower.sequences import sequences_of, windows_of
from training.tower.users import inputs_of, user_vectors

ITEMS, WIDTH, TEXT = 30, 16, 8


def history(rows: list[int]) -> EventArrays:
    count = len(rows)
    return EventArrays(
        rows=np.array(rows, np.int32),
        actions=np.full(count, Action.ACTION_VIEW, np.int32),
        times_ms=np.arange(count, dtype=np.int64) * 3_600_000,
        ratings=np.full(count, np.nan, np.float32),
        offsets_min=np.zeros(count, np.int32),
        latitudes=np.full(count, np.nan, np.float32),
        longitudes=np.full(count, np.nan, np.float32),
    )


def served_tower() -> ServedTower:
    torch.manual_seed(0)
    config = TowerConfig(ITEMS, TEXT, EVENT_WIDTH, CONTEXT_WIDTH, width=WIDTH, max_history=5)
    tower = UserTower(config)
    for parameter in tower.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return ServedTower(tower, torch.randn(ITEMS, WIDTH)).eval()


def test_a_user_vector_does_not_depend_on_who_is_asked_about_beside() -> None:
    served = served_tower()
    inputs = [
        inputs_of(served, history(rows), Moment(10**8)) for rows in ([1, 2, 3], [4], [5, 6, 7, 8])
    ]
    together = user_vectors(served, inputs)
    alone = np.stack([user_vectors(served, [one])[0] for one in inputs])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_only_the_newest_events_are_read() -> None:
    served = served_tower()
    long, other = [9, 8, 7, 1, 2, 3, 4, 5], [20, 21, 22, 1, 2, 3, 4, 5]
    read = [inputs_of(served, history(rows), Moment(10**8)) for rows in (long, other)]
    assert len(read[0].rows) == 5
    vectors = user_vectors(served, read)
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)


def test_the_time_of_the_request_matters() -> None:
    served = served_tower()
    now, later = (
        user_vectors(served, [inputs_of(served, history([1, 2, 3]), Moment(time_ms))])[0]
        for time_ms in (8_000_000, 80_000_000_000)
    )
    assert np.abs(now - later).max() > 1e-3


def test_an_unknown_item_stands_where_its_text_puts_it() -> None:
    space = TowerSpace(
        item_vectors=np.eye(3, 4, dtype=np.float32),
        mean=np.full(4, 0.5, np.float32),
        projection=np.ones((2, 4), np.float32),
    )
    vectors = space.vectors(np.array([1, -1]), np.array([[9.0, 9.0], [1.0, 2.0]], np.float32))
    assert vectors.tolist() == [[0, 1, 0, 0], [2.5, 2.5, 2.5, 2.5]]


def test_every_event_but_the_first_is_predicted_once_in_an_epoch() -> None:
    rows = list(range(23))
    everyone = Interactions(history(rows), np.array([0, 1, 1, 23]), ITEMS, np.arange(23))
    sequences = sequences_of(everyone, False, 0.0, 1.0)
    windows = windows_of(sequences, 6, np.random.default_rng(0))
    assert max(end - start for start, end in windows) <= 6
    covered = np.concatenate([np.arange(start, end) for start, end in windows])
    assert sorted(covered.tolist()) == list(range(1, 22))
    assert sequences.predicts[1:22].all()
    assert not sequences.predicts[[0, 22]].any()


def test_a_small_catalogue_is_told_apart_whole() -> None:
    classes = all_or_sampled(torch.tensor([3, 5]), torch.arange(10), 5, np.random.default_rng(0))
    assert classes.rows_C.tolist() == list(range(10))
    assert not classes.correction_C.any()


def test_what_nobody_has_used_is_not_learned_to_be_unwanted() -> None:
    everyone = Interactions(history([1, 2, 9, 2]), np.array([0, 4]), ITEMS, np.arange(4))
    used = sequences_of(everyone, False, 0.0, 1.0).used_U
    assert used.tolist() == [1, 2, 9]
    for negatives in (1, 5):
        classes = all_or_sampled(torch.tensor([2]), used, negatives, np.random.default_rng(0))
        assert set(classes.rows_C.tolist()) <= {1, 2, 9}
    tower = new_tower(everyone, TEXT, TrainSettings(tower_width=WIDTH))
    known = tower.items.ids.weight.abs().sum(1) > 0
    assert known.nonzero().flatten().tolist() == [1, 2, 9]


def test_sampled_classes_stand_for_the_whole_catalogue() -> None:
    torch.manual_seed(1)
    random = np.random.default_rng(1)
    users, items = 0.5 * torch.randn(6, 4), torch.randn(2_000, 4)
    targets = torch.tensor([0, 7, 7, 300, 1_500, 1_999])
    exact = float(F.cross_entropy(users @ items.T, targets))
    estimates = []
    for _ in range(40):
        classes = all_or_sampled(targets, torch.arange(2_000), 400, random)
        assert len(torch.unique(classes.rows_C)) == len(classes.rows_C)
        estimates.append(float(next_item_loss(users, targets, classes, items[classes.rows_C])))
    assert abs(float(np.mean(estimates)) - exact) < 0.03
