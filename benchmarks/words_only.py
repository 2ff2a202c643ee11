"""People of whom nothing is known but a sentence: a data set that asks for them.

    .venv/bin/python -m benchmarks.words_only movielens:../shared/data/ml-latest-small var/words
    tandem evaluate --dataset var/words --protocol given --systems tandem,popular,popular_7d \\
      --json var/words.json

Every fourth user is held out: none of their events may be learned from, and none is in the history.
Whoever says something about themselves says that; for other held-out users a sentence is made of
what sets the older half of their events apart, three categories and two tags. Only the newest
events of the other half, twenty at most, are asked for, so that no sentence knows its answer.
"""

import argparse
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from training.datasets.format import Dataset
from training.datasets.source import open_dataset

SEED = 0
EVERY = 4
TARGETS = 20
CATEGORIES, TAGS = 3, 2
# Names that fewer of a user's items have tell of the items, not of the user.
LEAST = 2


def main() -> None:
    """Write one data set."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", help="DIR, movielens:DIR or recbole:DIR")
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    dataset = open_dataset(arguments.dataset, rejects=None)
    events = held_out(dataset)
    users = with_sentences(dataset, events)
    kept = events[events["split"] != ""]
    write_dataset(dataset, kept, users, arguments.out)
    asked = kept[kept["split"] == "test"]
    print(
        f"{asked['user_id'].nunique():,} users known by a sentence, {len(asked):,} of their events "
        f"asked for; {len(kept) - len(asked):,} events of others to learn from, in {arguments.out}"
    )


def write_dataset(dataset: Dataset, events: pd.DataFrame, users: pd.DataFrame, out: Path) -> None:
    """Write a data set of the same items, without their attributes."""
    out.mkdir(parents=True)
    events.to_csv(out / "interactions.csv", index=False)
    users.to_csv(out / "users.csv", index=False)
    items = dataset.items.drop(columns="attributes")
    for name in ("categories", "tags"):
        items[name] = items[name].map("|".join)
    items["created_at"] = items["created_at"].where(items["created_at"] > 0, np.nan)
    items.to_csv(out / "items.csv", index=False)
    about = {"name": out.resolve().name, "repeat": dataset.repeat}
    (out / "dataset.json").write_text(json.dumps(about) + "\n")


def held_out(dataset: Dataset) -> pd.DataFrame:
    """Return all events with a split: train, test, or "" for what only the sentence knows."""
    events = dataset.interactions.drop(columns=["split", "label", "text"])
    events = events.sort_values(["user_id", "timestamp"], kind="stable", ignore_index=True)
    codes = events["user_id"].cat.codes.to_numpy()
    of_user = events.groupby("user_id", observed=True)["user_id"]
    place, size = of_user.cumcount().to_numpy(), of_user.transform("size").to_numpy(int)
    chosen = np.random.default_rng(SEED).permutation(len(dataset.users)) % EVERY == 0
    asked = (place >= size // 2) & (place >= size - TARGETS)
    split = np.where(chosen[codes], np.where(asked, "test", ""), "train")
    return events.assign(split=split)


def with_sentences(dataset: Dataset, events: pd.DataFrame) -> pd.DataFrame:
    """Return users with what they say; those who say nothing get a sentence."""
    usual = {
        name: Counter(value for values in dataset.items[name] for value in values)
        for name in ("categories", "tags")
    }
    users = dataset.users.set_index("user_id")
    text = users["text"].copy()
    older = events[events["split"] == ""]
    for user, own in older.groupby("user_id", observed=True):
        if not text[str(user)]:
            rows = dataset.items.iloc[own["item_id"].cat.codes]
            text[str(user)] = sentence(rows, usual, len(dataset.items))
    users = users.assign(text=text, tags=users["tags"].map("|".join))
    return users.reset_index()


def sentence(rows: pd.DataFrame, usual: dict[str, Counter[str]], items: int) -> str:
    """Return a sentence of the names that a user's items have more often than items do."""
    parts = []
    for name, most in (("categories", CATEGORIES), ("tags", TAGS)):
        counts = Counter(value for values in rows[name] for value in set(values))
        lifts = {
            value: count * np.log(count / len(rows) * items / usual[name][value])
            for value, count in counts.items()
            if count >= LEAST
        }
        parts += sorted(lifts, key=lambda value: -lifts[value])[:most]
    return f"I like {', '.join(parts)}." if parts else ""


if __name__ == "__main__":
    main()
