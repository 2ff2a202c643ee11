import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.caps import Cap
from features.item_table import ItemTable
from features.named_codes import coded
from ranking_service.selector.determinantal import Residuals, log_values
from ranking_service.selector.kinds import Kinds, kinds_of
from ranking_service.selector.pool import DEPTH_MOST, pool_of
from ranking_service.selector.select import Slate, select
from ranking_service.selector.stand_ins import with_stand_ins
from tandem.v1.item_pb2 import Item
from tandem.v1.variety_pb2 import Variety

Float32 = npt.NDArray[np.float32]
DAY_MS = 86_400_000
WIDTH = 16


def some_vectors(count: int, seed: int = 0) -> Float32:
    found = np.random.default_rng(seed).normal(size=(count, WIDTH)).astype(np.float32)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


def some_values(count: int, seed: int = 0) -> Float32:
    return np.random.default_rng(seed).uniform(0.01, 1, count).astype(np.float32)


def kinds(
    categories: list[int],
    most: int,
    brands: list[int] | None = None,
    brand_most: int = 0,
    fresh: list[int] | None = None,
    share: float = 0.0,
) -> Kinds:
    count = len(categories)
    new = np.zeros(count, np.bool_)
    new[fresh or []] = True
    of_brand = np.array(brands or [-1] * count, np.int32)
    return Kinds([Cap(np.array(categories, np.int32), most), Cap(of_brand, brand_most)], new, share)


def chosen(
    values: Float32,
    vectors: Float32 | None = None,
    limits: Kinds | None = None,
    count: int = 10,
    diversity: float = 0.0,
    keep: bool = True,
) -> Slate:
    if vectors is None:
        vectors = some_vectors(len(values))
    return select(
        values,
        vectors,
        [f"i{n}" for n in range(len(values))],
        limits or Kinds([], np.zeros(len(values), np.bool_)),
        count,
        diversity=diversity,
        keep_near_duplicates=keep,
    )


@given(
    st.lists(st.floats(width=32, allow_nan=True, allow_infinity=True), min_size=1, max_size=40),
    st.integers(1, 50),
)
def test_by_value_alone_the_order_is_that_of_the_values_and_what_is_not_finite_sinks(
    values: list[float], count: int
) -> None:
    given_values = np.array(values, np.float32)
    found = chosen(given_values, count=count)
    sunk = np.where(np.isfinite(given_values), given_values, -np.inf)
    assert found.places.tolist() == np.argsort(-sunk, kind="stable")[:count].tolist()
    assert not found.shifts.any()


@given(
    st.integers(1, 60),
    st.integers(1, 70),
    st.floats(0, 1),
    st.integers(0, 4),
    st.integers(0, 4),
    st.floats(0, 1),
    st.booleans(),
    st.integers(0, 1_000),
)
def test_whatever_is_asked_the_slate_is_full_holds_nobody_twice_and_tells_its_shifts(
    size: int,
    count: int,
    diversity: float,
    category_max: int,
    brand_max: int,
    share: float,
    keep: bool,
    seed: int,
) -> None:
    random = np.random.default_rng(seed)
    values = random.normal(size=size).astype(np.float32)
    values[random.random(size) < 0.1] = np.nan
    vectors = some_vectors(size, seed)
    vectors[random.random(size) < 0.3] = 0
    vectors[random.random(size) < 0.2] = vectors[0]
    limits = kinds(
        random.integers(-1, 4, size).tolist(),
        category_max,
        random.integers(-1, 4, size).tolist(),
        brand_max,
        np.flatnonzero(random.random(size) < 0.2).tolist(),
        share,
    )
    found = chosen(values, vectors, limits, count, diversity, keep)
    places = found.places.tolist()
    assert len(places) == len(set(places)) == min(count, size)
    by_value = chosen(values, count=size).places.tolist()
    shifts = [by_value.index(place) - at for at, place in enumerate(places)]
    assert found.shifts.tolist() == shifts
    finite = np.isfinite(values[places])
    assert not (np.diff(finite.astype(int)) > 0).any(), "what is not finite comes last"


def test_the_greedy_choice_is_that_of_determinants_taken_at_length() -> None:
    values, vectors, diversity = some_values(30), some_vectors(30), 0.6
    found = chosen(values, vectors, count=8, diversity=diversity).places.tolist()
    slow: list[int] = []
    for _ in range(8):
        gains = {}
        for place in set(range(30)) - set(slow):
            some = [*slow, place]
            _, volume = np.linalg.slogdet((vectors[some] @ vectors[some].T).astype(np.float64))
            worth = np.log(values[some].astype(np.float64)).sum()
            gains[place] = (1 - diversity) * worth + diversity * volume
        slow.append(max(gains, key=lambda place: gains[place]))
    assert found == slow


@given(st.integers(0, 1_000), st.integers(1, 60), st.floats(0.01, 1.0))
def test_limits_that_nothing_reaches_change_nothing(seed: int, count: int, dial: float) -> None:
    values, vectors = some_values(60, seed), some_vectors(60, seed)
    vectors[::7] = vectors[3]  # near duplicates, but no crowd
    values[::11] = np.nan
    wide = kinds([0] * 60, most=60)

    found, same = (
        chosen(values, vectors, limits, count, dial, keep=False) for limits in (None, wide)
    )

    assert found.places.tolist() == same.places.tolist()
    assert found.shifts.tolist() == same.shifts.tolist()


def test_residuals_stay_those_of_a_projection_beyond_the_width_of_the_vectors() -> None:
    vectors = some_vectors(40)
    residuals = Residuals(vectors @ vectors.T, 40)
    for item in range(20):
        residuals.take(item)
        base, _ = np.linalg.qr(vectors[: item + 1].T)
        left = ((vectors - vectors @ base @ base.T) ** 2).sum(axis=1)
        np.testing.assert_allclose(residuals.left, left, atol=2e-3)


def test_the_more_diversity_the_less_alike_the_slate() -> None:
    random = np.random.default_rng(1)
    topics = some_vectors(5)
    vectors = topics[random.integers(0, 5, 80)] + 0.1 * random.normal(size=(80, WIDTH))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    values = some_values(80)

    def volume(diversity: float) -> float:
        own = vectors[chosen(values, vectors, diversity=diversity).places].astype(np.float64)
        return float(np.linalg.slogdet(own @ own.T)[1])

    dials = [volume(diversity) for diversity in (0.0, 0.2, 0.5, 1.0)]
    assert dials == sorted(dials)
    assert dials[-1] > dials[0] + 1
    best = chosen(values, vectors, diversity=1.0).places[0]
    assert best == values.argmax(), "where nothing is chosen yet, value alone decides"


def test_values_below_zero_keep_their_order() -> None:
    values = np.array([0.3, 0.0, -0.2, -5.0], np.float32)
    logs = log_values(values)
    assert np.isfinite(logs).all()
    assert (np.diff(logs) < 0).all()
    assert np.isfinite(log_values(np.zeros(3, np.float32))).all()


def test_the_worse_of_two_near_duplicates_goes_behind_all_others() -> None:
    vectors = some_vectors(12)
    values = np.linspace(1, 0.1, 12).astype(np.float32)
    vectors[3] = vectors[1]
    slate = chosen(values, vectors, count=12, keep=False)
    assert slate.places.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 3]
    assert slate.shifts.tolist() == [0, 0, 0, *[1] * 8, -8]
    assert 3 in chosen(values, vectors, count=4, keep=True).places
    assert 3 not in chosen(values, vectors, count=11, keep=False).places
    # However much unlikeness counts, it is the worse one that goes.
    assert 3 not in chosen(values, vectors, count=11, keep=False, diversity=1.0).places


def test_a_text_that_many_items_have_makes_them_no_near_duplicates() -> None:
    values = np.linspace(1, 0.1, 30).astype(np.float32)
    vectors = some_vectors(30)
    vectors[:20] = vectors[0]
    vectors[21] = vectors[20]
    places = chosen(values, vectors, count=30, keep=False).places.tolist()
    assert places == [*range(21), *range(22, 30), 21]
    # Their value still counts against the unlikeness of others.
    places = chosen(values, vectors, count=30, keep=False, diversity=0.2).places.tolist()
    assert places[0] == 0
    assert 1 in places[:10]


def test_items_without_texts_are_no_near_duplicates_of_each_other() -> None:
    values = np.linspace(1, 0.1, 30).astype(np.float32)
    nothing = np.zeros((30, WIDTH * 24), np.float32)
    assert chosen(values, nothing, keep=False).places.tolist() == list(range(10))
    stood_in = with_stand_ins(nothing, [f"i{n}" for n in range(30)])
    np.testing.assert_array_equal(stood_in[3:5], with_stand_ins(nothing[:2], ["i3", "i4"]))
    np.testing.assert_allclose(np.linalg.norm(stood_in, axis=1), 1, atol=1e-5)
    cosines = stood_in @ stood_in.T - np.eye(30)
    assert np.abs(cosines).max() < 0.3


@pytest.mark.parametrize("diversity", [0.0, 0.5])
def test_caps_hold_for_every_beginning_of_the_slate(diversity: float) -> None:
    random = np.random.default_rng(2)
    categories = np.repeat(np.arange(8), 25)
    brands = random.integers(-1, 30, 200)
    values = (some_values(200) + (categories == 0)).astype(np.float32)
    limits = kinds(categories.tolist(), 2, brands.tolist(), 1)
    places = chosen(values, limits=limits, count=16, diversity=diversity).places
    assert len(places) == 16
    assert np.bincount(categories[places]).max() == 2
    of_brand = brands[places]
    assert np.bincount(of_brand[of_brand >= 0]).max() == 1


def test_where_caps_leave_nobody_that_of_brands_gives_way_first_and_the_slate_is_full() -> None:
    values = np.linspace(1, 0.1, 6).astype(np.float32)
    limits = kinds([0, 0, 0, 1, 1, 1], 1, [5, 5, 6, 5, 5, 5], 1)
    # 3 shares the brand of 0, but not its category; then the category gives way too.
    assert chosen(values, limits=limits, count=6).places.tolist() == [0, 3, 1, 2, 4, 5]


def test_a_near_duplicate_that_keeps_to_a_cap_comes_before_others_that_break_it() -> None:
    values = np.linspace(1, 0.1, 4).astype(np.float32)
    vectors = some_vectors(4)
    vectors[3] = vectors[0]
    limits = kinds([0, 0, 0, 1], 1)
    assert chosen(values, vectors, limits, 4, keep=False).places.tolist() == [0, 3, 1, 2]


def test_fresh_items_have_their_share_of_the_slate_and_of_its_beginning() -> None:
    values = np.linspace(1, 0.1, 40).astype(np.float32)
    limits = kinds([-1] * 40, 0, fresh=[30, 31, 32, 33, 34], share=0.3)
    places = chosen(values, limits=limits, count=10).places.tolist()
    assert places == [0, 1, 2, 30, 3, 4, 31, 5, 6, 32]
    # A share of 0.25 of 10 items is 3 of them, the last place being the last to be had.
    quarter = chosen(values, limits=kinds([-1] * 40, 0, fresh=[37, 38, 39], share=0.25), count=10)
    assert quarter.places.tolist() == [0, 1, 2, 37, 3, 4, 5, 38, 6, 39]
    few = chosen(values, limits=kinds([-1] * 40, 0, fresh=[39], share=0.5), count=4)
    assert few.places.tolist() == [0, 39, 1, 2]


def test_a_limited_kind_does_not_fill_the_pool() -> None:
    codes = np.array([0] * 300 + list(range(1, 60)), np.int32)
    pool = pool_of(np.ones(len(codes), np.bool_), 10, [Cap(codes, 1)])
    assert len(pool) == 60
    assert (codes[pool] == 0).sum() == 4
    assert len(pool_of(np.ones(3_000, np.bool_), 2_000, [])) == 4 * DEPTH_MOST


def test_kinds_are_those_of_now_where_an_item_has_changed_since_the_release() -> None:
    nothing = np.zeros(3, np.float32)
    table = ItemTable(
        item_ids=["a", "b", "c"],
        text_hashes=["", "", ""],
        text_vectors=np.zeros((3, 2), np.float32),
        text_tokens=np.zeros((3, 0), np.int32),
        popularity=nothing,
        recent_popularity=nothing,
        create_time_ms=np.array([90 * DAY_MS, 10 * DAY_MS, -1]),
        latitude=nothing,
        longitude=nothing,
        category=coded(["film", "film", ""]),
        brand=coded(["", "acme", "acme"]),
    )
    new = Item(item_id="new", categories=["film", "drama"], brand="other")
    new.create_time.FromMilliseconds(99 * DAY_MS)
    moved = Item(item_id="b", categories=["book"])
    newer = Item(item_id="newer", categories=["book"], brand="other")
    newer.create_time.FromMilliseconds(101 * DAY_MS)
    changed = {item.item_id: item for item in (new, moved, newer)}
    asked = Variety(category_max=1, brand_max=2, fresh_share=0.5)
    found = kinds_of(table, ["c", "a", "b", "new", "newer"], changed, asked, 100 * DAY_MS)
    categories, brands = (cap.codes.tolist() for cap in found.caps)
    film, book = categories[1], categories[2]
    assert categories == [-1, film, book, film, book]
    assert film != book
    assert book >= 0
    assert brands[0] == 0
    assert brands[1:3] == [-1, -1]
    assert brands[3] == brands[4] > 0
    assert found.fresh.tolist() == [False, True, False, True, False], "nothing is from tomorrow"
    asked.fresh_age.FromSeconds(5 * 86_400)
    assert kinds_of(table, ["a", "new"], changed, asked, 100 * DAY_MS).fresh.tolist() == [
        False,
        True,
    ]
    assert not kinds_of(table, ["a"], changed, Variety(), 0).limited
