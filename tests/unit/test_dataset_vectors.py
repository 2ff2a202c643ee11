from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from training.datasets import DatasetError, fingerprint, open_dataset
from training.datasets.protos import items_of

Row = tuple[str | None, str | None, Any]
ROWS: list[Row] = [
    ("a", "image", [3.0, 4.0]),
    ("b", "image", [0.0, -2.0]),
    ("b", "sound", [1.0, 1.0, 1.0, 1.0]),
]


def write(directory: Path, files: dict[str, list[Row]], kind: pa.DataType | None = None) -> str:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "items.csv").write_text("item_id,title\na,Alpha\nb,Beta\nc,Gamma\n")
    (directory / "interactions.csv").write_text("user_id,item_id,timestamp\nu,a,1700000001\n")
    for name, rows in files.items():
        ids, spaces, vectors = (list(column) for column in zip(*rows, strict=True))
        column = pa.array(vectors, kind or pa.list_(pa.float32()))
        table = {"item_id": pa.array(ids, pa.string()), "space": spaces, "vector": column}
        pq.write_table(pa.table(table), directory / name)
    return str(directory)


def test_vectors_are_normalised_and_zeros_where_there_is_none(tmp_path: Path) -> None:
    vectors = open_dataset(write(tmp_path, {"vectors.parquet": ROWS}), rejects=None).vectors
    assert list(vectors) == ["image", "sound"]
    np.testing.assert_allclose(vectors["image"], [[0.6, 0.8], [0, -1], [0, 0]], atol=1e-3)
    np.testing.assert_allclose(vectors["sound"], [[0] * 4, [0.5] * 4, [0] * 4], atol=1e-3)
    assert vectors["image"].dtype == np.float16


def test_spaces_may_lie_in_several_files_and_the_last_row_of_an_item_wins(tmp_path: Path) -> None:
    files = {
        "vectors-1.parquet": ROWS,
        "vectors-2.parquet": [
            ("c", "image", [1, 0]),
            ("c", "image", [0, 1]),
            ("a", "image", [1, 0]),
        ],
    }
    dataset = open_dataset(write(tmp_path, files), rejects=None)
    np.testing.assert_allclose(dataset.vectors["image"], [[1, 0], [0, -1], [0, 1]], atol=1e-3)
    assert "3 of 3 items have a vector of 2 in space image" in str(dataset.report)


@pytest.mark.parametrize(
    "kind", [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 2)]
)
def test_lists_of_any_kind_say_the_same(tmp_path: Path, kind: pa.DataType) -> None:
    rows = ROWS[:2]
    plain = open_dataset(write(tmp_path / "x", {"vectors.parquet": rows}), rejects=None)
    other = open_dataset(write(tmp_path / "y", {"vectors.parquet": rows}, kind), rejects=None)
    assert fingerprint(plain) == fingerprint(other)


def test_vectors_change_the_fingerprint(tmp_path: Path) -> None:
    def found(files: dict[str, list[Row]]) -> str:
        directory = tmp_path / str(len(list(tmp_path.iterdir())))
        return fingerprint(open_dataset(write(directory, files), rejects=None))

    longer = [("a", "image", [6.0, 8.0]), *ROWS[1:]]
    assert found({}) != found({"vectors.parquet": ROWS})
    assert found({"vectors.parquet": ROWS}) != found({"vectors.parquet": ROWS[1:]})
    assert found({"vectors.parquet": ROWS}) == found({"vectors.parquet": longer})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (("nothing", "image", [1, 2]), "item_id names an item that is not known"),
        ((None, "image", [1, 2]), "item_id is missing"),
        (("c", "tower", [1, 2]), "space does not match"),
        (("c", "An image", [1, 2]), "space does not match"),
        (("c", None, [1, 2]), "space does not match"),
        (("c", "image", None), "vector is missing"),
        (("c", "image", [1]), "vector has not 2 to 4,096 numbers"),
        (("c", "image", [0.0] * 4097), "vector has not 2 to 4,096 numbers"),
        (("c", "image", [1, 2, 3]), "vector has another width than the first of its space"),
        (("c", "image", [1, float("nan")]), "vector is not of finite numbers"),
        (("c", "image", [1, None]), "vector is not of finite numbers"),
        (("c", "image", [0, 0]), "vector is all zeros"),
    ],
)
def test_rows_that_cannot_be_used_are_refused_with_their_number(
    tmp_path: Path, row: Row, reason: str
) -> None:
    rejects = tmp_path / "rejects.csv"
    directory = write(tmp_path / "x", {"vectors.parquet": [*ROWS, row]})
    dataset = open_dataset(directory, rejects=rejects)
    assert not dataset.vectors["image"][2].any()
    lines = rejects.read_text().splitlines()
    assert lines[1].startswith(f"vectors.parquet,{len(ROWS) + 1},")
    assert reason in lines[1]


def test_a_column_that_is_no_list_is_an_error_that_names_it(tmp_path: Path) -> None:
    directory = write(tmp_path, {"vectors.parquet": [("a", "image", "0.1")]}, pa.string())
    with pytest.raises(DatasetError, match=r"vectors\.parquet.*vector.*no list of numbers"):
        open_dataset(directory, rejects=None)


def test_the_catalogue_is_sent_the_vectors(tmp_path: Path) -> None:
    dataset = open_dataset(write(tmp_path, {"vectors.parquet": ROWS}), rejects=None)
    a, b, c = items_of(dataset)
    assert sorted(b.vectors) == ["image", "sound"]
    assert not c.vectors
    values = np.frombuffer(a.vectors["image"].float32_values, "<f4")
    np.testing.assert_allclose(values, [0.6, 0.8], atol=1e-3)
