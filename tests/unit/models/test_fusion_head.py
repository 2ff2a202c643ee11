"""Newcomers have parts of their own, except for what a request asks for."""

from dataclasses import replace

import numpy as np
import torch

from features.candidates import WORD_FEATURES
from models.ranker.packed_user import PackedUser, collate
from models.ranker.ranker import Ranker
from tests.support.rankers import FEATURES, bert_config, random_ranker, random_user


def ranker_with_words() -> Ranker:
    """Return a ranker whose feature 1 is one that words alone bring about."""
    whole = random_ranker(bert_config())
    names = ["a", WORD_FEATURES[0], *"bcd"[: FEATURES - 2]]
    ranker = Ranker(replace(whole.config, features=names), whole.language_model)
    ranker.load_state_dict(whole.state_dict())
    return ranker.eval()


def parts(ranker: Ranker, user: PackedUser) -> torch.Tensor:
    with torch.inference_mode():
        return ranker.explain(collate(ranker.config, [user]))[2][0]


def usual(ranker: Ranker, user: PackedUser) -> torch.Tensor:
    features = torch.from_numpy(np.asarray(user.candidates.features, np.float32))
    with torch.inference_mode():
        return ranker.head.usual.explain(ranker.standardised(features))[1]


def test_newcomers_have_parts_of_their_own() -> None:
    ranker = ranker_with_words()
    known, new = random_user(4), random_user(4, events=0)
    torch.testing.assert_close(parts(ranker, known), usual(ranker, known))
    assert (parts(ranker, new) - usual(ranker, new)).abs().min() > 1e-4


def test_a_newcomers_request_is_obeyed_as_everybodys_is() -> None:
    ranker = ranker_with_words()
    new = random_user(4, events=0)
    obeyed, left = replace(new, obeyed=True), [0, 2, 3, 4]
    torch.testing.assert_close(parts(ranker, obeyed)[:, 1], usual(ranker, new)[:, 1])
    torch.testing.assert_close(parts(ranker, obeyed)[:, left], parts(ranker, new)[:, left])
    # The sum that serving orders by is the sum of these parts.
    with torch.inference_mode():
        batch = collate(ranker.config, [new, obeyed, random_user(4)])
        found, language, each = ranker.explain(batch)
        torch.testing.assert_close(found, ranker(batch), atol=1e-5, rtol=1e-4)
    total = language + each.sum(-1) + ranker.head.bias[0]
    torch.testing.assert_close(total, found[..., 0], atol=1e-5, rtol=1e-4)


def test_the_language_model_tells_of_newcomers_only_where_it_may() -> None:
    ranker = ranker_with_words()
    batch = collate(ranker.config, [random_user(4, events=0), random_user(4)])
    with torch.inference_mode():
        assert (ranker.explain(batch)[1] != 0).all()
        ranker.head.reads_newcomers.fill_(False)
        language = ranker.explain(batch)[1]
    assert not language[0].any()
    assert (language[1] != 0).all()
