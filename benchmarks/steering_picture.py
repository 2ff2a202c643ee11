"""The dial of words as a picture: what obeys, and what it costs."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt  # after the choice of a backend without a screen

COLOURS = ("#c2410c", "#64748b")


def draw(points: Sequence[dict[str, Any]], file: Path) -> None:
    """Draw fit and NDCG@10 by the weight of the words, a line for each sentence."""
    figure, panels = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    sentences = list(dict.fromkeys(point["sentence"] for point in points))
    for colour, sentence in zip(COLOURS, sentences, strict=True):
        own = [point for point in points if point["sentence"] == sentence]
        plain, dialled = own[0], own[1:]
        places = range(len(dialled))
        for axes, key in zip(panels, ("fit", "ndcg@10"), strict=True):
            values = [point[key]["mean"] for point in dialled]
            low, high = zip(*(point[key]["ci95"] for point in dialled), strict=True)
            axes.fill_between(places, low, high, color=colour, alpha=0.15, linewidth=0)
            axes.plot(places, values, color=colour, marker="o", label=f"words for {sentence}")
            axes.axhline(plain[key]["mean"], color=colour, linestyle=":", linewidth=1)
            axes.set_xticks(list(places), [f"{point['weight']:g}" for point in dialled])
    titles = ("share of the first ten that fits the words", "NDCG@10 of what they did next")
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, fontsize=10)
        axes.set_xlabel("text_weight; dotted: without words")
        axes.set_ylim(bottom=0)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].legend(fontsize=8, frameon=False, loc="lower right", bbox_to_anchor=(1.0, 0.13))
    figure.savefig(file, dpi=130)
    plt.close(figure)
    print(f"drawn to {file}")
