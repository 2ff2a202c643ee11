import numpy as np
import pytest

from features.caps import Cap, Caps, preferred
from features.fresh_share import FreshShare
from features.named_codes import NAMELESS, coded
from features.near_duplicates import near_duplicates
from features.variety import check_variety
from serving.errors import InvalidField
from tandem.v1.variety_pb2 import Variety


def all_of(count: int) -> np.ndarray:
    return np.ones(count, np.bool_)


def test_a_cap_closes_a_kind_once_it_is_full_and_never_the_items_of_none() -> None:
    codes = np.array([0, 0, 0, 1, NAMELESS, NAMELESS], np.int32)
    caps = Caps([Cap(codes, 2)], 6)
    for place in (0, 4, 1):
        caps.take(place)
    assert caps.kept_by(all_of(6)).tolist() == [False, False, False, True, True, True]


def test_the_last_cap_gives_way_first_and_then_all_do() -> None:
    first, last = np.array([0, 0, 1], np.int32), np.array([0, 1, 0], np.int32)
    caps = Caps([Cap(first, 1), Cap(last, 1)], 3)
    caps.take(0)
    left = np.array([False, True, True])
    assert caps.kept_by(left).tolist() == [False, False, True]
    assert caps.kept_by(np.array([False, True, False])).tolist() == [False, True, False]


def test_without_limits_everything_that_is_left_may_be_taken() -> None:
    caps = Caps([Cap(np.zeros(3, np.int32), 0)], 3)
    caps.take(0)
    assert caps.kept_by(np.array([False, True, True])).tolist() == [False, True, True]


def test_a_wish_that_nothing_fulfils_is_dropped() -> None:
    items = np.array([True, True, False])
    assert preferred(items, np.array([False, True, True])).tolist() == [False, True, False]
    assert preferred(items, np.array([False, False, True])).tolist() == items.tolist()


@pytest.mark.parametrize("share", [0.0, 0.1, 0.25, 1 / 3, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("count", [1, 3, 10, 17])
def test_who_takes_a_fresh_item_only_when_it_is_due_has_the_share(share: float, count: int) -> None:
    wanted = FreshShare(float(np.float32(share)), count)
    for filled in range(count):
        wanted.take(wanted.due(filled))
        assert wanted.taken >= np.floor(share * (filled + 1) - 1e-9)
    assert wanted.taken == np.ceil(share * count - 1e-6)


def test_near_duplicates_are_those_of_almost_the_same_direction() -> None:
    vectors = np.array([[1, 0], [0.999, 0.0447], [0.8, 0.6], [0, 0]], np.float32)
    found = near_duplicates(vectors, vectors[:1])
    assert found.ravel().tolist() == [True, True, False, False]
    assert near_duplicates(vectors, vectors[3:]).any() == np.False_
    assert near_duplicates(vectors, vectors[:0]).shape == (4, 0)


def test_codes_tell_names_apart_and_names_that_are_new_from_all_others() -> None:
    names = coded(["film", "", "book", "film"])
    assert names.names == ["film", "book"]
    assert names.by_item() == ["film", "", "book", "film"]
    rows = np.array([0, 1, 2, -1, -1, -1], np.int32)
    codes = names.of_rows(rows, {3: "book", 4: "song", 5: "song", 0: ""})
    assert codes.tolist() == [NAMELESS, NAMELESS, 1, 1, 2, 2]
    nothing = coded([])
    assert nothing.of_rows(np.array([-1], np.int32), {}).tolist() == [NAMELESS]


@pytest.mark.parametrize(
    ("variety", "field"),
    [
        (Variety(diversity=-0.1), "variety.diversity"),
        (Variety(fresh_share=1.1), "variety.fresh_share"),
        (Variety(fresh_share=float("nan")), "variety.fresh_share"),
        (Variety(category_max=501), "variety.category_max"),
    ],
)
def test_what_is_out_of_bounds_is_refused(variety: Variety, field: str) -> None:
    with pytest.raises(InvalidField) as caught:
        check_variety(variety)
    assert caught.value.field == field


def test_bounds_themselves_are_accepted() -> None:
    check_variety(Variety())
    check_variety(Variety(diversity=1, category_max=500, brand_max=500, fresh_share=1))
