"""Search of a Milvus server as the catalogue grows: time, recall against exact, memory, building.

The collection, its columns and its searches are those of the retrieval service. Vectors are made
up: of length 1, around 2,000 centres, as vectors of items crowd around topics.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pymilvus import MilvusClient

from features.item_attributes import Type
from retrieval_service.filters.compiler import AVAILABLE
from retrieval_service.index.fields import FLAGS, scalar_types, scalar_values
from retrieval_service.index.milvus import VECTOR, Milvus
from tandem.v1.item_pb2 import Item
from tandem_cli.stack.record import Part, start_ticks
from tests.support.milvus import running_milvus_server

Float32 = npt.NDArray[np.float32]
BATCH = 1_000
CENTRES = 2_000
SPREAD = 0.6
QUERIES = 400
WARM_UP = 50
RECALL_QUERIES = 100
DEPTH = 200
MIB = 1 << 20
INDEX_TIMEOUT_S = 3_600.0
COLLECTION = "tandem_scale"


def main() -> None:
    """Measure one size, and print the result as JSON on the last line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--width", type=int, required=True, help="of the vectors")
    arguments = parser.parse_args()
    # Whoever ends this early ends the server with it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory() as folder, running_milvus_server(Path(folder)) as uri:
        result = asyncio.run(measure(uri, arguments.items, arguments.width))
    print(json.dumps(result))


async def measure(uri: str, items: int, width: int) -> dict[str, Any]:
    """Fill a collection and search it."""
    random = np.random.default_rng(7)
    centres = random.normal(size=(CENTRES, width)).astype(np.float32)
    vectors = _around(random, centres, items)
    queries = _around(random, centres, QUERIES)
    milvus = Milvus(uri)
    empty = server_mib()
    types = scalar_types({}, [])
    await milvus.create_collection(COLLECTION, width, types, FLAGS, items)
    start = time.monotonic()
    for rows in _batches(vectors, types):
        await milvus.upsert(COLLECTION, rows)
    await milvus.flush(COLLECTION)
    written = time.monotonic()
    await asyncio.to_thread(_wait_for_index, uri, items)
    built = time.monotonic()
    await milvus.load(COLLECTION)
    exact = np.argpartition(-(queries[:RECALL_QUERIES] @ vectors.T), DEPTH, axis=1)[:, :DEPTH]
    # What is new is searched by an index for the meantime, which finds less.
    at_first = await _recall(milvus, queries, exact)
    await asyncio.to_thread(_wait_for_segments, uri, items)
    sealed = time.monotonic()
    seconds = []
    for number, query in enumerate(queries):
        before = time.perf_counter()
        await milvus.search(COLLECTION, query[None], AVAILABLE, DEPTH)
        if number >= WARM_UP:
            seconds.append(time.perf_counter() - before)
    recall = await _recall(milvus, queries, exact)
    full = server_mib()
    await milvus.close()
    p50, p99 = np.percentile(np.array(seconds) * 1_000, [50, 99]).tolist()
    return {
        "items": items,
        "width": width,
        "depth": DEPTH,
        "search_ms": {"p50": round(p50, 2), "p99": round(p99, 2), "searches": len(seconds)},
        f"recall@{DEPTH}": recall,
        f"recall@{DEPTH}_when_written": at_first,
        "write_s": round(written - start, 1),
        "index_s": round(built - written, 1),
        "segments_s": round(sealed - built, 1),
        "server_mib": {"empty": empty, "full": full},
    }


async def _recall(milvus: Milvus, queries: Float32, exact: npt.NDArray[np.intp]) -> float:
    """Return the share of the exact results [queries, DEPTH] that searches find."""
    shares = []
    for query, best in zip(queries, exact, strict=False):
        (hits,) = await milvus.search(
            COLLECTION, query[None], AVAILABLE, DEPTH, consistency="Strong"
        )
        found = {item_id for item_id, _ in hits}
        shares.append(len({f"i{row}" for row in best.tolist()} & found) / DEPTH)
    return round(float(np.mean(shares)), 4)


def server_mib() -> float:
    """Return the memory of the server's processes, which are this one's children."""
    children = [
        int(directory.name)
        for directory in Path("/proc").glob("[0-9]*")
        if _parent(directory) == os.getpid()
    ]
    parts = [Part("", pid, start_ticks(pid), "", "") for pid in children]
    return round(sum(part.memory_bytes() for part in parts) / MIB, 1)


def _parent(directory: Path) -> int:
    try:
        return int((directory / "stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def _around(random: np.random.Generator, centres: Float32, count: int) -> Float32:
    """Return vectors of length 1, float32 [count, width]."""
    vectors = centres[random.integers(0, len(centres), count)]
    vectors += SPREAD * random.standard_normal(vectors.shape, np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def _batches(vectors: Float32, types: dict[str, Type]) -> Iterator[list[dict[str, Any]]]:
    for start in range(0, len(vectors), BATCH):
        yield [
            scalar_values(Item(item_id=f"i{row}", categories=[f"c{row % 50}"]), types, [])
            | {VECTOR: vectors[row]}
            for row in range(start, min(start + BATCH, len(vectors)))
        ]


def _wait_for_index(uri: str, items: int) -> None:
    """Wait until all that was written is in the index."""

    def built(client: MilvusClient) -> bool:
        told = client.describe_index(COLLECTION, VECTOR)
        rows = told.get("indexed_rows", 0)
        return bool(told.get("pending_index_rows", 0) == 0 and rows >= items)

    _wait_until(uri, built)


def _wait_for_segments(uri: str, items: int) -> None:
    """Wait until what was written is searched by its index and no longer as new."""

    def sealed(client: MilvusClient) -> bool:
        segments = client.list_loaded_segments(COLLECTION)
        rows = sum(each.num_rows for each in segments if each.state_name == "Sealed")
        return rows >= items and all(each.state_name == "Sealed" for each in segments)

    _wait_until(uri, sealed)


def _wait_until(uri: str, done: Callable[[MilvusClient], bool]) -> None:
    client = MilvusClient(uri=uri, timeout=30)
    until = time.monotonic() + INDEX_TIMEOUT_S
    while not done(client):
        if time.monotonic() > until:
            raise TimeoutError("Milvus does not come to an end with its index")
        time.sleep(0.5)
    client.close()


if __name__ == "__main__":
    main()
