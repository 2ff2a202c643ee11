"""The words that stand for what a user wants, as both encoder and ranker read them."""

from collections.abc import Sequence

from tandem.v1.user_pb2 import UserProfile


def profile_words(text: str, tags: Sequence[str]) -> str:
    """Return a profile's text and interest tags as one text."""
    return ". ".join(part for part in (text.strip().rstrip("."), ", ".join(tags)) if part)


def request_words(text: str, profile: UserProfile) -> str:
    """Return the words of a request, or the profile's where the request has none."""
    liked = [tag.tag for tag in profile.interest_tags if tag.confidence >= 0]
    return text.strip() or profile_words(profile.text, liked)
