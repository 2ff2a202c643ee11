"""What a load test found, step by step: latency, goodput, refusals."""

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

import numpy as np

from tandem_cli.load.schedule import Step
from tandem_cli.load.sender import OK, Outcome

PERCENTILES = (50.0, 90.0, 99.0, 99.9)


def report(
    steps: Sequence[Step], outcomes: Sequence[Outcome], within_s: float
) -> list[dict[str, Any]]:
    """Return the figures of each step that counts; within_s: how soon an answer is good."""
    by_step: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_step[outcome.step].append(outcome)
    return [
        report_of_step(step, by_step[place], within_s)
        for place, step in enumerate(steps)
        if step.counted
    ]


def report_of_step(step: Step, outcomes: Sequence[Outcome], within_s: float) -> dict[str, Any]:
    """Return the figures of one step.

    Goodput counts answers that are full, that is neither degraded nor empty, and came within
    `within_s` of their intended time. Latencies are those of all that was answered, degraded
    answers included; those of refusals and failures stand apart.
    """
    answered = [outcome for outcome in outcomes if outcome.status == OK]
    others = [outcome for outcome in outcomes if outcome.status != OK]
    good = sum(outcome.full and outcome.taken_s <= within_s for outcome in answered)
    degraded = sum(not outcome.full for outcome in answered)
    exhausted = [outcome for outcome in others if outcome.status == "RESOURCE_EXHAUSTED"]
    return {
        "rate_per_s": step.rate,
        "seconds": step.seconds,
        "arrivals": len(outcomes),
        "answered": len(answered),
        "goodput_per_s": good / step.seconds,
        "good_share": good / len(outcomes) if outcomes else None,
        "degraded_share": degraded / len(answered) if answered else None,
        "not_answered": dict(Counter(outcome.status for outcome in others).most_common()),
        "latency_ms": percentiles_ms([outcome.taken_s for outcome in answered]),
        "not_answered_ms": percentiles_ms([outcome.taken_s for outcome in others]),
        "hinted_share": (
            sum(outcome.hinted for outcome in exhausted) / len(exhausted) if exhausted else None
        ),
        "sent_late_ms": percentiles_ms([outcome.late_s for outcome in outcomes]),
        "stage_medians_ms": stage_medians(answered),
    }


def percentiles_ms(seconds: Sequence[float]) -> dict[str, float | None]:
    """Return percentiles by the nearest rank, and the greatest, in milliseconds.

    None where there are too few to have one: a 99th percentile takes a hundred.
    """
    ordered = np.sort(np.array(seconds, float)) * 1e3
    count = len(ordered)
    told: dict[str, float | None] = {}
    for percentile in PERCENTILES:
        # Rounded, as 1 - 0.999 is not quite a thousandth.
        enough = count >= round(100 / (100 - percentile), 6)
        rank = math.ceil(round(count * percentile / 100, 6))
        told[f"p{percentile:g}"] = float(ordered[rank - 1]) if enough else None
    told["max"] = float(ordered[-1]) if count else None
    return told


def stage_medians(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the median milliseconds of each stage, over the answers that have it."""
    times: dict[str, list[float]] = defaultdict(list)
    for outcome in outcomes:
        for stage, taken_ms in outcome.stages_ms.items():
            times[stage].append(taken_ms)
    return {stage: float(np.median(taken)) for stage, taken in times.items()}
