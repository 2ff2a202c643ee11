"""The words that stand for what a user wants, as both encoder and ranker read them."""

from collections.abc import Sequence

from features.wishes import read_wishes
from tandem.v1.event_pb2 import HistoryEvent
from tandem.v1.user_pb2 import UserProfile

# How far back a review still speaks for its writer, and how much of it is read.
REVIEW_EVENTS = 50
REVIEW_CHARACTERS = 400


def profile_words(text: str, tags: Sequence[str]) -> str:
    """Return a profile's text, without what it rules out, and interest tags as one text."""
    wanted = read_wishes(text).wanted
    return ". ".join(part for part in (wanted.strip().rstrip("."), ", ".join(tags)) if part)


def review_words(text: str) -> str:
    """Return what is read of the user's own words about an item."""
    return " ".join(text[: 2 * REVIEW_CHARACTERS].split())[:REVIEW_CHARACTERS].strip()


def request_words(text: str, profile: UserProfile, history: Sequence[HistoryEvent]) -> str:
    """Return the words of a request, else the profile's, else the newest review of late.

    What the words rule out is left out: an encoder would take "no gore" for gore.

    history: oldest first, its texts as `review_words` returned them.
    """
    liked = [tag.tag for tag in profile.interest_tags if tag.confidence >= 0]
    reviews = (event.text for event in reversed(history[-REVIEW_EVENTS:]) if event.text)
    said = read_wishes(text).wanted.strip()
    return said or profile_words(profile.text, liked) or next(reviews, "")
