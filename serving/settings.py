"""Reads a service's settings from the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")
_TRUTHS = {"1": True, "true": True, "on": True, "0": False, "false": False, "off": False}


@dataclass(frozen=True)
class Between:
    """The inclusive range of a numeric setting: `port: Annotated[int, Between(0, 65_535)]`."""

    low: float
    high: float


class SettingInvalid(SystemExit):
    """A variable of the environment has a bad value; the process ends with a line naming it."""


def read_settings(
    settings: type[T], service: str, environment: Mapping[str, str] = os.environ
) -> T:
    """Make a frozen dataclass of settings, each from TANDEM_<SERVICE>_<FIELD> or its default.

    Fields are str, int, float, bool, pathlib.Path or a Literal of words; numbers may carry a range,
    see `Between`.
    Raises SettingInvalid.
    """
    values: dict[str, object] = {}
    hints = get_type_hints(settings, include_extras=True)
    for field in fields(settings):  # type: ignore[arg-type]  # T is a dataclass, which no bound can say
        name = f"TANDEM_{service}_{field.name}".upper()
        if name in environment:
            values[field.name] = _parse(name, environment[name], hints[field.name])
    return settings(**values)


def _parse(name: str, text: str, hint: object) -> object:
    kind, *limits = get_args(hint) if get_origin(hint) is Annotated else (hint,)
    if kind is bool:
        if text.lower() not in _TRUTHS:
            raise SettingInvalid(f"{name} must be one of {', '.join(_TRUTHS)}, is {text!r}")
        return _TRUTHS[text.lower()]
    if get_origin(hint) is Literal:
        if text not in get_args(hint):
            raise SettingInvalid(f"{name} must be one of {', '.join(get_args(hint))}, is {text!r}")
        return text
    if kind is str or kind is Path:
        return kind(text)
    try:
        value = int(text) if kind is int else float(text)
    except ValueError:
        expected = "a whole number" if kind is int else "a number"
        raise SettingInvalid(f"{name} must be {expected}, is {text!r}") from None
    for limit in limits:
        if isinstance(limit, Between) and not limit.low <= value <= limit.high:
            raise SettingInvalid(
                f"{name} must be from {limit.low:,g} to {limit.high:,g}, is {text!r}"
            )
    return value
