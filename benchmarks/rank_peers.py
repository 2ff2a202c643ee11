"""Rank beside a sentence-transformers CrossEncoder that scores the same items of the same users.

The cross-encoder reads a pair for each candidate: the texts of the user's history as query, and the
candidate's text. Rank reads the release's item tokens, or, in text mode, the candidates' texts.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rank_requests import ranking_service, request_of
from features.manifest import MANIFEST
from features.release import file_sha256
from models.ranker.export import export_language
from models.ranker.ranker import load_ranker
from models.ranker.text import CandidateTokenizer
from ranking_service.loaded_release import LoadedRelease
from tandem.v1.ranking_service_pb2 import RankRequest
from tandem.v1.ranking_service_pb2_grpc import RankingServiceStub
from tandem_cli.encoder_directory import default_weights
from training.datasets import open_dataset
from training.item_table import item_texts

CANDIDATES = 200
# Of so many of them the cross-encoder is asked: what a pair costs does not depend on it.
ASKED = 50
EVENTS = 50
# Most of the sample world's texts have fewer; what is beyond is cut for both.
TEXT_TOKENS = 32
USERS = 4


def compared(
    release: Path,
    loaded: LoadedRelease,
    dataset: Path,
    python: Path,
    calls: int,
    seconds: float,
) -> dict[str, Any]:
    """Return items per second of Rank in both modes and of the cross-encoder by setting."""
    texts = texts_of(dataset)
    requests = [request_of(loaded, CANDIDATES, EVENTS, seed) for seed in range(USERS)]
    found: dict[str, Any] = {
        "settings": {
            "candidates": CANDIDATES,
            "candidates_of_cross_encoder": ASKED,
            "events": EVENTS,
            "text_tokens": TEXT_TOKENS,
            "mean_text_words": float(np.mean([len(text.split()) for text in texts.values()])),
        }
    }
    with tempfile.TemporaryDirectory() as directory:
        reading = as_text_mode(release, loaded, texts, Path(directory) / "release")
        for mode, served in (("item_mode", release), ("text_mode", reading)):
            with ranking_service(served) as channel:
                found[mode] = {
                    "items_per_s": rank_rate(RankingServiceStub(channel), requests, calls)
                }
        pairs = Path(directory) / "pairs.json"
        pairs.write_text(json.dumps([pairs_of(request, texts) for request in requests]))
        script = Path(__file__).with_name("rank_cross_encoder.py")
        command = [str(each) for each in (python, script, default_weights(), pairs, seconds)]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        found["pairs_per_s"] = json.loads(done.stdout.splitlines()[-1])
    rates = {name: rate for name, rate in found["pairs_per_s"].items() if not isinstance(rate, str)}
    default, best = next(iter(rates.values())), max(rates.values())
    for mode in ("item_mode", "text_mode"):
        own = found[mode]
        own |= {
            f"over_{name}": own["items_per_s"] / rate
            for name, rate in (("default", default), ("best", best))
        }
        print(
            f"{mode}: {own['items_per_s']:,.0f} items/s, {own['over_default']:.1f} times the "
            f"cross-encoder's default, {own['over_best']:.1f} times its best settings"
        )
    print(json.dumps(found["pairs_per_s"], indent=1))
    return found


def rank_rate(stub: RankingServiceStub, requests: Sequence[RankRequest], calls: int) -> float:
    """Return items per second of one caller."""
    for request in requests:
        stub.Rank(request)
    start = time.perf_counter()
    for call in range(calls):
        stub.Rank(requests[call % len(requests)])
    return calls * CANDIDATES / (time.perf_counter() - start)


def texts_of(dataset: Path) -> dict[str, str]:
    """Return a data set's item texts by id."""
    opened = open_dataset(str(dataset), rejects=None)
    return dict(zip(opened.items["item_id"].astype(str), item_texts(opened), strict=True))


def pairs_of(request: RankRequest, texts: dict[str, str]) -> list[list[str]]:
    """Return history and candidate as texts, for the first ASKED; the newest event comes first."""
    history = [texts[event.item_id] for event in reversed(request.user.history)]
    # Half of what the encoder can read is left to the candidate: of 512 tokens 256, or some 200
    # words; of each event its title is enough, as a person would tell it.
    told = "; ".join(text.split(". ")[0] for text in history)
    query = " ".join(told.split()[:200])
    return [[query, texts[candidate.item_id]] for candidate in request.candidates[:ASKED]]


def as_text_mode(release: Path, loaded: LoadedRelease, texts: dict[str, str], out: Path) -> Path:
    """Write the release as one whose ranker reads candidates' texts too.

    Its weights are those of item mode, so its scores mean nothing; its speed is that of text mode.
    """
    out.mkdir()
    for file in release.rglob("*"):
        target = out / file.relative_to(release)
        if file.is_dir():
            target.mkdir(exist_ok=True)
        elif file.name not in ("text_tokens.npy", "golden.jsonl", MANIFEST):
            target.symlink_to(file.resolve())
    folder = out / "ranker"
    ranker = load_ranker(loaded.release.ranker_directory)
    ranker.config = replace(ranker.config, candidate_tokens=TEXT_TOKENS)
    (folder / "config.json").unlink()
    ranker.config.save(folder)
    for name in ("language.xml", "language.bin"):
        (folder / name).unlink(missing_ok=True)
    export_language(ranker, folder)
    tokenizer = CandidateTokenizer(folder, TEXT_TOKENS)
    ids = loaded.tables.items.item_ids
    np.save(out / "text_tokens.npy", tokenizer.tokens([texts[item_id] for item_id in ids]))
    (out / "golden.jsonl").write_text("")
    manifest = json.loads((release / MANIFEST).read_text())
    names = [*manifest["files"], "ranker/language.xml", "ranker/language.bin"]
    manifest["files"] = {name: file_sha256(out / name) for name in dict.fromkeys(names)}
    (out / MANIFEST).write_text(json.dumps(manifest))
    return out
