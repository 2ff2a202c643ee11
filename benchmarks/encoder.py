"""The text encoder through Triton, the bare engine, and peers: `python -m benchmarks.encoder`.

Closed loop: `concurrency` callers, each with one text at a time, on the same cores as the server.
The bare engine encodes the same texts in the batch size that suits it best, without Triton or a
network. The peers (benchmarks/encoder_peers.py) have the same weights and texts, their default
settings and others that their documentation recommends. Rounds of all alternate, so that a change
of the machine's mood meets all; medians are reported, and each peer's cosine to torch in float32.
"""

import argparse
import asyncio
import json
import os
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import cycle
from pathlib import Path
from typing import Any

import numpy as np
import uvloop

from benchmarks.closed_loop import Counter
from benchmarks.encoder_report import show, summarise
from benchmarks.environment import RESULTS, ROOT, describe, write_result
from serving.text_encoder import TextEncoder
from tandem_cli.encoder_directory import default_weights, prepare, read_about
from tandem_cli.stack.ports import free_ports
from tandem_cli.stack.triton import Triton, TritonSettings

CONCURRENCIES = [1, 16, 64, 256]
BARE_BATCHES = (1, 64, 256)
TEXTS = 2048
TOKENS = (10, 200)
SEED = 7
TIMEOUT_S = 60.0
COSINE_TEXTS = 64
PEERS_PYTHON = ROOT / ".venv-peers" / "bin" / "python"
# Each is one token of every English vocabulary.
WORDS = (
    "a house near the river with old trees and quiet rooms where people read about music and food"
)


def make_texts(count: int = TEXTS, seed: int = SEED) -> list[str]:
    """Return texts whose lengths are uniform within TOKENS, two special tokens included."""
    random = np.random.default_rng(seed)
    words = WORDS.split()
    lengths = random.integers(TOKENS[0] - 2, TOKENS[1] - 1, size=count)
    return [" ".join(random.choice(words, size=length)) for length in lengths]


def cpu_s(triton: Triton) -> float:
    """Return the seconds of a core that Triton and its children have taken."""
    taken = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it ended meanwhile
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[3]) == triton.process.pid:  # its session
                taken += int(fields[11]) + int(fields[12])
    return taken / os.sysconf("SC_CLK_TCK")


async def served(
    triton: Triton, texts: list[str], concurrency: int, seconds: float
) -> dict[str, Any]:
    """Return texts per second, latencies and time of cores, client included, through Triton."""
    encoder = TextEncoder(triton.settings.target)
    before_s = cpu_s(triton)
    source: Iterator[str] = cycle(texts)
    latencies_ms: list[float] = []
    counter = Counter(concurrency, seconds)

    async def call() -> None:
        while not counter.over():
            sent = time.perf_counter()
            await encoder.encode([next(source)], timeout=TIMEOUT_S)
            if counter.add(1):
                latencies_ms.append(1000 * (time.perf_counter() - sent))

    await asyncio.gather(*(call() for _ in range(concurrency)))
    await encoder.close()
    p50, p99 = np.percentile(latencies_ms, [50, 99])
    return {
        "texts_per_s": counter.rate(),
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "cpu_ms": counter.cpu_ms(cpu_s(triton) - before_s),
    }


async def cosine(target: str, texts: list[str], expected: Sequence[Sequence[float]]) -> float:
    """Return the least cosine of the served vectors to those expected."""
    encoder = TextEncoder(target)
    vectors, _ = await encoder.encode(texts[: len(expected)], timeout=TIMEOUT_S)
    await encoder.close()
    return float((vectors * np.array(expected)).sum(axis=1).min())


def padding(triton: Triton) -> tuple[float, float]:
    """Return Triton's counts of the tokens computed, and of the padding among them."""
    url = f"http://127.0.0.1:{triton.settings.metrics_port}/metrics"
    body = urllib.request.urlopen(url, timeout=5).read().decode()
    counts = {"text_encoder_tokens": 0.0, "text_encoder_padding_tokens": 0.0}
    for line in body.splitlines():
        name, _, value = line.rpartition(" ")
        if (name := name.partition("{")[0]) in counts:
            counts[name] += float(value)
    tokens, padded = counts.values()
    return tokens, padded


def reference(encoder_dir: Path, texts: Sequence[str]) -> list[list[float]]:
    """Return the texts' vectors by torch in float32, each text alone."""
    # Imported late: they take seconds and memory.
    import torch
    from tokenizers import Tokenizer

    from tandem_cli.encoder_conversion import load_pooled_encoder

    about = read_about(encoder_dir)
    model = load_pooled_encoder(encoder_dir, about["pooling"])
    tokenizer = Tokenizer.from_file(str(encoder_dir / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(about["max_tokens"])
    rows = []
    for text in texts:
        ids = torch.tensor([tokenizer.encode(text).ids])
        with torch.inference_mode():
            rows.append(model(ids, torch.ones_like(ids))[0].tolist())
    return rows


def printed(command: Sequence[str | Path]) -> dict[str, Any]:
    """Run a program and return the JSON of its last line."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{command[1]} failed:\n{done.stderr[-2000:]}")
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def peers(device: str) -> dict[str, Any]:
    """Return the peers' settings and the versions of their packages, if they are installed."""
    if not PEERS_PYTHON.exists():
        print("no peers: scripts/setup_peers makes their environment")
        return {"peers": {}, "packages": {}}
    return printed([PEERS_PYTHON, ROOT / "benchmarks" / "encoder_peers.py", "list", device])


async def measure(
    arguments: argparse.Namespace, listed: Sequence[tuple[str, str]], work: Path
) -> list[dict[str, Any]]:
    """Run all rounds, with these peers and settings."""
    weights = default_weights()
    encoder_dir = prepare(weights, ROOT / "var" / "encoders")
    texts = make_texts()
    file = work / "texts.json"
    expected = reference(encoder_dir, texts[:COSINE_TEXTS])
    file.write_text(json.dumps({"texts": texts, "vectors": expected}), encoding="utf-8")
    log_file = ROOT / "var" / "log" / "benchmark-triton.log"
    ports = free_ports(3)
    settings = TritonSettings(
        encoder_dir,
        http_port=ports[0],
        grpc_port=ports[1],
        metrics_port=ports[2],
        log_file=log_file,
        runtime=arguments.runtime,
        user_encoder=False,
    )
    bare = [arguments.runtime / "bin" / "python", ROOT / "benchmarks" / "encoder_bare.py"]
    bare += [encoder_dir, file, str(arguments.seconds), arguments.device]
    every: list[dict[str, Any]] = []
    counts = [str(count) for count in arguments.concurrency]
    for number in range(arguments.rounds):
        print(f"round {number + 1} of {arguments.rounds}", flush=True)
        one: dict[str, Any] = {"bare": printed([*bare, *map(str, BARE_BATCHES)])}
        # Anew in each round, so that it takes no memory or cores while peers run.
        triton = Triton(settings)
        await triton.start()
        try:
            target = triton.settings.target
            one["served"] = {
                str(count): await served(triton, texts, count, arguments.seconds)
                for count in arguments.concurrency
            }
            one["cosine_to_fp32"] = await cosine(target, texts, expected)
            tokens, padded = padding(triton)
            one["padding_share"] = padded / tokens
        finally:
            await triton.stop()
        script = ROOT / "benchmarks" / "encoder_peers.py"
        one["peers"] = {}
        for peer, variant in listed:
            print(f"  {peer}, {variant}", flush=True)
            given = [str(arguments.seconds), arguments.device, str(work), *counts]
            found = printed([PEERS_PYTHON, script, peer, variant, weights, file, *given])
            one["peers"].setdefault(peer, {})[variant] = found
        every.append(one)
    return every


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="for each rate in each round")
    parser.add_argument("--concurrency", type=int, nargs="+", default=CONCURRENCIES)
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    parser.add_argument(
        "--runtime",
        type=Path,
        default=ROOT / ".venv-encoder",
        help="environment of Triton; for cuda with encoder_model_repo/requirements-gpu.txt",
    )
    parser.add_argument("--add", action="store_true", help="add rounds to those recorded")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of encoder.json")
    arguments = parser.parse_args()
    if arguments.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    name = "encoder" if arguments.device == "cpu" else f"encoder-{arguments.device}"
    settings = {
        "seconds": arguments.seconds,
        "device": arguments.device,
        "concurrency": arguments.concurrency,
        "texts": TEXTS,
        "tokens": list(TOKENS),
        "seed": SEED,
    }
    there = peers(arguments.device)
    listed = [(peer, variant) for peer, variants in there["peers"].items() for variant in variants]
    environment = {**describe(), "packages_of_peers": there["packages"]}
    content: dict[str, Any] = {"environment": environment, "settings": settings, "rounds": []}
    if arguments.add:
        before = json.loads((arguments.out / f"{name}.json").read_text(encoding="utf-8"))
        if before["settings"] != settings:
            raise SystemExit(f"the recorded rounds have other settings: {before['settings']}")
        content["rounds"] = before["rounds"]
    with tempfile.TemporaryDirectory() as directory:
        content["rounds"] += uvloop.run(measure(arguments, listed, Path(directory)))
    rounds = content.pop("rounds")
    content |= summarise(rounds) | {"rounds": rounds}
    show(content)
    write_result(name, content, arguments.out)


if __name__ == "__main__":
    main()
