"""Repair of texts: damaged encoding, HTML, control characters, excessive length."""

import html
import re

import ftfy
import pyarrow as pa
import pyarrow.compute as pc

from training.datasets.report import CleaningReport

# Only names that HTML has, so that "a < b" and "<3" stay as they are.
HTML_TAGS = (
    "a|abbr|article|aside|b|big|blockquote|body|br|button|center|cite|code|dd|del|div|dl|dt|em|"
    "figcaption|figure|font|footer|form|h[1-6]|head|header|hr|html|i|iframe|img|input|ins|label|"
    "li|link|main|mark|meta|nav|noscript|ol|option|p|pre|q|s|section|select|small|span|strike|"
    "strong|style|sub|sup|svg|table|tbody|td|tfoot|th|thead|title|tr|tt|u|ul|var|video"
)
HIDDEN = (("<!--", "-->"), ("<script", "</script>"), ("<style", "</style>"))
BLOCK_TAG = re.compile(
    r"</?(article|blockquote|br|dd|div|dt|h[1-6]|hr|li|ol|p|section|table|td|tr|ul)(\s[^<>]*)?/?>",
    re.IGNORECASE,
)
TAG = re.compile(rf"</?(?:{HTML_TAGS})(?:\s[^<>]*)?/?>", re.IGNORECASE)
ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufeff]")
SPACES = re.compile(r"[ \t\u00a0]{2,}")
# Whatever needs a closer look: anything but printable ASCII, a tag, an entity, space at an end.
SUSPECT = r"[^ -~]|<|&|^ | $|  "


def repair_encoding(text: str) -> str:
    """Return the text as it was before it was decoded wrongly; other texts unchanged."""
    return str(ftfy.fix_encoding(text))


def remove_html(text: str) -> str:
    """Return the text without tags, with entities as the characters that they stand for."""
    if "&" in text:
        # Twice, because exports often escape what was escaped already.
        for _ in range(2):
            text = ENTITY.sub(lambda match: html.unescape(match[0]), text)
    if "<" in text:
        for opening, closing in HIDDEN:
            text = _without(text, opening, closing)
        text = BLOCK_TAG.sub(" ", text)
        text = TAG.sub("", text)
    return text


def _without(text: str, opening: str, closing: str) -> str:
    # A loop over find is linear whatever the text; a regular expression is not.
    lower = text.lower()
    if len(lower) != len(text):
        return text
    kept = []
    position = 0
    while (start := lower.find(opening, position)) >= 0:
        end = lower.find(closing, start)
        if end < 0:
            break
        kept.append(text[position:start])
        position = end + len(closing)
    return " ".join([*kept, text[position:]])


def shorten(text: str, max_bytes: int) -> str:
    """Return the beginning of the text that fits into so many bytes of UTF-8."""
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    return encoded[:max_bytes].decode(errors="ignore")


def repair(column: pa.Array, max_bytes: int, report: CleaningReport) -> pa.Array:
    """Return a column of strings repaired, counting each distinct text once."""
    encoded = column.dictionary_encode()
    values = encoded.dictionary
    suspect = pc.or_(
        pc.match_substring_regex(values, SUSPECT),
        pc.greater(pc.binary_length(values), max_bytes),
    )
    if not pc.any(suspect).as_py():
        return column
    texts = values.to_pylist()
    for position in pc.indices_nonzero(suspect).to_pylist():
        texts[position] = _repaired(texts[position], max_bytes, report)
    return pa.array(texts, type=pa.string()).take(encoded.indices)


def _repaired(text: str, max_bytes: int, report: CleaningReport) -> str:
    # Ample for what the repairs remove, and a bound on what a hostile text costs.
    text = shorten(text, 4 * max_bytes)
    decoded = text if text.isascii() else repair_encoding(text)
    if decoded != text:
        report.texts_with_encoding_repaired += 1
    plain = remove_html(decoded)
    if plain != decoded:
        report.texts_with_html_removed += 1
    clean = SPACES.sub(" ", CONTROL.sub("", plain.replace("\r\n", "\n"))).strip()
    short = shorten(clean, max_bytes)
    if short != clean:
        report.texts_shortened += 1
    return short
