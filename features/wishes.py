"""What words ask for and what they rule out: "slow science fiction, no gore" """

import re
from dataclasses import dataclass

# "Not only", "no matter", "not bad" rule nothing out.
_NEGATIONS = (
    r"\b(?:no|not|without|avoid|except|hate|hates|dislike|dislikes|nothing with|never|anything but"
    r"|(?:do|does|did)(?:\s+not|n['’]?t)\s+(?:like|want|need|enjoy|care for))\b"
    r"(?!\s+(?:only|just|matter|bad|necessarily|too|so|sure|longer|more than|worse|better)\b)"
)
_CHINESE_NEGATIONS = r"不想要|不想看|不喜欢|不爱看|不要|不看|不含|没有|讨厌|拒绝|除了|别"
# A clause ends at punctuation, and where something else begins.
_ENDS = r"[,.;:!?\n，。；：！？]|\bbut\b|\bhowever\b|\bplease\b|但|可是|不过|只要|最好"
_UNWANTED = re.compile(
    rf"(?:{_NEGATIONS}|(?:{_CHINESE_NEGATIONS}))\s*(?P<what>.*?)(?=$|{_ENDS}|{_NEGATIONS})",
    re.IGNORECASE | re.DOTALL,
)
_AND = re.compile(r"\s*(?:\bor\b|\bnor\b|\band\b|/|&|或者|或|和|与|、)\s*", re.IGNORECASE)
_FILLERS = re.compile(
    r"^(?:(?:any|another|more|much|many|so|too|very|the|a|an|of|kind|kinds|sort|of|watch|watching"
    r"|to|see|read|films?|movies?|about|with|什么|任何|太多|那种|看)(?:\s+|(?=[\u4e00-\u9fff])))+",
    re.IGNORECASE,
)
_TIDY = re.compile(r"\s*([,.;:!?，。；：！？])(?:\s*[,.;:!?，。；：！？])*")
_TAIL = re.compile(r"\s+(?:films?|movies?|stuff|things?|ones?)$", re.IGNORECASE)
# What is longer names no one thing: it is a title, or a sentence that went on without a stop.
PHRASE_WORDS_MOST = 3
PHRASES_MOST = 16


@dataclass(frozen=True)
class Wishes:
    """wanted: the words without what they rule out. unwanted: the phrases that they rule out."""

    wanted: str
    unwanted: tuple[str, ...]


def read_wishes(text: str) -> Wishes:
    """Tell what words ask for from what they rule out, in English and Chinese.

    A negation reaches to the end of its clause. Whoever writes none gets their text back as it is,
    and so does who negates something longer than a name.
    """
    phrases: list[str] = []

    def rule_out(found: re.Match[str]) -> str:
        some = _phrases(found["what"])
        phrases.extend(some)
        return " " if some else found[0]

    wanted = _UNWANTED.sub(rule_out, text)
    if wanted == text:
        return Wishes(text, ())
    tidy = _TIDY.sub(r"\1", " ".join(wanted.split())).lstrip(" ,.;:!?，。；：！？、")
    tidy = tidy.rstrip(" ,;:，；：、")
    return Wishes(tidy if re.search(r"\w", tidy) else "", tuple(dict.fromkeys(phrases)))


def _phrases(what: str) -> list[str]:
    """Return the names in what is negated, none if any part of it is too long for one."""
    parts = [_TAIL.sub("", _FILLERS.sub("", part.strip()).strip()) for part in _AND.split(what)]
    named = [part for part in parts if part]
    if any(len(part.split()) > PHRASE_WORDS_MOST for part in named):
        return []
    return named[:PHRASES_MOST]
