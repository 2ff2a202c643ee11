from pathlib import Path

import numpy as np
import pytest

from training.datasets import DatasetError, fingerprint, open_dataset

HEADER = "impression_id,user_id,item_id,timestamp,position,propensity,action,feature:cf_score\n"
ROWS = """l1,u,a,1700000000,1,,click,0.5
l1,u,b,1700000000,2,0.25,,-1
l2,u,b,1700000005,1,,,
"""


def write(directory: Path, impressions: str = HEADER + ROWS) -> str:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "items.csv").write_text("item_id,title\na,Alpha\nb,Beta\n")
    (directory / "interactions.csv").write_text("user_id,item_id,timestamp\nu,a,1700000001\n")
    (directory / "impressions.csv").write_text(impressions)
    return str(directory)


def test_a_row_is_an_item_of_a_list(tmp_path: Path) -> None:
    shown = open_dataset(write(tmp_path), rejects=None).impressions
    assert shown["impression_id"].tolist() == [0, 0, 1]
    assert shown["user_id"].tolist() == [0, 0, 0]
    assert shown["item_id"].tolist() == [0, 1, 1]
    assert shown["timestamp"].tolist() == [1_700_000_000_000] * 2 + [1_700_000_005_000]
    assert shown["position"].tolist() == [1, 2, 1]
    assert shown["propensity"].tolist() == [1.0, 0.25, 1.0]
    assert shown["action"].tolist() == ["click", "", ""]
    assert shown["feature:cf_score"].dtype == np.float32
    assert shown["feature:cf_score"].tolist()[:2] == [0.5, -1.0]
    assert np.isnan(shown["feature:cf_score"].iloc[2])


def test_without_the_file_there_are_none_and_the_fingerprint_is_as_it_was(tmp_path: Path) -> None:
    with_lists = open_dataset(write(tmp_path / "x"), rejects=None)
    (tmp_path / "x" / "impressions.csv").unlink()
    without = open_dataset(str(tmp_path / "x"), rejects=None)
    assert without.impressions.empty
    assert fingerprint(without) != fingerprint(with_lists)
    other = open_dataset(write(tmp_path / "y", HEADER + ROWS.replace("0.5", "0.6")), rejects=None)
    assert fingerprint(other) != fingerprint(with_lists)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("l,nobody,a,1,1,,,\n", "user that is not known|user of whom nothing else is known"),
        ("l,u,nothing,1,1,,,\n", "item that is not known"),
        ("l,u,a,1,0,,,\n", "position is out of range"),
        ("l,u,a,1,,1,,\n", "position is missing"),
        ("l,u,a,1,1,0,,\n", "propensity is 0"),
        ("l,u,a,1,1,1.5,,\n", "propensity is out of range"),
        ("l,u,a,1,1,,stared,\n", "action is none of"),
        ("l,u,a,1,1,,,much\n", "feature:cf_score is not a finite number"),
        ("l,u,a,soon,1,,,\n", "timestamp is neither"),
        (",u,a,1,1,,,\n", "impression_id is missing"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    spec = write(tmp_path / "some", HEADER + ROWS + row)
    data = open_dataset(spec, rejects=tmp_path / "rejects.csv")
    assert len(data.impressions) == 3
    assert data.report.rejected == 1
    with pytest.raises(DatasetError, match=rf"impressions\.csv.*row 2.*({reason})"):
        open_dataset(write(tmp_path / "only", HEADER + row), rejects=None)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"impressions\.csv.*position.*missing"):
        open_dataset(
            write(tmp_path, "impression_id,user_id,item_id,timestamp\nl,u,a,1\n"), rejects=None
        )
