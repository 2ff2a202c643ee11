"""What a policy says of items and users."""

from datetime import UTC, date, datetime

import pytest

from features.policy import NO_POLICY, Override, Policy, Verdict
from features.policy_words import Phrases, policy_tokens
from tandem.v1.item_pb2 import Item
from tandem.v1.user_pb2 import UserProfile, UserState

TODAY = date(2026, 6, 1)
NOW_MS = int(datetime(2026, 6, 1, tzinfo=UTC).timestamp() * 1000)


def finds(phrase: str, text: str) -> bool:
    return list(Phrases([phrase]).found_in([text])) == [phrase]


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("gore", "Much GORE, no plot"),
        ("gore", "ＧＯＲＥ in wide letters"),
        ("gore", "go\u200bre with something hidden in it"),
        ("gun", "Guns and roses"),
        ("zombie", "Zombies!"),
        ("box", "two boxes"),
        ("dead body", "Dead bodies everywhere"),
        ("class", "Classes"),
        ("hard core", "A hard-core story"),
        ("straße", "Die STRASSE"),
        ("血腥", "非常血腥的电影"),
        ("成人 video", "看成人video吧"),
        ("ヌード", "これはヌードです"),
        ("हिंसा", "यह हिंसा है"),
        ("made in", "It was made in a day"),
        ("a b c", "a b a b c"),
    ],
)
def test_a_blocked_word_is_found_however_it_is_written(phrase: str, text: str) -> None:
    assert finds(phrase, text)


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("ass", "An assassin with class"),
        ("hard core", "core and hard"),
        ("hard core", "hard. Then, to the core"),
        ("血腥", "血 and 腥 apart"),
        ("sex", "Sussex and Essex"),
        ("हिंसा", "अहिंसा परम धर्म"),
        ("成人", "成长的人"),
        ("news", "All that is new"),
        ("a b c", "a b"),
        ("a b c", "a b x a b"),
        ("guns", "A gun"),
    ],
)
def test_a_blocked_word_is_not_found_inside_another(phrase: str, text: str) -> None:
    assert not finds(phrase, text)


def test_a_phrase_does_not_reach_from_one_text_into_the_next() -> None:
    assert not list(Phrases(["made in"]).found_in(["This is made", "in a day"]))


def test_the_words_of_a_policy_are_all_words_of_a_text() -> None:
    assert policy_tokens("The cats of 东京, 1999") == ["the", "cats", "of", "东", "京", "1999"]


RULES = Policy(
    digest="x",
    categories=frozenset({"adult"}),
    tags=frozenset({"gore"}),
    words=("weapon",),
    age_attributes=("min_age",),
    age_categories={"horror": 16},
)


def item(**fields: object) -> Item:
    return Item(item_id="a", **fields)  # type: ignore[arg-type]


def test_each_kind_of_rule_blocks() -> None:
    assert RULES.judge(item(title="A film", categories=["Drama"])) == Verdict()
    assert RULES.judge(item(categories=["ADULT "])).rule == "block.categories 'adult'"
    assert RULES.judge(item(tags=["Gore"])).rule == "block.tags 'gore'"
    for place in ({"title": "Weapons"}, {"description": "a weapon"}, {"tags": ["secret weapon"]}):
        assert RULES.judge(item(**place)).rule == "block.words 'weapon'"
    # A category is blocked by its whole name, its words by block.words.
    assert RULES.judge(item(categories=["Young adult"])) == Verdict()


def test_the_least_age_is_the_greatest_of_what_attributes_and_categories_say() -> None:
    made = item(categories=["Horror"])
    made.attributes["min_age"].int64_value = 12
    assert RULES.judge(made) == Verdict("", 16)
    made.attributes["min_age"].int64_value = 18
    assert RULES.judge(made) == Verdict("", 18)


@pytest.mark.parametrize("years", [0, -1])
def test_an_age_of_nought_or_less_limits_nothing(years: int) -> None:
    made = item()
    made.attributes["min_age"].int64_value = years
    assert RULES.judge(made) == Verdict()


def test_an_age_that_cannot_be_read_blocks() -> None:
    made = item()
    made.attributes["min_age"].double_value = 11.5
    assert RULES.judge(made).least_age == 12
    made.attributes["min_age"].string_value = "16"
    assert RULES.judge(made).least_age == 16
    made.attributes["min_age"].string_value = "PG-13"
    assert RULES.judge(made).rule == "age.attributes 'min_age' is no number"


def user(birth_year: int = 0, *, read: bool = True) -> UserState:
    state = UserState(user_id="anna", profile=UserProfile(birth_year=birth_year))
    if read:
        state.read_time.GetCurrentTime()
    return state


def test_an_age_is_that_of_somebody_whose_birthday_is_still_to_come() -> None:
    assert RULES.age_of(user(2008), NOW_MS) == 17
    assert RULES.age_of(user(2026), NOW_MS) == 0
    assert RULES.age_of(user(2050), NOW_MS) == 0


def test_whoever_tells_no_year_of_birth_has_the_age_of_the_policy() -> None:
    assert RULES.age_of(user(), NOW_MS) == 0
    adults = Policy(digest="x", age_if_unknown=18)
    assert adults.age_of(user(), NOW_MS) == 18
    assert adults.age_of(UserState(), NOW_MS) == 18


def test_whose_state_could_not_be_read_is_the_youngest() -> None:
    adults = Policy(digest="x", age_if_unknown=18)
    assert adults.age_of(user(read=False), NOW_MS) == 0


def override(*, blocks: bool, **fields: object) -> Policy:
    made = Override("a", blocks, "j.doe", TODAY, "seen", **fields)  # type: ignore[arg-type]
    return Policy(digest="x", overrides={"a": made})


def permits(policy: Policy, verdict: Verdict, age: int, today: date = TODAY) -> tuple[bool, int]:
    """Return whether an item is permitted, and how many overrides decided that."""
    decided: list[Override] = []
    return policy.permits("a", verdict, age, today, decided.append), len(decided)


def test_without_an_override_rules_and_age_decide() -> None:
    assert permits(NO_POLICY, Verdict("", 16), 16) == (True, 0)
    assert permits(NO_POLICY, Verdict("", 16), 15) == (False, 0)
    assert permits(NO_POLICY, Verdict("block.tags 'gore'", 0), 99) == (False, 0)


def test_an_override_decides_against_the_rules_and_is_told_only_then() -> None:
    blocked = Verdict("block.tags 'gore'", 0)
    assert permits(override(blocks=False), blocked, 0) == (True, 1)
    assert permits(override(blocks=False), Verdict(), 0) == (True, 0)
    assert permits(override(blocks=True), Verdict(), 0) == (False, 1)
    assert permits(override(blocks=True), blocked, 0) == (False, 0)


def test_an_override_lifts_no_age_limit_unless_it_names_an_age() -> None:
    limited = Verdict("block.tags 'gore'", 16)
    assert permits(override(blocks=False), limited, 15) == (False, 0)
    assert permits(override(blocks=False), limited, 16) == (True, 1)
    assert permits(override(blocks=False, least_age=12), limited, 12) == (True, 1)
    assert permits(override(blocks=False, least_age=12), limited, 11) == (False, 0)
    # A reviewer may find an item fit for fewer people than the rules do.
    assert permits(override(blocks=False, least_age=18), Verdict(), 16) == (False, 1)


def test_an_override_counts_until_the_end_of_the_day_on_which_it_expires() -> None:
    policy = override(blocks=True, expires=date(2026, 6, 1))
    assert permits(policy, Verdict(), 0, date(2026, 6, 1)) == (False, 1)
    assert permits(policy, Verdict(), 0, date(2026, 6, 2)) == (True, 0)
