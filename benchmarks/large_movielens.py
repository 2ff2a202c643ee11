"""A made-up data set in the layout of MovieLens 25M, of any size, to see what size costs.

    .venv/bin/python -m benchmarks.large_movielens /tmp/ml25m --ratings 25000000

As there, about 155 ratings for each person and 400 for each film: so 25 million are of about
162,000 people and 62,000 films, of which few are rated often and most hardly ever. People keep to
a few kinds of films, in one sitting to one of them, so that there is something to learn. Everything
else is chance. It is written some thousand people at a time.
"""

import argparse
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv as pa_csv

RATINGS_PER_USER, LEAST_RATINGS, SPREAD = 155, 20, 1.3
RATINGS_PER_FILM = 400
KINDS = 60
KINDS_OF_USER = 5
# Of the rank of a film by popularity within its kind; few ratings go far down.
POPULARITY_EXPONENT = 1.5
SITTING = 8
RATINGS_PER_TAG = 23
GENRES = (
    *("Action", "Adventure", "Animation", "Children", "Comedy", "Crime", "Documentary", "Drama"),
    *("Fantasy", "Film-Noir", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Thriller"),
    *("War", "Western"),
)
FIRST = (
    *("Silent", "Golden", "Broken", "Last", "Hidden", "Burning"),
    *("Distant", "Little", "Iron", "Paper", "Crimson", "Winter"),
)
SECOND = (
    *("River", "Garden", "Promise", "Station", "Mirror", "Harbour"),
    *("Letter", "Mountain", "Engine", "Dance", "Island"),
)
MOODS = (
    *("slow", "tense", "funny", "bleak", "warm", "strange"),
    *("quiet", "violent", "clever", "sad", "bright", "long"),
)
TOPICS = (
    *("family", "heist", "revenge", "space", "school", "journey"),
    *("court", "music", "war", "love", "machines", "ghosts"),
)
FIRST_S, LAST_S, DAY_S = 850_000_000, 1_574_000_000, 86_400
USERS_AT_ONCE = 4_000
SEED = 25


def main() -> None:
    """Write one data set."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--ratings", type=int, default=25_000_000)
    arguments = parser.parse_args()
    users, films, ratings = write_movielens(arguments.out, arguments.ratings)
    print(f"{ratings:,} ratings by {users:,} people of {films:,} films in {arguments.out}")


def write_movielens(directory: Path, ratings: int, seed: int = SEED) -> tuple[int, int, int]:
    """Write ratings.csv, movies.csv and tags.csv; return how many users, films and ratings.

    ratings: about how many.
    """
    random = np.random.default_rng(seed)
    directory.mkdir(parents=True)
    films = max(ratings // RATINGS_PER_FILM, 2 * KINDS)
    users = max(ratings // RATINGS_PER_USER, 1)
    kinds = np.sort(random.integers(0, KINDS, films))
    edges = np.searchsorted(kinds, np.arange(KINDS + 1))
    rank = np.arange(films) - edges[kinds]
    bounds = np.concatenate([[0.0], np.cumsum((rank + 3.0) ** -POPULARITY_EXPONENT)])
    film_ids = random.permutation(films) + 1
    quality = random.normal(0.0, 0.5, films)
    _write_films(directory / "movies.csv", film_ids, kinds, random)
    written = 0
    with (
        (directory / "ratings.csv").open("wb") as rating_file,
        (directory / "tags.csv").open("wb") as tag_file,
    ):
        rating_file.write(b"userId,movieId,rating,timestamp\n")
        tag_file.write(b"userId,movieId,tag,timestamp\n")
        for first in range(0, users, USERS_AT_ONCE):
            some = np.arange(first, min(first + USERS_AT_ONCE, users))
            user, film, times = _ratings(some, edges, bounds, random)
            stars = 3.5 + quality[film] + random.normal(0.0, 0.8, len(film))
            halves = np.clip(np.round(2 * stars), 1, 10) / 2
            _write_rows(rating_file, user + 1, film_ids[film], pa.array(halves), times)
            said = np.flatnonzero(random.random(len(film)) < 1 / RATINGS_PER_TAG)
            words = [*MOODS, *TOPICS]
            # Films of one kind are called alike.
            word = (kinds[film[said]] + random.integers(0, 4, len(said)) * 7) % len(words)
            tags = pa.DictionaryArray.from_arrays(pa.array(word), words).cast(pa.string())
            _write_rows(tag_file, user[said] + 1, film_ids[film[said]], tags, times[said] + 60)
            written += len(film)
    return users, films, written


def _ratings(
    users: npt.NDArray[np.int64],
    edges: npt.NDArray[np.int64],
    bounds: npt.NDArray[np.float64],
    random: np.random.Generator,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return users, films and times of some users' ratings, by user and then time, [ratings] each.

    edges: where the films of each kind begin. bounds: float64 [films + 1], cumulative popularity.
    """
    more = np.exp(SPREAD * random.normal(size=len(users)) - SPREAD**2 / 2)
    counts = LEAST_RATINGS + ((RATINGS_PER_USER - LEAST_RATINGS) * more).astype(np.int64)
    # Nobody rates a film twice: what is drawn twice goes, so more is drawn.
    counts = np.minimum(counts, len(bounds) // 4)
    drawn = 3 * counts + 20
    ends = np.cumsum(drawn)
    owner = np.repeat(np.arange(len(users)), drawn)
    place = np.arange(ends[-1]) - (ends - drawn)[owner]
    sitting = np.cumsum(random.random(len(owner)) < 1 / SITTING)
    liked = random.integers(0, KINDS, (len(users), KINDS_OF_USER))
    choice = random.integers(0, KINDS_OF_USER, sitting[-1] + 1)[sitting]
    kind = liked[owner, choice]
    # Now and then anything.
    stray = random.random(len(owner)) < 0.25
    kind[stray] = random.integers(0, KINDS, int(stray.sum()))
    low, high = bounds[edges[kind]], bounds[edges[kind + 1]]
    film = np.searchsorted(bounds, low + random.random(len(owner)) * (high - low), "right") - 1
    film = np.minimum(film, len(bounds) - 2)
    kept = np.unique(owner * len(bounds) + film, return_index=True)[1]
    kept.sort()
    owner, film, sitting, place = owner[kept], film[kept], sitting[kept], place[kept]
    starts = np.searchsorted(owner, np.arange(len(users)))
    within = np.arange(len(owner)) - starts[owner] < counts[owner]
    owner, film, sitting, place = owner[within], film[within], sitting[within], place[within]
    # A rating takes some seconds; between sittings lie days, for some people none.
    pause = random.choice([0, DAY_S, 10 * DAY_S], len(users), p=[0.6, 0.25, 0.15])
    starts = np.searchsorted(owner, np.arange(len(users)))
    ends = np.append(starts[1:], len(owner))
    waited = (sitting - sitting[starts][owner]) * pause[owner] + 9 * place
    last = LAST_S - waited[ends - 1]
    begun = np.maximum(last - random.integers(0, LAST_S - FIRST_S, len(users)), FIRST_S)
    return users[owner], film, np.minimum(begun[owner] + waited, LAST_S)


def _write_films(
    file: Path,
    film_ids: npt.NDArray[np.int64],
    kinds: npt.NDArray[np.int64],
    random: np.random.Generator,
) -> None:
    """Write titles, years and genres; films of one kind have genres and words in common."""
    years = random.integers(1930, 2020, len(film_ids))
    lines = ["movieId,title,genres"]
    for at in np.argsort(film_ids).tolist():
        kind = int(kinds[at])
        first, second = FIRST[kind % len(FIRST)], SECOND[int(random.integers(len(SECOND)))]
        title = f"The {first} {second} {film_ids[at]} ({years[at]})"
        genres = {GENRES[kind % len(GENRES)], GENRES[(kind * 7 + 3) % len(GENRES)]}
        lines.append(f"{film_ids[at]},{title},{'|'.join(sorted(genres))}")
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_rows(
    file: BinaryIO,
    users: npt.NDArray[np.int64],
    films: npt.NDArray[np.int64],
    values: pa.Array,
    times: npt.NDArray[np.int64],
) -> None:
    table = pa.table({"user": users, "film": films, "value": values, "time": times})
    options = pa_csv.WriteOptions(include_header=False, quoting_style="none")
    pa_csv.write_csv(table, file, options)


if __name__ == "__main__":
    main()
