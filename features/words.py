"""The words that stand for what a user wants, as both encoder and ranker read them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from features.wishes import read_wishes
from tandem.v1.event_pb2 import HistoryEvent
from tandem.v1.user_pb2 import UserProfile

# How far back a review still speaks for its writer, and how much of it is read.
REVIEW_EVENTS = 50
REVIEW_CHARACTERS = 400
# After so many events a profile counts half: what people do tells more than what they once said.
HALF_AFTER_EVENTS = 10


@dataclass(frozen=True)
class Said:
    """What a user says.

    text: without what it rules out; "" if nothing is said. weight: from 0 to 1, how much of it
    behaviour since then has left. tags: confidence of the profile's interest tags by name, where
    it is the profile that speaks. asked: whether the request says it, so that it is to be obeyed.
    """

    text: str
    weight: float = 1.0
    tags: Mapping[str, float] = field(default_factory=dict)
    asked: bool = False


SILENCE = Said("")


def request_words(text: str, profile: UserProfile, history: Sequence[HistoryEvent]) -> Said:
    """Return the words of a request, else the profile's, else the newest review of late.

    What the words rule out is left out: an encoder would take "no gore" for gore.

    history: oldest first, its texts as `review_words` returned them.
    """
    if said := read_wishes(text).wanted.strip():
        return Said(said, asked=True)
    tags = {tag.tag: tag.confidence or 1.0 for tag in profile.interest_tags if tag.confidence >= 0}
    if described := profile_words(profile.text, list(tags)):
        return Said(described, faded(_events_since(profile, history)), tags)
    reviews = (event.text for event in reversed(history[-REVIEW_EVENTS:]) if event.text)
    return Said(next(reviews, ""))


def faded(events: int) -> float:
    """Return what a profile counts after so many events: 1, and half of it after ten."""
    return HALF_AFTER_EVENTS / (HALF_AFTER_EVENTS + events)


def profile_words(text: str, tags: Sequence[str]) -> str:
    """Return a profile's text, without what it rules out, and interest tags as one text."""
    wanted = read_wishes(text).wanted
    return ". ".join(part for part in (wanted.strip().rstrip("."), ", ".join(tags)) if part)


def review_words(text: str) -> str:
    """Return what is read of the user's own words about an item."""
    return " ".join(text[: 2 * REVIEW_CHARACTERS].split())[:REVIEW_CHARACTERS].strip()


def _events_since(profile: UserProfile, history: Sequence[HistoryEvent]) -> int:
    # Microseconds would say the same at several times the cost.
    said = (profile.said_time.seconds, profile.said_time.nanos)
    times = (event.event_time for event in history)
    return sum((time.seconds, time.nanos) > said for time in times)
