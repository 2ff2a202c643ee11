"""Pictures of an evaluation's report."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

mpl.use("Agg")

from matplotlib import pyplot as plt  # after the choice of a backend without a screen

from training.evaluation.report import ordered

WHOLE, PARTS, STAGES, BASELINES = "Tandem", "Tandem of some parts", "Tandem's stages", "baselines"
# Tandem's own are shades of one colour; of its parts a hatch tells besides.
COLOURS = {WHOLE: "#c2410c", PARTS: "#ea8a4f", STAGES: "#f9d0b5", BASELINES: "#64748b"}
HATCHES = {PARTS: "///"}
LINES = {WHOLE: "-", PARTS: ":", STAGES: "-", BASELINES: "--"}
CUTS = (5, 10, 20, 50, 200, 500)


def draw(report: Mapping[str, Any], stem: Path) -> list[Path]:
    """Draw ranking quality and candidate recall, and noise where there is any; return the files."""
    names = [n for n in ordered(report) if "ndcg@10" in report["systems"][n]["metrics"]]
    if not names:
        return []
    made = [_bars(report, names, stem), _recall(report, names, stem)]
    if report["noise"]:
        made.append(_noise(report, names, stem))
    return made


def _bars(report: Mapping[str, Any], names: list[str], stem: Path) -> Path:
    figure, axes = plt.subplots(figsize=(7, 0.34 * len(names) + 1.1), layout="constrained")
    for place, name in enumerate(reversed(names)):
        metric = report["systems"][name]["metrics"]["ndcg@10"]
        low, high = metric["ci95"]
        spread = [[metric["mean"] - low], [high - metric["mean"]]]
        axes.barh(place, metric["mean"], height=0.7, **_bar(_kind(name)))
        axes.errorbar(metric["mean"], place, xerr=spread, color="black", capsize=2, linewidth=0.9)
    axes.set_yticks(range(len(names)), list(reversed(names)))
    axes.set_xlabel("NDCG@10, mean and 95 % interval")
    kinds = {_kind(name) for name in names}
    shown = [Patch(label=kind, **_bar(kind)) for kind in COLOURS if kind in kinds]
    axes.legend(handles=shown, fontsize=8, loc="lower right", frameon=False)
    _finish(axes, grid="x")
    return _save(figure, stem, "ndcg")


def _recall(report: Mapping[str, Any], names: list[str], stem: Path) -> Path:
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for name in names:
        metrics = report["systems"][name]["metrics"]
        values = [metrics[f"recall@{k}"]["mean"] for k in CUTS]
        bold = name in ("tandem", "union")
        width = 2.2 if bold else 1.1
        axes.plot(CUTS, values, LINES[_kind(name)], label=name, linewidth=width, marker=".")
    axes.set_xscale("log")
    axes.set_xticks(CUTS, [str(k) for k in CUTS])
    axes.minorticks_off()
    axes.set_xlabel("k")
    axes.set_ylabel("recall@k")
    axes.legend(fontsize=8, ncols=1, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    _finish(axes, grid="both")
    return _save(figure, stem, "recall")


def _noise(report: Mapping[str, Any], names: list[str], stem: Path) -> Path:
    figure, axes = plt.subplots(figsize=(7, 3.8), layout="constrained")
    shares = [0.0, *(float(share) for share in report["noise"])]
    for name in names:
        levels = [found.get(name, {}).get("metrics", {}) for found in report["noise"].values()]
        if not all("ndcg@10" in metrics for metrics in levels):
            continue
        clean = report["systems"][name]["metrics"]["ndcg@10"]["mean"]
        values = [clean, *(metrics["ndcg@10"]["mean"] for metrics in levels)]
        width = 2.2 if name == "tandem" else 1.1
        percents = [100 * share for share in shares]
        axes.plot(percents, values, LINES[_kind(name)], label=name, linewidth=width, marker=".")
    axes.set_xlabel("random interactions, % of the known ones")
    axes.set_ylabel("NDCG@10")
    axes.set_ylim(0, 1.1 * axes.get_ylim()[1])
    axes.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    _finish(axes, grid="both")
    return _save(figure, stem, "noise")


def _kind(name: str) -> str:
    if name.partition(":")[0] == "tandem":
        return WHOLE if name == "tandem" else PARTS
    return STAGES if name == "union" or name.startswith("source:") else BASELINES


def _bar(kind: str) -> dict[str, Any]:
    return {"facecolor": COLOURS[kind], "edgecolor": "white", "hatch": HATCHES.get(kind)}


def _finish(axes: Axes, grid: str) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(visible=True, axis=grid, alpha=0.3)  # type: ignore[arg-type]  # one of its literals
    axes.set_axisbelow(True)


def _save(figure: Figure, stem: Path, what: str) -> Path:
    file = stem.with_name(f"{stem.name}-{what}.png")
    figure.savefig(file, dpi=130)
    plt.close(figure)
    return file
