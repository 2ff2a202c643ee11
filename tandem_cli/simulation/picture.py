"""A simulation as a picture: satisfaction by day, an arm a line."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt  # after the choice of a backend without a screen

COLOURS = ("#c2410c", "#64748b", "#0f766e", "#a16207")


def draw(found: Mapping[str, Any], file: Path) -> None:
    """Draw satisfaction by day with its intervals, and from which day on ours is ahead."""
    figure, axes = plt.subplots(figsize=(7.5, 4.2), layout="constrained")
    days = range(1, found["days"]["days"] + 1)
    ours = found["ours"]
    names = sorted(found["arms"], key=lambda name: name != ours)
    for name, colour in zip(names, COLOURS, strict=False):
        arm = found["arms"][name]
        means = [day["mean"] for day in arm["satisfaction"]]
        low, high = zip(*(day["ci95"] for day in arm["satisfaction"]), strict=True)
        axes.fill_between(days, low, high, color=colour, alpha=0.12, linewidth=0)
        width = 2.4 if name == ours else 1.4
        axes.plot(days, means, color=colour, linewidth=width, marker="o", markersize=3, label=name)
        for day, done in zip(days, arm["nights"], strict=True):
            if "serves" in done and "stays out" not in done:
                axes.axvline(day + 0.5, color=colour, alpha=0.18, linewidth=0.8)
    told = [
        f"ahead of {name} from day {ahead['from_day']} on: {ahead['difference']:+.3f} "
        f"[{ahead['ci95'][0]:+.3f}, {ahead['ci95'][1]:+.3f}]"
        if ahead["from_day"]
        else f"not ahead of {name} at the end"
        for name, ahead in found["ahead"].items()
    ]
    axes.set_title("\n".join(told), fontsize=9, loc="left")
    axes.set_xlabel("day; thin lines: a new release serves from then on")
    axes.set_ylabel("satisfaction with a list")
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(fontsize=8, frameon=False, loc="lower right")
    figure.savefig(file, dpi=130)
    plt.close(figure)
