"""What every item of an answer must satisfy: the caller's conditions, and what words rule out."""

from dataclasses import dataclass

from features.item_filter import predicate
from features.moment import minute_of_week
from features.opening_hours import may_be_open
from features.vocabulary import Vocabulary
from features.wishes import read_wishes
from tandem.v1 import filter_pb2
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.filter_pb2 import Condition, Filter, FilterList
from tandem.v1.item_pb2 import AttributeValue, Item
from tandem.v1.recommender_service_pb2 import RecommendRequest
from tandem.v1.user_pb2 import InterestTag, UserProfile

# A condition takes no more values.
NAMES_MOST = 256
# Where the caller's own filter is in one that is joined.
FIRST = "filter.all_of.filters[0]"


@dataclass(frozen=True)
class Conditions:
    """What items must satisfy.

    filter: the caller's and what the words rule out, None where there is neither. open_minute: of
    the local week, at which places must be open, None if they need not. asked: whether the caller
    set any of it, in other than words. tags: what the words name, with confidence 1, and what they
    rule out, with -1.
    """

    filter: Filter | None
    open_minute: int | None
    asked: bool
    tags: list[InterestTag]

    @property
    def any(self) -> bool:
        """Whether there is anything to satisfy."""
        return self.filter is not None or self.open_minute is not None

    def satisfied_by(self, items: list[Item]) -> set[str]:
        """Return the ids of those items that satisfy everything."""
        passes = predicate(self.filter) if self.filter is not None else None
        minute = self.open_minute
        return {
            item.item_id
            for item in items
            if (passes is None or passes(item)) and (minute is None or may_be_open(item, minute))
        }

    def field_of_caller(self, field: str) -> str:
        """Return a part of the filter as a part of the caller's own."""
        joined = any(tag.confidence < 0 for tag in self.tags)
        return field.replace(FIRST, "filter", 1) if joined else field


def conditions_of(
    request: RecommendRequest,
    context: RequestContext,
    profile: UserProfile,
    vocabulary: Vocabulary,
) -> Conditions:
    """Read a request's conditions and words, else the profile's; its dislikes always count."""
    wishes = read_wishes(request.text if request.text.strip() else profile.text)
    disliked = [tag.tag for tag in profile.interest_tags if tag.confidence < 0]
    phrases = [*wishes.unwanted, *disliked]
    unwanted = dict.fromkeys(name for phrase in phrases for name in vocabulary.ruled_out(phrase))
    wanted = [name for name in vocabulary.named(wishes.wanted) if name not in unwanted]
    names = list(unwanted)[:NAMES_MOST]
    tags = [InterestTag(tag=name, confidence=1.0) for name in wanted]
    tags += [InterestTag(tag=name, confidence=-1.0) for name in names]
    given = request.filter if request.HasField("filter") else None
    return Conditions(
        filter=_joined(given, names),
        open_minute=minute_of_week(
            context.request_time.ToMilliseconds(), context.utc_offset.seconds // 60
        )
        if request.open_only
        else None,
        asked=given is not None or request.open_only,
        tags=tags,
    )


def _joined(given: Filter | None, unwanted: list[str]) -> Filter | None:
    if not unwanted:
        return given
    values = [AttributeValue(string_value=name) for name in unwanted]
    parts = [
        Filter(
            condition=Condition(
                attribute=attribute, operator=filter_pb2.OPERATOR_NOT_IN, values=values
            )
        )
        for attribute in ("categories", "tags")
    ]
    # The caller's own goes first, so that what is said of it can be told by its place.
    first = [given] if given is not None else []
    return Filter(all_of=FilterList(filters=[*first, *parts]))
