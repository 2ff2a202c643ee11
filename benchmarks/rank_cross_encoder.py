"""A sentence-transformers CrossEncoder on pairs of texts, as a peer of the ranker.

`benchmarks.rank` runs this file with the Python of the peers' environment.
Usage: rank_cross_encoder.py MODEL_DIR PAIRS.json SECONDS

PAIRS.json: lists of [query, text], one list for each request. Printed as JSON: by setting, pairs
per second over whole requests. The model is a pretrained encoder with a new head of one output: its
speed does not depend on what the head has learned.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from optimum.intel import OVModelForSequenceClassification
from sentence_transformers import CrossEncoder

# The settings that sentence-transformers documents for speed: half precision, other backends, and
# the batch size. Its default is float32 by torch in batches of 32.
BF16 = {"INFERENCE_PRECISION_HINT": "bf16"}
BATCHES = (8, 32, 128)


def settings(directory: str) -> Iterator[tuple[str, Callable[[], CrossEncoder], list[int]]]:
    """Give names, what makes the model, and batch sizes."""
    usual = partial(CrossEncoder, directory, num_labels=1, device="cpu", max_length=512)
    yield "default", usual, [32]
    half = {"torch_dtype": torch.bfloat16}
    yield "torch bf16", partial(usual, automodel_args=half), list(BATCHES)

    def on_openvino() -> CrossEncoder:
        # As its later versions do for `backend="openvino"`; the one that infinity needs has none.
        model = usual()
        model.model = OVModelForSequenceClassification.from_pretrained(
            directory, export=True, num_labels=1, ov_config=BF16
        )
        return model

    yield "openvino bf16", on_openvino, list(BATCHES)


def rate(model: CrossEncoder, requests: list[Any], batch: int, seconds: float) -> float:
    """Return pairs per second, each request's pairs sorted by length."""
    pairs = 0
    start = None
    for number in range(1 + len(requests) * 1000):
        own = sorted(requests[number % len(requests)], key=lambda pair: -len(pair[1]))
        scores = model.predict(own, batch_size=batch, show_progress_bar=False)
        assert np.isfinite(np.asarray(scores, np.float32)).all()
        if start is None:  # the first pays for memory and kernels
            start = time.perf_counter()
            continue
        pairs += len(own)
        if time.perf_counter() - start > seconds:
            break
    assert start is not None
    return pairs / (time.perf_counter() - start)


def main(directory: str, file: str, seconds: str) -> None:
    with open(file, encoding="utf-8") as opened:  # noqa: PTH123  (other rules hold in that environment)
        requests = json.load(opened)
    torch.set_grad_enabled(False)
    found: dict[str, float | str] = {}
    for name, make, batches in settings(directory):
        try:
            model = make()
            for batch in batches:
                found[f"{name}, batches of {batch}"] = rate(model, requests, batch, float(seconds))
        except Exception as error:
            found[name] = f"failed: {type(error).__name__}: {str(error)[:200]}"
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
