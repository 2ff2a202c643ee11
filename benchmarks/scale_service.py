"""What the retrieval service holds and does in its own memory as the catalogue grows.

Catalogue and release are made up. Measured are the start (the catalogue is read), the switch (a
release is read and verified beside another one; the flip itself is one write), the memory of each,
and those sources that answer from memory. What is in Milvus is measured by `scale_search`.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.process_memory import memory_mib
from benchmarks.scale_release import made_up_items, write_catalogue, write_release
from features.events import EventArrays
from features.history import recency, weights_of_actions
from features.moment import Moment
from features.words import Said
from retrieval_service.catalogue.database import Database
from retrieval_service.catalogue.store import Store
from retrieval_service.catalogue.view import View
from retrieval_service.release import LoadedRelease, read_release
from retrieval_service.sources.friends import find_friends
from retrieval_service.sources.lexical import find_lexical
from retrieval_service.sources.popular import find_popular
from retrieval_service.sources.query import Float32, Query, Scored
from retrieval_service.sources.similar import find_similar
from retrieval_service.sources.tags import find_tags
from serving.stages import Deadline
from tandem.v1.item_fate_pb2 import Fate
from tandem.v1.user_pb2 import InterestTag

MIB = 1 << 20
CALLS = 30
HISTORY = 50
LIVE = 256
DEPTH = 200


def main() -> None:
    """Measure one size, and print the result as JSON on the last line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--folder", type=Path, help="of what has been written already")
    arguments = parser.parse_args()
    if arguments.folder:
        print(json.dumps(asyncio.run(measure(arguments.folder, arguments.items))))
        return
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder)
        items = made_up_items(arguments.items)
        asyncio.run(write_catalogue(f"sqlite:///{directory}/catalogue.db", items))
        write_release(directory / "first", items)
        del items
        # Measured in a process of its own, which has not held what was written.
        command = [sys.executable, "-m", "benchmarks.scale_service", "--folder", folder]
        subprocess.run([*command, "--items", str(arguments.items)], check=True)


async def measure(directory: Path, count: int) -> dict[str, Any]:
    """Read catalogue and releases, and ask the sources."""
    told: dict[str, Any] = {"items": count}
    database = Database(f"sqlite:///{directory}/catalogue.db")
    view = View(Store(database))
    before, start = memory_mib()["own"], time.monotonic()
    await view.refresh()
    told["catalogue_s"] = round(time.monotonic() - start, 2)
    told["catalogue_mib"] = round(memory_mib()["own"] - before, 1)
    for name in ("release", "second_release"):
        before, start = memory_mib()["own"], time.monotonic()
        # Held until the end, as the releases before and after a switch are.
        told[name] = loaded = read_release(str(directory / "first"))
        told[f"{name}_s"] = round(time.monotonic() - start, 2)
        told[f"{name}_mib"] = round(memory_mib()["own"] - before, 1)
    told["sources_ms"] = {
        name: await _timed(work) for name, work in _sources(loaded, view, count).items()
    }
    told["process_mib"] = round(memory_mib()["own"], 1)
    size = sum(file.stat().st_size for file in (directory / "first").rglob("*"))
    database.close()
    return {
        **{name: value for name, value in told.items() if not isinstance(value, LoadedRelease)},
        "release_file_mib": round(size / MIB, 1),
    }


def _sources(
    loaded: LoadedRelease, view: View, count: int
) -> dict[str, Callable[[], Awaitable[Scored]]]:
    """Return those sources that answer from memory, each ready to be asked."""
    random = np.random.default_rng(3)
    release = loaded.release
    rows = random.integers(0, count, HISTORY).astype(np.int32)
    actions = np.full(HISTORY, 2, np.int32)
    nowhere = np.full(HISTORY, np.nan, np.float32)
    events = EventArrays(
        rows,
        actions,
        np.arange(HISTORY, dtype=np.int64),
        nowhere,
        np.zeros(HISTORY, np.int32),
        nowhere,
        nowhere,
    )
    seen = {release.items.item_ids[row] for row in rows.tolist()}
    used = [release.items.item_ids[row] for row in random.integers(0, count, LIVE).tolist()]

    async def search(_: str, vectors_QD: Float32, __: int) -> list[Scored]:  # noqa: N803
        return [[] for _ in vectors_QD]

    query = Query(
        loaded=loaded,
        moment=Moment(1_700_000_000_000),
        item_ids=list(seen),
        events=events,
        weights=weights_of_actions(actions) * recency(HISTORY),
        action_weights=weights_of_actions(actions),
        vectors_ED=np.zeros((HISTORY, release.items.text_vectors.shape[1]), np.float32),
        media_EM=np.zeros((HISTORY, 0), np.float32),
        said=Said("quiet red", 1.0),
        text_weight=1.0,
        live_counts=dict.fromkeys(used, 2.0),
        friends_items={item_id: place + 1.0 for place, item_id in enumerate(used)},
        seed_item_id="",
        seed_vector=None,
        seed_media=np.zeros(0, np.float32),
        depth=DEPTH,
        over_fetch=HISTORY,
        fate=lambda item_id: Fate.FATE_SEEN if item_id in seen else Fate.FATE_UNSPECIFIED,
        search=search,
        deadline=Deadline(3_600.0),
    )

    async def named() -> list[InterestTag]:
        return [InterestTag(tag="quiet", confidence=1.0), InterestTag(tag="red", confidence=1.0)]

    return {
        "popular": lambda: find_popular(query, view),
        "lexical": lambda: find_lexical(query),
        "tags": lambda: find_tags(query, named()),
        "similar": lambda: find_similar(query),
        "friends": lambda: find_friends(query),
    }


async def _timed(work: Callable[[], Awaitable[Scored]]) -> dict[str, float]:
    """Return percentiles of the time of each call, after the first."""
    assert await work()
    seconds = []
    for _ in range(CALLS):
        start = time.perf_counter()
        await work()
        seconds.append(time.perf_counter() - start)
    p50, p90 = np.percentile(np.array(seconds) * 1_000, [50, 90]).tolist()
    return {"p50": round(p50, 3), "p90": round(p90, 3)}


if __name__ == "__main__":
    main()
