"""Do lists follow hour and place in the way that was planted in the sample world?

    tandem sample var/home --domain home --items 3000 --users 1000
    tandem train --dataset var/home --out releases/home
    .venv/bin/python -m benchmarks.planted_habits --world var/home --release releases/home

Each user is asked twice, after the world's end: on Monday at eight at home, and on Saturday at ten
in the evening where they go out. A user's habits count as recovered if the items of the first list
suit breakfast more, against the night, than those of the second do, by the planted preference: the
mean over the first list of (truth at breakfast - truth at night) less that over the second is
above 0.
"""

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.environment import describe, write_result
from benchmarks.stack import running_stack
from sample_world import read_truth
from sample_world.truth import Truth
from tandem.v1.common_pb2 import Place
from tandem.v1.context_pb2 import RequestContext
from tandem_client import AsyncTandemClient
from training.datasets.source import open_dataset

LIST = 10
HISTORY_LEAST = 5
# What cannot be had at all counts as this much worse than the best.
WORST = 15.0
RESAMPLES = 2_000


@dataclass(frozen=True)
class Situation:
    """When and where a list is asked for, in Unix milliseconds, minutes and degrees."""

    time_ms: int
    offset_min: int
    place: tuple[float, float]

    def context(self) -> RequestContext:
        """Return it as a request tells it."""
        context = RequestContext(surface="benchmark")
        context.request_time.FromMilliseconds(self.time_ms)
        context.utc_offset.FromSeconds(self.offset_min * 60)
        context.place.CopyFrom(Place(latitude=self.place[0], longitude=self.place[1]))
        return context


def situations(truth: Truth, user_id: str) -> tuple[Situation, Situation]:
    """Return a user's breakfast at home and Saturday night out, in the week after the world."""
    users = truth.preference.users
    offset_min = int(users.utc_offset_minutes[truth.user_ids.index(user_id)])
    end = datetime.fromtimestamp(truth.end_ms / 1000, UTC)
    midnight = datetime(end.year, end.month, end.day, tzinfo=UTC)
    monday = midnight + timedelta(days=7 - midnight.weekday(), minutes=-offset_min)

    def at(days: int, hour: int, place: tuple[float, float]) -> Situation:
        time_ms = int((monday + timedelta(days=days, hours=hour)).timestamp() * 1000)
        return Situation(time_ms, offset_min, place)

    return at(0, 8, truth.home(user_id)), at(5, 22, truth.out(user_id))


def direction(truth: Truth, user_id: str, lists: Sequence[Sequence[str]]) -> float:
    """Return by how much more the first list suits breakfast against the night, in logarithms."""
    breakfast, night = (
        bounded(truth.true_scores(user_id, one.time_ms, one.place))
        for one in situations(truth, user_id)
    )
    rows = {item_id: row for row, item_id in enumerate(truth.item_ids)}
    first, second = (
        np.mean([breakfast[rows[item]] - night[rows[item]] for item in items]) for items in lists
    )
    return float(first - second)


def bounded(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return scores none of which is more than WORST below the best."""
    return np.asarray(np.maximum(scores, scores.max() - WORST), np.float64)


async def ask(target: str, truth: Truth, users: Sequence[str]) -> list[list[list[str]]]:
    """Return each user's two lists."""
    async with AsyncTandemClient(target) as client:
        lists = []
        for user_id in users:
            answers = [
                await client.recommend(
                    user_id, context=situation.context(), item_count=LIST, timeout_s=10.0
                )
                for situation in situations(truth, user_id)
            ]
            lists.append([[item.item_id for item in answer.items] for answer in answers])
        return lists


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--world", type=Path, required=True, help="a directory of `tandem sample`")
    parser.add_argument("--release", type=Path, required=True, help="trained on it")
    parser.add_argument("--users", type=int, default=300, help="how many are asked, at most")
    arguments = parser.parse_args()
    truth = read_truth(arguments.world)
    counts = open_dataset(str(arguments.world), rejects=None).interactions["user_id"].value_counts()
    known = sorted(str(user) for user in counts.index[counts >= HISTORY_LEAST])
    random = np.random.default_rng(0)
    users = [known[place] for place in random.permutation(len(known))[: arguments.users]]
    with running_stack(arguments.release) as target:
        lists = asyncio.run(ask(target, truth, users))
    found = np.array([direction(truth, user, two) for user, two in zip(users, lists, strict=True)])
    shared = [len(set(first) & set(second)) / LIST for first, second in lists]
    recovered = found > 0
    drawn = random.choice(recovered, (RESAMPLES, len(recovered))).mean(axis=1)
    low, high = np.percentile(drawn, (2.5, 97.5))
    print(
        f"{len(users)} users: the planted direction for {recovered.mean():.1%} "
        f"[{low:.1%}, {high:.1%}]; median difference {np.median(found):.2f}; "
        f"lists share {np.mean(shared):.0%} of their items"
    )
    write_result(
        "planted_habits",
        {
            **describe(),
            "users": len(users),
            "recovered": float(recovered.mean()),
            "ci95": [float(low), float(high)],
            "median_difference": float(np.median(found)),
            "shared_items": float(np.mean(shared)),
        },
    )


if __name__ == "__main__":
    main()
