import numpy as np
import pytest
from implicit.als import AlternatingLeastSquares
from scipy import sparse
from threadpoolctl import threadpool_limits

from features.cf import CfModel
from features.clock import cycles
from features.history import history_weights, mean_vector
from features.hits import standardise
from features.ids import item_hash, item_hashes
from features.item_text import item_text
from features.neighbours import Neighbours
from features.words import request_words, review_words
from tandem.v1.event_pb2 import Action, HistoryEvent
from tandem.v1.item_pb2 import Item
from tandem.v1.user_pb2 import InterestTag, UserProfile


def test_a_folded_in_user_equals_the_one_that_was_fitted() -> None:
    random = np.random.default_rng(0)
    matrix = sparse.csr_matrix((random.random((40, 30)) < 0.2).astype(np.float32))
    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(
            factors=8, regularization=0.5, alpha=3.0, iterations=5, random_state=0
        )
        model.fit(matrix, show_progress=False)
    cf = CfModel(np.array(model.item_factors), regularization=0.5, alpha=3.0)
    rows = matrix[7].indices
    # The library's own way to compute a user anew.
    expected = model.recalculate_user(7, matrix[7])
    folded = cf.fold_in(rows, np.ones(len(rows), np.float32))
    np.testing.assert_allclose(folded, expected, atol=1e-3)


def test_a_user_without_history_folds_in_as_zero() -> None:
    cf = CfModel(np.ones((3, 2), np.float32), regularization=1.0, alpha=1.0)
    none = cf.fold_in(np.array([-1], np.int32), np.array([1.0], np.float32))
    assert not none.any()


def test_neighbours_leave_out_what_was_asked_with() -> None:
    rows = np.array([[1, 2], [0, 2], [0, -1]], np.int32)
    scores = np.array([[0.9, 0.5], [0.9, 0.1], [0.5, 0.0]], np.float32)
    found, values = Neighbours(rows, scores).query(
        np.array([0, 1, -1]), np.array([1.0, 1.0, 1.0], np.float32), 10
    )
    assert found.tolist() == [2]
    assert values[0] == pytest.approx((0.5 + 0.1) / 2)


def test_disliked_items_pull_no_neighbours() -> None:
    neighbours = Neighbours(np.array([[1], [0]], np.int32), np.ones((2, 1), np.float32))
    found, _ = neighbours.query(np.array([0]), np.array([-1.0], np.float32), 10)
    assert len(found) == 0


def test_standardised_scores_have_mean_0_and_deviation_1() -> None:
    scores = standardise(np.array([3.0, 5.0, 10.0], np.float32))
    assert scores.mean() == pytest.approx(0, abs=1e-6)
    assert scores.std() == pytest.approx(1, abs=1e-6)
    assert standardise(np.full(4, 2.0, np.float32)).tolist() == [0, 0, 0, 0]


def test_item_hashes_are_those_that_the_contract_documents() -> None:
    assert item_hash("a") == int.from_bytes(bytes.fromhex("40f89e395b66422f"), "little")
    assert item_hashes(["b", "a", "b"]).tolist() == sorted({item_hash("a"), item_hash("b")})


def test_an_items_text_begins_with_what_tells_it_apart() -> None:
    item = Item(title="Alien", categories=["Horror"], tags=["space"], description="A crew wakes.")
    assert item_text(item) == "Alien. Horror. space. A crew wakes."
    assert item_text(Item(item_id="bare")) == ""


def test_newer_and_stronger_events_weigh_more_and_dislikes_below_nothing() -> None:
    weights = history_weights(
        [
            HistoryEvent(action=Action.ACTION_VIEW),
            HistoryEvent(action=Action.ACTION_PURCHASE),
            HistoryEvent(action=Action.ACTION_DISMISS),
            HistoryEvent(action=Action.ACTION_VIEW),
        ]
    )
    assert weights[3] > weights[0] > 0
    assert weights[1] > weights[3]
    assert weights[2] < 0


def test_the_mean_of_nothing_liked_is_zero() -> None:
    mean = mean_vector(np.ones((2, 3), np.float32), np.array([-1.0, 0.0], np.float32))
    assert not mean.any()


def test_the_same_local_hour_reads_the_same_in_every_time_zone() -> None:
    noon_utc = np.array([1_700_000_000_000 // 86_400_000 * 86_400_000 + 12 * 3_600_000])
    here = cycles(noon_utc, np.array([0], np.int32))
    there = cycles(noon_utc - 2 * 3_600_000, np.array([120], np.int32))
    np.testing.assert_allclose(here, there, atol=1e-6)


def test_words_of_the_request_come_before_the_profile_and_that_before_reviews() -> None:
    profile = UserProfile(
        text="I like tea.",
        interest_tags=[InterestTag(tag="green tea"), InterestTag(tag="coffee", confidence=-1)],
    )
    reviewed = [HistoryEvent(text="Old."), HistoryEvent(text="Cosy."), HistoryEvent()]
    assert request_words(" now jazz ", profile, reviewed).text == "now jazz"
    assert request_words("", profile, reviewed).text == "I like tea. green tea"
    assert request_words("", UserProfile(), reviewed).text == "Cosy."
    assert request_words("", UserProfile(), []).text == ""
    # Only what a request asks for is to be obeyed.
    assert request_words(" now jazz ", profile, reviewed).asked
    assert not request_words("", profile, reviewed).asked


def test_a_review_is_read_up_to_its_limit() -> None:
    assert review_words(" so\n good ") == "so good"
    assert len(review_words("word " * 500)) <= 400
