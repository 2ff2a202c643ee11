"""How close fine-tuning comes to what the machine can do: `make bench-train`.

    .venv/bin/python -m benchmarks.training_limit --events 20000

`tandem train` runs in this process. Of its steps some batches are kept, with what each step took.
Then the same batches go forward and back through the same ranker with nothing around them: that is
the limit. What a step needs beyond it is drawing negatives, packing, judgements, the optimizer and
checkpoints. The rate of bare matrix products of the model's shape tells how far the limit itself is
from the machine's.
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import training.ranker.loop as loop
from benchmarks.environment import describe, write_result
from benchmarks.training import EVENTS_PER_USER, ITEMS, write_part
from models.ranker.batch import RankBatch
from models.ranker.flat_batch import tokens_of
from models.ranker.packed_user import collate
from models.ranker.precision import mixed_precision
from models.ranker.ranker import Ranker
from sample_world import write_world
from tandem_cli.__main__ import app

# Everything but the ranker's fine-tuning as short as it goes.
SHORT = ("tower_epochs=1", "head_epochs=1", "validation_users=50", "epochs=1")
KEPT = 16
ROUNDS = 3
# A step's first batches pay for kernels and memory.
WARM_UP = 3


class Tap:
    """Keeps training's batches with how many tokens each has, and when each step began."""

    def __init__(self) -> None:
        self.ranker: Ranker | None = None
        self.batches: list[tuple[RankBatch, int]] = []
        self.starts: list[float] = []

    def put_in(self) -> None:
        """Have the training loop's batches pass by here."""
        batch_loss = loop.batch_loss

        def kept(config: Any, users: Any) -> RankBatch:
            batch = collate(config, users)
            if len(self.batches) < len(self.starts):
                self.batches.append((batch, sum(map(tokens_of, users))))
            return batch

        def timed(ranker: Ranker, *rest: Any) -> Tensor:
            self.ranker = ranker
            self.starts.append(time.perf_counter())
            return batch_loss(ranker, *rest)

        setattr(loop, "collate", kept)  # noqa: B010  (it is not the module's to give away)
        setattr(loop, "batch_loss", timed)  # noqa: B010

    def steps_s(self) -> list[float]:
        """Return what steps took, one less than there were batches."""
        return [after - before for before, after in pairwise(self.starts)]


def median_s(run: Callable[[], object], rounds: int) -> float:
    """Return the median of what a call takes."""
    taken = []
    for _ in range(rounds):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def forward_backward_s(ranker: Ranker, batch: RankBatch) -> float:
    """Return what a batch takes forward and back, and nothing else."""

    def run() -> None:
        with mixed_precision():
            logits = ranker(batch)
        logits.float().square().mean().backward()
        ranker.zero_grad(set_to_none=True)

    return median_s(run, ROUNDS)


def padded_tokens(batch: RankBatch) -> int:
    """Return how many tokens a batch has with those that pad it."""
    own = 1 + batch.candidate_texts_BCN.shape[-1]
    prefix = batch.text_mask_BT.shape[1] + batch.event_mask_BS.shape[1]
    return len(batch.obeyed_B) * (prefix + batch.candidate_rows_BC.shape[1] * own)


def products_flops(width: int) -> float:
    """Return the rate of matrix products of the model's shape in bfloat16, FLOP/s."""
    left = torch.randn(2048, width, dtype=torch.bfloat16)
    right = torch.randn(width, 4 * width, dtype=torch.bfloat16)
    left @ right
    return 2 * 2048 * width * 4 * width / median_s(lambda: left @ right, 50)


def measure(tap: Tap) -> dict[str, Any]:
    """Return training's steps beside the bare passes of the same batches."""
    ranker, steps = tap.ranker, tap.steps_s()[WARM_UP:]
    assert ranker is not None
    assert len(steps) > KEPT, "too few steps: give more events"
    # The last batch has no step that is known whole.
    kept, steps = tap.batches[:-1][-KEPT:], steps[-KEPT:]
    batches = [batch for batch, _ in kept]
    ranker.train()
    for batch in batches[:WARM_UP]:
        forward_backward_s(ranker, batch)
    bare = [forward_backward_s(ranker, batch) for batch in batches]
    there, with_padding = sum(count for _, count in kept), sum(map(padded_tokens, batches))
    model = ranker.language_model
    embeddings = model.get_input_embeddings().weight.numel()
    weights = sum(p.numel() for p in model.parameters()) - embeddings
    # Twice for each weight forward, four times back; attention adds some percent.
    flops = 6 * weights * with_padding / sum(bare)
    rate = products_flops(model.config.hidden_size)
    return {
        "steps": len(steps),
        "step_s": statistics.median(steps),
        "forward_backward_s": statistics.median(bare),
        "of_limit": sum(bare) / sum(steps),
        "tokens_per_s": there / sum(steps),
        "tokens_per_s_bare": there / sum(bare),
        "padding_share": 1 - there / with_padding,
        "products_gflops": rate / 1e9,
        "forward_backward_of_products": flops / rate,
        "threads": torch.get_num_threads(),
    }


def main() -> None:
    """Train on a sample world, measure and record."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--events", type=int, default=20_000)
    arguments = parser.parse_args()
    tap = Tap()
    tap.put_in()
    with tempfile.TemporaryDirectory() as folder:
        world, part = Path(folder) / "world", Path(folder) / "part"
        write_world(
            world,
            domain="mixed",
            items=ITEMS,
            users=arguments.events // EVENTS_PER_USER,
            seed=7,
        )
        counts = write_part(world, part, arguments.events)
        command = ["train", "--dataset", str(part), "--out", str(Path(folder) / "release")]
        command += [word for setting in SHORT for word in ("--set", setting)]
        app(command, standalone_mode=False)
    found = measure(tap)
    print(found)
    write_result(
        "training-limit",
        {"environment": describe(), "settings": {**counts, "set": SHORT}, **found},
    )


if __name__ == "__main__":
    main()
