"""Reads a policy file: TOML, each mistake in it told by file, section and key."""

import tomllib
from collections.abc import Mapping
from datetime import date, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from features.policy import Override, Policy
from features.policy_words import folded, policy_tokens

AGE_MAX = 120
TEXT_MAX = 256
REASON_MAX = 1_024
DECISIONS = ("allow", "block")


class PolicyInvalid(ValueError):
    """A policy file cannot be read. Its text is one line: file, section, key and problem."""


class _Wrong(Exception):
    """A value is not what it must be."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")


def read_policy(path: Path) -> Policy:
    """Return the policy of a file. Raises PolicyInvalid."""
    try:
        return parse_policy(path.read_bytes(), str(path))
    except OSError as error:
        raise PolicyInvalid(f"{path}: cannot be read: {error.strerror or error}") from error


def parse_policy(content: bytes, name: str) -> Policy:
    """Return the policy of a file's content, which errors call `name`. Raises PolicyInvalid."""
    try:
        document = tomllib.loads(content.decode())
        _only(document, "the file", ("block", "age", "override"))
        block = _section(document, "block", ("categories", "tags", "words"))
        age = _section(document, "age", ("age_if_unknown", "attributes", "categories"))
        return Policy(
            digest=sha256(content).hexdigest(),
            categories=frozenset(map(folded, _texts(block, "[block]", "categories"))),
            tags=frozenset(map(folded, _texts(block, "[block]", "tags"))),
            words=_words(block),
            age_attributes=_texts(age, "[age]", "attributes"),
            age_categories=_age_categories(age),
            age_if_unknown=_age(age.get("age_if_unknown", 0), "[age] age_if_unknown"),
            overrides=_overrides(document.get("override", [])),
        )
    except UnicodeDecodeError as error:
        raise PolicyInvalid(f"{name}: is not UTF-8: {error.reason}") from error
    except tomllib.TOMLDecodeError as error:
        raise PolicyInvalid(f"{name}: is not TOML: {error}") from error
    except _Wrong as error:
        raise PolicyInvalid(f"{name}: {error}") from error


def _only(table: Mapping[str, Any], place: str, known: tuple[str, ...]) -> None:
    # A misspelt key would be a rule that nobody applies.
    for key in table:
        if key not in known:
            raise _Wrong(place, f"has no key {key!r}; there are {', '.join(known)}")


def _section(document: Mapping[str, Any], name: str, known: tuple[str, ...]) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise _Wrong(f"[{name}]", "must be a section")
    _only(table, f"[{name}]", known)
    return table


def _text(value: object, place: str, most: int = TEXT_MAX) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _Wrong(place, f"must be a text that is not empty, is {value!r}")
    if len(value.encode()) > most:
        raise _Wrong(place, f"must have at most {most:,} bytes")
    return value.strip()


def _texts(table: Mapping[str, Any], section: str, key: str) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list):
        raise _Wrong(f"{section} {key}", "must be a list of texts")
    return tuple(_text(value, f"{section} {key}[{place}]") for place, value in enumerate(values))


def _words(block: Mapping[str, Any]) -> tuple[str, ...]:
    words = _texts(block, "[block]", "words")
    for place, word in enumerate(words):
        if not policy_tokens(word):
            raise _Wrong(f"[block] words[{place}]", f"{word!r} has neither letters nor digits")
    return words


def _age(value: object, place: str, least: int = 0) -> int:
    # To Python a truth value is a whole number.
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= AGE_MAX:
        raise _Wrong(place, f"must be a whole number from {least} to {AGE_MAX}, is {value!r}")
    return value


def _age_categories(age: Mapping[str, Any]) -> dict[str, int]:
    table = age.get("categories", {})
    if not isinstance(table, dict):
        raise _Wrong("[age.categories]", "must be a section: category = least age")
    ages: dict[str, int] = {}
    for name, value in table.items():
        key = folded(_text(name, "[age.categories]"))
        if key in ages:
            raise _Wrong(f"[age.categories] {name}", "is there already, in other letters")
        ages[key] = _age(value, f"[age.categories] {name}", least=1)
    return ages


def _overrides(entries: object) -> dict[str, Override]:
    if not isinstance(entries, list):
        raise _Wrong("[[override]]", "must be sections in double brackets")
    overrides: dict[str, Override] = {}
    for number, entry in enumerate(entries, start=1):
        override = _override(entry, f"[[override]] {number}")
        if override.item_id in overrides:
            raise _Wrong(f"[[override]] {number} item_id", f"{override.item_id!r} has one already")
        overrides[override.item_id] = override
    return overrides


def _override(entry: object, place: str) -> Override:
    if not isinstance(entry, dict):
        raise _Wrong(place, "must be a section")
    required = ("item_id", "decision", "reviewer", "date", "reason")
    _only(entry, place, (*required, "least_age", "expires"))
    for key in required:
        if key not in entry:
            raise _Wrong(f"{place} {key}", "is required")
    if entry["decision"] not in DECISIONS:
        raise _Wrong(f"{place} decision", f"must be {' or '.join(DECISIONS)}")
    blocks = entry["decision"] == "block"
    if blocks and "least_age" in entry:
        raise _Wrong(f"{place} least_age", "goes with the decision allow")
    reviewed = _date(entry["date"], f"{place} date")
    expires = _date(entry["expires"], f"{place} expires") if "expires" in entry else None
    if expires is not None and expires < reviewed:
        raise _Wrong(f"{place} expires", "is before date")
    return Override(
        item_id=_text(entry["item_id"], f"{place} item_id"),
        blocks=blocks,
        reviewer=_text(entry["reviewer"], f"{place} reviewer"),
        reviewed=reviewed,
        reason=_text(entry["reason"], f"{place} reason", REASON_MAX),
        least_age=_age(entry["least_age"], f"{place} least_age") if "least_age" in entry else None,
        expires=expires,
    )


def _date(value: object, place: str) -> date:
    if not isinstance(value, date) or isinstance(value, datetime):
        raise _Wrong(place, f"must be a date without quotes, such as 2026-12-31, is {value!r}")
    return value
