"""The rate of UpsertItems, and what it does to online requests: `python -m benchmarks.ingest`.

    .venv/bin/python -m benchmarks.ingest --release var/demo/release

Starts a stack of its own. New items with texts of 10 to 200 tokens go through UpsertItems: checked,
encoded on Triton, on disk, and visible to requests by the time that the call returns; then until
the indexes of the release hold them too. The rate is set beside that of the bare encoder on the
same texts in the batch size that suits it best, while the stack idles.

Then requests arrive on schedule, whether the one before is answered or not, and are timed from when
they were to be sent: words to the text encoder, and Recommend. First alone, then while items are
upserted without pause. Rounds alternate; percentiles are over all rounds.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import uvloop

from benchmarks.encoder import BARE_BATCHES, make_texts, printed
from benchmarks.environment import RESULTS, ROOT, describe, write_result
from benchmarks.language import require_language
from benchmarks.stack import started_stack
from features.release import open_release
from serving.text_encoder import TextEncoder
from tandem.v1.item_pb2 import Item
from tandem_cli.dataset_spec import cleaning_of
from tandem_cli.encoder_directory import default_weights, prepare
from tandem_cli.stack.first_ingestion import wait_for_index
from tandem_cli.stack.ports import LOOPBACK, Ports
from tandem_client import AsyncTandemClient, TandemClient
from training.datasets.source import open_dataset

WORDS = "slow thoughtful science fiction with a quiet harbour"
RUNTIME = ROOT / ".venv-encoder"
TIMEOUT_S = 30.0
BESIDE_ITEMS = 400
# Requests and ingestion that have just begun are not the steady state: these arrivals do not count.
BEGIN_S = 2.0


def items(name: str, texts: list[str]) -> list[Item]:
    """Return new items with these texts."""
    return [
        Item(item_id=f"bench-{name}-{number}", description=text)
        for number, text in enumerate(texts)
    ]


def bare_rate(texts: list[str], seconds: float) -> float:
    """Return the bare encoder's texts per second in its best batch size."""
    encoder_dir = prepare(default_weights(), ROOT / "var" / "encoders")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"texts": texts}, file)
        file.flush()
        script = ROOT / "benchmarks" / "encoder_bare.py"
        given = [str(encoder_dir), file.name, str(seconds), "cpu", *map(str, BARE_BATCHES)]
        found = printed([RUNTIME / "bin" / "python", script, *given])
    return float(max(found["rates"].values()))


def upsert_rates(ports: Ports, name: str, texts: list[str]) -> dict[str, float]:
    """Return texts per second until the call returns, and until the indexes hold them."""
    new = items(name, texts)
    catalog = f"{LOOPBACK}:{ports.retrieval}"
    start = time.perf_counter()
    with TandemClient(f"{LOOPBACK}:{ports.gateway}", catalog) as client:
        written = client.upsert_items(new).written_count
    stored_s = time.perf_counter() - start
    if written != len(new):
        raise SystemExit(f"only {written} of {len(new)} items were new")
    asyncio.run(wait_for_index(catalog))
    indexed_s = time.perf_counter() - start
    return {"stored": len(new) / stored_s, "indexed": len(new) / indexed_s}


async def arriving(
    call: Callable[[], Awaitable[object]], rate: float, seconds: float
) -> list[float]:
    """Return the milliseconds of calls that arrive at a steady rate, each from its due time."""
    start = time.perf_counter()
    counted_from = start + BEGIN_S
    taken: list[float] = []

    async def one(due: float) -> None:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        await call()
        if due >= counted_from:
            taken.append(1000 * (time.perf_counter() - due))

    count = int(rate * (BEGIN_S + seconds))
    await asyncio.gather(*(one(start + number / rate) for number in range(count)))
    return taken


@contextmanager
def ingestion(ports: Ports, name: str) -> Iterator[list[tuple[float, int]]]:
    """Upsert new items without pause; gives when how many were stored."""
    stop = threading.Event()
    stored = [(time.perf_counter(), 0)]

    def new_items(texts: list[str], number: int) -> Iterator[Item]:
        for item in items(f"{name}-{number}", texts):
            if stop.is_set():
                return
            yield item

    def run() -> None:
        number = 0
        target = f"{LOOPBACK}:{ports.gateway}"
        with TandemClient(target, f"{LOOPBACK}:{ports.retrieval}") as client:
            while not stop.is_set():
                number += 1
                texts = make_texts(BESIDE_ITEMS, seed=crc32(f"{name}-{number}".encode()))
                done = client.upsert_items(new_items(texts, number), batch_items=100)
                stored.append((time.perf_counter(), done.written_count))

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield stored
    finally:
        stop.set()
        thread.join()


async def online(
    ports: Ports, kind: str, rate: float, seconds: float, users: list[str]
) -> list[float]:
    """Return the milliseconds of online requests of a kind."""
    if kind == "encode":
        encoder = TextEncoder(f"{LOOPBACK}:{ports.triton_grpc}")
        taken = await arriving(lambda: encoder.encode([WORDS], timeout=TIMEOUT_S), rate, seconds)
        await encoder.close()
        return taken
    random = np.random.default_rng(0)
    async with AsyncTandemClient(f"{LOOPBACK}:{ports.gateway}") as client:
        return await arriving(
            lambda: client.recommend(str(random.choice(users)), timeout_s=TIMEOUT_S), rate, seconds
        )


def beside(
    ports: Ports, kind: str, rate: float, seconds: float, users: list[str], name: str
) -> dict[str, Any]:
    """Return the times of online requests alone and beside an ingestion, and the latter's rate."""
    alone = uvloop.run(online(ports, kind, rate, seconds, users))
    with ingestion(ports, f"{name}-{kind}") as stored:
        together = uvloop.run(online(ports, kind, rate, seconds, users))
    count = sum(written for _, written in stored)
    texts_per_s = count / (stored[-1][0] - stored[0][0])
    asyncio.run(wait_for_index(f"{LOOPBACK}:{ports.retrieval}"))
    return {"alone_ms": alone, "beside_ms": together, "ingestion_texts_per_s": texts_per_s}


def summarise(rounds: list[dict[str, Any]], kinds: list[str]) -> dict[str, Any]:
    """Return medians of rates, and percentiles of the times of all rounds."""

    def median(*path: str) -> float:
        values: list[float] = []
        for one in rounds:
            found: Any = one
            for key in path:
                found = found[key]
            values.append(found)
        return statistics.median(values)

    bare = median("bare")
    result: dict[str, Any] = {
        "bare_texts_per_s": bare,
        "stored_texts_per_s": median("upsert", "stored"),
        "indexed_texts_per_s": median("upsert", "indexed"),
        "stored_of_bare": statistics.median(
            one["upsert"]["stored"] / one["bare"] for one in rounds
        ),
        "indexed_of_bare": statistics.median(
            one["upsert"]["indexed"] / one["bare"] for one in rounds
        ),
    }
    for kind in kinds:
        of_kind: dict[str, Any] = {}
        for when in ("alone", "beside"):
            times = [ms for one in rounds for ms in one[kind][f"{when}_ms"]]
            p50, p99 = np.percentile(times, [50, 99])
            of_kind[when] = {"requests": len(times), "p50_ms": float(p50), "p99_ms": float(p99)}
        of_kind["p99_ratio"] = of_kind["beside"]["p99_ms"] / of_kind["alone"]["p99_ms"]
        of_kind["ingestion_texts_per_s"] = median(kind, "ingestion_texts_per_s")
        result[kind] = of_kind
    return result


def show(result: dict[str, Any], kinds: list[str]) -> None:
    """Print the figures."""
    print(f"bare encoder           {result['bare_texts_per_s']:8.1f} texts/s")
    for key in ("stored", "indexed"):
        of_bare = result[f"{key}_of_bare"]
        print(
            f"upserted and {key:9} {result[f'{key}_texts_per_s']:8.1f} texts/s, {of_bare:.2f} of it"
        )
    for kind in kinds:
        found = result[kind]
        alone, together = found["alone"], found["beside"]
        print(
            f"{kind:10} p50 {alone['p50_ms']:6.1f} -> {together['p50_ms']:6.1f} ms, p99"
            f" {alone['p99_ms']:6.1f} -> {together['p99_ms']:6.1f} ms ({found['p99_ratio']:.2f}x)"
            f" beside {found['ingestion_texts_per_s']:.1f} texts/s"
        )


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--release", type=Path, default=Path("var/demo/release"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--items", type=int, default=2000, help="new ones in each round")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each load in each round")
    parser.add_argument(
        "--encodes", type=float, default=20.0, help="words encoded a second; 0: none"
    )
    parser.add_argument("--recommends", type=float, default=4.0, help="lists a second; 0: none")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of ingest.json")
    arguments = parser.parse_args()
    environment = describe()
    release = open_release(arguments.release, verify=False)
    require_language(release)
    entry = release.manifest["dataset"]
    known = open_dataset(entry["spec"], rejects=None, cleaning=cleaning_of(entry.get("clean", [])))
    users = [str(user) for user in known.users.user_id]
    rates = {"encode": arguments.encodes, "recommend": arguments.recommends}
    kinds = [kind for kind, rate in rates.items() if rate > 0]
    rounds: list[dict[str, Any]] = []
    with started_stack(arguments.release) as stack:
        ports = stack.ports
        for kind in kinds:
            uvloop.run(online(ports, kind, rates[kind], 2.0, users))
        upsert_rates(ports, "warm", make_texts(200, seed=1))
        for number in range(arguments.rounds):
            print(f"round {number + 1} of {arguments.rounds}", flush=True)
            texts = make_texts(arguments.items, seed=100 + number)
            one: dict[str, Any] = {"bare": bare_rate(texts, arguments.seconds / 3)}
            one["upsert"] = upsert_rates(ports, str(number), texts)
            for kind in kinds:
                given = (kind, rates[kind], arguments.seconds, users)
                one[kind] = beside(ports, *given, name=str(number))
            rounds.append(one)
    result = summarise(rounds, kinds)
    show(result, kinds)
    settings = {
        "rounds": arguments.rounds,
        "items": arguments.items,
        "seconds": arguments.seconds,
        "arrivals_per_s": rates,
        "catalogue": {key: entry[key] for key in ("name", "items", "users", "interactions")},
    }
    recorded = [summarise([one], kinds) for one in rounds]
    content = {"environment": environment, "settings": settings, **result, "rounds": recorded}
    write_result("ingest", content, arguments.out)


if __name__ == "__main__":
    main()
