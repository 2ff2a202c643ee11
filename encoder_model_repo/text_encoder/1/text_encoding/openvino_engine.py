"""The encoder on a CPU: OpenVINO, bfloat16 where the CPU computes in it."""

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from text_encoding.engine import Run

# Of 0 to 19: behind all that online requests have the machine do, yet never without any time.
BULK_NICENESS = 15


class OpenVinoEngine:
    """Runs `openvino/encoder.xml`, which pools and normalises by itself.

    A lone group gets all threads at once, for latency; several groups run side by side, one per
    stream, for throughput. Bulk work has streams of its own, whose threads the system schedules
    behind others: an online text waits for no bulk group, and shares its core with none.
    """

    # What a call costs on top of its tokens: 1 to 2 ms of a core that does 15 tokens a ms.
    call_cost = 24
    # More are computed no faster (512: 3 % slower), and have others wait longer: 70 ms of a core.
    tokens_max = 1024
    rows_max = 64

    def __init__(self, directory: Path, threads: int) -> None:
        core = ov.Core()
        has_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = "bf16" if has_bf16 else "f32"
        options: dict[str, Any] = {
            "INFERENCE_PRECISION_HINT": self.precision,
            # Other processes share the cores: a pinned thread would wait behind them.
            "ENABLE_CPU_PINNING": False,
        }
        if threads > 0:
            options["INFERENCE_NUM_THREADS"] = threads
        model = core.read_model(directory / "openvino" / "encoder.xml")
        streams = {**options, "PERFORMANCE_HINT": "THROUGHPUT"}

        def bulk() -> ov.CompiledModel:
            # The threads that OpenVINO starts here inherit it.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), BULK_NICENESS)
            return core.compile_model(model, "CPU", streams)

        with ThreadPoolExecutor(1) as behind:
            self.bulk_lanes: Sequence[Run] = _lanes(behind.submit(bulk).result())
        self.lanes: Sequence[Run] = _lanes(core.compile_model(model, "CPU", streams))
        alone = _run(core.compile_model(model, "CPU", {**options, "NUM_STREAMS": 1}))
        self.alone: Run | None = alone


def _lanes(compiled: ov.CompiledModel) -> list[Run]:
    return [_run(compiled) for _ in range(compiled.get_property("NUM_STREAMS"))]


def _run(compiled: ov.CompiledModel) -> Run:
    request = compiled.create_infer_request()

    def run(tokens: np.ndarray, mask: np.ndarray) -> np.ndarray:
        found: Mapping[Any, np.ndarray] = request.infer([tokens, mask], share_inputs=True)
        return found[0].copy()

    return run
