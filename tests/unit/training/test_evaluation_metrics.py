"""Metrics against formulas that are written out or another library's."""

import numpy as np
import pytest

from training.evaluation import labels, lists
from training.evaluation.intervals import UserBootstrap
from training.evaluation.metrics import MISSED, of_places, places_in
from training.evaluation.slices import popularity_thirds

RANKED = np.array([[4, 2, 7], [1, -1, -1], [0, 3, 5]], np.int32)


def test_a_place_is_where_the_target_stands_in_its_list() -> None:
    assert places_in(RANKED, np.array([7, 9, 0])).tolist() == [2, MISSED, 0]
    assert places_in(np.zeros((2, 0), np.int32), np.array([0, 0])).tolist() == [MISSED, MISSED]


def test_every_metric_of_one_list_is_what_its_definition_says() -> None:
    values = {name: float(value[0]) for name, value in of_places(np.array([6])).items()}
    assert values["hr@5"] == values["ndcg@5"] == values["mrr@5"] == 0
    assert values["hr@10"] == values["recall@10"] == 1
    assert values["precision@10"] == 1 / 10
    assert values["ndcg@10"] == pytest.approx(1 / np.log2(8))
    assert values["mrr"] == values["mrr@20"] == pytest.approx(1 / 7)
    assert values["recall@500"] == 1


def pairwise_auc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of pairs in the right order, by looking at each pair."""
    pairs = [(p, n) for p in scores[truth == 1] for n in scores[truth == 0]]
    return float(np.mean([1.0 if p > n else 0.5 if p == n else 0.0 for p, n in pairs]))


def test_auc_is_the_share_of_pairs_in_the_right_order() -> None:
    random = np.random.default_rng(5)
    scores = random.integers(1, 8, 200) / 10
    truth = (random.random(200) < scores).astype(float)
    assert labels.auc(scores, truth) == pytest.approx(pairwise_auc(scores, truth))
    users = random.integers(0, 12, 200)
    ours = labels.user_aucs(scores, truth, users, 14)
    for user in range(12):
        mine = users == user
        if len(set(truth[mine])) == 2:
            assert ours[user] == pytest.approx(pairwise_auc(scores[mine], truth[mine]))
        else:
            assert np.isnan(ours[user])
    assert np.isnan(ours[12:]).all()


def test_log_loss_follows_its_definition() -> None:
    losses = labels.log_losses(np.array([0.9, 0.9, 0.0]), np.array([1.0, 0.0, 0.0]))
    assert losses.tolist() == pytest.approx([-np.log(0.9), -np.log(0.1), 0.0], abs=1e-6)


def test_a_users_own_auc_does_not_depend_on_the_level_of_others() -> None:
    scores = np.array([0.9, 0.8, 0.2, 0.1])
    truth, users = np.array([1.0, 0, 1, 0]), np.array([3, 3, 8, 8])
    metrics = labels.label_metrics(scores, truth, users, probabilities=True)
    assert metrics["uauc"]["mean"] == 1.0
    assert metrics["auc"]["mean"] == pytest.approx(3 / 4)


def test_calibration_error_is_the_gap_between_chance_and_share() -> None:
    scores = np.array([0.95, 0.95, 0.15, 0.15])
    truth = np.array([1.0, 0, 0, 0])
    assert labels.calibration_error(scores, truth) == pytest.approx(0.5 * 0.45 + 0.5 * 0.15)


def test_coverage_counts_items_and_gini_their_shares() -> None:
    assert lists.coverage(RANKED, items=14) == 7 / 14
    assert lists.exposure_gini(np.array([[0, 1], [2, 3]], np.int32), items=4) == pytest.approx(0)
    one_for_all = np.zeros((50, 1), np.int32)
    assert lists.exposure_gini(one_for_all, items=10) == pytest.approx(0.9)


def test_diversity_is_the_mean_over_all_pairs() -> None:
    random = np.random.default_rng(1)
    vectors = random.normal(size=(8, 5)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    a, b, c = vectors[[4, 2, 7]]
    expected = 1 - (a @ b + a @ c + b @ c) / 3
    assert lists.diversity(RANKED, vectors).tolist()[:2] == pytest.approx([expected, 0], abs=1e-6)


def test_novelty_is_the_surprise_of_the_items_shown() -> None:
    popularity = np.array([7, 3, 1, 0, 0, 0, 0, 0])
    of_first = -np.log2(4 / 19)
    assert lists.novelty(RANKED, popularity)[1] == pytest.approx(of_first)


def test_seen_items_in_a_list_are_found_out() -> None:
    bounds, history = np.array([0, 1, 1, 3]), np.array([2, 3, 9])
    assert lists.seen_share(RANKED, bounds, history, items=10) == pytest.approx(2 / 7)


def test_intervals_are_wider_where_requests_of_a_user_go_together() -> None:
    random = np.random.default_rng(2)
    by_user = random.random(40)
    values = np.repeat(by_user, 25)[:, None]
    users = np.repeat(np.arange(40), 25)

    def width(of: np.ndarray) -> float:
        low, high = UserBootstrap(of).means(values)[0]["ci95"]
        return high - low

    assert width(users) > 3 * width(np.arange(1000))
    standard_error = by_user.std() / np.sqrt(40)
    assert width(users) == pytest.approx(2 * 1.96 * standard_error, rel=0.15)


def test_a_difference_is_significant_only_where_it_is_one() -> None:
    random = np.random.default_rng(4)
    theirs = random.random(300)
    bootstrap = UserBootstrap(np.arange(300))
    same = bootstrap.difference(theirs + random.normal(0, 0.1, 300), theirs)
    more = bootstrap.difference(theirs + 0.05 + random.normal(0, 0.1, 300), theirs)
    assert same["ci95"][0] < 0 < same["ci95"][1]
    assert same["p_value"] > 0.05
    assert more["p_value"] < 0.001
    assert bootstrap.difference(theirs, theirs)["p_value"] == 1.0


def test_the_head_is_what_a_third_of_the_events_went_to() -> None:
    assert popularity_thirds(np.array([1, 10, 5, 5, 9, 0])).tolist() == [2, 0, 1, 2, 1, 2]
