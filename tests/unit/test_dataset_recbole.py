import gzip
from pathlib import Path

import pytest

from training.datasets import DatasetError, fingerprint, open_dataset

INTER = "user_id:token\titem_id:token\trating:float\ttimestamp:float\nu\ta\t4\t10\nv\tb\t3.5\t20\n"


def write(directory: Path, **files: str | bytes) -> str:
    """Write NAME.KIND files of a data set that is named like the directory; `_` is a point."""
    directory.mkdir(parents=True, exist_ok=True)
    for kind, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (directory / f"{directory.name}.{kind.replace('_', '.')}").write_bytes(data)
    return f"recbole:{directory}"


def test_interactions_items_and_users_are_read(tmp_path: Path) -> None:
    spec = write(
        tmp_path / "films",
        inter=INTER,
        item=(
            "item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\t"
            "price:float\tvector:float_seq\n"
            "a\tGet Shorty\t1995\tAction Sci-Fi Children's\t1.5\t0.1 0.2\n"
            "b\tL'été\t1996\tDrama\t2\t0.3 0.4\n"
        ),
        user=(
            "user_id:token\tage:token\tgender:token\toccupation:token\tzip_code:token\n"
            "u\t24\tM\ttechnician\t85711\n"
        ),
        kg="head_id:token\trelation_id:token\ttail_id:token\n",
    )

    data = open_dataset(spec, rejects=None)

    assert data.name == "films"
    assert data.interactions["timestamp"].tolist() == [10_000, 20_000]
    assert data.interactions["rating"].tolist() == [4.0, 3.5]
    assert data.interactions["action"].tolist() == ["rate", "rate"]
    assert data.items["title"].tolist() == ["Get Shorty", "L'été"]
    assert data.items["categories"].tolist() == [["Action", "Sci-Fi", "Children's"], ["Drama"]]
    assert data.items["attributes"][0] == {"release_year": 1995, "price": 1.5}
    assert data.users["text"].tolist() == ["I am a man, aged 24, by occupation technician.", ""]
    told = str(data.report)
    assert "films.kg: not read" in told
    assert "films.item: columns ignored: vector" in told
    assert "films.user: columns ignored: zip_code" in told


@pytest.mark.parametrize(
    ("cells", "read"),
    [
        (["Drama Sci-Fi", "War"], [["Drama", "Sci-Fi"], ["War"]]),
        (
            ["Drama, Science Fiction", "Science Fiction"],
            [["Drama", "Science Fiction"], ["Science Fiction"]],
        ),
        (["'Hair Care', \"Men's\"", "'Beauty'"], [["Hair Care", "Men's"], ["Beauty"]]),
        (["Film Noir|Drama", ""], [["Film Noir", "Drama"], []]),
    ],
)
def test_sequences_are_split_by_what_separates_them(
    tmp_path: Path, cells: list[str], read: list[list[str]]
) -> None:
    item = "item_id:token\tcategories:token_seq\n" + "".join(
        f"{item_id}\t{cell}\n" for item_id, cell in zip("ab", cells, strict=True)
    )

    data = open_dataset(write(tmp_path / "x", inter=INTER, item=item), rejects=None)

    assert data.items["categories"].tolist() == read


def test_a_category_of_type_token_is_one_category(tmp_path: Path) -> None:
    item = "item_id:token\tcategory:token\tsubcategory:token\na\tLocal news\tWest coast\nb\tX\t\n"

    data = open_dataset(write(tmp_path / "news", inter=INTER, item=item), rejects=None)

    assert data.items["categories"].tolist() == [["Local news", "West coast"], ["X"]]


def test_several_texts_of_an_item_are_merged(tmp_path: Path) -> None:
    item = (
        "item_id:token\ttitle:token_seq\tbody:token_seq\tabstract:token_seq\tbrand:token\n"
        "a\tAlpha\tThe whole story.\tIn short.\tAcme\nb\tBeta\t\tOnly this.\t\n"
    )

    data = open_dataset(write(tmp_path / "news", inter=INTER, item=item), rejects=None)

    assert data.items["description"].tolist() == [
        "Abstract: In short.\nBody: The whole story.",
        "Abstract: Only this.",
    ]
    assert data.items["brand"].tolist() == ["Acme", ""]


def test_without_times_the_order_of_rows_counts_and_the_report_says_so(tmp_path: Path) -> None:
    inter = "user_id:token\titem_id:token\nu\tb\nu\ta\nu\tb\nv\ta\n"

    data = open_dataset(write(tmp_path / "x", inter=inter), rejects=None)

    assert data.interactions["item_id"].tolist() == ["b", "a", "a"]
    assert data.interactions["timestamp"].is_monotonic_increasing
    assert data.interactions["timestamp"].is_unique
    assert data.interactions["action"].tolist() == ["view"] * 3
    assert data.report.duplicate_rows_removed == 1
    assert "have no times; their order is that of the rows" in str(data.report)
    assert data.report.first_time_ms is None


def test_splits_become_the_column_split_in_their_order(tmp_path: Path) -> None:
    header = "user_id:token\titem_id:token\tlabel:float\n"
    spec = write(
        tmp_path / "x",
        train_inter=header + "u\ta\t1\nv\tb\t0\n",
        valid_inter=header + "w\tc\t1\n",
        test_inter=header + "u\ta\t1\nu\td\t0\n",
        inter=header + "u\ta\t1\n",
    )

    data = open_dataset(spec, rejects=None)

    assert data.interactions["split"].tolist() == ["train", "train", "valid", "test", "test"]
    assert data.interactions["user_id"].tolist() == ["u", "v", "w", "u", "u"]
    assert data.interactions["item_id"].tolist() == ["a", "b", "c", "a", "d"]
    assert data.interactions["label"].tolist() == [1, 0, 1, 1, 0]
    assert data.interactions["timestamp"].is_monotonic_increasing
    assert "x.inter: not read, because the same is there in splits" in str(data.report)


def test_names_that_published_files_use_are_known(tmp_path: Path) -> None:
    spec = write(
        tmp_path / "yelp",
        inter=(
            "review_id:token\tuser_id:token\tbusiness_id:token\tstars:float\tdate:float\n"
            "r\tu\tb1\t4\t1.5e9\n"
        ),
        item="business_id:token\titem_name:token_seq\tlatitude:float\tlongitude:float\n"
        "b1\tCafé\t1.5\t2.5\n",
    )

    data = open_dataset(spec, rejects=None)

    assert data.interactions[["item_id", "rating", "timestamp"]].iloc[0].tolist() == [
        "b1",
        4.0,
        1_500_000_000_000,
    ]
    assert data.items["title"].tolist() == ["Café"]
    assert data.items["lat"].tolist() == [1.5]
    assert data.report.ignored_columns == {"yelp.inter": ("review_id",)}


def test_a_quote_is_a_character_and_quotes_of_a_table_writer_go(tmp_path: Path) -> None:
    item = (
        'item_id:token\ttitle:token_seq\na\t12" mix\nb\t"He said ""no"""\nc\t"open\nd\t6" and 7"\n'
    )

    data = open_dataset(write(tmp_path / "x", inter=INTER, item=item), rejects=None)

    assert data.items["title"].tolist() == ['12" mix', 'He said "no"', '"open', '6" and 7"']


def test_a_compressed_file_reads_as_the_plain_one(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", inter=INTER)
    zipped = write(tmp_path / "zipped", inter_gz=gzip.compress(INTER.encode()))

    assert fingerprint(open_dataset(plain, rejects=None)) == fingerprint(
        open_dataset(zipped, rejects=None)
    )


@pytest.mark.parametrize(
    ("inter", "told"),
    [
        ("", r"x\.inter, row 1: is empty"),
        ("user_id\titem_id\nu\ta\n", r"row 1, column user_id: is not field:type"),
        (INTER.replace("rating:float", "rating:int"), r"row 1, column rating:int: is not field"),
        (INTER.replace("user_id:token", "user_id:float"), r"row 1, column user_id: is float, but"),
        (INTER.replace("rating:float", "user_id:float"), r"row 1, column user_id: is there twice"),
        (INTER.replace("item_id", "thing"), r"column item_id: missing under any of its names"),
        (INTER.replace("\t", ","), r"x\.inter, row 1, column user_id:token,item_id"),
        (
            INTER.replace("rating:float", "item_id_list:token_seq"),
            r"column item_id_list: a row wit",
        ),
        (INTER.replace("4", "good").replace("3.5", "bad"), r"row 2: no row can be used; the first"),
        (
            INTER.encode() + b"u\tz\xff\t1\t1\n",
            r"x\.inter, row 4, column item_id:token: is not UTF",
        ),
        (INTER.encode("utf-16"), r"x\.inter, row 1: is not UTF-8 text"),
        (gzip.compress(INTER.encode()), r"is compressed by gzip; name it x\.inter\.gz"),
        (b"\x00" * 999, r"x\.inter"),
    ],
)
def test_a_broken_file_is_one_clear_error(tmp_path: Path, inter: str | bytes, told: str) -> None:
    with pytest.raises(DatasetError, match=told):
        open_dataset(write(tmp_path / "x", inter=inter), rejects=None)


def test_rows_of_a_wrong_length_and_huge_ids_are_refused_by_row(tmp_path: Path) -> None:
    inter = INTER + "u\ta\n" + f"{'x' * 300}\ta\t1\t1\n" + "u\x00\ta\t1\t1\n"
    spec = write(tmp_path / "x", inter=inter)

    data = open_dataset(spec, rejects=tmp_path / "rejects.csv")

    assert data.report.rows_rejected == {
        ("x.inter", "2 cells where 4 columns are"): 1,
        ("x.inter", "user_id is longer than 256 bytes"): 1,
        ("x.inter", "user_id holds a control character"): 1,
    }
    assert "x.inter,4,2 cells" in (tmp_path / "rejects.csv").read_text()


def test_directories_truncated_and_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no atomic file that ends in \.inter"):
        open_dataset(f"recbole:{tmp_path}", rejects=None)
    (tmp_path / "a" / "a.inter").mkdir(parents=True)
    with pytest.raises(DatasetError, match=r"a\.inter: is a directory, not a file"):
        open_dataset(f"recbole:{tmp_path / 'a'}", rejects=None)
    spec = write(tmp_path / "b", inter_gz=gzip.compress(INTER.encode() * 100)[:60])
    with pytest.raises(DatasetError, match=r"b\.inter\.gz: cannot be read"):
        open_dataset(spec, rejects=None)
    with pytest.raises(DatasetError, match=r"holds no c\.train\.inter"):
        open_dataset(write(tmp_path / "c", test_inter=INTER), rejects=None)
    write(tmp_path / "d", inter=INTER)
    (tmp_path / "d" / "e.inter").write_text(INTER)
    (tmp_path / "d" / "d.inter").rename(tmp_path / "d" / "f.inter")
    with pytest.raises(DatasetError, match="holds several data sets: e, f"):
        open_dataset(f"recbole:{tmp_path / 'd'}", rejects=None)
