"""Data sets of other kinds, made from MovieLens, to see whether a method carries over.

    .venv/bin/python -m benchmarks.derived_data short ../shared/data/ml-latest-small var/short

short: each user's events cut into people of 5 to 60 events, about 9 on average, as in shops.
labelled: users drawn until there are 46,000 events; a rating over 3 is a like; the newest events of
each user are for validation (11 %) and test (15 %).
plain: no ratings and no texts.
What is written may be passed on only under MovieLens' own terms.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

LEAST, MOST, MEAN_MORE = 5, 60, 4.0
LABELLED_EVENTS = 46_000
VALID_FROM, TEST_FROM = 0.74, 0.85
LIKED_ABOVE = 3.0
SEED = 0


def main() -> None:
    """Write one data set."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("movielens", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    ratings = pd.read_csv(arguments.movielens / "ratings.csv", dtype={"userId": str})
    ratings = ratings.rename(columns={"userId": "user_id", "movieId": "item_id"})
    ratings = ratings.sort_values(["user_id", "timestamp"], kind="stable", ignore_index=True)
    events = KINDS[arguments.kind](ratings)
    items = pd.read_csv(arguments.movielens / "movies.csv")
    items = items.rename(columns={"movieId": "item_id", "genres": "categories"})
    arguments.out.mkdir(parents=True)
    if arguments.kind == "plain":
        items = items[["item_id"]]
    events.to_csv(arguments.out / "interactions.csv", index=False)
    items.to_csv(arguments.out / "items.csv", index=False)
    users = events["user_id"].nunique()
    print(f"{len(events):,} events of {users:,} users and {len(items):,} items in {arguments.out}")


def short(ratings: pd.DataFrame) -> pd.DataFrame:
    """Cut users into people of few events; what is left at a user's end is dropped."""
    random = np.random.default_rng(SEED)
    parts = []
    for user, own in ratings.groupby("user_id", sort=False):
        start = 0
        while len(own) - start >= LEAST:
            size = min(LEAST + int(random.exponential(MEAN_MORE)), MOST)
            part = own.iloc[start : start + size]
            if len(part) >= LEAST:
                parts.append(part.assign(user_id=f"{user}-{start}"))
            start += size
    return pd.concat(parts, ignore_index=True)


def labelled(ratings: pd.DataFrame) -> pd.DataFrame:
    """Draw users, and give their events a split and a label in place of the rating."""
    users = np.random.default_rng(SEED).permutation(ratings["user_id"].unique())
    totals = ratings["user_id"].value_counts().reindex(users).cumsum()
    drawn = users[: int((totals < LABELLED_EVENTS).sum()) + 1]
    events = ratings[ratings["user_id"].isin(drawn)]
    of_user = events.groupby("user_id")["user_id"]
    place = of_user.cumcount() / of_user.transform("size")
    split = np.select([place < VALID_FROM, place < TEST_FROM], ["train", "valid"], "test")
    label = (events["rating"] > LIKED_ABOVE).astype(int)
    return events.drop(columns="rating").assign(split=split, label=label)


def plain(ratings: pd.DataFrame) -> pd.DataFrame:
    """Drop the ratings."""
    return ratings.drop(columns="rating")


KINDS = {"short": short, "labelled": labelled, "plain": plain}

if __name__ == "__main__":
    main()
