from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from features.tags import ItemTags
from training import tastes
from training.datasets.source import open_dataset
from training.interactions import Interactions, interactions_of
from training.tags import collect_tags
from training.tastes import fit_tastes
from training.vocabulary import count_names
from training.words import Words, collect_words

KINDS = ("tea", "coffee", "milk")
NOBODY = np.empty(0, np.int64)


@pytest.fixture(autouse=True)
def one_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tastes, "NAMED_LEAST", 1)


@pytest.fixture
def world(tmp_path: Path) -> tuple[ItemTags, Words, Interactions]:
    """`drinker` had tea, then other things; `other` had coffee; `profiled` says milk."""
    items = ["item_id,title,categories"]
    items += [f"{kind}{n},T,{kind}" for kind in KINDS for n in range(5)]
    (tmp_path / "items.csv").write_text("\n".join(items) + "\n")
    taken = {
        "drinker": ("tea0", "tea1", "tea4", "coffee4"),
        "other": ("coffee0", "coffee1", "coffee2", "coffee3"),
        "profiled": ("milk0", "milk1"),
    }
    events = ["user_id,item_id,timestamp,action"]
    for user, own in taken.items():
        events += [f"{user},{item},{1000 + place},view" for place, item in enumerate(own)]
    (tmp_path / "interactions.csv").write_text("\n".join(events) + "\n")
    (tmp_path / "users.csv").write_text("user_id,text\nprofiled,I like milk.\n")
    dataset = open_dataset(str(tmp_path), rejects=None)
    known = interactions_of(dataset)
    return collect_tags(dataset, count_names(dataset)), collect_words(dataset, known, 0), known


def counted(
    world: tuple[ItemTags, Words, Interactions], without: np.ndarray = NOBODY
) -> dict[str, dict[int, float]]:
    tags, words, known = world
    found = fit_tastes(tags, words, known, known, without, seed=0)
    sums = {}
    for place, name in enumerate(tags.names):
        own = slice(int(found.starts[place]), int(found.starts[place + 1]))
        sums[name] = dict(zip(found.rows[own].tolist(), found.sums[own].tolist(), strict=True))
    return sums


def test_only_what_came_after_the_taste_counts(
    world: tuple[ItemTags, Words, Interactions],
) -> None:
    found = counted(world)
    # tea0 and tea1 are what the taste was taken from; of the other two, each counts 1 / sqrt(2).
    assert found["tea"] == pytest.approx({4: 2**-0.5, 9: 2**-0.5})
    assert found["coffee"] == pytest.approx({7: 2**-0.5, 8: 2**-0.5})
    # A profile is older than all events.
    assert found["milk"] == pytest.approx({10: 2**-0.5, 11: 2**-0.5})


def test_events_that_are_not_to_be_known_do_not_count(
    world: tuple[ItemTags, Words, Interactions],
) -> None:
    tags, words, known = world
    early = known.first(known.counts() - 1)
    found = fit_tastes(tags, words, known, early, NOBODY, seed=0)
    assert (found.of_all[[0, 4, 9, 8]] > 0).tolist() == [True, True, False, False]


def test_who_is_to_be_learned_from_does_not_count(
    world: tuple[ItemTags, Words, Interactions],
) -> None:
    found = counted(world, without=np.array([0]))
    everybody = counted(world)
    gone = [name for name in found if found[name] != everybody[name]]
    assert len(gone) == 1
    assert not found[gone[0]]


def test_people_who_say_nothing_count_for_all_alone(
    world: tuple[ItemTags, Words, Interactions],
) -> None:
    tags, words, known = world
    silent = replace(words, of_user=words.of_user * 0, of_taste=words.of_taste * 0)
    found = fit_tastes(tags, silent, known, known, NOBODY, seed=0)
    assert found.people == 3
    assert not found.said_by.any()
    assert found.of_all.sum() > 0


def test_what_few_people_name_has_no_sums(
    world: tuple[ItemTags, Words, Interactions], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tastes, "NAMED_LEAST", 2)
    assert not any(counted(world).values())
