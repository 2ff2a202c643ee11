"""What items must satisfy, by the caller's conditions and by words."""

from features.vocabulary import Vocabulary
from gateway_service.conditions import FIRST, Conditions, conditions_of
from tandem.v1 import filter_pb2
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.filter_pb2 import Condition, Filter
from tandem.v1.item_pb2 import AttributeValue, Item
from tandem.v1.recommender_service_pb2 import RecommendRequest
from tandem.v1.user_pb2 import InterestTag, UserProfile

VOCABULARY = Vocabulary({"Horror": 10, "gore": 4, "space": 9}, 100, {"year": "int64"})
GORY = Item(item_id="gory", categories=["Horror"], tags=["gore"])
CALM = Item(item_id="calm", tags=["space"], brand="acme")


def acme() -> Filter:
    value = AttributeValue(string_value="acme")
    operator = filter_pb2.OPERATOR_EQUAL
    return Filter(condition=Condition(attribute="brand", operator=operator, values=[value]))


def conditions(request: RecommendRequest, profile: UserProfile | None = None) -> Conditions:
    context = RequestContext()
    context.request_time.FromSeconds(8 * 3_600)  # a Thursday
    context.utc_offset.FromSeconds(3_600)
    return conditions_of(request, context, profile or UserProfile(), VOCABULARY)


def test_words_become_tags_and_what_they_rule_out_a_filter() -> None:
    found = conditions(RecommendRequest(text="space, but no gore"))
    told = [(tag.tag, tag.confidence) for tag in found.interest_tags([])]
    assert told == [("space", 1), ("gore", -1)]
    assert found.satisfied_by([CALM, GORY]) == {"calm"}
    assert found.any
    assert not found.asked


def test_without_words_there_is_no_condition() -> None:
    nothing = conditions(RecommendRequest())
    assert (nothing.any, nothing.asked, nothing.interest_tags([])) == (False, False, [])
    assert nothing.satisfied_by([CALM, GORY]) == {"calm", "gory"}
    given = conditions(RecommendRequest(text="space", filter=acme()))
    assert given.filter == acme()
    assert given.asked


def test_a_profile_speaks_where_the_request_does_not_and_its_dislikes_always() -> None:
    profile = UserProfile(text="no horror")
    assert [t.tag for t in conditions(RecommendRequest(), profile).unwanted] == ["Horror"]
    assert not conditions(RecommendRequest(text="space"), profile).any
    disliking = UserProfile(interest_tags=[InterestTag(tag="horror", confidence=-0.5)])
    assert conditions(RecommendRequest(text="space"), disliking).satisfied_by([GORY]) == set()


def test_the_callers_filter_stays_first_and_is_named_as_the_caller_wrote_it() -> None:
    found = conditions(RecommendRequest(text="no gore", filter=acme()))
    assert found.filter is not None
    assert found.filter.all_of.filters[0] == acme()
    assert found.field_of_caller(f"{FIRST}.condition.values") == "filter.condition.values"
    plain = conditions(RecommendRequest(text="space", filter=acme()))
    assert plain.field_of_caller("filter.condition") == "filter.condition"
    assert found.satisfied_by([CALM, Item(item_id="other", brand="other")]) == {"calm"}


def test_what_is_closed_at_the_local_hour_is_left_out_when_asked() -> None:
    cafe, bar = Item(item_id="cafe"), Item(item_id="bar")
    cafe.attributes["opening_hours"].string_value = "Th 09:00-10:00"
    bar.attributes["opening_hours"].string_value = "Th 08:00-09:00"
    places = [cafe, bar, CALM]
    assert conditions(RecommendRequest(open_only=True)).satisfied_by(places) == {"cafe", "calm"}
    assert conditions(RecommendRequest()).satisfied_by(places) == {"cafe", "bar", "calm"}


def test_what_retrieval_understood_is_told_less_what_is_ruled_out() -> None:
    found = conditions(RecommendRequest(text="space, but no gore"))
    understood = [InterestTag(tag=name, confidence=0.5) for name in ("rockets", "gore")]
    told = [(tag.tag, tag.confidence) for tag in found.interest_tags(understood)]
    assert told == [("rockets", 0.5), ("gore", -1)]


def test_a_sentence_of_the_request_may_demand_and_a_profile_may_not() -> None:
    old, new = Item(item_id="old"), Item(item_id="new")
    old.attributes["year"].int64_value, new.attributes["year"].int64_value = 1994, 2004
    found = conditions(RecommendRequest(text="space films from the 90s", filter=None))
    assert found.satisfied_by([old, new, CALM]) == {"old"}
    assert found.of_words == found.filter
    profile = UserProfile(text="I like films from the 90s")
    assert not conditions(RecommendRequest(), profile).any
    both = conditions(RecommendRequest(text="from the 90s", filter=acme()))
    assert both.field_of_caller(f"{FIRST}.condition") == "filter.condition"
    assert both.field_of_caller("filter.all_of.filters[1].condition") == "text"
