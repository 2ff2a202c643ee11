"""What the outcomes of systems come to, as the report holds it."""

from collections.abc import Mapping
from typing import Any

from tandem_cli.evaluation.outcomes import Outcomes
from training.evaluation.answers import WITHOUT
from training.evaluation.measure import Measure, Values


def measured(outcomes: Outcomes) -> tuple[Measure, dict[str, Any], dict[str, Values]]:
    """Return the `systems` of the report, and every system's values request by request."""
    measure = Measure(outcomes.trials, outcomes.vectors)
    systems: dict[str, Any] = {}
    values: dict[str, Values] = {}
    for name, seeds in outcomes.results.items():
        values[name] = measure.values(seeds)
        runs = [result.about for folds in seeds for result in folds]
        known = [about for about in runs if about.get("seconds") is not None]
        peaks = [about["peak_rss_mib"] for about in runs if about.get("peak_rss_mib")]
        systems[name] = {
            "status": "ok",
            **measure.report(name, seeds, values[name]),
            "seconds": round(sum(a["seconds"] for a in known) / len(known), 1) if known else None,
            "peak_rss_mib": max(peaks) if peaks else None,
            "settings": runs[0].get("settings", {}),
            "runs": runs,
        }
    for name, failure in outcomes.failures.items():
        status = "failed" if failure.applies else "not applicable"
        systems[name] = {"status": status, "why": str(failure), "metrics": {}}
    return measure, systems, values


def degradation(levels: Mapping[float, Outcomes], clean: Mapping[str, Values]) -> dict[str, Any]:
    """Return by share of noise and system: the metrics, and the change from no noise."""
    report: dict[str, Any] = {}
    for share, outcomes in levels.items():
        if not share:
            continue
        measure, systems, values = measured(outcomes)
        report[f"{share:g}"] = {
            name: {
                "metrics": system["metrics"],
                "change": {
                    metric: measure.difference(values[name], clean[name], metric)
                    for metric in ("ndcg@10", "hr@10")
                }
                if name in values and name in clean
                else {},
                "status": system["status"],
            }
            for name, system in systems.items()
            if not name.startswith(WITHOUT)
        }
    return report
