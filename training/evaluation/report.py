"""The report of an evaluation as tables and as a page, from what its JSON holds."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Report = Mapping[str, Any]
RANKING = ("ndcg@10", "hr@10", "mrr", "recall@200")
LABELS = ("auc", "uauc", "log_loss", "ece")
LISTS = ("coverage@10", "novelty@10", "diversity@10", "exposure_gini@10")
RECALLS = ("recall@50", "recall@200", "recall@500")
SLICE_METRIC = "ndcg@10"
OPTIONS = {"loo": ("targets", "folds"), "time": ("cut", "cut_ms", "liked"), "given": ()}
DASH = "-"


def write_json(report: Report, file: Path) -> None:
    """Write the report: whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}")
    half.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    half.replace(file)


def ordered(report: Report) -> list[str]:
    """Return the systems' names: the best NDCG@10 first, what gave no lists last."""

    systems = report["systems"]
    return sorted(systems, key=lambda name: -_mean(systems[name], "ndcg@10"))


def ranking_table(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows: ranking metrics with intervals, time and memory."""
    shown = [name for name in RANKING if _any_has(report, name)]
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


def labels_table(report: Report) -> tuple[list[str], list[list[str]]]:
    """Return heading and rows of the systems that scored labelled rows; there may be none."""
    shown = [name for name in LABELS if _any_has(report, name)]
    systems = report["systems"]
    rows = [
        [name, *(cell(systems[name]["metrics"].get(metric)) for metric in shown)]
        for name in sorted(_working(report), key=lambda n: -_mean(systems[n], "auc"))
        if "auc" in systems[name]["metrics"]
    ]
    return ["system", *shown], rows


def notes(report: Report) -> list[str]:
    """Return what must be known beside the figures: failures, degraded answers, samples."""
    systems = report["systems"]
    lines = [
        f"{name}: {system['status']}: {system['why']}"
        for name, system in systems.items()
        if system["status"] != "ok"
    ]
    sampled: dict[int, list[str]] = {}
    for name in _working(report):
        if 0 < (asked := systems[name]["requests"]) < report["trial"]["requests"]:
            sampled.setdefault(asked, []).append(name)
    for asked, names in sampled.items():
        lines.append(f"asked for a sample of {asked:,} of the requests: {', '.join(names)}")
    asked, every = report["trial"]["requests"], report["trial"]["requests_all"]
    if asked < every:
        lines.append(f"all systems: a sample of {asked:,} of {every:,} requests, the same for each")
    for run in report["systems"].get("tandem", {}).get("runs", []):
        if run.get("in_process"):
            lines.append("tandem and its stages were asked in process, NOT through the served path")
        if degraded := run.get("serving", {}).get("degraded", 0):
            why = ", ".join(
                f"{what} {times:,}" for what, times in run["serving"]["skipped"].items()
            )
            lines.append(f"tandem: {degraded:,} answers were DEGRADED ({why})")
    return lines


def significance_lines(report: Report) -> list[str]:
    """Return lines: the whole of Tandem against the best baseline, and against its parts."""
    lines = []
    for metric, found in report["significance"].items():
        low, high = found["ci95"]
        ratio = f"{found['ratio']:.3f} times" if found["ratio"] else "no ratio to"
        lines.append(
            f"{metric}: tandem is {ratio} {found['best_baseline']}, the best baseline; difference "
            f"{found['difference']:+.4f} [{low:+.4f}, {high:+.4f}], p = {found['p_value']:.4f}"
        )
    for name, by_metric in report["ablation"].items():
        found = by_metric["ndcg@10"]
        low, high = found["ci95"]
        lines.append(
            f"ndcg@10: tandem less {name} is {found['difference']:+.4f} [{low:+.4f}, {high:+.4f}], "
            f"p = {found['p_value']:.4f}"
        )
    return lines


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
    lines += ["", "## Candidate recall", "", *_metrics_table(report, RECALLS), ""]
    lines += ["## Lists", "", *_metrics_table(report, LISTS), ""]
    lines += [f"## {SLICE_METRIC} by slice", "", *_slices_table(report), ""]
    if report["noise"]:
        lines += ["## Random interactions in what is known", "", *_noise_table(report), ""]
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


def cell(metric: Mapping[str, Any] | None) -> str:
    """Return a mean and its interval as text."""
    if metric is None:
        return DASH
    if metric["ci95"] is None:
        return f"{metric['mean']:.4f}"
    low, high = metric["ci95"]
    return f"{metric['mean']:.4f} [{low:.4f}, {high:.4f}]"


def _mean(system: Mapping[str, Any], metric: str) -> float:
    metrics = system["metrics"]
    return float(metrics[metric]["mean"]) if metric in metrics else -1.0


def _any_has(report: Report, metric: str) -> bool:
    return any(metric in system["metrics"] for system in report["systems"].values())


def _working(report: Report) -> list[str]:
    return [name for name in ordered(report) if report["systems"][name]["status"] == "ok"]


def _metrics_table(report: Report, names: Sequence[str]) -> list[str]:
    shown = [name for name in names if _any_has(report, name)]
    rows = [
        [name, *(cell(report["systems"][name]["metrics"].get(metric)) for metric in shown)]
        for name in _working(report)
    ]
    return _table(["system", *shown], rows)


def _slices_table(report: Report) -> list[str]:
    working = _working(report)
    slices = dict.fromkeys(s for name in working for s in report["systems"][name]["slices"])
    rows = []
    for name in working:
        own = report["systems"][name]["slices"]
        means = [f"{own[s][SLICE_METRIC]['mean']:.4f}" if s in own else DASH for s in slices]
        rows.append([name, *means])
    first = report["systems"][working[0]]["slices"] if working else {}
    heading = [f"{s} ({first[s]['requests']:,})" if s in first else s for s in slices]
    return _table(["system", *heading], rows)


def _noise_table(report: Report) -> list[str]:
    shares = list(report["noise"])
    rows = []
    for name in _working(report):
        cells = [cell(report["systems"][name]["metrics"].get("ndcg@10"))]
        for share in shares:
            found = report["noise"][share].get(name, {})
            change = found.get("change", {}).get("ndcg@10")
            mean = found.get("metrics", {}).get("ndcg@10")
            cells.append(
                f"{mean['mean']:.4f} ({change['difference']:+.4f})" if mean and change else DASH
            )
        rows.append([name, *cells])
    return _table(["system", "none", *(f"{float(share):.0%}" for share in shares)], rows)


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
