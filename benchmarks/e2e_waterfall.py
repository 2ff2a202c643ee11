"""Where the time of a Recommend goes, as a picture: a bar for each stage, where it begins."""

from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt  # after the choice of a backend without a screen
from matplotlib.patches import Patch

COLOURS = {
    "gateway": "#475569",
    "retrieval": "#2563eb",
    "ranking": "#c2410c",
    "in between": "#cbd5e1",
}
RANKING = ("features", "score", "select", "reasons")


def draw(served: dict[str, Any], parts: dict[str, Any], file: Path) -> Path:
    """Draw the median stages of one caller's requests, and the parts in one process beside them."""
    bars = bars_of(served)
    figure, axes = plt.subplots(figsize=(10, 0.26 * len(bars) + 1.2), layout="constrained")
    for place, (_, kind, start, taken) in enumerate(bars):
        axes.barh(place, taken, left=start, color=COLOURS[kind], height=0.7)
        axes.annotate(
            f"{taken:.1f}",
            (start + taken, place),
            (4, 0),
            textcoords="offset points",
            fontsize=8,
            va="center",
        )
    axes.set_yticks(range(len(bars)), [label for label, *_ in bars], fontsize=8)
    axes.set_ylim(len(bars) - 0.4, -1.1)
    kinds = [Patch(color=colour) for colour in COLOURS.values()]
    axes.legend(kinds, COLOURS, fontsize=8, frameon=False, loc="center right")
    axes.axvline(parts["both_ms"], color="#16a34a", linestyle="--", linewidth=1)
    axes.annotate(
        f"the parts in one process: {parts['both_ms']:.0f} ms",
        (parts["both_ms"], -0.7),
        (-4, 0),
        textcoords="offset points",
        fontsize=8,
        color="#16a34a",
        ha="right",
        va="center",
    )
    axes.set_xlim(0, max(served["p50_ms"], parts["both_ms"]) * 1.08)
    axes.set_xlabel("ms from the caller's send, medians of one caller's requests")
    axes.grid(axis="x", alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"drawn to {file}")
    return file


def bars_of(served: dict[str, Any]) -> list[tuple[str, str, float, float]]:
    """Return label, kind, begin and length of each bar in ms, as stages follow each other.

    Answers tell how long stages took, not when they began: those of the gateway, and those within
    ranking, come one after the other; sources run side by side, those that need the words' vector
    after it. What no stage accounts for is at the end.
    """
    stages = served["stage_medians_ms"]
    bars: list[tuple[str, str, float, float]] = []

    def add(name: str, kind: str, start: float) -> float:
        taken = float(stages.get(name, 0.0))
        if taken:
            bars.append((name, kind, start, taken))
        return start + taken

    at = add("hydrate", "gateway", 0.0)
    after_retrieve = add("retrieve", "gateway", at)
    add("encode", "retrieval", at)
    sources = sorted(
        (name for name in stages if name.startswith("source_")), key=stages.__getitem__
    )
    ends = [add(name, "retrieval", at) for name in sources]
    add("merge", "retrieval", max(ends, default=at))
    after_rank = add("rank", "gateway", after_retrieve)
    step = after_retrieve
    for name in RANKING:
        step = add(name, "ranking", step)
    at = add("check", "gateway", after_rank)
    bars.append(("all else: gRPC, the gateway's own", "in between", at, served["p50_ms"] - at))
    bars.append(("Recommend (p50)", "gateway", 0.0, served["p50_ms"]))
    return bars
