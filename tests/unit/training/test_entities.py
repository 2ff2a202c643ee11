from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.followed_directors import write_followed_directors
from features.entities import ItemEntities, read_item_entities
from tandem.v1.item_pb2 import Item
from training.datasets import open_dataset
from training.datasets.format import Dataset
from training.entities import collect_entities, learn_worth, worth_line
from training.interactions import interactions_of

ITEMS = 40


def dataset(directory: Path, relations: str = "", columns: str = "maker") -> Dataset:
    """Return items i0 to i39; every third pair of neighbours has a maker of its own."""
    items = [f"item_id,title,categories,tags,{columns}"]
    for item in range(ITEMS):
        maker = f"maker {item // 2}" if item % 6 < 2 else ""
        items.append(f"i{item},Thing {item},all|kind {item // 3},t{item // 3},{maker}")
    directory.mkdir(exist_ok=True)
    (directory / "items.csv").write_text("\n".join(items) + "\n")
    (directory / "interactions.csv").write_text("user_id,item_id,timestamp\nu,i0,1700000001\n")
    if relations:
        (directory / "relations.csv").write_text(f"head,relation,tail\n{relations}")
    return open_dataset(str(directory), rejects=None)


def valued(entities: ItemEntities) -> ItemEntities:
    """Return the same with every relation worth following."""
    return replace(entities, worth=np.ones(len(entities.relations), np.float32))


def scores_from(entities: ItemEntities, *rows: int) -> dict[int, float]:
    """Return the positive scores from some liked rows, without these."""
    weights = np.ones(len(rows), np.float32)
    scores = entities.scores(entities.liked(np.array(rows, np.int32), weights))
    return {row: float(scores[row]) for row in np.flatnonzero(scores).tolist() if row not in rows}


def test_items_are_linked_by_what_few_share(tmp_path: Path) -> None:
    entities = valued(collect_entities(dataset(tmp_path)))
    assert set(entities.relations) == {"maker", "tag", "category"}
    assert all(name not in {"all", ""} for name in entities.names), "all items have it"
    found = scores_from(entities, 0)
    # By maker, tag and category, or by the latter two.
    assert sorted(found) == [1, 2]
    assert found[1] == pytest.approx(np.log(ITEMS / 2) + 2 * np.log(ITEMS / 3), rel=1e-5)
    assert found[2] == pytest.approx(2 * np.log(ITEMS / 3), rel=1e-5)


def test_some_items_score_as_they_do_among_all(tmp_path: Path) -> None:
    entities = valued(collect_entities(dataset(tmp_path)))
    liked = entities.liked(np.array([0, 6, 7], np.int32), np.array([1.0, 0.5, 2.0], np.float32))
    rows = np.array([7, 1, 1, 39, 0])

    found = entities.scores_of(liked, rows)

    np.testing.assert_allclose(found, entities.scores(liked)[rows], rtol=1e-6)
    assert found.any()
    assert entities.scores_of(liked, rows[:0]).tolist() == []


def test_what_is_disliked_or_unknown_counts_for_nothing(tmp_path: Path) -> None:
    entities = valued(collect_entities(dataset(tmp_path)))
    rows, weights = np.array([0, -1, 6]), np.array([-1.0, 1.0, 0.5], np.float32)
    alone = entities.liked(np.array([6]), np.ones(1, np.float32))
    np.testing.assert_allclose(entities.liked(rows, weights), alone, rtol=1e-5)


def test_relations_link_items_with_each_other_and_over_an_entity(tmp_path: Path) -> None:
    told = "i3,sequel_of,i9\ni15,directed_by,Ann\nBo,directed,i21\nAnn,studied_at,School\n"
    told += "Bo,studied_at,School\n"
    data = dataset(tmp_path, told)
    entities = valued(collect_entities(data))
    # Both ends are entities: the two items share both.
    of_three = scores_from(entities, 3)
    assert of_three[9] == pytest.approx(2 * np.log(ITEMS / 2), rel=1e-5)
    # Each has the school over its director, which counts half.
    assert scores_from(entities, 15)[21] == pytest.approx(0.25 * np.log(ITEMS / 2), rel=1e-5)
    shown = dict(zip(entities.names, entities.shown, strict=True))
    assert shown["i9"] == "Thing 9"
    # Only one item has each director.
    assert not {"Ann", "Bo"} & set(entities.names)


def test_an_attribute_is_the_entity_that_relations_tell_of(tmp_path: Path) -> None:
    entities = valued(collect_entities(dataset(tmp_path, "maker 0,owns,maker 3\n")))
    assert scores_from(entities, 0)[6] > 0, "their makers belong together"


def test_categories_and_tags_alone_are_no_graph(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    events = "user_id,item_id,timestamp\nu,a,1700000001\n"
    (tmp_path / "plain" / "interactions.csv").write_text(events)
    rows = "".join(f"i{n},kind {n // 2},t{n // 2}\n" for n in range(ITEMS))
    (tmp_path / "plain" / "items.csv").write_text(f"item_id,categories,tags\n{rows}")
    plain = collect_entities(open_dataset(str(tmp_path / "plain"), rejects=None))
    assert not plain.relations
    assert not plain.useful
    assert not scores_from(plain, 0)


def test_hours_are_nothing_to_share(tmp_path: Path) -> None:
    data = dataset(tmp_path, columns="opening_hours")
    assert not collect_entities(data).relations


def test_a_relation_that_people_follow_is_worth_something(tmp_path: Path) -> None:
    spec = write_followed_directors(tmp_path / "data", users=60, directors=30, events=20)
    data = open_dataset(str(spec), rejects=None)
    known = interactions_of(data)
    entities = learn_worth(collect_entities(data), known, seed=0)
    worth = dict(zip(entities.relations, entities.worth.tolist(), strict=True))
    assert worth["director"] > 0.1
    assert worth.get("category", 0.0) == 0
    assert entities.useful
    assert "director 0." in worth_line(entities)
    mixed = np.random.default_rng(0).permutation(known.events.rows)
    random = replace(known, events=replace(known.events, rows=mixed))
    assert not learn_worth(collect_entities(data), random, seed=0).useful


def test_an_item_that_the_release_does_not_hold_is_known_by_its_attributes(tmp_path: Path) -> None:
    data = dataset(tmp_path, "maker 0,owns,maker 3\n")
    entities = valued(collect_entities(data))
    liked = entities.liked(np.array([0]), np.ones(1, np.float32))
    new = Item(item_id="new", tags=["t0", "unheard of"], categories=["all", "kind 0"])
    new.attributes["maker"].string_value = "maker 0"
    assert entities.score_of(liked, new) == pytest.approx(scores_from(entities, 0)[1], rel=0.2)
    assert entities.score_of(liked, Item(item_id="other", tags=["t9"])) == 0


def test_entities_are_read_as_they_were_saved(tmp_path: Path) -> None:
    entities = valued(collect_entities(dataset(tmp_path, "i3,sequel_of,i9\nAnn,knows,Bo\n")))
    entities.save(tmp_path)
    again = read_item_entities(tmp_path)
    assert scores_from(again, 0, 3) == scores_from(entities, 0, 3)
    assert (again.shown, again.relations) == (entities.shown, entities.relations)
    assert again.far.dtype == np.bool_
