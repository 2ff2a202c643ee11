"""Tags and filters that come of words."""

from features.item_filter import predicate
from features.vocabulary import Vocabulary
from gateway_service.wishes import FIRST, understand
from tandem.v1 import filter_pb2
from tandem.v1.filter_pb2 import Condition, Filter
from tandem.v1.item_pb2 import AttributeValue, Item
from tandem.v1.user_pb2 import InterestTag, UserProfile

VOCABULARY = Vocabulary({"Horror": 10, "gore": 4, "space": 9}, 100)
GORY = Item(item_id="gory", categories=["Horror"], tags=["gore"])
CALM = Item(item_id="calm", tags=["space"], brand="acme")


def acme() -> Filter:
    value = AttributeValue(string_value="acme")
    operator = filter_pb2.OPERATOR_EQUAL
    return Filter(condition=Condition(attribute="brand", operator=operator, values=[value]))


def test_words_become_tags_and_what_they_rule_out_a_filter() -> None:
    understood = understand("space, but no gore", UserProfile(), None, VOCABULARY)
    assert [(tag.tag, tag.confidence) for tag in understood.tags] == [("space", 1), ("gore", -1)]
    assert understood.condition is not None
    passes = predicate(understood.condition)
    assert passes(CALM)
    assert not passes(GORY)
    assert not understood.filtered


def test_without_words_there_is_no_condition() -> None:
    nothing = understand("", UserProfile(), None, VOCABULARY)
    assert (nothing.tags, nothing.condition) == ([], None)
    given = acme()
    assert understand("space", UserProfile(), given, VOCABULARY).condition is given


def test_a_profile_speaks_where_the_request_does_not_and_its_dislikes_always() -> None:
    profile = UserProfile(text="no horror")
    assert [tag.tag for tag in understand("", profile, None, VOCABULARY).tags] == ["Horror"]
    assert understand("space", profile, None, VOCABULARY).condition is None
    disliking = UserProfile(interest_tags=[InterestTag(tag="horror", confidence=-0.5)])
    assert understand("space", disliking, None, VOCABULARY).condition is not None


def test_the_callers_filter_stays_first_and_is_named_as_the_caller_wrote_it() -> None:
    understood = understand("no gore", UserProfile(), acme(), VOCABULARY)
    assert understood.condition is not None
    assert understood.condition.all_of.filters[0] == acme()
    assert understood.field_of_caller(f"{FIRST}.condition.values") == "filter.condition.values"
    plain = understand("space", UserProfile(), acme(), VOCABULARY)
    assert plain.field_of_caller("filter.condition") == "filter.condition"
    passes = predicate(understood.condition)
    assert passes(CALM)
    assert not passes(Item(item_id="other", brand="other"))
