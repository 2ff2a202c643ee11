from pathlib import Path

import pytest

from training.datasets import DatasetError, fingerprint, open_dataset

HEADER = "head,relation,tail\n"
ROWS = """a,director,Ann &amp; Co
a,director,Ann &amp; Co
Ann & Co,member_of,Guild
b,sequel_of,a
"""


def write(directory: Path, relations: str = HEADER + ROWS) -> str:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "items.csv").write_text("item_id,title\na,Alpha\nb,Beta\n")
    (directory / "interactions.csv").write_text("user_id,item_id,timestamp\nu,a,1700000001\n")
    (directory / "relations.csv").write_text(relations)
    return str(directory)


def test_each_relation_is_there_once_with_repaired_names(tmp_path: Path) -> None:
    data = open_dataset(write(tmp_path), rejects=None)
    assert data.relations.to_numpy().tolist() == [
        ["a", "director", "Ann & Co"],
        ["Ann & Co", "member_of", "Guild"],
        ["b", "sequel_of", "a"],
    ]
    assert "relations.csv: 4 rows read" in str(data.report)
    assert "relations.csv: 3 distinct relations, 2 of items" in str(data.report)


def test_without_the_file_there_are_none_and_the_fingerprint_is_as_it_was(tmp_path: Path) -> None:
    with_relations = open_dataset(write(tmp_path / "x"), rejects=None)
    (tmp_path / "x" / "relations.csv").unlink()
    without = open_dataset(str(tmp_path / "x"), rejects=None)
    assert without.relations.empty
    assert fingerprint(without) != fingerprint(with_relations)
    other = open_dataset(
        write(tmp_path / "y", HEADER + ROWS.replace("Guild", "Club")), rejects=None
    )
    assert fingerprint(other) != fingerprint(with_relations)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",director,Ann\n", "head is missing"),
        ("a,,Ann\n", "relation is missing"),
        ("a,director, \n", "tail is missing"),
        ("a,like,a\n", "head and tail are the same"),
        (f"a,director,{'x' * 257}\n", "tail is longer than 256 bytes"),
        ("a,director\n", "2 cells"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    spec = write(tmp_path / "some", HEADER + ROWS + row)
    data = open_dataset(spec, rejects=tmp_path / "rejects.csv")
    assert len(data.relations) == 3
    assert data.report.rejected == 1
    with pytest.raises(DatasetError, match=rf"relations\.csv.*row 2.*({reason})"):
        open_dataset(write(tmp_path / "only", HEADER + row), rejects=None)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"relations\.csv.*tail.*missing"):
        open_dataset(write(tmp_path, "head,relation\na,director\n"), rejects=None)
