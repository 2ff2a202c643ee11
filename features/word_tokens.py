"""Texts as the words that they are searched by, in English and Chinese alike."""

import logging
import re
import unicodedata
from functools import cache

import jieba

# Words that tell nothing of what a text is about.
_STOP_WORDS = """
a about after all also am an and any are as at be because been but by can could did do does for
from had has have he her him his how i if in into is it its just like me more most my of on one or
our out please really she so some something such than that the their them then there these they
this those to too up us very want was we were what when where which who will with would you your
的 了 和 是 我 你 他 她 它 们 我们 你们 他们 在 有 就 都 也 很 想 要 想要 喜欢 一个 一些 这 那
这个 那个 什么 吧 吗 呢 啊 给 看 来 去 与 或 请
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
_RUNS = re.compile(r"[\u3400-\u9fff]+|[^\W_\u3400-\u9fff]+")
_CHINESE = re.compile(r"[\u3400-\u9fff]")
# Texts are as long as encoders read them; more of one is no more searchable.
CHARACTERS_MOST = 4_000


def word_tokens(text: str) -> list[str]:
    """Return the words of a text, in order: lower case, without stop words and plural endings.

    Chinese is segmented by jieba, compounds also into their parts.
    """
    tokens: list[str] = []
    for run in _RUNS.findall(unicodedata.normalize("NFKC", text[:CHARACTERS_MOST]).lower()):
        tokens += _segmented(run) if _CHINESE.match(run) else [singular(run)]
    return [token for token in tokens if token not in STOP_WORDS]


def singular(word: str) -> str:
    """Return an English word without a plural's ending.

    The S stemmer of Harman, "How effective is suffixing?", JASIS 42 (1991): three rules that seldom
    make one word of two.
    """
    if word.endswith("ies") and not word.endswith(("eies", "aies")) and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")) and len(word) > 3:
        return word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and len(word) > 3:
        return word[:-1]
    return word


def _segmented(run: str) -> list[str]:
    return list(_jieba().cut_for_search(run))


@cache
def _jieba() -> jieba.Tokenizer:
    """Return the segmenter; its dictionary takes half a second to read."""
    jieba.setLogLevel(logging.WARNING)
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    return tokenizer
