"""The page of an evaluation's report, in Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from training.evaluation.notes import notes, significance_lines
from training.evaluation.report import Report
from training.evaluation.tables import (
    SLICE_METRIC,
    added_table,
    labels_table,
    metrics_table,
    noise_table,
    ranking_table,
    slices_table,
)

LISTS = ("coverage@10", "novelty@10", "diversity@10", "exposure_gini@10")
RECALLS = ("recall@50", "recall@200", "recall@500")
OPTIONS = {"loo": ("targets", "folds"), "time": ("cut", "cut_ms", "liked"), "given": ()}


def markdown(report: Report, pictures: Sequence[Path]) -> str:
    """Return the page."""
    data, trial, machine = report["data"], report["trial"], report["hardware"]
    told = [key for key in OPTIONS[report["protocol"]] if trial[key]]
    options = ", ".join(f"{key} {trial[key]}" for key in told)
    lines = [
        f"# {data['name']}, protocol {report['protocol']}" + (f" ({options})" if options else ""),
        "",
        f"{data['users']:,} users, {data['items']:,} items, {data['events']:,} events; seen items "
        f"{'may be' if data['repeat'] else 'are not'} recommended again. "
        f"{trial['requests']:,} of {trial['requests_all']:,} requests of {trial['users_asked']:,} "
        f"users, the full catalogue ranked for each. Seeds {', '.join(map(str, report['seeds']))}.",
        "",
        "Means with 95 % bootstrap intervals over users. `tandem`, `union` and `source:...` were "
        "asked through the served path.",
        "",
        *_table(*ranking_table(report)),
        "",
    ]
    if (labels := labels_table(report))[1]:
        lines += [*_table(*labels), ""]
    lines += [f"- {line}" for line in (*notes(report), *significance_lines(report))]
    lines += [f"\n![{picture.stem}]({picture.name})" for picture in pictures]
    lines += ["", "## Candidate recall", "", *_table(*metrics_table(report, RECALLS)), ""]
    if report.get("added"):
        lines += ["## What each source adds to the union", "", *_table(*added_table(report)), ""]
    lines += ["## Lists", "", *_table(*metrics_table(report, LISTS)), ""]
    lines += [f"## {SLICE_METRIC} by slice", "", *_table(*slices_table(report)), ""]
    if report["noise"]:
        lines += ["## Random interactions in what is known", "", *_table(*noise_table(report)), ""]
    lines += _serving_lines(report)
    lines += [
        "## Run",
        "",
        f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gib']} GiB"
        + "".join(f", {gpu}" for gpu in machine["gpus"])
        + "; "
        + ", ".join(f"{name} {version}" for name, version in report["versions"].items())
        + f". Data fingerprint {data['fingerprint'][:12]}.",
        "",
    ]
    return "\n".join(lines)


def _serving_lines(report: Report) -> list[str]:
    runs = report["systems"].get("tandem", {}).get("runs", [])
    if not runs or "serving" not in runs[0]:
        return []
    lines = ["## The served path", ""]
    for run in runs:
        told = run["serving"]
        latency = told.get("recommend_ms")
        skipped = ", ".join(f"{what} {times:,}" for what, times in told["skipped"].items())
        memory = ", ".join(f"{name} {mib:,.0f}" for name, mib in told["memory_mib"].items())
        lines.append(
            f"- {run['release_id']}: {told['degraded']:,} degraded answers"
            + (
                f"; Recommend p50 {latency['p50']:.0f} ms, p95 {latency['p95']:.0f} ms"
                if latency
                else ""
            )
            + (f"; skipped stages: {skipped}" if skipped else "")
            + (f"; memory in MiB: {memory}" if memory else "")
            + "."
            + _parity_line(told.get("parity"))
        )
    return [*lines, ""]


def _parity_line(parity: Mapping[str, float] | None) -> str:
    if not parity:
        return ""
    return (
        f" Against exact sources in process, on {parity['requests']} requests: the first item is "
        f"the same in {parity['same_first']:.0%}; of the first ten {parity['shared_of_10']:.1%} "
        f"and of the candidates {parity['shared_candidates']:.1%} are."
    )


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    lines = [f"| {' | '.join(heading)} |", f"|{'---|' * len(heading)}"]
    return lines + [f"| {' | '.join(row)} |" for row in rows]
