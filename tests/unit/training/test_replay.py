"""What a replay records and when, and what it reads from the answers."""

from pathlib import Path

import numpy as np
import pytest

from features.fusion import SourceWeights
from tandem.v1 import event_pb2
from tandem.v1.candidate_pb2 import ActionProbability, Candidate, Hit, RankedItem, Source
from tests.unit.training.test_protocols import dataset, day, rate
from training.evaluation.answers import Answers, like_given_engagement, source_lists
from training.evaluation.protocols import Protocol
from training.evaluation.replay_order import RATED, REQUEST, replay_order
from training.evaluation.trial import make_trial
from training.evaluation.trial_file import UNASKED, Result


def test_each_request_meets_the_past_that_its_protocol_grants(tmp_path: Path) -> None:
    rows = [rate("a", n, n) for n in range(5)] + [rate("b", n, n) for n in range(2)]
    trial = make_trial(dataset(tmp_path, rows), Protocol(targets=2))
    order = replay_order(trial)
    assert np.flatnonzero(order.first).tolist() == [0, 1, 2, 5]
    steps = order.steps[0]
    assert [step.rows.tolist() for step in steps] == [[], [3]]
    assert order.later_rows() == {3}


def test_known_events_after_a_request_are_not_recorded_before_it(tmp_path: Path) -> None:
    rows = [
        rate("a", 0, 1, 5, "train", "1"),
        rate("a", 1, 2, 5, "test", "1"),
        rate("a", 2, 3, 5, "train", "1"),
        rate("a", 3, 4, 5, "test", "0"),
        rate("a", 4, 5, 5, "train", "1"),
        rate("b", 5, 5, 5, "train", "1"),
    ]
    order = replay_order(make_trial(dataset(tmp_path, rows), Protocol("given")))
    assert np.flatnonzero(order.first).tolist() == [0, 5]
    assert [(s.kind, s.rows.tolist()) for s in order.steps[0]] == [
        (REQUEST, []),
        (RATED, []),
        (RATED, [2]),
    ]


def test_what_was_only_shown_is_never_recorded(tmp_path: Path) -> None:
    rows = [f"a,i8,{day(0)},impression,,,", *(rate("a", n, n + 1) for n in range(3))]
    order = replay_order(make_trial(dataset(tmp_path, rows), Protocol()))
    assert np.flatnonzero(order.first).tolist() == [1, 2]


def candidates() -> list[Candidate]:
    def hit(source: Source.ValueType, rank: int) -> Hit:
        return Hit(source=source, rank=rank)

    return [
        Candidate(item_id="i3", hits=[hit(Source.SOURCE_CF, 1), hit(Source.SOURCE_SEMANTIC, 2)]),
        Candidate(item_id="i1", hits=[hit(Source.SOURCE_SEMANTIC, 1)]),
        Candidate(item_id="i2", hits=[hit(Source.SOURCE_CF, 2), hit(Source.SOURCE_SEMANTIC, 3)]),
    ]


def test_a_sources_list_is_in_the_order_of_its_ranks() -> None:
    lists = source_lists(candidates())
    assert lists[Source.SOURCE_SEMANTIC] == ["i1", "i3", "i2"]
    assert lists[Source.SOURCE_CF] == ["i3", "i2"]


def test_the_union_is_what_is_served_and_looks_no_deeper(tmp_path: Path) -> None:
    rows = [rate("a", n, n) for n in range(5)]
    trial = make_trial(dataset(tmp_path, rows), Protocol(targets=2))
    answers = Answers(trial)
    answers.note_candidates(1, candidates(), 2, 2, SourceWeights(), words_weight=0.0)
    ids = trial.dataset.items["item_id"].tolist()
    union = answers.ranked["union"]
    assert [ids[row] for row in union[1] if row >= 0] == ["i3", "i1"]
    assert (union[0] == UNASKED).all()
    assert Result(union, answers.label_scores, {}).asked.tolist() == [False, True]
    assert "source:popular" in answers.ranked
    without = answers.ranked["without:cf"]
    assert [ids[row] for row in without[1] if row >= 0] == ["i1", "i3"]
    assert answers.ranked["without:popular"].tolist() == union.tolist()


def test_a_like_is_told_given_that_the_user_engages() -> None:
    def item(**chances: float) -> RankedItem:
        return RankedItem(
            action_probabilities=[
                ActionProbability(action=getattr(event_pb2, f"ACTION_{name}"), probability=chance)
                for name, chance in chances.items()
            ]
        )

    assert like_given_engagement(item(CLICK=0.2, LIKE=0.15)) == pytest.approx(0.75)
    assert like_given_engagement(item(CLICK=0.2)) == pytest.approx(0.2)
    assert np.isnan(like_given_engagement(item()))
