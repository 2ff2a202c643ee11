"""Settings of training as commands take them: from a file, and one by one."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import typer

from tandem_cli.failure import CommandFailed
from training.settings import TrainSettings

SettingsFile = typer.Option(
    None,
    "--settings",
    help="A JSON file of settings, as `tandem tune` writes it; --set overrides it.",
)


def changed_settings(changes: list[str], file: Path | None = None) -> TrainSettings:
    """Return the default settings with those of a file, and then some more, each `name=value`."""
    defaults = asdict(TrainSettings())
    values = {} if file is None else _read_settings(file, defaults)
    for change in changes:
        name, _, text = change.partition("=")
        if name not in defaults:
            raise CommandFailed(f"--set {change}: the settings are {', '.join(defaults)}")
        try:
            values[name] = type(defaults[name])(text)
        except ValueError:
            raise CommandFailed(
                f"--set {change}: {text!r} is no {type(defaults[name]).__name__}"
            ) from None
    return TrainSettings(**values)


def _read_settings(file: Path, defaults: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of a JSON file, an object of values by name. Raises CommandFailed."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandFailed(f"--settings {file}: {error}") from error
    if not isinstance(content, dict):
        raise CommandFailed(f"--settings {file}: it is no JSON object of settings")
    for name, value in content.items():
        if name not in defaults:
            raise CommandFailed(
                f"--settings {file}: {name} is none of the settings {', '.join(defaults)}"
            )
        kind = type(defaults[name])
        # A whole number is a number too; true is not.
        if kind is float and type(value) is int:
            content[name] = float(value)
        elif type(value) is not kind:
            raise CommandFailed(f"--settings {file}: {name}: {value!r} is no {kind.__name__}")
    return content
