"""What the words of a request come to: tags that they name, and a filter for what they rule out."""

from dataclasses import dataclass

from features.vocabulary import Vocabulary
from features.wishes import read_wishes
from tandem.v1 import filter_pb2
from tandem.v1.filter_pb2 import Condition, Filter, FilterList
from tandem.v1.item_pb2 import AttributeValue
from tandem.v1.user_pb2 import InterestTag, UserProfile

# A condition takes no more values.
NAMES_MOST = 256
# Where the caller's own filter is in a condition.
FIRST = "filter.all_of.filters[0]"


@dataclass(frozen=True)
class Understood:
    """tags: what the words name, with confidence 1, and what they rule out, with -1.

    condition: the request's filter and what the words rule out; None where there is neither.
    filtered: whether the request has a filter.
    """

    tags: list[InterestTag]
    condition: Filter | None
    filtered: bool

    def field_of_caller(self, field: str) -> str:
        """Return a part of the condition as a part of the request's filter."""
        joined = any(tag.confidence < 0 for tag in self.tags)
        return field.replace(FIRST, "filter", 1) if joined else field


def understand(
    text: str, profile: UserProfile, given: Filter | None, vocabulary: Vocabulary
) -> Understood:
    """Read the words of a request, else of the profile; dislikes on the profile always count."""
    wishes = read_wishes(text if text.strip() else profile.text)
    disliked = [tag.tag for tag in profile.interest_tags if tag.confidence < 0]
    phrases = [*wishes.unwanted, *disliked]
    unwanted = dict.fromkeys(name for phrase in phrases for name in vocabulary.ruled_out(phrase))
    wanted = [name for name in vocabulary.named(wishes.wanted) if name not in unwanted]
    names = list(unwanted)[:NAMES_MOST]
    tags = [InterestTag(tag=name, confidence=1.0) for name in wanted]
    tags += [InterestTag(tag=name, confidence=-1.0) for name in names]
    return Understood(tags, _joined(given, names), given is not None)


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
