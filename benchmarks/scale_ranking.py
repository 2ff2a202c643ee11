"""What the ranking service holds and does as the catalogue grows.

The release is made up, its ranker an untrained one of MiniLM's shape with an embedding for every
item. Measured are the switch (a release is read and verified beside another one), the memory, that
of the process alone and that of mapped files, which other processes share and the system may take
back, and a request of 200 candidates behind 50 events: its features, and all of it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.numpy import save_file
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from transformers import AutoModel, BertConfig

from benchmarks.process_memory import memory_mib
from benchmarks.rank_requests import request_of
from benchmarks.scale_release import (
    TEXT_WIDTH,
    made_up_items,
    write_manifest,
    write_tables,
)
from features.candidates import FEATURES
from features.context import CONTEXT_WIDTH
from features.events import EVENT_WIDTH
from features.rhythms import BINS
from features.tastes import Tastes
from models.ranker.config import RankerConfig
from models.ranker.export import export_language
from models.ranker.ranker import Ranker
from models.ranker.text import TOKENIZER
from ranking_service.item_features import rank_input
from ranking_service.loaded_release import LoadedRelease, read_release
from ranking_service.pipeline import rank_now
from serving.stages import Deadline

REQUESTS = 16
CALLS = 100
CANDIDATES, EVENTS = 200, 50


def main() -> None:
    """Measure one size, and print the result as JSON on the last line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--items", type=int, required=True)
    parser.add_argument("--folder", type=Path, help="of what has been written already")
    arguments = parser.parse_args()
    if arguments.folder:
        print(json.dumps(measure(arguments.folder)))
        return
    with tempfile.TemporaryDirectory() as folder:
        write_ranked_release(Path(folder) / "first", arguments.items)
        # Measured in a process of its own, which has not held what was written.
        command = [sys.executable, "-m", "benchmarks.scale_ranking", "--folder", folder]
        subprocess.run([*command, "--items", str(arguments.items)], check=True)


def write_ranked_release(directory: Path, count: int) -> None:
    """Write what the ranking service reads of a release."""
    write_tables(directory, made_up_items(count))
    random, tags = np.random.default_rng(5), len(json.loads((directory / "tags.json").read_text()))
    nobody = np.zeros(tags, np.float32)
    of_all = random.pareto(1.5, count).astype(np.float32)
    no_entries = np.zeros(0, np.float32)
    starts = np.zeros(tags + 1, np.int64)
    Tastes(of_all, 1.0, nobody, starts, np.zeros(0, np.int32), no_entries).save(directory)
    save_file(
        {
            "mean": np.array(3.5, np.float32),
            "scale": np.array(1.0, np.float32),
            "quality": random.normal(size=count).astype(np.float32),
            "counts": of_all,
        },
        directory / "ratings.safetensors",
    )
    save_file(
        {
            "lifts": random.normal(size=(count, BINS)).astype(np.float16),
            "projection": np.zeros((TEXT_WIDTH, BINS), np.float32),
            "base": np.full(BINS, 1 / BINS, np.float32),
        },
        directory / "rhythms.safetensors",
    )
    shape = BertConfig(
        hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536
    )
    config = RankerConfig(
        language_model=shape.to_dict(),
        items=count,
        text_width=TEXT_WIDTH,
        features=FEATURES,
        event_width=EVENT_WIDTH,
        context_width=CONTEXT_WIDTH,
        outcomes=["engage"],
    )
    torch.manual_seed(0)
    ranker = Ranker(config, AutoModel.from_config(shape))
    ranker.language_model.pooler = None
    ranker.save(directory / "ranker")
    export_language(ranker, directory / "ranker")
    words = Tokenizer(WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    words.save(str(directory / "ranker" / TOKENIZER))
    write_manifest(directory)


def measure(directory: Path) -> dict[str, Any]:
    """Read the release twice, as before and after a switch, and rank."""
    told: dict[str, Any] = {}
    held: list[LoadedRelease] = []
    for name in ("release", "second_release"):
        before, start = memory_mib(), time.monotonic()
        held.append(read_release(str(directory / "first")))
        told[f"{name}_s"] = round(time.monotonic() - start, 2)
        told[f"{name}_mib"] = round(memory_mib()["own"] - before["own"], 1)
    loaded = held[0]
    told["items"] = len(loaded.tables.items)
    requests = [request_of(loaded, CANDIDATES, EVENTS, seed) for seed in range(REQUESTS)]
    told["features_ms"] = timed(lambda n: rank_input(loaded, requests[n]))
    told["rank_ms"] = timed(lambda n: rank_now(loaded, requests[n], 0.0, 0, Deadline(3_600.0)))
    told["process_mib"] = memory_mib()
    size = sum(file.stat().st_size for file in (directory / "first").rglob("*"))
    return {**told, "release_file_mib": round(size / (1 << 20), 1)}


def timed(run: Callable[[int], object]) -> dict[str, float]:
    """Return percentiles of the time of each call in milliseconds, after one of each request."""
    taken = []
    for number in range(-REQUESTS, CALLS):
        start = time.perf_counter()
        run(number % REQUESTS)
        taken.append((time.perf_counter() - start) * 1e3)
    p50, p99 = np.percentile(taken[REQUESTS:], [50, 99]).tolist()
    return {"p50": round(p50, 2), "p99": round(p99, 2)}


if __name__ == "__main__":
    main()
