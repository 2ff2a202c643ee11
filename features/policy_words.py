"""Finds blocked words in texts: whole words, and single characters where words have no borders."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

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
    """Return all words of texts in order, folded, with borders between the texts.

    Unlike what texts are searched by, stop words stay, and nothing depends on a dictionary:
    Chinese becomes its characters, so that a phrase of them is found wherever it stands.
    """
    text = _BORDER.join(map(_folded, texts))
    return (_ASCII_TOKENS if text.isascii() else _TOKENS).findall(text)


class Phrases:
    """Words and phrases to be found in texts, in the singular or plural."""

    def __init__(self, phrases: Iterable[str]) -> None:
        """phrases: each with at least one token."""
        # By each form of its first token, a phrase with the forms of all its tokens.
        self._by_first: dict[str, list[tuple[str, list[frozenset[str]]]]] = {}
        for phrase in phrases:
            forms = [_forms(token) for token in policy_tokens(phrase)]
            for first in forms[0]:
                self._by_first.setdefault(first, []).append((phrase, forms))

    def found_in(self, texts: Iterable[str]) -> list[str]:
        """Return the phrases that stand in one of the texts, each once."""
        tokens = policy_tokens(*texts)
        found: dict[str, None] = {}
        for first in sorted(self._by_first.keys() & tokens):
            for phrase, forms in self._by_first[first]:
                if len(forms) == 1 or _stands(forms, tokens):
                    found[phrase] = None
        return list(found)


def _forms(word: str) -> frozenset[str]:
    """Return a word and the plurals that English would make of it; most are no words.

    The other way round, what ends in s may be no plural: "news" must not block what is new.
    """
    if len(word) < 3 or not (word.isascii() and word.isalpha()):
        return frozenset({word})
    ending_in_y = {f"{word[:-1]}ies"} if word[-1] == "y" else set()
    return frozenset({word, f"{word}s", f"{word}es"} | ending_in_y)


def _stands(forms: Sequence[frozenset[str]], tokens: Sequence[str]) -> bool:
    """Return whether tokens of these forms follow one another somewhere."""
    size = len(forms)
    return any(
        token in forms[0]
        and all(map(frozenset.__contains__, forms[1:], tokens[start + 1 : start + size]))
        for start, token in enumerate(tokens[: len(tokens) - size + 1])
    )


def _folded(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text).translate(_INVISIBLE)
    return text.casefold()
