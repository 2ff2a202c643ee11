"""Finds blocked words in texts: whole words, and single characters where words have no borders."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from features.word_tokens import singular

# Chinese, Japanese, Thai, Lao, Burmese and Khmer are written without borders between words.
_BORDERLESS = (
    "\u0e01-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u3400-\u9fff"
    "\U00020000-\U0003ffff"
)
# Accents and vowel signs belong to their words, though they are no letters.
_MARKS = "\u0300-\u036f\u064b-\u065f\u0900-\u0963\u0966-\u0dff"
# Stands between texts, which have none themselves; it is a token that no phrase has.
_BORDER = "\0"
_TOKENS = re.compile(rf"(?:[^\W_{_BORDERLESS}]+|[{_MARKS}]+)+|[{_BORDERLESS}{_BORDER}]")
# The same where there is nothing but ASCII, in a fourth of the time.
_ASCII_TOKENS = re.compile(rf"[a-z0-9]+|{_BORDER}")
# Not to be seen, and not to hide a word: soft hyphens, zero-width spaces and joiners.
_INVISIBLE = dict.fromkeys([0x00AD, *range(0x200B, 0x2010), 0x2060, 0xFEFF])


def folded(text: str) -> str:
    """Return a text as it is compared: NFKC, casefold, single spaces, nothing invisible."""
    return " ".join(_folded(text).split())


def policy_tokens(*texts: str) -> list[str]:
    """Return all words of texts in order, folded and without plural endings, borders between texts.

    Unlike what texts are searched by, stop words stay, and nothing depends on a dictionary:
    Chinese becomes its characters, so that a phrase of them is found wherever it stands.
    """
    text = _BORDER.join(map(_folded, texts))
    tokens = (_ASCII_TOKENS if text.isascii() else _TOKENS).findall(text)
    return [singular(token) if token[-1] == "s" else token for token in tokens]


class Phrases:
    """Words and phrases to be found in texts."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """phrases: each with at least one token."""
        # By its first token, each phrase with its tokens.
        self._by_first: dict[str, list[tuple[str, str]]] = {}
        for phrase in phrases:
            tokens = policy_tokens(phrase)
            self._by_first.setdefault(tokens[0], []).append((_joined(tokens), phrase))

    def found_in(self, texts: Iterable[str]) -> Iterator[str]:
        """Yield the phrases that stand in one of the texts."""
        tokens = policy_tokens(*texts)
        if firsts := self._by_first.keys() & tokens:
            line = _joined(tokens)
            for first in sorted(firsts):
                yield from (name for phrase, name in self._by_first[first] if phrase in line)


def _folded(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    return text.casefold()


def _joined(tokens: list[str]) -> str:
    return f" {' '.join(tokens)} "
