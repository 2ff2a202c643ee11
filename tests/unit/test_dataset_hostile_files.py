import gzip
import random
from pathlib import Path

import pandas as pd
import pytest

from training.datasets import DatasetError, open_dataset

ITEMS = b"item_id,title\na,Alpha\nb,Beta\n"
INTERACTIONS = b"user_id,item_id,timestamp\nu,a,1700000000\nu,b,1700000001\n"


def write(directory: Path, interactions: bytes = INTERACTIONS, items: bytes = ITEMS) -> str:
    (directory / "interactions.csv").write_bytes(interactions)
    (directory / "items.csv").write_bytes(items)
    return str(directory)


@pytest.mark.parametrize(
    ("interactions", "told"),
    [
        (b"", r"interactions\.csv, row 1: is empty"),
        (b"\n\n", r"interactions\.csv, row 1: is empty"),
        (random.Random(1).randbytes(50_000), r"interactions\.csv"),
        (b"\x00" * 5000, r"interactions\.csv"),
        (b"\x89PNG\r\n\x1a\n" + bytes(1000), r"interactions\.csv, row 1: is not UTF-8 text"),
        ("user_id,item_id,timestamp\nu,a,1\n".encode("utf-16"), r"row 1: is not UTF-8 text"),
        (b"user_id,item_id\nu,a\n", r"column timestamp: missing; found user_id, item_id"),
        (b"user_id;item_id;timestamp\nu;a;1\n", r"column user_id: missing; found user_id;item_id"),
        (b"user_id,item_id,timestamp,user_id\nu,a,1,u\n", r"column user_id: is there twice"),
        (b"user_id,item_id,timestamp,\nu,a,1,u\n", r"column 4 has no printable name"),
        (
            b"user_id,item_id,timestamp\nu,a,1\nu,\xe9t\xe9,2\n",
            r"row 3, column item_id: is not UTF-8",
        ),
        (
            b'user_id,item_id,timestamp\nu,a,1\nu,b,"2\nu,a,3\nu,b,4\n',
            r"row 3, column timestamp: a q",
        ),
        (gzip.compress(INTERACTIONS), r"name it interactions\.csv\.gz"),
        (b"user_id,item_id,timestamp\nu,a,never\n", r"row 2: no row can be used; the first: times"),
        (b"user_id,item_id,timestamp\nu,a\n", r"row 2: no row can be used; the first: 2 cells"),
    ],
)
def test_what_cannot_be_read_is_one_clear_error_and_writes_nothing(
    tmp_path: Path, interactions: bytes, told: str
) -> None:
    spec = write(tmp_path, interactions)

    with pytest.raises(DatasetError, match=told):
        open_dataset(spec, rejects=tmp_path / "rejects.csv")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["interactions.csv", "items.csv"]


def test_a_byte_order_mark_and_windows_line_ends_are_no_matter(tmp_path: Path) -> None:
    spec = write(tmp_path, b"\xef\xbb\xbf" + INTERACTIONS.replace(b"\n", b"\r\n"))

    data = open_dataset(spec, rejects=None)

    assert data.interactions["user_id"].tolist() == ["u", "u"]
    assert data.interactions["timestamp"].tolist() == [1_700_000_000_000, 1_700_000_001_000]


def test_quotes_commas_and_line_ends_within_cells_are_kept(tmp_path: Path) -> None:
    items = (
        b'item_id,title,description\na,"He said ""no"", twice","one\ntwo\r\nthree"\nb,5" disc,\n'
    )

    data = open_dataset(write(tmp_path, items=items), rejects=None)

    assert data.items["title"].tolist() == ['He said "no", twice', '5" disc']
    assert data.items["description"][0] == "one\ntwo\nthree"


def test_a_line_of_ten_megabytes_is_shortened_and_counted(tmp_path: Path) -> None:
    items = b"item_id,title,description\na,Alpha," + b"long " * 2_000_000 + b"\nb,Beta,short\n"

    data = open_dataset(write(tmp_path, items=items), rejects=None)

    assert len(data.items["description"][0]) <= 65_536
    assert data.items["description"][1] == "short"
    assert data.report.texts_shortened == 1


def test_an_id_of_ten_megabytes_is_rejected_and_its_raw_row_is_cut(tmp_path: Path) -> None:
    spec = write(tmp_path, INTERACTIONS + b"x" * 10_000_000 + b",a,1700000002\n")

    data = open_dataset(spec, rejects=tmp_path / "rejects.csv")

    assert len(data.interactions) == 2
    assert (tmp_path / "rejects.csv").stat().st_size < 10_000


def test_a_row_beyond_any_sense_is_an_error(tmp_path: Path) -> None:
    spec = write(tmp_path, INTERACTIONS + b"x" * 80_000_000 + b",a,1700000002\n")

    with pytest.raises(DatasetError, match=r"interactions\.csv: has a row longer than 32 MiB"):
        open_dataset(spec, rejects=None)


def test_nul_bytes_in_texts_go_and_in_ids_are_rejected(tmp_path: Path) -> None:
    spec = write(
        tmp_path, INTERACTIONS + b"u\x00,a,1700000002\n", b"item_id,title\na,Al\x00pha\nb,Beta\n"
    )

    data = open_dataset(spec, rejects=None)

    assert data.items["title"][0] == "Alpha"
    assert data.report.rejected == 1


def test_a_ragged_row_that_is_not_text_is_an_error_with_its_row(tmp_path: Path) -> None:
    spec = write(tmp_path, INTERACTIONS + b"\xff\xfe\n")

    with pytest.raises(DatasetError, match="row 4, column user_id: is not UTF-8 text"):
        open_dataset(spec, rejects=None)


def test_a_broken_parquet_or_gzip_file_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_bytes(ITEMS)
    broken = tmp_path / "interactions.parquet"
    broken.write_bytes(b"PAR1" + bytes(100) + b"PAR1")
    with pytest.raises(DatasetError, match=r"interactions\.parquet: is not a readable Parquet"):
        open_dataset(str(tmp_path), rejects=None)
    broken.unlink()
    cut = tmp_path / "interactions.csv.gz"
    cut.write_bytes(gzip.compress(INTERACTIONS * 100)[:60])
    with pytest.raises(DatasetError, match=r"interactions\.csv\.gz"):
        open_dataset(str(tmp_path), rejects=None)


def test_a_parquet_column_of_a_wrong_type_is_rejected_not_misread(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_bytes(ITEMS)
    frame = pd.DataFrame({"user_id": ["u"], "item_id": ["a"], "timestamp": [[1, 2]]})
    frame.to_parquet(tmp_path / "interactions.parquet")

    with pytest.raises(DatasetError, match="no row can be used; the first: timestamp"):
        open_dataset(str(tmp_path), rejects=None)


def test_two_files_of_one_table_are_refused(tmp_path: Path) -> None:
    spec = write(tmp_path)
    pd.DataFrame({"item_id": ["a"], "title": ["A"]}).to_parquet(tmp_path / "items.parquet")

    with pytest.raises(DatasetError, match=r"holds both items\.csv and items\.parquet"):
        open_dataset(spec, rejects=None)


def test_a_missing_items_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "interactions.csv").write_bytes(INTERACTIONS)

    with pytest.raises(DatasetError, match=r"holds no items\.csv"):
        open_dataset(str(tmp_path), rejects=None)


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"repeat": "yes"}', b"\xff", b"[" * 100_000])
def test_a_broken_dataset_json_is_named(tmp_path: Path, content: bytes) -> None:
    spec = write(tmp_path)
    (tmp_path / "dataset.json").write_bytes(content)

    with pytest.raises(DatasetError, match=r"dataset\.json"):
        open_dataset(spec, rejects=None)


def test_attribute_names_that_no_filter_could_name_are_refused(tmp_path: Path) -> None:
    spec = write(tmp_path, items="item_id,title,价格\na,Alpha,3\n".encode())

    with pytest.raises(DatasetError, match="column 价格: an attribute's name starts with a letter"):
        open_dataset(spec, rejects=None)


def test_rejects_that_cannot_be_written_are_one_clear_error(tmp_path: Path) -> None:
    spec = write(tmp_path)

    with pytest.raises(DatasetError, match="cannot write the rejects"):
        open_dataset(spec, rejects=tmp_path / "absent" / "rejects.csv")
