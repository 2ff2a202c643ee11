"""Reader of RecBole's atomic files: NAME.inter, NAME.item and NAME.user.

The format is described in RecBole's documentation, under Atomic Files: tab-separated rows below
a header of `field:type`, where a type is token, token_seq, float or float_seq.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training.datasets.cleaning import RawDataset
from training.datasets.csv_files import read_csv
from training.datasets.errors import DatasetError
from training.datasets.files import need_file
from training.datasets.movielens_people import AGES_1M, OCCUPATIONS_1M, describe
from training.datasets.recbole_cells import listed, unquoted
from training.datasets.recbole_fields import (
    CATEGORY_FIELDS,
    FIELD_TYPES,
    INTERACTION_FIELDS,
    ITEM_FIELDS,
    PEOPLE_FIELDS,
    TEXT_FIELDS,
    USER_FIELDS,
)
from training.datasets.tables import RawTable

SUFFIXES = ("", ".gz")
SPLITS = ("train", "valid", "test")
OTHER_KINDS = ("kg", "link", "net")
INTERACTIONS = re.compile(r"(?P<name>.+?)(\.train|\.valid|\.test)?\.inter(\.gz)?")
REPEATED = (*INTERACTION_FIELDS["user_id"], *INTERACTION_FIELDS["item_id"], "rating", "label")


def read_recbole(directory: Path) -> RawDataset:
    """Read the interactions, in splits where there are any, and what there is of items and users.

    Raises DatasetError where a header is no header of this format, or where each row holds a
    whole history (`item_id_list`) rather than one interaction.
    """
    name = _name(directory)
    notes: list[str] = []
    tables = _interactions(directory, name, notes)
    timed = {"timestamp" in table.cells.column_names for table in tables}
    if len(timed) > 1:
        untimed = next(t for t in tables if "timestamp" not in t.cells.column_names)
        raise DatasetError(untimed.file, "missing; other splits have it", column="timestamp")
    if not all(timed):
        notes.append(
            f"{name}: the interactions have no times; their order is that of the rows, and times "
            "were made one second apart from the beginning of 1970 on. What is measured by time "
            "of day, by age or by a cut in time says nothing here"
        )
    item_file = _file(directory, f"{name}.item")
    user_file = _file(directory, f"{name}.user")
    others = [f"{name}.{kind}" for kind in OTHER_KINDS]
    notes += [f"{other}: not read" for other in others if _file(directory, other) is not None]
    return RawDataset(
        name=name,
        interactions=tuple(tables),
        items=None if item_file is None else _items(item_file, notes),
        users=None if user_file is None else _users(user_file, name, notes),
        timed=all(timed),
        notes=tuple(notes),
    )


def _name(directory: Path) -> str:
    found = [INTERACTIONS.fullmatch(path.name) for path in directory.iterdir()]
    names = {match["name"] for match in found if match}
    own = directory.resolve().name
    if own in names or len(names) == 1:
        return own if own in names else names.pop()
    if names:
        raise DatasetError(directory, f"holds several data sets: {', '.join(sorted(names))}")
    raise DatasetError(directory, "holds no atomic file that ends in .inter")


def _file(directory: Path, name: str) -> Path | None:
    for suffix in SUFFIXES:
        if (path := directory / f"{name}{suffix}").exists():
            return need_file(path)
    return None


def _interactions(directory: Path, name: str, notes: list[str]) -> list[RawTable]:
    whole = _file(directory, f"{name}.inter")
    parts = {split: _file(directory, f"{name}.{split}.inter") for split in SPLITS}
    found = {split: path for split, path in parts.items() if path is not None}
    if not found:
        if whole is None:
            raise DatasetError(directory, f"holds no {name}.inter")
        return [_events(whole)]
    if "train" not in found:
        raise DatasetError(directory, f"holds no {name}.train.inter")
    if whole is not None:
        notes.append(f"{whole.name}: not read, because the same is there in splits")
    tables = []
    for split, path in found.items():
        table = _events(path)
        if "split" in table.cells.column_names:
            raise DatasetError(path, "stands against the name of the file", column="split")
        zeros = np.zeros(table.cells.num_rows, dtype=np.int32)
        column = pa.DictionaryArray.from_arrays(zeros, [split])
        marked = table.cells.append_column("split", column)
        tables.append(RawTable(path, marked, table.rows, table.ragged))
    return tables


def _events(path: Path) -> RawTable:
    table, types = _read(path)
    if lists := [field for field in types if field.endswith("_id_list")]:
        problem = "a row with a whole history is no interaction; give one row for each"
        raise DatasetError(path, problem, row=1, column=lists[0])
    names = _names(table, types, INTERACTION_FIELDS, required=("user_id", "item_id"))
    # The other fields keep their names, to be ignored and told of, or known by them.
    columns = {names.get(f, f): unquoted(table.cells.column(f)) for f in types}
    return RawTable(path, pa.table(columns), table.rows, table.ragged)


def _items(path: Path, notes: list[str]) -> RawTable:
    table, types = _read(path)
    names = _names(table, types, ITEM_FIELDS, required=("item_id",))
    columns = {column: table.cells.column(field) for field, column in names.items()}
    columns = {column: unquoted(values) for column, values in columns.items()}
    if "tags" in columns:
        columns["tags"] = listed(columns["tags"], types[_field(names, "tags")])
    categories = [
        listed(unquoted(table.cells.column(field)), types[field])
        for field in CATEGORY_FIELDS
        if field in types and field not in names
    ]
    if categories:
        columns["categories"] = pc.binary_join_element_wise(*categories, "|")
    if "title" not in columns:
        columns["title"] = pa.array([""] * table.cells.num_rows, type=pa.string())
    used = {*names, *CATEGORY_FIELDS}
    for field in TEXT_FIELDS:
        if field in types and field not in used:
            columns[f"text:{field}"] = unquoted(table.cells.column(field))
    used.update(TEXT_FIELDS)
    ignored = [field for field, kind in types.items() if kind == "float_seq" and field not in used]
    if ignored:
        notes.append(f"{path.name}: columns ignored: {', '.join(ignored)}")
    for field in types:
        if field not in used and field not in ignored:
            columns[field] = unquoted(table.cells.column(field))
    return RawTable(path, pa.table(columns), table.rows, table.ragged)


def _users(path: Path, name: str, notes: list[str]) -> RawTable:
    table, types = _read(path)
    names = _names(table, types, USER_FIELDS, required=("user_id",))
    columns = {c: unquoted(table.cells.column(field)) for field, c in names.items()}
    if "tags" in columns:
        columns["tags"] = listed(columns["tags"], types[_field(names, "tags")])
    known = [field for field in PEOPLE_FIELDS if field in types]
    if known and "text" not in columns:
        empty = pa.array([""] * table.cells.num_rows, type=pa.string())
        asked = {f: unquoted(table.cells.column(f)) if f in known else empty for f in PEOPLE_FIELDS}
        people = RawTable(
            path, pa.table({"user_id": columns["user_id"], **asked}), table.rows, table.ragged
        )
        # Only this data set writes ages and occupations as codes.
        coded = name.startswith("ml-1m")
        told = describe(people, AGES_1M, OCCUPATIONS_1M) if coded else describe(people)
        columns = {n: told.cells.column(n) for n in told.cells.column_names} | columns
    if ignored := [f for f in types if f not in names and f not in PEOPLE_FIELDS]:
        notes.append(f"{path.name}: columns ignored: {', '.join(ignored)}")
    return RawTable(path, pa.table(columns), table.rows, table.ragged)


def _read(path: Path) -> tuple[RawTable, dict[str, str]]:
    """Return a file's cells under the names of its fields, and the type of each field."""
    repeated = {f"{field}:{kind}" for field in REPEATED for kind in ("token", "float")}
    table = read_csv(path, delimiter="\t", quoted=False, repeated=repeated)
    types: dict[str, str] = {}
    for header in table.cells.column_names:
        field, separator, kind = header.rpartition(":")
        if not separator or not field or ":" in field or kind not in FIELD_TYPES:
            problem = f"is not field:type with a type of {', '.join(FIELD_TYPES)}"
            raise DatasetError(path, problem, row=1, column=header)
        if field in types:
            raise DatasetError(path, "is there twice", row=1, column=field)
        types[field] = kind
    cells_named = table.cells.rename_columns(list(types))
    return RawTable(path, cells_named, table.rows, table.ragged), types


def _names(
    table: RawTable,
    types: Mapping[str, str],
    wanted: Mapping[str, tuple[str, ...]],
    required: tuple[str, ...],
) -> dict[str, str]:
    """Return the column that each known field is read as; a field is read once."""
    names: dict[str, str] = {}
    for column, fields in wanted.items():
        field = next((f for f in fields if f in types and f not in names), None)
        if field is not None:
            names[field] = column
            if column.endswith("_id") and types[field] != "token":
                problem = f"is {types[field]}, but ids are of type token"
                raise DatasetError(table.file, problem, row=1, column=field)
        elif column in required:
            problem = f"missing under any of its names ({', '.join(fields)}); found "
            raise DatasetError(table.file, problem + ", ".join(types), row=1, column=column)
    return names


def _field(names: Mapping[str, str], column: str) -> str:
    return next(field for field, name in names.items() if name == column)
