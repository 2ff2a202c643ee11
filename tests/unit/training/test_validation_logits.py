from collections.abc import Sequence

import numpy as np
import pytest
import torch

from models.ranker.packed_user import PackedUser
from tests.support.rankers import bert_config, random_ranker, random_user
from training.examples import Example
from training.ranker.calibration import calibrate
from training.ranker.labels import Labels
from training.ranker.packing import Packer, Rows
from training.ranker.quality import validation_quality
from training.ranker.validation_logits import validation_logits
from training.sources import Found
from training.targets import Target

CANDIDATES, EXAMPLES = 6, 80


class RandomUsers(Packer):
    """Packs a user with random candidates for each example, always the same, and counts them."""

    def __init__(self) -> None:
        self.packed = 0

    def pack(self, chunk: Sequence[Example], chosen: Sequence[Rows]) -> PackedUser:
        self.packed += 1
        return random_user(len(chosen[0]), seed=chunk[0].target.user)


def example(user: int, found_at: int, candidates: int) -> Example:
    rows = np.arange(candidates, dtype=np.int32)
    nothing = np.zeros((candidates, 0), np.float32)
    found = Found(rows, nothing, nothing.astype(np.int32))
    return Example(
        Target(user, 0, 0), found, nothing[0], nothing.astype(np.float16), nothing[0], found_at
    )


def labels_of_users() -> Labels:
    random = np.random.default_rng(1)
    likes = (random.random((EXAMPLES, 1)) < 0.5).astype(np.float32)
    return Labels(torch.from_numpy(likes), np.arange(EXAMPLES))


def test_what_is_handed_on_is_what_the_calibrated_ranker_would_say_anew() -> None:
    ranker, packer, labels = random_ranker(bert_config()), RandomUsers(), labels_of_users()
    validate = [
        example(user, user % CANDIDATES if user % 5 else -1, CANDIDATES) for user in range(EXAMPLES)
    ]
    judged = [example(user, 0, 1) for user in range(EXAMPLES)]
    said = validation_logits(ranker, packer, validate, judged)
    assert packer.packed == sum(e.found_at >= 0 for e in validate) + EXAMPLES
    before = [logits.copy() for logits in said.lists]
    report = calibrate(ranker, said, labels, lambda _: None)
    quality = validation_quality(ranker, said, labels, lambda _: None)
    assert report.keys() == {"engage", "like"}
    anew = validation_logits(ranker, packer, validate, judged)
    # The rescaled weights are rounded anew, which may turn a tie of a few targets.
    again = validation_quality(ranker, anew, labels, lambda _: None)
    assert again == pytest.approx(quality, abs=2 / EXAMPLES)
    for had, now, then in zip(before, said.lists, anew.lists, strict=True):
        assert not np.allclose(had, now, atol=0.05)
        np.testing.assert_allclose(now, then, atol=0.05)
    np.testing.assert_allclose(said.judgements, anew.judgements, atol=0.05)


def test_a_target_that_no_source_found_counts_as_missed() -> None:
    ranker, labels = random_ranker(bert_config()), labels_of_users()
    one = example(0, 0, 1)
    said = validation_logits(ranker, RandomUsers(), [one, example(1, -1, 1)], [])
    assert [found is one for found in said.found] == [True]
    assert validation_quality(ranker, said, labels, lambda _: None)["next_item"] == 0.5
