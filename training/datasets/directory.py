"""Reader of the project's own data set directories; docs/dataset-format.md describes them."""

import json
from pathlib import Path
from typing import Any

from training.datasets.cleaning import RawDataset
from training.datasets.descriptions import TEXT_PREFIX
from training.datasets.errors import DatasetError
from training.datasets.files import find_parts, find_table, read_table
from training.datasets.format import ITEM_COLUMNS
from training.datasets.tables import RawTable


def read_directory(directory: Path) -> RawDataset:
    """Read interactions, items and, where there are any, the other tables and dataset.json."""
    about = _about(directory / "dataset.json")
    users = find_table(directory, "users")
    impressions = find_table(directory, "impressions")
    relations = find_table(directory, "relations")
    social = find_table(directory, "social")
    items = _read(directory, "items")
    if "texts" in about:
        items = _with_texts(items, about["texts"], directory / "dataset.json")
    return RawDataset(
        name=about.get("name", directory.resolve().name),
        interactions=(_read(directory, "interactions"),),
        items=items,
        users=None if users is None else read_table(users),
        impressions=None if impressions is None else read_table(impressions),
        vectors=tuple(map(read_table, find_parts(directory, "vectors"))),
        repeat=about.get("repeat", False),
        license=about.get("license", ""),
        relations=None if relations is None else read_table(relations),
        social=None if social is None else read_table(social),
    )


def _read(directory: Path, stem: str) -> RawTable:
    path = find_table(directory, stem)
    if path is None:
        raise DatasetError(directory, f"holds no {stem}.csv, {stem}.csv.gz or {stem}.parquet")
    return read_table(path)


def _with_texts(items: RawTable, texts: list[str], about: Path) -> RawTable:
    """Return the items with the named columns as texts to be merged, in the order of the names."""
    names = items.cells.column_names
    for text in texts:
        if text not in names or text in ITEM_COLUMNS:
            found = ", ".join(n for n in names if n not in ITEM_COLUMNS) or "none"
            problem = f"{text} is no text column of {items.file.name}; it has {found}"
            raise DatasetError(about, problem, column="texts")
    others = [name for name in names if name not in texts]
    cells = items.cells.select([*others, *texts])
    renamed = [TEXT_PREFIX + text.removeprefix(TEXT_PREFIX) for text in texts]
    if twice := set(renamed) & set(others):
        raise DatasetError(items.file, "is there twice", column=twice.pop())
    return RawTable(items.file, cells.rename_columns([*others, *renamed]), items.rows, items.ragged)


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
    texts = about.get("texts", [])
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise DatasetError(path, "is not a list of names of columns", column="texts")
    if len(set(texts)) < len(texts):
        raise DatasetError(path, "names a column twice", column="texts")
    return about
