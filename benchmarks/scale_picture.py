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
BLUE, RED, GREEN, GREY, GOLD = "#2563eb", "#c2410c", "#15803d", "#64748b", "#a16207"
LINE_POINTS = 10
SOURCES = ("popular", "lexical", "tags", "similar", "friends")


def draw(steps: Steps, file: Path) -> None:
    """Draw what each costs by size, on logarithmic axes."""
    figure, panels = plt.subplots(2, 3, figsize=(17, 8), layout="constrained")
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
            ("ranking", "release in the ranking service", _of("release_mib"), GOLD),
        ],
        steps,
    )
    _panel(
        panels[1][0],
        "Start and switch, s",
        [
            ("service", "catalogue read at the start", _of("catalogue_s"), GREEN),
            ("service", "release read for retrieval", _of("release_s"), GREY),
            ("ranking", "release read for ranking", _of("release_s"), GOLD),
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
        panels[0][2],
        "Rank of 200 candidates behind 50 events, ms",
        [
            ("ranking", "all of it, p50", lambda r: r["rank_ms"]["p50"], BLUE),
            ("ranking", "all of it, p99", lambda r: r["rank_ms"]["p99"], BLUE),
            ("ranking", "features, p50", lambda r: r["features_ms"]["p50"], RED),
            ("ranking", "features, p99", lambda r: r["features_ms"]["p99"], RED),
        ],
        steps,
    )
    _panel(
        panels[1][2],
        "Sources that answer from memory, ms (p50)",
        [
            ("service", name, _source(name), colour)
            for name, colour in zip(SOURCES, (BLUE, GREEN, RED, GREY, GOLD), strict=True)
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


def _source(name: str) -> Callable[[Mapping[str, Any]], float]:
    return lambda result: float(result["sources_ms"][name]["p50"])


def _server(result: Mapping[str, Any]) -> float:
    return float(result["server_mib"]["full"] - result["server_mib"]["empty"])


def _panel(
    axes: Axes, title: str, lines: list[Line], steps: Steps, across: str = "items or users"
) -> None:
    ends: list[tuple[float, float, str, str]] = []
    for kind, label, value, colour in lines:
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
        last = found[sizes[-1]]
        ends.append((last, sizes[-1], f"{label}: {last:,.4g}", colour))
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
    _label(axes, sorted(ends))


def _label(axes: Axes, ends: list[tuple[float, float, str, str]]) -> None:
    """Write at the lines' ends what they are, from below, none over another."""
    axes.figure.canvas.draw()  # so that it is known where they end
    free = -math.inf
    for value, size, text, colour in ends:
        end = axes.transData.transform((size, value))[1] * 72 / axes.figure.dpi
        at = max(end, free)
        axes.annotate(
            text,
            (size, value),
            xytext=(8, at - end - 3),
            textcoords="offset points",
            color=colour,
            fontsize=8,
        )
        free = at + LINE_POINTS
