"""A load test's report for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

HEADINGS = ("Offered", "Sent", "Goodput", "Good", "Degraded", "p50", "p90", "p99", "p99.9", "Else")
# Above this the sender itself is short of processor time, and its figures tell of that.
LATE_MS = 10.0


def print_report(console: Console, steps: Sequence[Mapping[str, Any]]) -> None:
    """Print a line for each step, and warnings below."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in HEADINGS:
        table.add_column(heading, justify="left" if heading == "Else" else "right")
    for step in steps:
        latency = step["latency_ms"]
        table.add_row(
            f"{step['rate_per_s']:.1f}/s",
            f"{step['arrivals']:,}",
            f"{step['goodput_per_s']:.1f}/s",
            _share(step["good_share"]),
            _share(step["degraded_share"]),
            *(_ms(latency[name]) for name in ("p50", "p90", "p99", "p99.9")),
            _others(step),
        )
    console.print(table)
    console.print(
        "Times run from the moment at which a request was meant to be sent. Goodput: answers in "
        "full and in time."
    )
    late = max((step["sent_late_ms"]["p99"] or 0.0 for step in steps), default=0.0)
    if late > LATE_MS:
        console.print(
            f"Requests were sent up to {late:.0f} ms late (p99): this machine was short of "
            "processor time, and the times above hold that, too."
        )


def _others(step: Mapping[str, Any]) -> str:
    told = [f"{code} {count:,}" for code, count in step["not_answered"].items()]
    if told and (median := step["not_answered_ms"]["p50"]) is not None:
        told.append(f"after {median:.0f} ms (p50)")
    return ", ".join(told)


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f} ms"
