from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from models.ranker.flat_batch import flat_batch, round_up, tokens_of
from models.ranker.packed_user import PackedUser, collate
from models.ranker.ranker import Ranker
from models.ranker.served import ServedLanguage, looked_up
from tests.support.rankers import bert_config, llama_config, random_ranker, random_user

LANGUAGE_MODELS = {"encoder": bert_config, "decoder": llama_config}
MODES = {"item": 0, "text": 5}


@pytest.fixture(params=product(LANGUAGE_MODELS, MODES), ids="-".join)
def ranker(request: pytest.FixtureRequest) -> Ranker:
    model, mode = request.param
    return random_ranker(LANGUAGE_MODELS[model](), candidate_tokens=MODES[mode])


def some_users(ranker: Ranker, seed: int = 1) -> list[PackedUser]:
    """Return users with 3, 5 and 1 candidates behind 4, 15 and 3 tokens."""
    sizes, tokens = [(3, 2, 2), (5, 9, 6), (1, 0, 3)], ranker.config.candidate_tokens
    return [
        random_user(*size, seed=seed + number, candidate_tokens=tokens)
        for number, size in enumerate(sizes)
    ]


def without(user: PackedUser, event: int) -> PackedUser:
    """Return the user with an event taken from the history."""
    kept = np.arange(len(user.events)) != event
    candidates = replace(user.candidates, visible=user.candidates.visible - 1)
    return replace(
        user,
        events=user.events.take(kept),
        event_vectors=user.event_vectors[kept],
        candidates=candidates,
    )


def assert_read_as_alone(ranker: Ranker, users: list[PackedUser]) -> None:
    """Assert that users' candidates come to the same one after the other and by themselves."""
    batch = flat_batch(ranker.config, users)
    with torch.inference_mode():
        features = ranker.standardised(torch.from_numpy(batch.candidate_features_CF))
        flat = ServedLanguage(ranker)(*looked_up(ranker, batch, features))
        for user, part in zip(users, batch.parts, strict=True):
            padded = collate(ranker.config, [user])
            alone = ranker.states(padded, ranker.standardised(padded.candidate_features_BCF))[0]
            torch.testing.assert_close(flat[part], alone, atol=1e-5, rtol=1e-4)
    assert flat.std() > 0.1


def test_where_nobody_has_any_text_the_rest_is_read_as_ever(ranker: Ranker) -> None:
    tokens = ranker.config.candidate_tokens
    for events in (0, 4):
        user = random_user(4, events, texts=0, candidate_tokens=tokens)
        batch = flat_batch(ranker.config, [user])
        padded = collate(ranker.config, [user])
        with torch.inference_mode():
            features = ranker.standardised(torch.from_numpy(batch.candidate_features_CF))
            flat = ServedLanguage(ranker)(*looked_up(ranker, batch, features))
            alone = ranker.states(padded, features[None])[0]
        torch.testing.assert_close(flat, alone, atol=1e-5, rtol=1e-4)


def test_users_one_after_the_other_are_read_as_padded_ones_are(ranker: Ranker) -> None:
    assert_read_as_alone(ranker, some_users(ranker))


def test_what_histories_begin_with_alike_is_read_once(ranker: Ranker) -> None:
    user = some_users(ranker)[1]
    less = [without(user, event) for event in (2, 7, 5, 0)]
    users = [*less, *some_users(ranker, seed=4)]
    assert_read_as_alone(ranker, users)
    # Of 8 events each, the second shares 2 with the first, the third 5 with the second.
    batch = flat_batch(ranker.config, less)
    assert len(batch.text_ids_T) == len(user.text_ids)
    assert len(batch.event_rows_S) == 8 + 6 + 3 + 8


def test_the_same_user_twice_is_read_once_but_for_the_candidates(ranker: Ranker) -> None:
    user = some_users(ranker)[1]
    some = replace(user, candidates=replace(user.candidates, visible=user.candidates.visible - 4))
    assert_read_as_alone(ranker, [user, some])
    twice, once = (flat_batch(ranker.config, users) for users in ([user, some], [user]))
    assert twice.prefix_mask_PP.shape == once.prefix_mask_PP.shape
    assert len(twice.own_mask_CO) == 2 * len(once.own_mask_CO)


@pytest.mark.parametrize("what", ["text_ids", "rows", "actions", "times_ms", "event_vectors"])
def test_histories_that_differ_share_what_is_before(what: str) -> None:
    config, user = random_ranker(bert_config()).config, random_user(2, events=9, texts=6)
    if what == "text_ids":
        other, shared = replace(user, text_ids=[*user.text_ids[:-1], 0]), 0
    elif what == "event_vectors":
        vectors = user.event_vectors.copy()
        vectors[4, -1] += 1
        other, shared = replace(user, event_vectors=vectors), 4
    else:
        events = replace(user.events, **{what: getattr(user.events, what).copy()})
        getattr(events, what)[4] += 1_000_000
        other, shared = replace(user, events=events), 4
    batch = flat_batch(config, [user, other])
    assert len(batch.event_rows_S) == 2 * 9 - shared
    assert len(batch.text_ids_T) == (12 if what == "text_ids" else 6)


def test_lengths_are_rounded_up_by_what_is_nobodys(ranker: Ranker) -> None:
    users = some_users(ranker)
    exact, rounded = (flat_batch(ranker.config, users, rounded=on) for on in (False, True))
    assert exact.parts == rounded.parts
    assert rounded.prefix_mask_PP.shape == (22, 22)
    assert len(rounded.candidate_mask_CP) == 9
    more = flat_batch(ranker.config, [*users, *some_users(ranker, seed=4)], rounded=True)
    assert more.prefix_mask_PP.shape == (44, 44)
    assert len(more.candidate_mask_CP) == 18
    many = random_user(41, events=30, texts=3, candidate_tokens=ranker.config.candidate_tokens)
    exact, rounded = (flat_batch(ranker.config, [many], rounded=on) for on in (False, True))
    assert rounded.prefix_mask_PP.shape == (36, 36)
    assert len(rounded.candidate_mask_CP) == 44
    states = []
    for batch in (exact, rounded):
        with torch.inference_mode():
            features = ranker.standardised(torch.from_numpy(batch.candidate_features_CF))
            states.append(ServedLanguage(ranker)(*looked_up(ranker, batch, features)))
    assert torch.isfinite(states[1]).all()
    torch.testing.assert_close(states[1][:41], states[0], atol=1e-5, rtol=1e-4)


def test_a_rounded_length_is_at_most_an_eighth_more_and_never_less() -> None:
    for length in range(2000):
        assert length <= round_up(length) <= length * 1.125
    assert len({round_up(length) for length in range(2001)}) < 80


def test_nothing_is_padded(ranker: Ranker) -> None:
    users = some_users(ranker)
    batch = flat_batch(ranker.config, users)
    own = ranker.config.candidate_tokens + 1
    assert len(batch.positions_L) <= sum(map(tokens_of, users)) == 22 + 9 * own
    assert batch.own_mask_CO.shape[0] == 9
    assert batch.new_C.tolist() == [False] * 8 + [True]


def test_a_candidate_sees_as_many_events_as_are_visible_to_it() -> None:
    user = random_user(candidates=2, events=4, texts=2)
    user.candidates.visible[:] = [1, 4]
    batch = flat_batch(random_ranker(bert_config()).config, [user])
    assert batch.candidate_mask_CP.sum(axis=1).tolist() == [3, 6]
    assert batch.positions_L[-2:].tolist() == [3, 6]
    assert np.array_equal(batch.prefix_mask_PP[2:, 2:], np.tri(4, dtype=bool))
