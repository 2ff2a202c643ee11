"""The words of golden requests."""

import numpy as np

from training.golden import _some_words
from training.words import NO_WORDS, Words

TEXTS = ["", "My name is Anna.", "I hated it, said Anna", "something with war", "calm and sea"]


def words(*encoded: int) -> Words:
    vectors = np.zeros((len(TEXTS), 4), np.float32)
    vectors[list(encoded)] = 1.0
    return Words(
        texts=TEXTS,
        of_user=np.array([1, 0]),
        of_event=np.array([0, 2, 0]),
        starts=np.array([0, 2, 3]),
        # What somebody happens to have said of themselves could be an item's words, too.
        of_item=np.array([3, 4, 3, 1]),
        of_taste=np.array([0, 0]),
        vectors=vectors,
    )


def test_golden_requests_say_nothing_that_a_user_said() -> None:
    random = np.random.default_rng(0)
    said = {_some_words(words(1, 2, 3), user, random) for user in range(200)}
    assert said == {NO_WORDS, 3}


def test_golden_requests_are_silent_where_no_made_words_are_encoded() -> None:
    random = np.random.default_rng(0)
    assert {_some_words(words(1, 2), user, random) for user in range(20)} == {NO_WORDS}
