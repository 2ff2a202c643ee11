"""Cost by size as a picture."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot as plt  # after the choice of a backend without a screen
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

Steps = Mapping[str, Mapping[str, Any]]
Value = Callable[[Mapping[str, Any]], float]
BLUE, RED, GREEN, GREY, GOLD = "#2563eb", "#c2410c", "#15803d", "#64748b", "#a16207"
LINE_POINTS = 10


def _at(*path: str) -> Value:
    """Return what reads a figure of a step's result."""

    def read(result: Mapping[str, Any]) -> float:
        found: Any = result
        for name in path:
            found = found[name]
        return float(found)

    return read


def _server(result: Mapping[str, Any]) -> float:
    return float(result["server_mib"]["full"] - result["server_mib"]["empty"])


@dataclass(frozen=True)
class Line:
    """One line of a panel: what is read of the steps of a kind; p99 are dotted."""

    kind: str
    label: str
    value: Value
    colour: str


# Row by row.
PANELS: Mapping[str, Sequence[Line]] = {
    "One search of 200 in Milvus, ms": [
        Line("search/64", "width 64, p50", _at("search_ms", "p50"), BLUE),
        Line("search/64", "width 64, p99", _at("search_ms", "p99"), BLUE),
        Line("search/384", "width 384, p50", _at("search_ms", "p50"), RED),
        Line("search/384", "width 384, p99", _at("search_ms", "p99"), RED),
    ],
    "Memory, MiB": [
        Line("search/64", "Milvus, one space of width 64", _server, BLUE),
        Line("search/384", "Milvus, one space of width 384", _server, RED),
        Line("service", "catalogue in the retrieval service", _at("catalogue_mib"), GREEN),
        Line("service", "release in the retrieval service", _at("release_mib"), GREY),
        Line("ranking", "release in the ranking service", _at("release_mib"), GOLD),
    ],
    "Rank of 200 candidates behind 50 events, ms": [
        Line("ranking", "all of it, p50", _at("rank_ms", "p50"), BLUE),
        Line("ranking", "all of it, p99", _at("rank_ms", "p99"), BLUE),
        Line("ranking", "features, p50", _at("features_ms", "p50"), RED),
        Line("ranking", "features, p99", _at("features_ms", "p99"), RED),
    ],
    "Start and switch, s": [
        Line("service", "catalogue read at the start", _at("catalogue_s"), GREEN),
        Line("service", "release read for retrieval", _at("release_s"), GREY),
        Line("ranking", "release read for ranking", _at("release_s"), GOLD),
        Line("users", "gateway started", _at("gateway", "start_s"), BLUE),
        Line("users", "uses counted, release new", _at("count_uses_s", "trained_now"), RED),
    ],
    "Users' state in SQLite, ms (p50)": [
        Line("users", "state read", _at("read_state_ms", "p50"), BLUE),
        Line("users", "friends' uses read", _at("friends_ms", "p50"), GREEN),
        Line("users", "event recorded", _at("record_event_ms", "p50"), RED),
    ],
    "Sources that answer from memory, ms (p50)": [
        Line("service", name, _at("sources_ms", name, "p50"), colour)
        for name, colour in (
            ("popular", BLUE),
            ("lexical", GREEN),
            ("tags", RED),
            ("similar", GREY),
            ("friends", GOLD),
        )
    ],
}


def draw(steps: Steps, file: Path) -> None:
    """Draw what each costs by size, on logarithmic axes."""
    figure, panels = plt.subplots(2, 3, figsize=(17, 8), layout="constrained")
    for axes, (title, lines) in zip(panels.flat, PANELS.items(), strict=True):
        _panel(axes, title, lines, steps)
    figure.savefig(file, dpi=110)
    plt.close(figure)


def _panel(axes: Axes, title: str, lines: Sequence[Line], steps: Steps) -> None:
    ends: list[tuple[float, float, str, str]] = []
    for line in lines:
        found = {
            int(key.rpartition("/")[2]): line.value(result)
            for key, result in steps.items()
            if key.rpartition("/")[0] == line.kind
        }
        if not found:
            continue
        sizes = sorted(found)
        style = ":" if line.label.endswith("p99") else "-"
        axes.plot(sizes, [found[size] for size in sizes], style, color=line.colour, marker="o")
        last = found[sizes[-1]]
        ends.append((last, sizes[-1], f"{line.label}: {last:,.4g}", line.colour))
    across = sorted({"users" if line.kind == "users" else "items" for line in lines})
    axes.set(xscale="log", yscale="log", title=title, xlabel=" or ".join(across))
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
