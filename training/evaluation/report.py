"""The report of an evaluation: what its JSON holds, and in which order systems are told."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Report = Mapping[str, Any]


def write_json(report: Report, file: Path) -> None:
    """Write the report: whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}")
    half.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    half.replace(file)


def ordered(report: Report) -> list[str]:
    """Return the systems' names: the best NDCG@10 first, what gave no lists last."""
    systems = report["systems"]
    return sorted(systems, key=lambda name: -mean_of(systems[name], "ndcg@10"))


def working(report: Report) -> list[str]:
    """Return the names of the systems that gave something, in the same order."""
    return [name for name in ordered(report) if report["systems"][name]["status"] == "ok"]


def mean_of(system: Mapping[str, Any], metric: str) -> float:
    """Return a system's mean of a metric, -1 where it has none."""
    metrics = system["metrics"]
    return float(metrics[metric]["mean"]) if metric in metrics else -1.0


def any_has(report: Report, metric: str) -> bool:
    """Tell whether any system has a metric."""
    return any(metric in system["metrics"] for system in report["systems"].values())
