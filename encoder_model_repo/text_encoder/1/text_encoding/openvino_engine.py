"""The encoder on a CPU: OpenVINO, bfloat16 where the CPU computes in it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino as ov


class OpenVinoEngine:
    """Runs `openvino/encoder.xml`, which pools and normalises by itself.

    One group gets all threads at once, for latency; several groups run side by side, one per
    stream, for throughput.
    """

    # What a call costs on top of its tokens: 0.5 to 1 ms of a core that does 10 to 20 tokens a ms.
    call_cost = 16

    def __init__(self, directory: Path, threads: int) -> None:
        core = ov.Core()
        has_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = "bf16" if has_bf16 else "f32"
        options = {
            "INFERENCE_PRECISION_HINT": self.precision,
            # Other processes share the cores: a pinned thread would wait behind them.
            "ENABLE_CPU_PINNING": False,
        }
        if threads > 0:
            options["INFERENCE_NUM_THREADS"] = threads
        model = core.read_model(directory / "openvino" / "encoder.xml")
        latency = core.compile_model(model, "CPU", {**options, "NUM_STREAMS": 1})
        throughput = core.compile_model(model, "CPU", {**options, "PERFORMANCE_HINT": "THROUGHPUT"})
        self._single = latency.create_infer_request()
        self._queue = ov.AsyncInferQueue(throughput)
        self._queue.set_callback(_keep)

    def run(self, groups: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
        """Return float32 [texts, dimension] for each group of token ids and attention mask."""
        if len(groups) == 1:
            return [self._single.infer(list(groups[0]), share_inputs=True)[0].copy()]
        results: list[np.ndarray] = [np.empty(0)] * len(groups)
        for index, group in enumerate(groups):
            self._queue.start_async(list(group), (results, index))
        self._queue.wait_all()
        return results


def _keep(request: ov.InferRequest, place: tuple[list[np.ndarray], int]) -> None:
    results, index = place
    results[index] = request.get_output_tensor().data.copy()
