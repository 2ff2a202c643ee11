from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModel

from models.ranker.packed_user import PackedUser, collate
from models.ranker.ranker import Ranker, load_ranker
from models.ranker.value import probabilities, values
from tests.support.rankers import (
    bert_config,
    llama_config,
    random_ranker,
    random_user,
    some_candidates,
)

LANGUAGE_MODELS = {"encoder": bert_config, "decoder": llama_config}


# Item mode and text mode: how many tokens of its text a candidate brings.
MODES = {"item": 0, "text": 5}


@pytest.fixture(params=product(LANGUAGE_MODELS, MODES), ids="-".join)
def ranker(request: pytest.FixtureRequest) -> Ranker:
    model, mode = request.param
    return random_ranker(LANGUAGE_MODELS[model](), candidate_tokens=MODES[mode])


def logits(ranker: Ranker, *users: PackedUser) -> torch.Tensor:
    with torch.inference_mode():
        return ranker(collate(ranker.config, users))


def user_of(ranker: Ranker, **counts: int) -> PackedUser:
    return random_user(candidate_tokens=ranker.config.candidate_tokens, **counts)


def test_packed_scores_equal_solo_scores(ranker: Ranker) -> None:
    user = user_of(ranker, candidates=9)
    packed = logits(ranker, user)[0]
    solo = torch.cat([logits(ranker, some_candidates(user, [i]))[0] for i in range(9)])
    assert packed.std() > 0.1
    torch.testing.assert_close(packed, solo, atol=1e-5, rtol=1e-4)


def test_the_order_of_candidates_does_not_matter(ranker: Ranker) -> None:
    user = user_of(ranker, candidates=7)
    order = [3, 0, 6, 1, 5, 2, 4]
    shuffled = logits(ranker, some_candidates(user, order))[0]
    torch.testing.assert_close(shuffled, logits(ranker, user)[0][order], atol=1e-5, rtol=1e-4)


def test_padding_by_another_user_does_not_matter(ranker: Ranker) -> None:
    short = user_of(ranker, candidates=3, events=2, texts=2, seed=1)
    long = user_of(ranker, candidates=8, events=9, texts=6, seed=2)
    together = logits(ranker, short, long)
    torch.testing.assert_close(together[0, :3], logits(ranker, short)[0], atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(together[1], logits(ranker, long)[0], atol=1e-5, rtol=1e-4)


def test_a_candidate_sees_only_the_events_that_are_visible_to_it(ranker: Ranker) -> None:
    user = user_of(ranker, candidates=4, events=6)
    early = replace(
        user,
        events=user.events[:4],
        event_vectors=user.event_vectors[:4],
        candidates=replace(user.candidates, visible=np.full(4, 4)),
    )
    limited = replace(user, candidates=replace(user.candidates, visible=np.full(4, 4)))
    torch.testing.assert_close(
        logits(ranker, limited)[0], logits(ranker, early)[0], atol=1e-5, rtol=1e-4
    )
    assert not torch.allclose(logits(ranker, user)[0], logits(ranker, early)[0], atol=1e-3)


def test_a_user_without_history_gets_finite_scores(ranker: Ranker) -> None:
    assert torch.isfinite(logits(ranker, user_of(ranker, candidates=5, events=0))).all()


def test_contributions_sum_to_the_logit(ranker: Ranker) -> None:
    batch = collate(ranker.config, [user_of(ranker, candidates=6)])
    with torch.inference_mode():
        found, language, parts = ranker.explain(batch)
        torch.testing.assert_close(found, ranker(batch))
    total = language + parts.sum(-1) + ranker.head.bias[0]
    torch.testing.assert_close(total, found[..., 0], atol=1e-5, rtol=1e-4)


def test_a_feature_of_which_nothing_is_known_contributes_nothing(ranker: Ranker) -> None:
    user = user_of(ranker, candidates=4)
    user.candidates.features[:, 2] = 0.0
    with torch.inference_mode():
        _, _, parts = ranker.explain(collate(ranker.config, [user]))
    assert torch.equal(parts[..., 2], torch.zeros(1, 4))
    assert (parts[..., 1] != 0).all()


def test_a_saved_ranker_scores_the_same_when_loaded(ranker: Ranker, tmp_path: Path) -> None:
    user = user_of(ranker, candidates=5)
    ranker.save(tmp_path)
    torch.testing.assert_close(logits(load_ranker(tmp_path), user), logits(ranker, user))


def test_later_outcomes_are_given_the_first() -> None:
    chances = probabilities(torch.tensor([[0.0, 0.0], [2.0, -1.0]]), ["engage", "like"])
    torch.testing.assert_close(chances[0], torch.tensor([0.5, 0.25]))
    assert (chances[:, 1] < chances[:, 0]).all()
    torch.testing.assert_close(
        values(chances, ["engage", "like"], {"engage": 1.0, "like": 2.0}),
        chances[:, 0] + 2 * chances[:, 1],
    )


@pytest.mark.parametrize("model", LANGUAGE_MODELS)
def test_in_text_mode_a_candidate_reads_its_own_text_and_no_others(model: str) -> None:
    ranker = random_ranker(LANGUAGE_MODELS[model](), candidate_tokens=5)
    user = user_of(ranker, candidates=4)
    texts = user.candidates.texts.copy()
    texts[2] = [7, 8, 9, -1, -1]
    other = replace(user, candidates=replace(user.candidates, texts=texts))
    before, after = logits(ranker, user)[0], logits(ranker, other)[0]
    assert not torch.allclose(before[2], after[2], atol=1e-3)
    torch.testing.assert_close(before[[0, 1, 3]], after[[0, 1, 3]], atol=1e-5, rtol=1e-4)


def test_the_order_of_a_candidates_words_matters() -> None:
    ranker = random_ranker(bert_config(), candidate_tokens=3)
    user = user_of(ranker, candidates=1)
    forth, back = (
        replace(user, candidates=replace(user.candidates, texts=np.array([words])))
        for words in ([5, 6, 7], [7, 6, 5])
    )
    assert not torch.allclose(logits(ranker, forth), logits(ranker, back), atol=1e-4)


def with_parts(**parts: object) -> Ranker:
    whole = random_ranker(bert_config())
    ranker = Ranker(replace(whole.config, **parts), whole.language_model)
    ranker.load_state_dict(whole.state_dict())
    return ranker.eval()


def test_a_withheld_feature_is_not_seen_by_head_or_language_model() -> None:
    user = random_user(candidates=5)
    features = user.candidates.features.copy()
    features[:, 2] += 3.0
    other = replace(user, candidates=replace(user.candidates, features=features))
    ranker = with_parts(withheld=["feature_2"])
    torch.testing.assert_close(logits(ranker, user), logits(ranker, other))
    assert not torch.allclose(logits(with_parts(), user), logits(with_parts(), other))


def test_without_ids_two_items_of_one_text_are_one() -> None:
    user = random_user(candidates=5)
    other = replace(user, candidates=replace(user.candidates, rows=user.candidates.rows[::-1]))
    ranker = with_parts(ids=False)
    torch.testing.assert_close(logits(ranker, user), logits(ranker, other))
    assert not torch.allclose(logits(with_parts(), user), logits(with_parts(), other))


def test_without_the_language_model_the_logit_is_that_of_the_features() -> None:
    user = random_user(candidates=5)
    ranker = with_parts(language=False)
    batch = collate(ranker.config, [user])
    with torch.inference_mode():
        parts = ranker.head.of_features(
            ranker.standardised(batch.candidate_features_BCF), ranker.new_features(batch)
        )
        torch.testing.assert_close(ranker(batch), parts + ranker.head.bias)


def test_vectors_of_media_are_read_behind_those_of_texts_once_their_weights_say_so() -> None:
    plain = random_ranker(bert_config())
    assert plain.tokens.media is None
    assert not any("tokens.media" in name for name in plain.state_dict())
    config = replace(plain.config, spaces={"image": 3, "sound": 2})
    ranker = Ranker(config, AutoModel.from_config(bert_config())).eval()
    missing = ranker.load_state_dict(plain.state_dict(), strict=False)
    assert missing.missing_keys == ["tokens.media.weight"]
    user = user_of(plain, candidates=4)

    def with_media(value: float) -> PackedUser:
        more = np.zeros((len(user.events), 5), np.float32)
        own = np.full((4, 5), value, np.float32)
        candidates = replace(
            user.candidates, vectors=np.concatenate([user.candidates.vectors, own], axis=1)
        )
        events = np.concatenate([user.event_vectors, more], axis=1)
        return replace(user, event_vectors=events, candidates=candidates)

    untrained = logits(ranker, with_media(1.0))
    torch.testing.assert_close(untrained, logits(plain, user), atol=1e-5, rtol=1e-4)
    assert ranker.tokens.media is not None
    torch.nn.init.normal_(ranker.tokens.media.weight)
    torch.testing.assert_close(
        logits(ranker, with_media(0.0)), logits(plain, user), atol=1e-5, rtol=1e-4
    )
    assert not torch.allclose(logits(ranker, with_media(1.0)), logits(plain, user), atol=1e-3)
