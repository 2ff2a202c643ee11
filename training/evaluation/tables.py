"""The tables of an evaluation's report: heading and rows of text, a row for each system."""

from collections.abc import Mapping, Sequence
from typing import Any

from training.evaluation.report import Report, any_has, mean_of, ordered, working

RANKING = ("ndcg@10", "hr@10", "mrr", "recall@200")
LABELS = ("auc", "uauc", "log_loss", "ece")
SLICE_METRIC = "ndcg@10"
DASH = "-"
Table = tuple[list[str], list[list[str]]]


def ranking_table(report: Report) -> Table:
    """Return heading and rows: ranking metrics with intervals, time and memory."""
    shown = [name for name in RANKING if any_has(report, name)]
    rows = []
    for name in ordered(report):
        system = report["systems"][name]
        if system["status"] != "ok":
            rows.append([name, system["status"], *[""] * (len(shown) + 1)])
            continue
        cells = [cell(system["metrics"].get(metric)) for metric in shown]
        seconds, peak = system["seconds"], system["peak_rss_mib"]
        rows.append(
            [
                name,
                *cells,
                DASH if seconds is None else f"{seconds:,.0f}",
                DASH if peak is None else f"{peak:,.0f}",
            ]
        )
    return ["system", *shown, "seconds", "MiB"], rows


def labels_table(report: Report) -> Table:
    """Return heading and rows of the systems that scored labelled rows; there may be none."""
    shown = [name for name in LABELS if any_has(report, name)]
    systems = report["systems"]
    rows = [
        [name, *(cell(systems[name]["metrics"].get(metric)) for metric in shown)]
        for name in sorted(working(report), key=lambda n: -mean_of(systems[n], "auc"))
        if "auc" in systems[name]["metrics"]
    ]
    return ["system", *shown], rows


def metrics_table(report: Report, names: Sequence[str]) -> Table:
    """Return heading and rows: some metrics, with intervals."""
    shown = [name for name in names if any_has(report, name)]
    rows = [
        [name, *(cell(report["systems"][name]["metrics"].get(metric)) for metric in shown)]
        for name in working(report)
    ]
    return ["system", *shown], rows


def added_table(report: Report) -> Table:
    """Return heading and rows: what the union of candidates would lack without each source."""
    added = report["added"]
    shown = list(dict.fromkeys(metric for found in added.values() for metric in found))
    rows = [
        [name, *(signed(found[metric]) for metric in shown)]
        for name, found in sorted(added.items(), key=lambda one: -one[1][shown[-1]]["difference"])
    ]
    return ["source", *shown], rows


def slices_table(report: Report) -> Table:
    """Return heading and rows: the mean of SLICE_METRIC in each slice, with its requests."""
    names = working(report)
    slices = dict.fromkeys(s for name in names for s in report["systems"][name]["slices"])
    rows = []
    for name in names:
        own = report["systems"][name]["slices"]
        means = [f"{own[s][SLICE_METRIC]['mean']:.4f}" if s in own else DASH for s in slices]
        rows.append([name, *means])
    first = report["systems"][names[0]]["slices"] if names else {}
    heading = [f"{s} ({first[s]['requests']:,})" if s in first else s for s in slices]
    return ["system", *heading], rows


def noise_table(report: Report) -> Table:
    """Return heading and rows: NDCG@10 by share of noise, and the change from none."""
    shares = list(report["noise"])
    rows = []
    for name in working(report):
        cells = [cell(report["systems"][name]["metrics"].get("ndcg@10"))]
        for share in shares:
            found = report["noise"][share].get(name, {})
            change = found.get("change", {}).get("ndcg@10")
            mean = found.get("metrics", {}).get("ndcg@10")
            cells.append(
                f"{mean['mean']:.4f} ({change['difference']:+.4f})" if mean and change else DASH
            )
        rows.append([name, *cells])
    return ["system", "none", *(f"{float(share):.0%}" for share in shares)], rows


def signed(found: Mapping[str, Any]) -> str:
    """Return a difference and its interval as text."""
    low, high = found["ci95"]
    return f"{found['difference']:+.4f} [{low:+.4f}, {high:+.4f}]"


def cell(metric: Mapping[str, Any] | None) -> str:
    """Return a mean and its interval as text."""
    if metric is None:
        return DASH
    if metric["ci95"] is None:
        return f"{metric['mean']:.4f}"
    low, high = metric["ci95"]
    return f"{metric['mean']:.4f} [{low:.4f}, {high:.4f}]"
