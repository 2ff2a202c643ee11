import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from training.datasets import UNKNOWN_TIME_MS, DatasetError, fingerprint, open_dataset

ITEMS = "item_id,title\na,Alpha\nb,Beta\n"
INTERACTIONS = "user_id,item_id,timestamp\nu,a,1700000000\nu,b,1700000001\n"


def write(
    directory: Path,
    interactions: str | bytes = INTERACTIONS,
    items: str | bytes = ITEMS,
    users: str | None = None,
) -> str:
    directory.mkdir(parents=True, exist_ok=True)
    for name, content in (("interactions", interactions), ("items", items), ("users", users)):
        if content is not None:
            data = content.encode() if isinstance(content, str) else content
            (directory / f"{name}.csv").write_bytes(data)
    return str(directory)


def rejects_of(directory: Path, spec: str) -> pd.DataFrame:
    open_dataset(spec, rejects=directory / "rejects.csv")
    return pd.read_csv(directory / "rejects.csv", dtype=str, keep_default_na=False)


def test_a_minimal_directory_has_every_column_with_its_default(tmp_path: Path) -> None:
    data = open_dataset(write(tmp_path / "tiny"), rejects=None)

    assert data.name == "tiny"
    assert not data.repeat
    assert data.interactions["timestamp"].tolist() == [1_700_000_000_000, 1_700_000_001_000]
    assert data.interactions["action"].tolist() == ["view", "view"]
    assert data.interactions[["rating", "dwell_ms", "lat", "lon", "label"]].isna().all().all()
    assert data.interactions["split"].tolist() == ["", ""]
    assert data.interactions["text"].tolist() == ["", ""]
    assert data.items["title"].tolist() == ["Alpha", "Beta"]
    assert data.items["available"].tolist() == [True, True]
    assert data.items["created_at"].tolist() == [UNKNOWN_TIME_MS] * 2
    assert data.users["user_id"].tolist() == ["u"]
    assert data.report.users_made == 1


def test_codes_of_ids_are_rows_of_users_and_items(tmp_path: Path) -> None:
    spec = write(
        tmp_path,
        "user_id,item_id,timestamp\nz,new,3\nu,b,1\nz,a,2\n",
        users="user_id,text\nquiet,hello\nu,hi\n",
    )

    data = open_dataset(spec, rejects=None)

    assert data.items["item_id"].tolist() == ["a", "b", "new"]
    assert data.users["user_id"].tolist() == ["quiet", "u", "z"]
    assert data.item_rows.tolist() == [2, 1, 0]
    assert data.user_rows.tolist() == [2, 1, 2]
    assert data.interactions["item_id"].tolist() == ["new", "b", "a"]
    assert data.report.items_made == 1
    assert data.report.items_without_text == 1


def test_items_need_no_texts(tmp_path: Path) -> None:
    events = "user_id,item_id,timestamp\nu,a,1\nu,b,2\n"
    data = open_dataset(write(tmp_path, events, items="item_id\na\nb\n"), rejects=None)
    assert data.items["title"].tolist() == ["", ""]
    assert data.report.items_without_text == 2


@pytest.mark.parametrize(
    ("written", "milliseconds"),
    [
        ("1700000000", 1_700_000_000_000),
        ("1700000000.5", 1_700_000_000_500),
        ("1.7e9", 1_700_000_000_000),
        ("1700000000123", 1_700_000_000_123),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-15T06:13:20+08:00", 1_700_000_000_000),
        ("2023-11-14 22:13:20", 1_700_000_000_000),
        ("2023-11-14", 1_699_920_000_000),
    ],
)
def test_every_documented_time_is_read(tmp_path: Path, written: str, milliseconds: int) -> None:
    spec = write(tmp_path, f"user_id,item_id,timestamp\nu,a,{written}\nu,b,1700000000\n")

    assert open_dataset(spec, rejects=None).interactions["timestamp"][0] == milliseconds


def test_items_carry_lists_and_typed_attributes(tmp_path: Path) -> None:
    spec = write(
        tmp_path,
        items=(
            "item_id,title,categories,tags,created_at,available,lat,lon,"
            "Price (EUR),stock,new,code\n"
            'a,"Café, ""fine""",Food| Drink |Food,,2024-01-01,no,1.5,-2.5,9.50,3,true,007\n'
            "b,Beta,,x,,,,,,4,FALSE,008\n"
        ),
    )

    data = open_dataset(spec, rejects=None)

    assert data.items["title"][0] == 'Café, "fine"'
    assert data.items["categories"].tolist() == [["Food", "Drink"], []]
    assert data.items["available"].tolist() == [False, True]
    assert data.items["created_at"].tolist() == [1_704_067_200_000, UNKNOWN_TIME_MS]
    assert data.attribute_types == {
        "price_eur": "float",
        "stock": "int",
        "new": "bool",
        "code": "string",
    }
    assert data.items["attributes"].tolist() == [
        {"price_eur": 9.5, "stock": 3, "new": True, "code": "007"},
        {"stock": 4, "new": False, "code": "008"},
    ]


def test_a_rating_without_an_action_is_a_rate(tmp_path: Path) -> None:
    spec = write(tmp_path, "user_id,item_id,timestamp,rating\nu,a,1,4.5\nu,b,2,\n")

    data = open_dataset(spec, rejects=None)

    assert data.interactions["action"].tolist() == ["rate", "view"]
    assert data.interactions["rating"].tolist()[0] == 4.5


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (",a,1,,,,,", "user_id is missing"),
        ("  ,a,1,,,,,", "user_id is missing"),
        ("u,,1,,,,,", "item_id is missing"),
        (f"{'é' * 129},a,1,,,,,", "user_id is longer than 256 bytes"),
        ("u\x01,a,1,,,,,", "user_id holds a control character"),
        ("u,a,,,,,,", "timestamp is missing"),
        ("u,a,soon,,,,,", "timestamp is neither"),
        ("u,a,nan,,,,,", "timestamp is neither"),
        ("u,a,-1,,,,,", "timestamp is not between"),
        ("u,a,9999-01-01,,,,,", "timestamp is not between"),
        ("u,a,1e300,,,,,", "timestamp is not between"),
        ("u,a,1,stare,,,,", "action is none of"),
        ("u,a,1,,good,,,", "rating is not a finite number"),
        ("u,a,1,,inf,,,", "rating is not a finite number"),
        ("u,a,1,,,nan,0,", "lat is not a finite number"),
        ("u,a,1,,,90.1,0,", "lat is out of range"),
        ("u,a,1,,,0,-180.5,", "lon is out of range"),
        ("u,a,1,,,5,,", "of lat and lon only one is given"),
        ("u,a,1,,,,,2000", "utc_offset_minutes is out of range"),
        ("u,a,1", "3 cells where 8 columns are"),
    ],
)
def test_a_bad_row_is_rejected_with_its_reason(tmp_path: Path, row: str, reason: str) -> None:
    header = "user_id,item_id,timestamp,action,rating,lat,lon,utc_offset_minutes"
    spec = write(tmp_path, f"{header}\ng,b,1,,,,,\n{row}\ng,b,2,,,,,\n")

    rejects = rejects_of(tmp_path, spec)

    assert len(rejects) == 1
    assert rejects["file"][0] == "interactions.csv"
    assert rejects["row"][0] == "3"
    assert rejects["reason"][0].startswith(reason)
    assert rejects["raw"][0].split(",")[1] == row.split(",")[1]
    data = open_dataset(spec, rejects=None)
    assert data.report.rejected == 1
    assert reason in str(data.report)
    assert len(data.interactions) == 2


def test_byte_equal_rows_go_and_repeats_stay(tmp_path: Path) -> None:
    spec = write(
        tmp_path,
        "user_id,item_id,timestamp,order\nu,a,1,x\nu,a,1,x\nu,a,1,y\nu,a,2,x\nu,a,1,x\n",
    )

    data = open_dataset(spec, rejects=None)

    assert data.interactions["timestamp"].tolist() == [1000, 1000, 2000]
    assert data.report.duplicate_rows_removed == 2
    assert data.report.ignored_columns == {"interactions.csv": ("order",)}


def test_the_last_row_of_an_item_or_user_wins(tmp_path: Path) -> None:
    spec = write(
        tmp_path,
        items="item_id,title\na,Old\nb,Beta\na,New\n",
        users="user_id,text\nu,old\nu,new\n",
    )

    data = open_dataset(spec, rejects=None)

    assert dict(zip(data.items["item_id"], data.items["title"], strict=True)) == {
        "a": "New",
        "b": "Beta",
    }
    assert data.users["text"].tolist() == ["new"]
    assert data.report.replaced_rows == {"items.csv": 1, "users.csv": 1}


def test_ties_in_time_keep_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [f"u,{item},5" for item in "badcab"]
    spec = write(tmp_path, "user_id,item_id,timestamp\n" + "\n".join(rows))

    data = open_dataset(spec, rejects=None)

    assert data.interactions["item_id"].tolist() == ["b", "a", "d", "c"]


def test_csv_parquet_and_gzip_are_one_data_set(tmp_path: Path) -> None:
    csv = write(
        tmp_path / "csv",
        "user_id,item_id,timestamp,rating,lat,lon,text,split\n"
        "1,a,1700000000,4.1,1.25,2.5,so good,validation\n2,b,1700000001,,,,,\n",
        "item_id,title,categories,price,new,year\na,Alpha,x|y,1.5,true,1999\nb,Beta,,,false,\n",
        "user_id,text,tags\n1,hello,p|q\n2,,\n",
    )
    parquet = tmp_path / "parquet"
    zipped = tmp_path / "gz"
    parquet.mkdir()
    zipped.mkdir()
    for name in ("interactions", "items", "users"):
        frame = pd.read_csv(Path(csv) / f"{name}.csv")
        if name == "items":
            frame["categories"] = frame["categories"].fillna("").str.split("|")
            frame["year"] = frame["year"].astype("Int64")
        if name == "interactions":
            frame["timestamp"] = pd.to_datetime(frame["timestamp"], unit="s", utc=True)
        frame.to_parquet(parquet / f"{name}.parquet")
        content = (Path(csv) / f"{name}.csv").read_bytes()
        (zipped / f"{name}.csv.gz").write_bytes(gzip.compress(content))

    prints = {fingerprint(open_dataset(str(d), rejects=None)) for d in (csv, parquet, zipped)}

    assert len(prints) == 1


def test_the_fingerprint_sees_every_change(tmp_path: Path) -> None:
    specs = [
        write(tmp_path / "0"),
        write(tmp_path / "1", INTERACTIONS.replace("1700000001", "1700000002")),
        write(tmp_path / "2", INTERACTIONS.replace("u,b", "v,b")),
        write(tmp_path / "3", items=ITEMS.replace("Beta", "Gamma")),
        write(tmp_path / "4", items="item_id,title,year\na,Alpha,1999\nb,Beta,\n"),
        write(tmp_path / "5", users="user_id,text\nu,hello\n"),
        write(tmp_path / "6"),
    ]
    (tmp_path / "6" / "dataset.json").write_text('{"repeat": true}')

    assert len({fingerprint(open_dataset(spec, rejects=None)) for spec in specs}) == len(specs)


def test_dataset_json_names_the_data_and_lets_seen_items_return(tmp_path: Path) -> None:
    spec = write(tmp_path)
    about = {"name": "cafes", "repeat": True, "license": "CC0", "more": 1}
    (tmp_path / "dataset.json").write_text(json.dumps(about))

    data = open_dataset(f"dir:{spec}", rejects=None)

    assert (data.name, data.repeat, data.license) == ("cafes", True, "CC0")


def test_ids_of_any_parquet_type_become_the_strings_of_csv(tmp_path: Path) -> None:
    pd.DataFrame(
        {"user_id": [1.0, 2.0, np.nan], "item_id": [7, 8, 9], "timestamp": [1, 2, 3]}
    ).to_parquet(tmp_path / "interactions.parquet")
    pd.DataFrame({"item_id": pd.Categorical(["7"]), "title": ["Seven"]}).to_parquet(
        tmp_path / "items.parquet"
    )

    data = open_dataset(str(tmp_path), rejects=None)

    assert data.interactions["user_id"].tolist() == ["1", "2"]
    assert data.items["item_id"].tolist() == ["7", "8"]
    assert data.report.rows_rejected == {("interactions.parquet", "user_id is missing"): 1}


def test_a_missing_directory_is_one_clear_error(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"nowhere: is no directory"):
        open_dataset(str(tmp_path / "nowhere"), rejects=None)
    for spec in ("", "recbole:", "a\x00b", "dir:~nobody-by-this-name/x"):
        with pytest.raises(DatasetError, match="is no directory"):
            open_dataset(spec, rejects=None)


def test_several_texts_of_an_item_become_its_description(tmp_path: Path) -> None:
    items = (
        "item_id,text:plot,title,description,text:editors_note,price\n"
        "a,A <b>heist</b>.,Alpha,Short.,Gone wrong,1\nb,,Beta,,,2\nc,Only this,,,,3\n"
    )

    data = open_dataset(write(tmp_path, items=items), rejects=None)

    assert data.items["description"].tolist() == [
        "Short.\nPlot: A heist.\nEditors note: Gone wrong",
        "",
        "Plot: Only this",
    ]
    assert data.attribute_types == {"price": "int"}
    assert data.report.items_without_text == 0


def test_dataset_json_names_texts_and_their_order(tmp_path: Path) -> None:
    spec = write(tmp_path, items="item_id,title,plot,reviews\na,Alpha,Heist,Liked\nb,Beta,,\n")
    (tmp_path / "dataset.json").write_text('{"texts": ["reviews", "plot"]}')

    data = open_dataset(spec, rejects=None)

    assert data.items["description"][0] == "Reviews: Liked\nPlot: Heist"
    assert data.attribute_types == {}


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        (["plott"], r"column texts: plott is no text column of items\.csv; it has plot"),
        (["title"], "title is no text column"),
        ("plot", "is not a list of names"),
        (["plot", "plot"], "names a column twice"),
    ],
)
def test_texts_that_are_not_there_are_named(tmp_path: Path, texts: object, told: str) -> None:
    spec = write(tmp_path, items="item_id,title,plot\na,Alpha,Heist\n")
    (tmp_path / "dataset.json").write_text(json.dumps({"texts": texts}))

    with pytest.raises(DatasetError, match=told):
        open_dataset(spec, rejects=None)


def test_merged_texts_are_cut_at_the_limit_of_a_description(tmp_path: Path) -> None:
    items = f"item_id,title,description,text:more\na,A,{'x' * 60_000},{'y' * 60_000}\n"

    data = open_dataset(write(tmp_path, items=items), rejects=None)

    assert len(data.items["description"][0]) == 65_536
    assert data.report.texts_shortened == 1
