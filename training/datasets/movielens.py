"""Reader of the MovieLens layouts by their ratings: ratings.csv, ratings.dat and u.data.

ratings.csv is latest, latest-small, 20M, 25M and 32M; ratings.dat is 1M and 10M; u.data is 100K.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from training.datasets import cells
from training.datasets.cleaning import RawDataset
from training.datasets.csv_files import read_csv
from training.datasets.errors import DatasetError
from training.datasets.files import find_table, need_file, read_table
from training.datasets.movielens_people import AGES_1M, OCCUPATIONS_1M, describe
from training.datasets.movielens_tags import (
    TAG_COLUMNS,
    genome_files,
    genome_tags,
    merged_tags,
    user_tags,
)
from training.datasets.tables import RaggedRow, RawTable

LICENSE = "MovieLens, for research only; see the README of the data"
NO_GENRES = "(no genres listed)"
# The year that ends a title: "Heat (1995)", "Doctor Who (2005-)".
YEAR = r"\((?P<year>\d{4})(?:[-–]\d{0,4})?\)\s*$"
RATING_COLUMNS = ("user_id", "item_id", "rating", "timestamp")
GENRES_100K = (
    "unknown",
    "Action",
    "Adventure",
    "Animation",
    "Children",
    "Comedy",
    "Crime",
    "Documentary",
    "Drama",
    "Fantasy",
    "Film-Noir",
    "Horror",
    "Musical",
    "Mystery",
    "Romance",
    "Sci-Fi",
    "Thriller",
    "War",
    "Western",
)
ITEM_COLUMNS_100K = ("item_id", "title", "release_date", "video_release_date", "url", *GENRES_100K)


def read_movielens(directory: Path) -> RawDataset:
    """Read whichever layout the directory has."""
    if find_table(directory, "ratings") is not None:
        return _read_latest(directory)
    layouts: dict[str, Callable[[Path], RawDataset]] = {
        "ratings.dat": _read_1m,
        "u.data": _read_100k,
    }
    for name, read in layouts.items():
        if (directory / name).is_file():
            return read(directory)
    raise DatasetError(
        directory, f"is no MovieLens layout: holds none of {', '.join(('ratings.csv', *layouts))}"
    )


def _read_latest(directory: Path) -> RawDataset:
    # The tags first: what reading them takes is free again when the ratings are read.
    tags: dict[str, list[str]] = {}
    bad: tuple[tuple[str, RaggedRow], ...] = ()
    notes: tuple[str, ...] = ()
    tag_file = find_table(directory, "tags")
    if tag_file is not None:
        tags, bad = user_tags(read_table(tag_file))
    genome = genome_files(directory)
    if genome is not None:
        typical, bad_scores = genome_tags(*genome)
        bad += bad_scores
        tags = merged_tags(typical, tags)
        notes = (f"{genome[0].name}: the strongest tags of {len(typical):,} films are their tags",)
    ratings = _table(directory, "ratings").rename(
        {"userId": "user_id", "movieId": "item_id", "rating": "rating", "timestamp": "timestamp"}
    )
    movies = _table(directory, "movies").rename(
        {"movieId": "item_id", "title": "title", "genres": "categories"}
    )
    known = tag_file is not None or genome is not None
    return _raw(
        directory, ratings, _items(movies, tags if known else None), other_rejects=bad, notes=notes
    )


def _read_1m(directory: Path) -> RawDataset:
    ratings = _separated(directory / "ratings.dat", "::", RATING_COLUMNS)
    movies = _separated(directory / "movies.dat", "::", ("item_id", "title", "categories"))
    tags: dict[str, list[str]] | None = None
    bad: tuple[tuple[str, RaggedRow], ...] = ()
    if (directory / "tags.dat").is_file():
        tags, bad = user_tags(_separated(directory / "tags.dat", "::", (*TAG_COLUMNS, "timestamp")))
    users = None
    if (directory / "users.dat").is_file():
        columns = ("user_id", "gender", "age", "occupation", "zip")
        users = describe(
            _separated(directory / "users.dat", "::", columns), AGES_1M, OCCUPATIONS_1M
        )
    return _raw(directory, ratings, _items(movies, tags), users, bad)


def _read_100k(directory: Path) -> RawDataset:
    ratings = _separated(directory / "u.data", "\t", RATING_COLUMNS)
    movies = _separated(directory / "u.item", "|", ITEM_COLUMNS_100K)
    flags = [cells.as_strings(movies.cells.column(genre)).to_pylist() for genre in GENRES_100K]
    genres = [
        "|".join(
            genre for genre, flag in zip(GENRES_100K, row, strict=True) if flag.strip() == "1"
        ).replace("unknown", "")
        for row in zip(*flags, strict=True)
    ]
    titled = movies.cells.select(["item_id", "title"]).append_column(
        "categories", pa.array(genres, type=pa.string())
    )
    users = None
    if (directory / "u.user").is_file():
        columns = ("user_id", "age", "gender", "occupation", "zip")
        users = describe(_separated(directory / "u.user", "|", columns))
    items = RawTable(movies.file, titled, movies.rows, movies.ragged)
    return _raw(directory, ratings, _items(items, None), users)


def _raw(
    directory: Path,
    ratings: RawTable,
    items: RawTable,
    users: RawTable | None = None,
    other_rejects: tuple[tuple[str, RaggedRow], ...] = (),
    notes: tuple[str, ...] = (),
) -> RawDataset:
    # Without the action a row without a rating would pass as a view.
    zeros = np.zeros(ratings.cells.num_rows, dtype=np.int32)
    rate = pa.DictionaryArray.from_arrays(zeros, ["rate"])
    rated = ratings.cells.append_column("action", rate)
    return RawDataset(
        name=directory.resolve().name,
        interactions=(RawTable(ratings.file, rated, ratings.rows, ratings.ragged),),
        items=items,
        users=users,
        license=LICENSE,
        other_rejects=other_rejects,
        notes=notes,
    )


def _items(movies: RawTable, tags: dict[str, list[str]] | None) -> RawTable:
    """Add the year as an attribute, the language, and the tags if there are any."""
    titles = cells.as_strings(movies.cells.column("title"))
    genres = cells.as_strings(movies.cells.column("categories"))
    year = pc.struct_field(pc.extract_regex(titles, YEAR), "year")
    table = pa.table(
        {
            "item_id": movies.cells.column("item_id"),
            "title": titles,
            "categories": pc.if_else(pc.equal(genres, NO_GENRES), "", genres),
            "language_code": pa.array(["en"] * len(titles), type=pa.string()),
            "year": year.cast(pa.int64()),
        }
    )
    if tags is not None:
        item_ids = cells.as_strings(movies.cells.column("item_id")).to_pylist()
        joined = ["|".join(tags.get(item_id, [])) for item_id in item_ids]
        table = table.append_column("tags", pa.array(joined, type=pa.string()))
    return RawTable(movies.file, table, movies.rows, movies.ragged)


def _table(directory: Path, stem: str) -> RawTable:
    path = find_table(directory, stem)
    return read_table(path if path is not None else need_file(directory / f"{stem}.csv"))


def _separated(path: Path, separator: str, names: Sequence[str]) -> RawTable:
    """Read a file without header or quotes, in UTF-8 or else in Latin-1."""
    need_file(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DatasetError(path, f"cannot be read: {error.strerror}") from error
    if not content.strip():
        raise DatasetError(path, "is empty", row=1)
    try:
        content.decode()
    except UnicodeDecodeError:
        content = content.decode("latin-1").encode()
    if len(separator) > 1:
        # The reader knows separators of one byte; this one cannot be in a text.
        content = content.replace(separator.encode(), b"\x1f")
        separator = "\x1f"
    return read_csv(path, delimiter=separator, names=names, content=content)
