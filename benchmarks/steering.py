"""Words that steer a known user's list: how much of it obeys, and what that costs.

    .venv/bin/python -m benchmarks.steering movielens:../shared/data/ml-latest-small var/steering

The newest event of some users is held out, and a release is trained on the rest. Each user is then
asked for a list without words, with words for what they did next ("something with", a category and
a tag of the held-out item), and with words for something else (a name that the held-out item has
not), at several weights of the words. Told are the share of the list that has what was named, and
NDCG@10 of the held-out item.
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.environment import ROOT, describe, write_result
from benchmarks.stack import running_stack
from benchmarks.steering_picture import draw
from benchmarks.words_only import write_dataset
from tandem.v1.context_pb2 import RequestContext
from tandem_cli.evaluation.children import run_child
from tandem_client import AsyncTandemClient
from training.datasets.format import Dataset
from training.datasets.source import open_dataset
from training.evaluation.intervals import UserBootstrap

SEED = 0
LIST = 10
HISTORY_LEAST = 6
# Names of so many items, as a share of all, are worth asking for.
SHARE_LEAST, SHARE_MOST = 0.01, 0.3
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 10.0)
WANTED, OTHER = "what they did next", "something else"


@dataclass(frozen=True)
class Person:
    """A user, the item held out, and two sentences: each with the names that it asks for."""

    user_id: str
    item_id: str
    context: RequestContext
    sentences: dict[str, list[str]]


def main() -> None:
    """Train, ask, and record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", help="DIR, movielens:DIR or recbole:DIR")
    parser.add_argument("work", type=Path, help="where data set and release go")
    parser.add_argument("--users", type=int, default=300, help="how many are asked, at most")
    parser.add_argument("--set", action="append", default=[], help="a setting of training")
    arguments = parser.parse_args()
    dataset = open_dataset(arguments.dataset, rejects=None)
    people = choose_people(dataset, arguments.users)
    release = arguments.work / "release"
    if not release.exists():
        write_known(dataset, people, arguments.work / "known")
        options = [word for change in arguments.set for word in ("--set", change)]
        command = [sys.executable, "-m", "tandem_cli", "train", "--out", str(release), *options]
        command += ["--dataset", str(arguments.work / "known")]
        ended = run_child("train", command, arguments.work / "train.log", ROOT, print)
        if ended.status != 0:
            raise SystemExit(f"training ended with status {ended.status}")
    with running_stack(release) as target:
        rows = asyncio.run(ask_everybody(target, people, names_of(dataset)))
    about = {"dataset": arguments.dataset, "people": len(people), "set": arguments.set}
    result = {**describe(), **about, "points": summary(rows)}
    name = f"steering-{dataset.name}"
    draw(result["points"], write_result(name, result).with_suffix(".png"))


def names_of(dataset: Dataset) -> dict[str, set[str]]:
    """Return each item's categories and tags."""
    columns = zip(*(dataset.items[name] for name in ("item_id", "categories", "tags")), strict=True)
    return {str(item): {*categories, *tags} for item, categories, tags in columns}


def choose_people(dataset: Dataset, most: int) -> list[Person]:
    """Draw users whose newest item has a category or tag, with sentences for it and against."""
    random = np.random.default_rng(SEED)
    names = names_of(dataset)
    counts = pd.Series([name for own in names.values() for name in sorted(own)]).value_counts()
    shares = counts / len(names)
    usual = shares.index[(shares >= SHARE_LEAST) & (shares <= SHARE_MOST)].tolist()
    events = dataset.interactions.sort_values(["user_id", "timestamp"], kind="stable")
    people = []
    for user_id, own in events.groupby("user_id", observed=True):
        last = own.iloc[-1]
        item_id = str(last["item_id"])
        if len(own) < HISTORY_LEAST or (own["item_id"].iloc[:-1] == last["item_id"]).any():
            continue
        has = sorted(names[item_id])
        other = [name for name in usual if name not in names[item_id]]
        if not has or not other:
            continue
        wanted = [has[place] for place in sorted(random.permutation(len(has))[:2])]
        context = RequestContext(surface="benchmark")
        context.request_time.FromMilliseconds(int(last["timestamp"]))
        if np.isfinite(last["utc_offset_minutes"]):
            context.utc_offset.FromSeconds(int(last["utc_offset_minutes"]) * 60)
        sentences = {WANTED: wanted, OTHER: [other[int(random.integers(len(other)))]]}
        people.append(Person(str(user_id), item_id, context, sentences))
    return [people[place] for place in sorted(random.permutation(len(people))[:most])]


def write_known(dataset: Dataset, people: Sequence[Person], out: Path) -> None:
    """Write the data set without the newest event of the people who are asked."""
    asked = {person.user_id for person in people}
    events = dataset.interactions.drop(columns=["split", "label", "text"])
    events = events.sort_values(["user_id", "timestamp"], kind="stable")
    newest = ~events["user_id"].duplicated(keep="last")
    kept = events[~(newest & events["user_id"].isin(asked))]
    # Nobody has a profile: the only words are those that are asked with.
    write_dataset(dataset, kept, dataset.users.iloc[:0], out)


async def ask_everybody(
    target: str, people: Sequence[Person], names: dict[str, set[str]]
) -> pd.DataFrame:
    """Return a row for each list: who, which sentence, its weight, fit and quality."""
    rows: list[dict[str, Any]] = []
    async with AsyncTandemClient(target) as client:
        for number, person in enumerate(people):
            plain = await client.recommend(
                person.user_id, context=person.context, item_count=LIST, timeout_s=10.0
            )
            for sentence, asked in person.sentences.items():
                note = {"user": number, "sentence": sentence}
                rows.append({**note, "weight": None, **quality(plain.items, person, asked, names)})
                for weight in WEIGHTS:
                    answer = await client.recommend(
                        person.user_id,
                        text=f"something with {' and '.join(asked)}",
                        text_weight=weight,
                        context=person.context,
                        item_count=LIST,
                        timeout_s=10.0,
                    )
                    found = quality(answer.items, person, asked, names)
                    rows.append({**note, "weight": weight, **found})
    return pd.DataFrame(rows)


def quality(
    items: Sequence[Any], person: Person, asked: Sequence[str], names: dict[str, set[str]]
) -> dict[str, float]:
    """Return the share of a list that has any of the names, and NDCG of the held-out item."""
    listed = [item.item_id for item in items]
    fits = [bool(names[item_id] & set(asked)) for item_id in listed]
    gains = [item_id == person.item_id for item_id in listed] / np.log2(np.arange(len(listed)) + 2)
    return {"fit": float(np.mean(fits)) if fits else 0.0, "ndcg": float(gains.sum())}


def summary(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return means with 95 % intervals over users by sentence and weight; None is without words."""
    points = []
    for sentence in (WANTED, OTHER):
        for weight in (None, *WEIGHTS):
            of_weight = rows["weight"].isna() if weight is None else rows["weight"] == weight
            some = rows[(rows["sentence"] == sentence) & of_weight]
            bootstrap = UserBootstrap(np.arange(len(some)))
            fit, ndcg = bootstrap.means(some[["fit", "ndcg"]].to_numpy())
            points.append({"sentence": sentence, "weight": weight, "fit": fit, "ndcg@10": ndcg})
            print(
                f"{sentence:20} weight {weight}: fit {fit['mean']:.3f}, ndcg@10 {ndcg['mean']:.4f}"
            )
    return points


if __name__ == "__main__":
    main()
