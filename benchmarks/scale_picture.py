"""Cost by size as a picture."""

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt  # after the choice of a backend without a screen
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

Steps = Mapping[str, Mapping[str, Any]]
Line = tuple[str, str, Callable[[Mapping[str, Any]], float], str]
BLUE, RED, GREEN, GREY = "#2563eb", "#c2410c", "#15803d", "#64748b"


def draw(steps: Steps, file: Path) -> None:
    """Draw search, memory, start and users' state by size, both axes logarithmic."""
    figure, panels = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
    _panel(
        panels[0][0],
        "One search of 200 in Milvus, ms",
        [
            ("search/64", "width 64, p50", lambda r: r["search_ms"]["p50"], BLUE),
            ("search/64", "width 64, p99", lambda r: r["search_ms"]["p99"], BLUE),
            ("search/384", "width 384, p50", lambda r: r["search_ms"]["p50"], RED),
            ("search/384", "width 384, p99", lambda r: r["search_ms"]["p99"], RED),
        ],
        steps,
    )
    _panel(
        panels[0][1],
        "Memory, MiB",
        [
            ("search/64", "Milvus, one space of width 64", _server, BLUE),
            ("search/384", "Milvus, one space of width 384", _server, RED),
            ("service", "catalogue in the retrieval service", _of("catalogue_mib"), GREEN),
            ("service", "release in the retrieval service", _of("release_mib"), GREY),
        ],
        steps,
    )
    _panel(
        panels[1][0],
        "Start and switch, s",
        [
            ("service", "catalogue read at the start", _of("catalogue_s"), GREEN),
            ("service", "release read", _of("release_s"), GREY),
            ("users", "gateway started", lambda r: r["gateway"]["start_s"], BLUE),
            (
                "users",
                "uses counted, release new",
                lambda r: r["count_uses_s"]["trained_now"],
                RED,
            ),
        ],
        steps,
    )
    _panel(
        panels[1][1],
        "Users' state in SQLite, ms (p50)",
        [
            ("users", "state read", lambda r: r["read_state_ms"]["p50"], BLUE),
            ("users", "friends' uses read", lambda r: r["friends_ms"]["p50"], GREEN),
            ("users", "event recorded", lambda r: r["record_event_ms"]["p50"], RED),
        ],
        steps,
        "users",
    )
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _of(name: str) -> Callable[[Mapping[str, Any]], float]:
    return lambda result: float(result[name])


def _server(result: Mapping[str, Any]) -> float:
    return float(result["server_mib"]["full"] - result["server_mib"]["empty"])


def _panel(
    axes: Axes, title: str, lines: list[Line], steps: Steps, across: str = "items or users"
) -> None:
    for number, (kind, label, value, colour) in enumerate(lines):
        found = {
            int(key.rpartition("/")[2]): value(result)
            for key, result in steps.items()
            if key.rpartition("/")[0] == kind
        }
        if not found:
            continue
        sizes = sorted(found)
        style = ":" if label.endswith("p99") else "-"
        axes.plot(sizes, [found[size] for size in sizes], style, color=colour, marker="o")
        # Labels stand at the lines' ends, one above the other where lines meet.
        axes.annotate(
            f"{label}: {found[sizes[-1]]:,.4g}",
            (sizes[-1], found[sizes[-1]]),
            xytext=(8, 5 - 11 * (number % 2)),
            textcoords="offset points",
            color=colour,
            fontsize=8,
        )
    axes.set(xscale="log", yscale="log", title=title, xlabel=across)
    # No less than a decade: otherwise what hardly changes looks steep.
    low, high = axes.get_ylim()
    if high < 10 * low:
        middle = math.sqrt(low * high)
        axes.set_ylim(middle / math.sqrt(10), middle * math.sqrt(10))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlim(7_000, 3e7)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
