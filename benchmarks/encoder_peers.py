"""Other people's encoders: `benchmarks.encoder` runs this with the Python of .venv-peers.

Usage: encoder_peers.py PEER VARIANT WEIGHTS TEXTS.json SECONDS DEVICE WORK CONCURRENCY...
       encoder_peers.py list DEVICE, which prints what there is and the versions of packages
Prints the peer's settings, the texts per second at each concurrency, and the vectors of the first
texts' cosines to those that TEXTS.json brings, as JSON.

infinity-emb runs in this process, without its HTTP server: `concurrency` tasks, each with one text
at a time, as its own clients would call it but without what HTTP costs. sentence-transformers has
no server: it gets `concurrency` texts with each call, as if someone had collected them.
"""

import asyncio
import json
import os
import shutil
import sys
from importlib import metadata
from itertools import cycle
from pathlib import Path
from typing import Any

os.environ |= {
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
    "INFINITY_ANONYMOUS_USAGE_STATS": "0",
    "TOKENIZERS_PARALLELISM": "true",
}

sys.path.append(str(Path(__file__).parents[1]))

import numpy as np

from benchmarks.closed_loop import Counter

# Settings by name: the defaults, and documented ones that promise speed without loss (int8 has a
# cosine of 0.97 to float32). infinity-emb's torch engine uses BetterTransformer unless told
# otherwise, and its ONNX engine optimises the file that it is given.
DEFAULTS = "defaults"
PEERS: dict[str, dict[str, dict[str, Any]]] = {
    "infinity torch": {
        DEFAULTS: {},
        "bf16, 64": {"dtype": "bfloat16", "batch_size": 64, "lengths_via_tokenize": True},
        "bf16, SDPA": {
            "dtype": "bfloat16",
            "bettertransformer": False,
            "lengths_via_tokenize": True,
        },
    },
    "infinity onnx": {
        DEFAULTS: {},
        "8, by tokens": {"batch_size": 8, "lengths_via_tokenize": True},
    },
    "sentence-transformers": {
        DEFAULTS: {},
        "bf16": {"model_kwargs": {"torch_dtype": "bfloat16"}},
        "openvino": {"backend": "openvino"},
    },
}
PACKAGES = (
    "infinity-emb",
    "sentence-transformers",
    "transformers",
    "optimum",
    "optimum-intel",
    "onnxruntime",
    "openvino",
    "torch",
)
# What runs on a CPU alone, or only with another build of its library.
CPU_ONLY = ("infinity onnx", "openvino")
ENGINES = {"infinity torch": "torch", "infinity onnx": "optimum"}


def exported(weights: Path, work: Path) -> Path:
    """Return a directory like `weights` with onnx/model.onnx and openvino/ in it, made once."""
    directory = work / "exported"
    if directory.exists():
        return directory
    import openvino
    import torch
    from transformers import AutoModel

    draft = work / "exported.part"
    shutil.copytree(
        weights, draft, ignore=shutil.ignore_patterns("*.safetensors"), dirs_exist_ok=True
    )
    for folder in ("onnx", "openvino"):
        (draft / folder).mkdir(exist_ok=True)
    model = AutoModel.from_pretrained(weights, attn_implementation="eager").eval()
    names = ["input_ids", "attention_mask", "token_type_ids"]
    ids = torch.tensor([[5, 6, 7], [5, 6, 0]])
    torch.onnx.export(
        model,
        (ids, (ids > 0).long(), torch.zeros_like(ids)),
        str(draft / "onnx" / "model.onnx"),
        input_names=names,
        output_names=["last_hidden_state"],
        dynamic_axes={name: {0: "batch", 1: "tokens"} for name in [*names, "last_hidden_state"]},
        opset_version=17,
        dynamo=False,
    )
    converted = openvino.convert_model(draft / "onnx" / "model.onnx")
    openvino.save_model(
        converted, draft / "openvino" / "openvino_model.xml", compress_to_fp16=False
    )
    return draft.rename(directory)


class Infinity:
    """infinity-emb's engine, asked as its server asks it."""

    def __init__(
        self, engine: str, settings: dict[str, Any], weights: Path, device: str, work: Path
    ) -> None:
        from infinity_emb import AsyncEmbeddingEngine, EngineArgs

        if engine == "optimum":
            weights = exported(weights, work)
            settings = {"pooling_method": "mean", **settings}
        # Its own warm-up encodes long texts for a while and has no effect on what follows ours.
        arguments = EngineArgs(
            model_name_or_path=str(weights),
            engine=engine,
            device=device,
            model_warmup=False,
            **settings,
        )
        self._engine = AsyncEmbeddingEngine.from_args(arguments)

    def encode(self, texts: list[str]) -> np.ndarray:
        """Return the vectors of texts."""

        async def work() -> np.ndarray:
            async with self._engine:
                vectors, _ = await self._engine.embed(sentences=texts)
            return np.stack(vectors)

        return asyncio.run(work())

    def rate(self, texts: list[str], concurrency: int, seconds: float) -> tuple[float, float]:
        """Return texts per second of so many tasks, and ms of a core for each."""

        async def work() -> tuple[float, float]:
            source = cycle(texts)
            counter = Counter(concurrency, seconds)

            async def call() -> None:
                while not counter.over():
                    await self._engine.embed(sentences=[next(source)])
                    counter.add(1)

            async with self._engine:
                await asyncio.gather(*(call() for _ in range(concurrency)))
            return counter.rate(), counter.cpu_ms()

        return asyncio.run(work())


class SentenceTransformers:
    """sentence-transformers, called with lists of texts."""

    def __init__(self, settings: dict[str, Any], weights: Path, device: str, work: Path) -> None:
        from sentence_transformers import SentenceTransformer

        if settings.get("backend") == "openvino":
            weights = exported(weights, work)
        self._model = SentenceTransformer(str(weights), device=device, **settings)

    def encode(self, texts: list[str]) -> np.ndarray:
        """Return the vectors of texts."""
        found = self._model.encode(texts, convert_to_tensor=True, normalize_embeddings=True)
        return np.asarray(found.float().cpu().numpy())

    def rate(self, texts: list[str], concurrency: int, seconds: float) -> tuple[float, float]:
        """Return texts per second with so many texts a call, and ms of a core for each."""
        source = cycle(texts)
        counter = Counter(concurrency, seconds)
        while not counter.over():
            self.encode([next(source) for _ in range(concurrency)])
            counter.add(concurrency)
        return counter.rate(), counter.cpu_ms()


def main(
    peer: str,
    variant: str,
    weights: str,
    texts_file: str,
    seconds: str,
    device: str,
    work: str,
    *counts: str,
) -> None:
    """Measure one peer with one of its settings."""
    settings = PEERS[peer][variant]
    content = json.loads(Path(texts_file).read_text(encoding="utf-8"))
    texts, expected = content["texts"], np.array(content["vectors"], np.float32)
    encoder: Infinity | SentenceTransformers
    if peer in ENGINES:
        encoder = Infinity(ENGINES[peer], settings, Path(weights), device, Path(work))
    else:
        encoder = SentenceTransformers(settings, Path(weights), device, Path(work))
    vectors = encoder.encode(texts[: len(expected)])
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    cosine = float((vectors * expected).sum(axis=1).min())
    measured = {count: encoder.rate(texts, int(count), float(seconds)) for count in counts}
    found = {
        "settings": settings,
        "cosine_to_fp32": cosine,
        "texts_per_s": {count: rate for count, (rate, _) in measured.items()},
        "cpu_ms": {count: cpu_ms for count, (_, cpu_ms) in measured.items()},
    }
    print(json.dumps(found))


def listed(device: str) -> dict[str, list[str]]:
    """Return the settings of each peer that run on a device."""
    cpu = device == "cpu"
    return {
        peer: [variant for variant in variants if cpu or variant not in CPU_ONLY]
        for peer, variants in PEERS.items()
        if cpu or peer not in CPU_ONLY
    }


def packages() -> dict[str, str]:
    """Return the versions of what decides on the peers' speed."""
    return {name: metadata.version(name) for name in PACKAGES}


if __name__ == "__main__":
    if sys.argv[1] == "list":
        print(json.dumps({"peers": listed(sys.argv[2]), "packages": packages()}))
    else:
        main(*sys.argv[1:])
