"""The text encoder through Triton against the bare engine: `python -m benchmarks.encoder`.

Closed loop: `concurrency` callers, each with one text at a time, on the same cores as the server.
The bare engine encodes the same texts in the batch size that suits it best. Rounds of both
alternate, so that a change of the machine's mood meets both; medians are reported.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import uvloop
from rich.console import Console
from rich.table import Table

from benchmarks.environment import RESULTS, ROOT, describe, write_result
from serving.text_encoder import TextEncoder
from tandem_cli.encoder_directory import default_weights, prepare
from tandem_cli.stack.ports import free_ports
from tandem_cli.stack.triton import Triton, TritonSettings

CONCURRENCIES = (1, 16, 64, 256)
BARE_BATCHES = (1, 64, 256)
TEXTS = 2048
TOKENS = (10, 200)
SEED = 7
TIMEOUT_S = 30.0
# Each is one token of every English vocabulary.
WORDS = (
    "a house near the river with old trees and quiet rooms where people read about music and food"
)


def make_texts() -> list[str]:
    """Return texts whose lengths are uniform within TOKENS, two special tokens included."""
    random = np.random.default_rng(SEED)
    words = WORDS.split()
    lengths = random.integers(TOKENS[0] - 2, TOKENS[1] - 1, size=TEXTS)
    return [" ".join(random.choice(words, size=length)) for length in lengths]


async def served(target: str, texts: list[str], concurrency: int, seconds: float) -> dict[str, Any]:
    """Return texts per second and latencies, after a tenth of the time to warm up."""
    encoder = TextEncoder(target)
    source: Iterator[str] = cycle(texts)
    latencies_ms: list[float] = []
    start = time.perf_counter()
    measured_from, end = start + seconds / 10, start + seconds * 1.1

    async def call() -> None:
        while (sent := time.perf_counter()) < end:
            await encoder.encode([next(source)], timeout=TIMEOUT_S)
            if measured_from <= (done := time.perf_counter()) <= end:
                latencies_ms.append(1000 * (done - sent))

    await asyncio.gather(*(call() for _ in range(concurrency)))
    await encoder.close()
    p50, p99 = np.percentile(latencies_ms, [50, 99])
    return {"texts_per_s": len(latencies_ms) / seconds, "p50_ms": float(p50), "p99_ms": float(p99)}


def bare(runtime: Path, encoder_dir: Path, texts: list[str], seconds: float) -> dict[str, Any]:
    """Return the engine's description and texts per second for each batch size."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(texts, file)
        file.flush()
        arguments = [encoder_dir, file.name, seconds, *BARE_BATCHES]
        command = [runtime / "bin" / "python", ROOT / "benchmarks" / "encoder_bare.py", *arguments]
        done = subprocess.run(
            [str(part) for part in command], stdout=subprocess.PIPE, text=True, check=True
        )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


async def measure(rounds: int, seconds: float) -> dict[str, Any]:
    """Run all rounds and return medians, ratios and the rounds themselves."""
    encoder_dir = prepare(default_weights(), ROOT / "var" / "encoders")
    texts = make_texts()
    log_file = ROOT / "var" / "log" / "benchmark-triton.log"
    http_port, grpc_port, metrics_port = free_ports(3)
    triton = Triton(TritonSettings(encoder_dir, http_port, grpc_port, metrics_port, log_file))
    await triton.start()
    try:
        every: list[dict[str, Any]] = []
        for number in range(rounds):
            print(f"round {number + 1} of {rounds}", flush=True)
            one: dict[str, Any] = {
                "bare": bare(triton.settings.runtime, encoder_dir, texts, seconds)
            }
            for concurrency in CONCURRENCIES:
                target = triton.settings.target
                one[str(concurrency)] = await served(target, texts, concurrency, seconds)
            every.append(one)
    finally:
        await triton.stop()
    return {**summarise(every), "encoder": encoder_dir.name, "rounds": every}


def summarise(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Return medians over the rounds, and ratios to the bare engine's best batch size."""
    bare_rates = {
        rows: statistics.median(one["bare"]["rates"][str(rows)] for one in rounds)
        for rows in BARE_BATCHES
    }
    best = max(bare_rates, key=lambda rows: bare_rates[rows])
    through_triton = []
    for concurrency in CONCURRENCIES:
        medians = {
            key: statistics.median(one[str(concurrency)][key] for one in rounds)
            for key in ("texts_per_s", "p50_ms", "p99_ms")
        }
        of_bare = medians["texts_per_s"] / bare_rates[best]
        through_triton.append({"concurrency": concurrency, "of_bare": of_bare, **medians})
    return {
        "engine": rounds[0]["bare"]["engine"],
        "bare_texts_per_s": bare_rates,
        "bare_best_batch": best,
        "through_triton": through_triton,
    }


def show(result: dict[str, Any]) -> None:
    """Print the medians as a table."""
    best = result["bare_best_batch"]
    rate = result["bare_texts_per_s"][best]
    table = Table(title=f"Texts of {TOKENS[0]}-{TOKENS[1]} tokens, {result['engine']}")
    for column in ("", "texts/s", "of bare", "p50 ms", "p99 ms"):
        table.add_column(column, justify="right")
    table.add_row(f"bare, batches of {best}", f"{rate:.1f}", "1.00", "", "")
    for row in result["through_triton"]:
        table.add_row(
            f"Triton, concurrency {row['concurrency']}",
            f"{row['texts_per_s']:.1f}",
            f"{row['of_bare']:.2f}",
            f"{row['p50_ms']:.1f}",
            f"{row['p99_ms']:.1f}",
        )
    Console().print(table)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=8.0, help="for each rate in each round")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of encoder.json")
    arguments = parser.parse_args()
    environment = describe()
    result = uvloop.run(measure(arguments.rounds, arguments.seconds))
    show(result)
    settings = {
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "texts": TEXTS,
        "tokens": TOKENS,
        "seed": SEED,
    }
    content = {"environment": environment, "settings": settings, **result}
    write_result("encoder", content, arguments.out)


if __name__ == "__main__":
    main()
