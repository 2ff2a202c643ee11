"""Reader of the project's own data set directories; docs/dataset-format.md describes them."""

import json
from pathlib import Path
from typing import Any

from training.datasets.cleaning import RawDataset
from training.datasets.errors import DatasetError
from training.datasets.files import find_table, read_table
from training.datasets.tables import RawTable


def read_directory(directory: Path) -> RawDataset:
    """Read interactions, items and, where there are any, users and dataset.json."""
    about = _about(directory / "dataset.json")
    users = find_table(directory, "users")
    return RawDataset(
        name=about.get("name", directory.resolve().name),
        interactions=_read(directory, "interactions"),
        items=_read(directory, "items"),
        users=None if users is None else read_table(users),
        repeat=about.get("repeat", False),
        license=about.get("license", ""),
    )


def _read(directory: Path, stem: str) -> RawTable:
    path = find_table(directory, stem)
    if path is None:
        raise DatasetError(directory, f"holds no {stem}.csv, {stem}.csv.gz or {stem}.parquet")
    return read_table(path)


def _about(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise DatasetError(path, f"is not JSON: {error.msg}", row=error.lineno) from error
    except (OSError, UnicodeDecodeError, RecursionError) as error:
        raise DatasetError(path, f"cannot be read: {error}") from error
    if not isinstance(about, dict):
        raise DatasetError(path, "is not a JSON object")
    for key, kind in (("name", str), ("repeat", bool), ("license", str)):
        if key in about and not isinstance(about[key], kind):
            raise DatasetError(path, f"is not a {kind.__name__}", column=key)
    return about
