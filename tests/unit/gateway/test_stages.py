"""Blocklist, fallback, filters and reasons."""

from pathlib import Path

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from features.ids import item_hashes
from features.item_filter import predicate
from features.release import open_release
from gateway_service.blocklist import Blocklist
from gateway_service.fallback import fallback_candidates
from gateway_service.reasons import SENTENCES, language_of, tell_reasons
from tandem.v1 import candidate_pb2, event_pb2, filter_pb2
from tandem.v1.candidate_pb2 import Hit, RankedItem, Reason
from tandem.v1.common_pb2 import Place
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import HistoryEvent
from tandem.v1.filter_pb2 import Condition, Filter, FilterList
from tandem.v1.item_pb2 import AttributeValue, Item
from tandem.v1.user_pb2 import SeenItems, UserProfile, UserState
from tests.support.release import write_small_release

ITEM_IDS = [f"item-{n}" for n in range(12)]


def user_with(*item_ids: str, dismissed: str = "") -> UserState:
    history = [HistoryEvent(item_id=i, action=event_pb2.ACTION_VIEW) for i in item_ids]
    if dismissed:
        history.append(HistoryEvent(item_id=dismissed, action=event_pb2.ACTION_DISMISS))
    hashes = item_hashes([*item_ids, *filter(None, [dismissed])]).tolist()
    return UserState(user_id="anna", history=history, seen=SeenItems(item_hashes=hashes))


def test_seen_excluded_and_dismissed_items_are_blocked() -> None:
    blocked = Blocklist(user_with("a", dismissed="b"), ["c"], repeat=False)
    assert [item in blocked for item in "abcd"] == [True, True, True, False]


def test_where_people_return_to_items_only_dismissed_ones_are_blocked() -> None:
    blocked = Blocklist(user_with("a", dismissed="b"), ["c"], repeat=True)
    assert [item in blocked for item in "abcd"] == [False, True, True, False]


def test_an_item_that_was_used_after_it_was_dismissed_is_welcome_again() -> None:
    user = user_with("a", dismissed="b")
    user.history.append(HistoryEvent(item_id="b", action=event_pb2.ACTION_VIEW))
    assert "b" not in Blocklist(user, [], repeat=True)


@pytest.mark.parametrize("seen", [[], ITEM_IDS[:3], ITEM_IDS])
def test_fallback_candidates_are_the_list_and_then_each_other_item_once(
    tmp_path: Path, seen: list[str]
) -> None:
    listed = ["item-5", "item-1", "item-7"]
    release = open_release(write_small_release(tmp_path / "r", "r", ITEM_IDS, listed))
    blocked = Blocklist(user_with(*seen), [], repeat=False)
    found = [c.item_id for c in fallback_candidates(release, blocked, "anna", 100)]
    expected = [item_id for item_id in listed if item_id not in seen]
    assert found[: len(expected)] == expected
    assert sorted(found) == sorted(set(ITEM_IDS) - set(seen))


def test_fallback_candidates_stop_at_the_count_and_an_empty_release_has_none(
    tmp_path: Path,
) -> None:
    nothing = Blocklist(UserState(), [], repeat=False)
    release = open_release(write_small_release(tmp_path / "r", "r", ITEM_IDS, ITEM_IDS))
    assert len(fallback_candidates(release, nothing, "anna", 4)) == 4
    empty = open_release(write_small_release(tmp_path / "e", "e", [], []))
    assert fallback_candidates(empty, nothing, "anna", 4) == []


ITEM = Item(
    item_id="a",
    categories=["film", "drama"],
    tags=["slow"],
    brand="Ozu",
    language_code="ja",
    create_time=Timestamp(seconds=1_000),
    place=Place(latitude=35.0, longitude=139.0),
    attributes={
        "year": AttributeValue(int64_value=1953),
        "stars": AttributeValue(double_value=4.5),
        "colour": AttributeValue(bool_value=False),
    },
)


def condition(attribute: str, operator: str, *values: str | float | bool) -> Filter:
    typed = [
        AttributeValue(bool_value=value)
        if isinstance(value, bool)
        else AttributeValue(string_value=value)
        if isinstance(value, str)
        else AttributeValue(int64_value=value)
        if isinstance(value, int)
        else AttributeValue(double_value=value)
        for value in values
    ]
    number = filter_pb2.Operator.Value(f"OPERATOR_{operator}")
    return Filter(condition=Condition(attribute=attribute, operator=number, values=typed))


@pytest.mark.parametrize(
    ("node", "holds"),
    [
        (condition("categories", "EQUAL", "drama"), True),
        (condition("categories", "NOT_EQUAL", "drama"), False),
        (condition("tags", "IN", "fast", "slow"), True),
        (condition("tags", "NOT_IN", "fast"), True),
        (condition("brand", "EQUAL", "Ozu"), True),
        (condition("brand", "LESS", "Pabst"), True),
        (condition("language_code", "NOT_IN", "en", "ja"), False),
        (condition("create_time", "GREATER_OR_EQUAL", 1_000), True),
        (condition("latitude", "GREATER", 35.0), False),
        (condition("longitude", "LESS_OR_EQUAL", 139.0), True),
        (condition("year", "LESS", 1960), True),
        (condition("stars", "GREATER", 4), True),
        (condition("colour", "EQUAL", False), True),
        (condition("year", "EQUAL", "1953"), False),
        (condition("year", "LESS", "1960"), False),
        (condition("missing", "EQUAL", 1), False),
        (condition("missing", "IN", 1), False),
        (condition("missing", "LESS", 1), False),
        (condition("missing", "NOT_EQUAL", 1), True),
        (condition("missing", "NOT_IN", 1), True),
    ],
)
def test_a_condition_holds_as_the_contract_says(node: Filter, holds: bool) -> None:
    assert predicate(node)(ITEM) is holds
    negated = Filter(**{"not": node})
    assert predicate(negated)(ITEM) is not holds


def test_conditions_are_joined_by_all_of_and_any_of() -> None:
    right, wrong = condition("brand", "EQUAL", "Ozu"), condition("brand", "EQUAL", "Ford")
    assert predicate(Filter(any_of=FilterList(filters=[wrong, right])))(ITEM)
    assert not predicate(Filter(all_of=FilterList(filters=[wrong, right])))(ITEM)
    assert predicate(Filter(all_of=FilterList(filters=[right, right])))(ITEM)


@pytest.mark.parametrize(
    ("code", "text", "language"),
    [
        ("en", "慢电影", "en"),
        ("zh-Hant", "", "zh"),
        ("fr", "", "en"),
        ("", "slow films", "en"),
        ("", "慢 films", "zh"),
        ("", "", "en"),
    ],
)
def test_the_language_is_the_profiles_or_that_of_the_words(
    code: str, text: str, language: str
) -> None:
    assert language_of(UserProfile(language_code=code), text) == language


def test_every_kind_of_reason_has_a_sentence_in_every_language() -> None:
    kinds = set(candidate_pb2.ReasonKind.values()) - {0}
    assert all(set(sentences) == kinds for sentences in SENTENCES.values())


@pytest.mark.parametrize("language", sorted(SENTENCES))
def test_a_sentence_names_the_item_where_its_title_is_known(language: str) -> None:
    def texts(items: dict[str, Item]) -> list[str]:
        reasons = [
            Reason(kind=kind, item_id="b")
            for kind in candidate_pb2.ReasonKind.values()
            if kind != candidate_pb2.REASON_KIND_UNSPECIFIED
        ]
        item = RankedItem(item_id="a", reasons=reasons)
        tell_reasons([item], items, RequestContext(), language)
        return [reason.text for reason in item.reasons]

    known = texts({"b": Item(item_id="b", title="A {curious} title")})
    assert sum("A {curious} title" in text for text in known) == 3
    assert all(texts({}))


def test_what_is_shared_is_told_from_the_facts_alone() -> None:
    def text(language: str, title: str, **facts: str) -> str:
        kind = candidate_pb2.REASON_KIND_SHARED_ENTITY
        item = RankedItem(item_id="a", reasons=[Reason(kind=kind, item_id="b", **facts)])
        tell_reasons([item], {"b": Item(title=title)}, RequestContext(), language)
        return item.reasons[0].text

    both = {"relation": "art_director", "entity": "Ann {x}"}
    assert text("en", "First", **both) == "Same art director as “First”: Ann {x}"
    assert text("en", "", **both) == "Same art director as something in your history: Ann {x}"
    assert text("en", "First", entity="North") == "Linked with “First” by North"
    assert text("en", "First", relation="sequel_of") == "Linked with “First”: sequel of"
    assert text("zh", "甲", relation="brand", entity="乙") == "与“甲”的品牌相同：乙"
    assert text("zh", "甲", relation="director", entity="乙") == "与“甲”的director相同：乙"
    assert text("zh", "甲", entity="乙") == "因乙与“甲”有关"


def test_without_the_rankers_reasons_the_sources_speak() -> None:
    def reasons(*sources: candidate_pb2.Source.ValueType, seed: str = "") -> list[str]:
        hits = [Hit(source=source, rank=n) for n, source in enumerate(sources, start=1)]
        item = RankedItem(item_id="a", hits=hits)
        tell_reasons([item], {}, RequestContext(seed_item_id=seed), "en")
        return [candidate_pb2.ReasonKind.Name(r.kind)[12:] for r in item.reasons]

    assert reasons(candidate_pb2.SOURCE_RANDOM) == ["FALLBACK"]
    assert reasons(candidate_pb2.SOURCE_CF, candidate_pb2.SOURCE_POPULAR) == [
        "SIMILAR_USERS",
        "POPULAR",
    ]
    assert reasons(candidate_pb2.SOURCE_SEQUENCE) == ["SIMILAR_USERS"]
    assert reasons(candidate_pb2.SOURCE_SIMILAR, seed="x") == ["LIKE_SEED_ITEM"]
    assert reasons(candidate_pb2.SOURCE_SEMANTIC) == []
