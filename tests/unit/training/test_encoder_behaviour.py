from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import sparse

from training.encoder.behaviour import Behaviour, Moments, behaviour_of
from training.encoder.catalogue import Catalogue, open_catalogue
from training.encoder.contrast import contrast, nearest_untaken, users_of
from training.encoder.fine_tuning import drawn
from training.encoder.labels import Labels, labels_of
from training.errors import TrainingError
from training.settings import TrainSettings
from training.split import NONE, leave_last_out

HARD, TEMPERATURE = 2, 0.1


def write(directory: Path, events: list[str], titles: list[str]) -> str:
    items = "\n".join(f"i{n},{title}" for n, title in enumerate(titles))
    (directory / "items.csv").write_text(f"item_id,title,categories\n{items}\n")
    rows = [f"{event.split()[0]},{event.split()[1]},{n}" for n, event in enumerate(events)]
    actions = [event.split()[2] if len(event.split()) > 2 else "click" for event in events]
    lines = [f"{row},{action}" for row, action in zip(rows, actions, strict=True)]
    (directory / "interactions.csv").write_text(
        "\n".join(["user_id,item_id,timestamp,action", *lines]) + "\n"
    )
    return str(directory)


def opened(directory: Path, events: list[str], titles: list[str]) -> tuple[Catalogue, Behaviour]:
    catalogue = open_catalogue(write(directory, events, titles), None, lambda _: None)
    split = leave_last_out(catalogue.known, catalogue.dataset.repeat, TrainSettings())
    return catalogue, behaviour_of(catalogue, split.valid)


@pytest.fixture
def titles() -> list[str]:
    return [f"thing {n},{'red' if n % 2 else 'blue'}" for n in range(30)]


def moments_of(
    texts: list[list[int]], targets: list[int], taken: list[list[int]], items: int
) -> Moments:
    seen = np.zeros((len(texts), items), bool)
    for row, some in enumerate(taken):
        seen[row, some] = True
    return Moments(
        np.concatenate(texts).astype(np.int64),
        np.ones(sum(map(len, texts)), np.float32),
        np.cumsum([0, *map(len, texts)])[:-1].astype(np.int64),
        np.array(targets, np.int64),
        sparse.csr_matrix(seen),
    )


def test_nothing_from_the_choosing_event_on_is_learned_from(
    tmp_path: Path, titles: list[str]
) -> None:
    events = [f"u{user} i{(3 * user + step) % 30}" for step in range(8) for user in range(4)]
    catalogue, behaviour = opened(tmp_path, events, titles)
    assert behaviour.chosen_by.tolist() == [5] * 4  # 6 validates, 7 tests
    for user in range(4):
        rows = catalogue.known.of(user).rows
        assert behaviour.texts[user].tolist() == catalogue.text_of_item[rows[:5]].tolist()
        assert behaviour.targets[user].tolist() == [1, 2, 3, 4]
        known = set(behaviour.taken[[user]].indices.tolist())
        assert known == set(catalogue.text_of_item[rows[:5]].tolist())
    assert len(behaviour) == 16


def test_moments_end_before_what_was_taken(tmp_path: Path, titles: list[str]) -> None:
    events = [f"u{user} i{(7 * user + step) % 30}" for step in range(20) for user in range(3)]
    catalogue, behaviour = opened(tmp_path, events, titles)
    moments = behaviour.draw(50, np.random.default_rng(0))
    ends = [*moments.starts_P[1:].tolist(), len(moments.texts_E)]
    taken = moments.taken_PT.toarray()
    for row, (start, end) in enumerate(zip(moments.starts_P.tolist(), ends, strict=True)):
        history = [catalogue.texts[text] for text in moments.texts_E[start:end]]
        target = catalogue.texts[moments.targets_P[row]]
        assert target not in history
        assert taken[row, moments.targets_P[row]]
        # Titles go up by one with each step, so the target follows the newest event.
        newest, taken_next = (int(text.split()[1].rstrip(".")) for text in (history[-1], target))
        assert taken_next == (newest + 1) % 30
        assert moments.weights_E[end - 1] == 1.0


def test_dislikes_and_things_without_words_teach_nothing(tmp_path: Path, titles: list[str]) -> None:
    titles[2] = ","
    done = ["i0 dismiss", "i1", "i2", "i3", "i4 dismiss", "i5", "i6", "i7", "i8"]
    catalogue, behaviour = opened(tmp_path, [f"u0 {event}" for event in done], titles)
    assert catalogue.text_of_item[2] == -1
    # i1 has but a dislike before it; i6, i7 and i8 are for choice, validation and test.
    assert behaviour.targets[0].tolist() == [3, 5]
    assert behaviour.weights[0].tolist() == [0, 1, 0, 1, 0, 1]


def test_who_did_little_teaches_nothing(tmp_path: Path, titles: list[str]) -> None:
    events = ["u0 i0", "u0 i1", "u1 i0", "u1 i1", "u1 i2"]
    events += [f"u2 i{n}" for n in range(9)]
    _, behaviour = opened(tmp_path, events, titles)
    assert [len(places) for places in behaviour.targets] == [0, 0, 5]
    assert behaviour.chosen_by.tolist() == [NONE, NONE, 6]
    assert behaviour.share.tolist() == [0.0, 0.0, 1.0]


def test_chances_are_how_often_texts_are_among_the_targets(
    tmp_path: Path, titles: list[str]
) -> None:
    events = [f"u{user} i{(user * step) % 30}" for step in range(12) for user in range(1, 6)]
    _, behaviour = opened(tmp_path, events, titles)
    random = np.random.default_rng(1)
    seen = np.zeros(30)
    for _ in range(2_000):
        seen[np.unique(behaviour.draw(5, random).targets_P)] += 1
    np.testing.assert_allclose(behaviour.chances(5), seen / 2_000, atol=0.05)


def test_items_without_texts_are_told(tmp_path: Path) -> None:
    events = [f"u{user} i{step}" for step in range(8) for user in range(4)]
    with pytest.raises(TrainingError, match="has 0 different item texts, too few to learn from"):
        opened(tmp_path, events, [","] * 10)


def test_a_user_is_the_mean_of_what_they_did() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(6, 4), dim=-1)
    users = users_of(moments_of([[0, 1, 2], [4]], [3, 5], [[], []], 6), vectors)
    mean = vectors[:3].sum(0)
    torch.testing.assert_close(users, torch.stack([mean / mean.norm(), vectors[4]]))


def test_hard_negatives_are_the_nearest_that_were_not_taken() -> None:
    vectors = torch.eye(4)[[0, 0, 1, 2, 3]] + torch.tensor([[0.0], [0.1], [0], [0], [0]])
    moments = moments_of([[0]], [1], [[0, 1]], 5)
    user = torch.tensor([[0.9, 0.4, 0.2, 0.1]])
    assert nearest_untaken(moments, user, vectors, 2).tolist() == [[2, 3]]
    assert nearest_untaken(moments, user, vectors, 9).tolist() == [[2, 3, 4, -1, -1]]


def test_the_loss_is_of_the_target_among_others_targets_and_hard_negatives() -> None:
    vectors = torch.nn.functional.normalize(torch.randn(8, 5), dim=-1)
    # The second user took the first one's target at another time: it is no negative of theirs.
    moments = moments_of([[0], [1, 2]], [3, 4], [[0, 3], [1, 2, 3, 4]], 8)
    chances = torch.linspace(0.1, 0.8, 8)
    users = users_of(moments, vectors)
    logits = users @ vectors.T / TEMPERATURE
    hard = nearest_untaken(moments, users, vectors, HARD)
    expected = 0.0
    for row, (target, others) in enumerate([(3, [4]), (4, [])]):
        negatives = [logits[row, other] - chances[other].log() for other in others]
        negatives += [logits[row, near] for near in hard[row]]
        both = torch.stack([logits[row, target], *negatives])
        expected += float(both.logsumexp(0) - both[0]) / 2
    loss = contrast(moments, vectors, chances, HARD, TEMPERATURE)
    assert float(loss) == pytest.approx(expected, rel=1e-4)
    assert float(contrast(moments, vectors, chances, 0, TEMPERATURE)) < float(loss)


def test_what_is_read_stands_for_what_is_not() -> None:
    lengths = np.array([4.0, 1.0, 0.0, 0.5, 2.0])
    random = np.random.default_rng(0)
    total = np.zeros(5)
    for _ in range(4_000):
        places, weights = drawn(lengths, 3, random)
        total[places] += weights
    np.testing.assert_allclose(total / 4_000, [1, 1, 0, 1, 1], atol=0.1)


def test_labels_are_found_by_those_that_have_them(tmp_path: Path, titles: list[str]) -> None:
    titles[0] = "thing 0,Rare"
    catalogue, _ = opened(tmp_path, ["u0 i0"], titles)
    labels = labels_of(catalogue)
    assert labels.words == ["red", "blue"]
    assert [len(texts) for texts in labels.texts] == [15, 14]
    vectors = np.zeros((30, 2), np.float32)
    vectors[labels.texts[0], 0] = 1.0
    vectors[labels.texts[1], 1] = 1.0
    assert labels.found(np.eye(2, dtype=np.float32), vectors).tolist() == [1.0, 1.0]
    assert labels.found(np.eye(2, dtype=np.float32)[::-1], vectors).tolist() == [0.0, 0.0]
    assert Labels([], []).found(np.zeros((0, 2), np.float32), vectors).tolist() == []
