import gzip
from pathlib import Path

import pytest

from training.datasets import DatasetError, fingerprint, open_dataset

ML_LATEST_SMALL = Path(__file__).parents[3] / "shared" / "data" / "ml-latest-small"


def write_latest(directory: Path) -> str:
    (directory / "ratings.csv").write_text(
        "userId,movieId,rating,timestamp\n1,10,4.0,964982703\n1,20,2.5,964982704\n2,10,,964982705\n"
    )
    (directory / "movies.csv").write_text(
        "movieId,title,genres\n10,Heat (1995),Action|Crime\n"
        '20,"Office, The (2005-2013)",(no genres listed)\n30,Nameless,Drama\n'
    )
    (directory / "tags.csv").write_text(
        "userId,movieId,tag,timestamp\n"
        "1,10,Tense ,1\n2,10,tense,2\n2,10,  Los  Angeles,3\n2,10,Los Angeles,4\n3,10,a,5\n"
        f"1,20,{'x' * 41},6\n1,20,,7\n9,99,orphan,8\n"
    )
    return f"movielens:{directory}"


def test_the_latest_layout_has_titles_genres_years_and_tags(tmp_path: Path) -> None:
    data = open_dataset(write_latest(tmp_path), rejects=tmp_path / "rejects.csv")

    assert data.items["item_id"].tolist() == ["10", "20", "30"]
    assert data.items["title"].tolist() == ["Heat (1995)", "Office, The (2005-2013)", "Nameless"]
    assert data.items["categories"].tolist() == [["Action", "Crime"], [], ["Drama"]]
    assert data.items["tags"].tolist() == [["tense", "a", "los angeles"], [], []]
    assert data.items["attributes"].tolist() == [{"year": 1995}, {"year": 2005}, {}]
    assert data.attribute_types == {"year": "int"}
    assert data.interactions["action"].tolist() == ["rate"] * 2
    assert data.interactions["timestamp"][0] == 964_982_703_000
    assert data.report.rows_rejected == {
        ("ratings.csv", "action is rate and rating is missing"): 1,
        ("tags.csv", "userId, movieId or tag is missing"): 1,
    }
    assert 'tags.csv,8,"userId' in (tmp_path / "rejects.csv").read_text()


def test_the_100k_layout_has_genres_and_sentences_about_users(tmp_path: Path) -> None:
    (tmp_path / "u.data").write_text("196\t242\t3\t881250949\n22\t377\t1\t878887116\n")
    flags = "0|0|1|0|0|1" + "|0" * 13
    films = (
        f"242|Misérables, Les (1995)|01-Jan-1995||http://x|{flags}\n377|unknown||||1{'|0' * 18}\n"
    )
    (tmp_path / "u.item").write_bytes(films.encode("latin-1"))
    (tmp_path / "u.user").write_text("196|49|M|writer|55105\n22|25|F|none|40206\n")

    data = open_dataset(f"movielens:{tmp_path}", rejects=None)

    assert data.items["title"].tolist() == ["Misérables, Les (1995)", "unknown"]
    assert data.items["categories"].tolist() == [["Adventure", "Comedy"], []]
    assert data.items["attributes"].tolist() == [{"year": 1995}, {}]
    assert data.users["text"].tolist() == [
        "I am a man, aged 49, by occupation writer.",
        "I am a woman, aged 25.",
    ]
    assert data.users["group"].tolist() == ["M 40-49", "F 20-29"]
    assert data.interactions["rating"].tolist() == [3.0, 1.0]


def test_the_1m_layout_is_read_in_latin_1(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::3469::5::978300760\n2::3469::4::978300761\n")
    (tmp_path / "movies.dat").write_bytes(
        "3469::Cité: Episode IV (1977)::Action|Sci-Fi\n".encode("latin-1")
    )
    (tmp_path / "users.dat").write_text("1::F::1::10::48067\n2::M::56::16::70072\n")

    data = open_dataset(f"movielens:{tmp_path}", rejects=None)

    assert data.items["title"].tolist() == ["Cité: Episode IV (1977)"]
    assert data.items["categories"].tolist() == [["Action", "Sci-Fi"]]
    assert data.users["group"].tolist() == ["F under 18", "M 56 or older"]
    assert (
        data.users["text"][1] == "I am a man, aged 56 or older, by occupation self-employed person."
    )


def test_a_layout_without_its_films_or_of_no_kind_is_named(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="is no MovieLens layout"):
        open_dataset(f"movielens:{tmp_path}", rejects=None)
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,1,1\n")
    with pytest.raises(DatasetError, match=r"movies\.csv: is missing"):
        open_dataset(f"movielens:{tmp_path}", rejects=None)
    (tmp_path / "movies.csv").write_text("movieId,name\n1,x\n")
    with pytest.raises(DatasetError, match=r"movies\.csv, column title: missing"):
        open_dataset(f"movielens:{tmp_path}", rejects=None)


@pytest.mark.skipif(not ML_LATEST_SMALL.is_dir(), reason="../shared/data/ml-latest-small is absent")
def test_ml_latest_small_is_read_whole() -> None:
    data = open_dataset(f"movielens:{ML_LATEST_SMALL}", rejects=None)

    assert len(data.interactions) == 100_836
    assert len(data.items) == 9_742
    assert len(data.users) == 610
    assert data.report.rejected == 0
    assert data.items["title"][0] == "Toy Story (1995)"
    assert data.items["attributes"][0] == {"year": 1995}
    assert data.items["tags"][0] == ["pixar", "fun"]
    assert data.interactions["rating"].between(0.5, 5.0).all()
    assert len(fingerprint(data)) == 64


def write_genome(directory: Path, scores: str) -> str:
    spec = write_latest(directory)
    (directory / "genome-tags.csv").write_text("tagId,tag\n1,Noir\n2,tense\n3,space\n4,weak\n")
    (directory / "genome-scores.csv").write_text("movieId,tagId,relevance\n" + scores)
    return spec


def test_the_strongest_tags_of_the_genome_come_before_those_of_users(tmp_path: Path) -> None:
    spec = write_genome(
        tmp_path, "10,1,0.8\n10,2,0.95\n10,3,0.1\n10,4,0.69\n20,3,0.7\n99,1,1\n30,4,0.2\n"
    )

    data = open_dataset(spec, rejects=None)

    assert data.items["tags"].tolist() == [["tense", "noir", "a", "los angeles"], ["space"], []]
    assert "genome-scores.csv: the strongest tags of 3 films" in str(data.report)


def test_scores_of_the_genome_that_are_none_are_refused_by_row(tmp_path: Path) -> None:
    spec = write_genome(tmp_path, "10,1,0.8\n10,2,high\n10,3\n10,3,1.5\n20,3,0.9\n")

    data = open_dataset(spec, rejects=tmp_path / "rejects.csv")

    assert data.items["tags"].tolist()[1] == ["space"]
    rejects = (tmp_path / "rejects.csv").read_text()
    assert 'genome-scores.csv,3,relevance is no number from 0 to 1,"10,2,high"' in rejects
    assert 'genome-scores.csv,4,2 cells where 3 columns are,"10,3"' in rejects
    assert 'genome-scores.csv,5,relevance is no number from 0 to 1,"10,3,1.5"' in rejects


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("genome-scores.csv", "movieId,tagId\n1,1\n", r"scores\.csv, column relevance: missing"),
        ("genome-scores.csv", "", r"genome-scores\.csv, row 1: is empty"),
        ("genome-scores.csv", "movieId,tagId,relevance\n10,9,0.9\n", "column tagId: names a tag"),
        ("genome-tags.csv", "tagId\n1\n", r"genome-tags\.csv, column tag: missing"),
        ("ratings.csv", "userId,movieId,rating\n1,1,1\n", r"ratings\.csv, column timestamp: miss"),
        ("ratings.csv", "", r"ratings\.csv, row 1: is empty"),
        (
            "tags.csv",
            b"userId,movieId,tag,timestamp\n1,1,\xff,1\n",
            "row 2, column tag: is not UTF",
        ),
    ],
)
def test_a_broken_file_of_the_25m_layout_is_named(
    tmp_path: Path, name: str, content: str | bytes, told: str
) -> None:
    spec = write_genome(tmp_path, "10,1,0.8\n")
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)

    with pytest.raises(DatasetError, match=told):
        open_dataset(spec, rejects=None)


def test_ratings_may_be_compressed_but_no_directory(tmp_path: Path) -> None:
    spec = write_latest(tmp_path)
    ratings = tmp_path / "ratings.csv"
    plain = fingerprint(open_dataset(spec, rejects=None))
    (tmp_path / "ratings.csv.gz").write_bytes(gzip.compress(ratings.read_bytes()))
    ratings.unlink()

    assert fingerprint(open_dataset(spec, rejects=None)) == plain

    (tmp_path / "ratings.csv.gz").unlink()
    ratings.mkdir()
    with pytest.raises(DatasetError, match=r"ratings\.csv: is a directory, not a file"):
        open_dataset(spec, rejects=None)


def test_tags_of_the_10m_layout_are_read(tmp_path: Path) -> None:
    (tmp_path / "ratings.dat").write_text("1::122::5::838985046\n2::122::4.5::838985047\n")
    (tmp_path / "movies.dat").write_text("122::Boomerang (1992)::Comedy|Romance\n")
    (tmp_path / "tags.dat").write_text("15::122::Fun::1215184630\n16::122::fun::1215184631\n")

    data = open_dataset(f"movielens:{tmp_path}", rejects=None)

    assert data.items["tags"].tolist() == [["fun"]]
    assert data.interactions["rating"].tolist() == [5.0, 4.5]
