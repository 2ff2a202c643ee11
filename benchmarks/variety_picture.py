"""Accuracy against diversity as a picture: a line for each way of making lists, by the dial."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt  # after the choice of a backend without a screen

SHOWN = {
    "tandem": ("#c2410c", "o", "Tandem's selector by its dial, 95 % interval"),
    "mmr": ("#2563eb", "s", "maximal marginal relevance"),
    "shuffle": ("#64748b", "^", "shuffle of the best 30"),
}
LABELLED = (0.2, 0.4, 0.6, 0.8, 1.0)


def draw(points: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw NDCG@10 by the distance of the texts, and by the share of categories."""
    figure, panels = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", sharey=True)
    titles = {
        "distance@10": "mean distance (1 - cosine) of the texts of ten",
        "categories@10": "share of the categories that the ten hold",
    }
    for axes, (across, title) in zip(panels, titles.items(), strict=True):
        for name, (colour, marker, label) in SHOWN.items():
            own = [point for point in points if point["system"] == name]
            x = [point[across]["mean"] for point in own]
            y = [point["ndcg@10"]["mean"] for point in own]
            low, high = zip(*(point["ndcg@10"]["ci95"] for point in own), strict=True)
            axes.plot(x, y, color=colour, marker=marker, markersize=4, label=label)
            if name == "tandem":
                axes.fill_between(x, low, high, color=colour, alpha=0.12, linewidth=0)
                for point in own:
                    if point["dial"] in LABELLED:
                        at = (point[across]["mean"], point["ndcg@10"]["mean"])
                        axes.annotate(
                            f"{point['dial']:g}", at, (4, 4), textcoords="offset points", fontsize=8
                        )
        axes.set_xlabel(title)
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("NDCG@10 of what they did next")
    panels[0].legend(fontsize=8, frameon=False, loc="lower left")
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"drawn to {file}")
