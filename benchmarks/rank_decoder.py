"""The ranker on a decoder with random weights: items per second and the share of peak FLOP/s.

    python -m benchmarks.rank --device cuda --decoder 0.6b

It needs torch, transformers and this repository, no release and no network. Candidates are packed
behind the prefix of their user with block-sparse attention (FlexAttention) in bfloat16, each shape
compiled and captured as a CUDA graph where that works; what does not work is said and done without.
A call is timed from token embeddings in the host's memory to logits there. `whole` reads prefix and
candidates, `tail` the candidates alone behind keys and values that were kept of the prefix.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import AutoModel, PretrainedConfig, Qwen2Config, Qwen3Config

import benchmarks.without_releases  # noqa: F401  (before models are imported)
from benchmarks.decoder_passes import Bucket, Reader, some_inputs
from benchmarks.environment import describe, write_result
from models.ranker.config import RankerConfig
from models.ranker.ranker import Ranker

WORDS, EVENTS, TEXT_TOKENS = 14, 50, 32
# Users of one batch: one for latency, more for throughput.
BATCHES = (1, 4, 16, 64)
CANDIDATES = (200, 1000)
# Dense bfloat16 FLOP/s as the makers state it.
PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12}
Call = Callable[[Sequence[Tensor]], Tensor]


def decoder_config(name: str) -> PretrainedConfig:
    """Return the shape of Qwen3-0.6B, of Qwen2.5-0.5B or 1.5B, or one for tests."""
    if name == "0.6b":
        return Qwen3Config(
            hidden_size=1024,
            intermediate_size=3072,
            num_hidden_layers=28,
            num_attention_heads=16,
            num_key_value_heads=8,
            head_dim=128,
            vocab_size=151_936,
        )
    sizes = {
        "0.5b": (896, 4864, 24, 14, 2, 151_936),
        "1.5b": (1536, 8960, 28, 12, 2, 151_936),
        "tiny": (64, 96, 2, 4, 2, 200),
    }
    width, inner, layers, heads, groups, words = sizes[name]
    return Qwen2Config(
        hidden_size=width,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=groups,
        vocab_size=words,
    )


def decoder_ranker(name: str, device: str, dtype: torch.dtype) -> Ranker:
    """Return a ranker on a decoder with random weights; its head stays in float32."""
    shape = decoder_config(name)
    config = RankerConfig(
        language_model=shape.to_dict(),
        items=1,
        text_width=384,
        features=["none"],
        event_width=11,
        context_width=12,
        outcomes=["engage"],
    )
    torch.manual_seed(0)
    with torch.device(device):
        ranker = Ranker(config, AutoModel.from_config(shape, dtype=dtype))
    ranker.head.float()
    return ranker.requires_grad_(False).eval()


def flops(ranker: Ranker, bucket: Bucket, *, prefix: bool) -> float:
    """Return the products of a pass: two for each weight and token, and attention's own."""
    config = ranker.language_model.config
    table = ranker.language_model.get_input_embeddings().weight.numel()
    weights = sum(each.numel() for each in ranker.language_model.parameters()) - table
    tokens = bucket.tail + (bucket.prefix if prefix else 0)
    seen = bucket.tail * (bucket.prefix + bucket.own) + (bucket.prefix**2 if prefix else 0)
    heads = config.num_attention_heads
    width: int = heads * (getattr(config, "head_dim", None) or config.hidden_size // heads)
    layers: int = config.num_hidden_layers
    return float(bucket.users * (2.0 * weights * tokens + 4.0 * seen * width * layers))


def graphed(run: Callable[..., Tensor], inputs: Sequence[Tensor]) -> Call:
    """Capture a pass as a CUDA graph. Returns a call that copies its inputs in and replays it."""
    static = [each.clone() for each in inputs]
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run(*static)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = run(*static)

    def call(fresh: Sequence[Tensor]) -> Tensor:
        for place, each in zip(static, fresh, strict=True):
            place.copy_(each, non_blocking=True)
        graph.replay()
        return out.cpu()

    return call


def prepared(run: Callable[..., Tensor], inputs: Sequence[Tensor], device: str) -> tuple[str, Call]:
    """Return the fastest way that works to call a pass, and its name."""

    def plain(each: Callable[..., Tensor]) -> Call:
        return lambda fresh: each(*(t.to(device, non_blocking=True) for t in fresh)).cpu()

    if device != "cuda":
        return "eager", plain(run)
    compiled = torch.compile(run, dynamic=False)
    ways: list[tuple[str, Callable[[], Call]]] = [
        ("compiled, CUDA graph", lambda: graphed(compiled, inputs)),
        ("CUDA graph", lambda: graphed(run, inputs)),
        ("compiled", lambda: plain(compiled)),
    ]
    for name, make in ways:
        try:
            call = make()
            call(inputs)
        except Exception as error:
            reason = " ".join(str(error).split())[:200]
            print(f"{name}: does not work here: {type(error).__name__}: {reason}", flush=True)
            torch.cuda.synchronize()
        else:
            return name, call
    return "eager", plain(run)


def measured(call: Call, inputs: Sequence[Tensor], seconds: float) -> list[float]:
    """Return what calls took, in milliseconds, with inputs from the host's memory."""
    host = [each.cpu() for each in inputs]
    if torch.cuda.is_available():
        host = [each.pin_memory() for each in host]
    for _ in range(3):
        call(host)
    taken: list[float] = []
    end = time.perf_counter() + seconds
    while (start := time.perf_counter()) < end or len(taken) < 5:
        call(host)
        taken.append((time.perf_counter() - start) * 1e3)
    return taken


def rows(
    ranker: Ranker, buckets: Sequence[Bucket], device: str, peak: float, seconds: float
) -> Iterator[dict[str, Any]]:
    """Give latency, items per second and the share of the peak of each bucket, both passes."""
    for bucket in buckets:
        reader = Reader(ranker, bucket, device)
        words, events, candidates, texts = some_inputs(ranker, bucket, seed=0)
        past = reader.prefix(words, events)
        passes: dict[str, tuple[Callable[..., Tensor], list[Tensor]]] = {
            "whole": (reader.whole, [words, events, candidates, texts]),
            "tail": (lambda c, t, r=reader, p=past: r.tail(c, t, p), [candidates, texts]),
        }
        for name, (run, inputs) in passes.items():
            way, call = prepared(run, inputs, device)
            p50, p99 = np.percentile(measured(call, inputs, seconds), [50, 99]).tolist()
            items = bucket.users * bucket.candidates
            work = flops(ranker, bucket, prefix=name == "whole")
            yield {
                "mode": "text" if bucket.text_tokens else "item",
                "pass": name,
                "users": bucket.users,
                "candidates": bucket.candidates,
                "way": way,
                "p50_ms": p50,
                "p99_ms": p99,
                "items_per_s_at_p50": 1e3 * items / p50,
                "items_per_s_at_p99": 1e3 * items / p99,
                "tflops": work / p50 / 1e9,
                "share_of_peak": work / (p50 / 1e3) / peak if peak else None,
            }


def peak_of(device: str) -> float:
    """Return the peak of the device, 0 where it is not known."""
    name = torch.cuda.get_device_name() if device == "cuda" else ""
    return next((peak for part, peak in PEAKS.items() if part in name), 0.0)


@torch.inference_mode()
def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--decoder", choices=["0.6b", "0.5b", "1.5b", "tiny"], required=True)
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--users", type=int, nargs="*", default=BATCHES)
    parser.add_argument("--candidates", type=int, nargs="*", default=CANDIDATES)
    parser.add_argument("--text-tokens", type=int, nargs="*", default=(0, TEXT_TOKENS))
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--tokens-most", type=int, default=400_000, help="of one batch")
    parser.add_argument("--seconds", type=float, default=5.0, help="for each row")
    parser.add_argument("--out", default="rank-decoder", help="name of the recorded file")
    chosen = parser.parse_args(arguments)
    device = chosen.device
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    ranker = decoder_ranker(chosen.decoder, device, dtype)
    buckets = [
        Bucket(users, WORDS, chosen.events, candidates, tokens)
        for tokens in chosen.text_tokens
        for candidates in chosen.candidates
        for users in chosen.users
    ]
    buckets = [b for b in buckets if b.users * (b.prefix + b.tail) <= chosen.tokens_most]
    result: dict[str, Any] = {
        "environment": describe(),
        "settings": {"decoder": chosen.decoder, "device": device, "dtype": str(dtype)},
        "parameters": sum(each.numel() for each in ranker.language_model.parameters()),
        "rows": [],
    }
    for row in rows(ranker, buckets, device, peak_of(device), chosen.seconds):
        shown = (
            f"{name} {v:.3g}" if isinstance(v, float) else f"{name} {v}" for name, v in row.items()
        )
        print("  ".join(shown), flush=True)
        result["rows"].append(row)
    if chosen.out:
        write_result(chosen.out, result)
    return result


if __name__ == "__main__":
    main()
