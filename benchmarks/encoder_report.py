"""What the rounds of `benchmarks.encoder` say together."""

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table

COSINE_LEAST = 0.999
DEFAULTS = "defaults"


def summarise(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return medians over the rounds, and ratios to the bare engine and to each peer."""

    def median(read: Callable[[dict[str, Any]], float]) -> float:
        return statistics.median(read(one) for one in rounds)

    first = rounds[0]
    bare = {
        rows: median(lambda one, rows=rows: one["bare"]["rates"][rows])  # type: ignore[misc]
        for rows in first["bare"]["rates"]
    }
    best = max(bare, key=lambda rows: bare[rows])
    peers: dict[str, Any] = {}
    for peer, variants in first["peers"].items():
        for variant, found in variants.items():
            rates = {
                count: median(
                    lambda one, p=peer, v=variant, c=count: one["peers"][p][v]["texts_per_s"][c]  # type: ignore[misc]
                )
                for count in found["texts_per_s"]
            }
            cpu_ms = {
                count: median(
                    lambda one, p=peer, v=variant, c=count: one["peers"][p][v]["cpu_ms"][c]  # type: ignore[misc]
                )
                for count in rates
            }
            rest = {key: found[key] for key in ("settings", "cosine_to_fp32")}
            peers.setdefault(peer, {})[variant] = {**rest, "texts_per_s": rates, "cpu_ms": cpu_ms}
    through_triton = []
    for count in first["served"]:
        medians = {
            key: median(lambda one, c=count, k=key: one["served"][c][k])  # type: ignore[misc]
            for key in ("texts_per_s", "p50_ms", "p99_ms", "cpu_ms")
        }
        rate = medians["texts_per_s"]
        ratios = {
            peer: {
                "of_defaults": rate / variants[DEFAULTS]["texts_per_s"][count],
                "of_best": rate / max(_comparable(variants, count).values()),
                "best": max(_comparable(variants, count).items(), key=lambda pair: pair[1])[0],
            }
            for peer, variants in peers.items()
        }
        of_bare = rate / bare[best]
        through_triton.append(
            {"concurrency": int(count), **medians, "of_bare": of_bare, "peers": ratios}
        )
    return {
        "engine": first["bare"]["engine"],
        "bare_texts_per_s": bare,
        "bare_best_batch": best,
        "bare_cpu_ms": median(lambda one: one["bare"]["cpu_ms"][best]),
        "bare_padding_share": median(lambda one: one["bare"]["padding_share"]),
        "through_triton": through_triton,
        "cosine_to_fp32": min(one["cosine_to_fp32"] for one in rounds),
        "padding_share": median(lambda one: one["padding_share"]),
        "peers": peers,
    }


def _comparable(variants: Mapping[str, Any], count: str) -> dict[str, float]:
    """Return the rates of settings whose vectors are as good as ours have to be."""
    return {
        name: found["texts_per_s"][count]
        for name, found in variants.items()
        if found["cosine_to_fp32"] >= COSINE_LEAST
    }


def show(result: Mapping[str, Any]) -> None:
    """Print the medians as tables."""
    best = result["bare_best_batch"]
    low, high = result["settings"]["tokens"]
    table = Table(title=f"Texts of {low}-{high} tokens, {result['engine']}")
    for column in ("", "texts/s", "of bare", "p50 ms", "p99 ms", "core ms a text"):
        table.add_column(column, justify="right")
    rate, cpu_ms = result["bare_texts_per_s"][best], result["bare_cpu_ms"]
    table.add_row(f"bare, batches of {best}", f"{rate:.1f}", "1.00", "", "", f"{cpu_ms:.2f}")
    for row in result["through_triton"]:
        keys = {"texts_per_s": 1, "of_bare": 2, "p50_ms": 1, "p99_ms": 1, "cpu_ms": 2}
        shown = [f"{row[key]:.{digits}f}" for key, digits in keys.items()]
        table.add_row(f"Triton, concurrency {row['concurrency']}", *shown)
    console = Console()
    console.print(table)
    console.print(
        f"padding {result['padding_share']:.1%}, cosine to float32 {result['cosine_to_fp32']:.5f}"
    )
    if not result["peers"]:
        return
    table = Table(
        title="Texts per second of peers (how many times that Triton does, core ms a text)"
    )
    for column in ("", "cosine", *(str(row["concurrency"]) for row in result["through_triton"])):
        table.add_column(column, justify="right")
    for peer, variants in result["peers"].items():
        for variant, found in variants.items():
            cells = [
                f"{found['texts_per_s'][str(row['concurrency'])]:.1f}"
                f" ({row['texts_per_s'] / found['texts_per_s'][str(row['concurrency'])]:.1f}x,"
                f" {found['cpu_ms'][str(row['concurrency'])]:.1f} ms)"
                for row in result["through_triton"]
            ]
            table.add_row(f"{peer}, {variant}", f"{found['cosine_to_fp32']:.4f}", *cells)
    console.print(table)
