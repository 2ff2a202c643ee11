"""What a report says beside its figures, line by line."""

from training.evaluation.report import Report, working


def notes(report: Report) -> list[str]:
    """Return what must be known beside the figures: failures, degraded answers, samples."""
    systems = report["systems"]
    lines = [
        f"{name}: {system['status']}: {system['why']}"
        for name, system in systems.items()
        if system["status"] != "ok"
    ]
    sampled: dict[int, list[str]] = {}
    for name in working(report):
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
        for metric, found in by_metric.items():
            low, high = found["ci95"]
            lines.append(
                f"{metric}: tandem less {name} is {found['difference']:+.4f} "
                f"[{low:+.4f}, {high:+.4f}], p = {found['p_value']:.4f}"
            )
    return lines
