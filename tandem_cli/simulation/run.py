"""A simulation: every arm meets the same people on the same days."""

import asyncio
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from features.release import open_release
from sample_world import read_truth
from sample_world.life import Life
from tandem_cli.console import say
from tandem_cli.encoders import ENCODERS, encoder_of
from tandem_cli.evaluation.temporary_stack import temporary_stack
from tandem_cli.ingestion import ingest
from tandem_cli.simulation.arm import Arm
from tandem_cli.simulation.popular import Popular
from tandem_cli.simulation.served import Retraining, Served
from tandem_cli.stack.first_ingestion import wait_for_index
from tandem_client import TandemClient
from training.datasets import open_dataset

POPULAR = "popular of 7 days"


@dataclass(frozen=True)
class Days:
    """What is simulated: so many days with so many visits each, and lists of so many items."""

    days: int
    visits: int
    list_items: int = 10
    seed: int = 1


@dataclass
class Diary:
    """What came of an arm. satisfaction: of each visit, day by day. taken: items, by day."""

    satisfaction: list[list[float]]
    taken: list[int]
    nights: list[str]


def live_through(name: str, arm: Arm, world: Path, days: Days) -> Diary:
    """Have an arm serve all days."""
    life = Life(read_truth(world), days.days, days.seed)
    diary = Diary([], [], [])
    for day in range(days.days):
        satisfied, taken = [], 0
        for visit in life.visits(day, days.visits):
            shown = arm.list_for(visit, days.list_items)
            satisfied.append(life.satisfaction(visit, shown))
            reactions = life.react(visit, shown)
            taken += sum(reaction.action == "view" for reaction in reactions)
            if reactions:
                arm.hear(visit, reactions)
        diary.satisfaction.append(satisfied)
        diary.taken.append(taken)
        # Nobody would see what the last night brings.
        diary.nights.append(arm.night(day) if day + 1 < days.days else "")
        mean = float(np.mean(satisfied))
        say(f"{name}, day {day + 1}: satisfaction {mean:.4f}, {taken} items taken")
    return diary


async def live(
    work: Path, days: Days, ours: str, retrain_every: int, options: Sequence[str]
) -> dict[str, Diary]:
    """Have every arm live through the days, one after the other; return their diaries by name.

    work: holds the world and its first release. options: of `tandem train`.
    """
    world = work / "world"
    dataset = open_dataset(str(world), rejects=None)
    diaries = {POPULAR: live_through(POPULAR, Popular(dataset), world, days)}
    first = open_release(work / "releases" / "first")
    encoder = encoder_of(first, ENCODERS)
    # Every list is learned from: there are few.
    os.environ["TANDEM_GATEWAY_FEATURE_LOG_SHARE"] = "1"
    for name, every in ((ours, retrain_every), (f"{ours}, never retrained", 0)):
        async with temporary_stack(first, encoder, work / "stacks") as stack:
            at = (stack.at.gateway, stack.at.retrieval)
            with TandemClient(*at) as client:
                await asyncio.to_thread(ingest, client, dataset)
                await wait_for_index(stack.at.retrieval)
                trained = [*options, "--encoder-target", stack.encoder]
                arm = Served(client, at, Retraining(every, work / "releases", trained))
                diaries[name] = await asyncio.to_thread(live_through, name, arm, world, days)
    return diaries
