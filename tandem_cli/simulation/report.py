"""What a simulation found: satisfaction by day, and from which day on who is ahead."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from sample_world import read_truth
from sample_world.life import Life
from tandem_cli.simulation.run import Days, Diary
from training.evaluation.intervals import UserBootstrap


def report(diaries: Mapping[str, Diary], ours: str, world: Path, days: Days) -> dict[str, Any]:
    """Return means and intervals by day and arm, and from which day on ours is ahead of each."""
    life = Life(read_truth(world), days.days, days.seed)
    users = [[visit.user_id for visit in life.visits(day, days.visits)] for day in range(days.days)]
    arms: dict[str, Any] = {}
    for name, diary in diaries.items():
        daily = []
        for own, values in zip(users, diary.satisfaction, strict=True):
            codes = np.unique(own, return_inverse=True)[1]
            daily.append(UserBootstrap(codes).means(np.array(values)[:, None])[0])
        arms[name] = {"satisfaction": daily, "taken": diary.taken, "nights": diary.nights}
    ahead = {name: _ahead(diaries[ours], diary, users) for name, diary in diaries.items()}
    del ahead[ours]
    return {"days": asdict(days), "ours": ours, "arms": arms, "ahead": ahead}


def _ahead(ours: Diary, other: Diary, users: list[list[str]]) -> dict[str, Any]:
    """Return from which day on, counted from 1, ours is ahead for good, and by how much then."""
    means = [
        (float(np.mean(a)), float(np.mean(b)))
        for a, b in zip(ours.satisfaction, other.satisfaction, strict=True)
    ]
    behind = [day for day, (mine, theirs) in enumerate(means, start=1) if mine <= theirs]
    start = behind[-1] + 1 if behind else 1
    if start > len(means):
        return {"from_day": None}
    later = slice(start - 1, None)
    mine, theirs = (
        np.concatenate([np.array(day) for day in diary.satisfaction[later]])
        for diary in (ours, other)
    )
    codes = np.unique(np.concatenate(users[later]), return_inverse=True)[1]
    return {"from_day": start, **UserBootstrap(codes).difference(mine, theirs)}


def write(found: Mapping[str, Any], path: Path) -> None:
    """Write a report as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
