"""What every item of an answer must satisfy: the caller's conditions, and what words rule out."""

from collections.abc import Iterable
from dataclasses import dataclass

from features.demands import read_demands
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
DEMANDS_MOST = 8
# Where the caller's own filter is in one that is joined.
FIRST = "filter.all_of.filters[0]"


@dataclass(frozen=True)
class Conditions:
    """What items must satisfy.

    filter: the caller's, what the words demand and what they rule out; None where there is none of
    it. of_words: what the words demand. open_minute: of the local week, at which places must be
    open, None if they need not. asked: whether the caller set any of it, in other than words.
    wanted: what the words name, with confidence 1; unwanted: what they rule out, with -1.
    """

    filter: Filter | None
    of_words: Filter | None
    open_minute: int | None
    asked: bool
    wanted: list[InterestTag]
    unwanted: list[InterestTag]

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
        """Return a part of the filter as a part of the caller's own, or of the text."""
        if self.of_words is None and not self.unwanted:
            return field
        return field.replace(FIRST, "filter", 1) if field.startswith(FIRST) else "text"

    def interest_tags(self, understood: Iterable[InterestTag]) -> list[InterestTag]:
        """Return what the words were understood as, less what they rule out, and that.

        understood: by the retrieval service; where it did not answer, what the words name is told.
        """
        shut_out = {tag.tag for tag in self.unwanted}
        wanted = [tag for tag in understood if tag.tag not in shut_out]
        return [*(wanted or self.wanted), *self.unwanted]


def conditions_of(
    request: RecommendRequest,
    context: RequestContext,
    profile: UserProfile,
    vocabulary: Vocabulary,
) -> Conditions:
    """Read a request's conditions and words, else the profile's, whose dislikes always count."""
    wishes = read_wishes(request.text if request.text.strip() else profile.text)
    disliked = [tag.tag for tag in profile.interest_tags if tag.confidence < 0]
    phrases = [*wishes.unwanted, *disliked]
    unwanted = dict.fromkeys(name for phrase in phrases for name in vocabulary.ruled_out(phrase))
    wanted = [name for name in vocabulary.named(wishes.wanted) if name not in unwanted]
    names = list(unwanted)[:NAMES_MOST]
    # Who describes themselves demands nothing: liking the 90s is no wish to see nothing else.
    asked = read_wishes(request.text).wanted
    demands = read_demands(asked, vocabulary.attributes, vocabulary.languages)
    of_words = _all([Filter(condition=demand) for demand in demands[:DEMANDS_MOST]])
    given = request.filter if request.HasField("filter") else None
    return Conditions(
        # The caller's own goes first, so that what is said of it can be told by its place.
        filter=_all([part for part in (given, of_words, *_ruling_out(names)) if part]),
        of_words=of_words,
        open_minute=minute_of_week(
            context.request_time.ToMilliseconds(), context.utc_offset.seconds // 60
        )
        if request.open_only
        else None,
        asked=given is not None or request.open_only,
        wanted=[InterestTag(tag=name, confidence=1.0) for name in wanted],
        unwanted=[InterestTag(tag=name, confidence=-1.0) for name in names],
    )


def _ruling_out(names: list[str]) -> list[Filter]:
    if not names:
        return []
    values = [AttributeValue(string_value=name) for name in names]
    return [
        Filter(
            condition=Condition(
                attribute=attribute, operator=filter_pb2.OPERATOR_NOT_IN, values=values
            )
        )
        for attribute in ("categories", "tags")
    ]


def _all(parts: list[Filter]) -> Filter | None:
    if len(parts) < 2:
        return parts[0] if parts else None
    return Filter(all_of=FilterList(filters=parts))
