"""The tower on a CPU: OpenVINO, in float32."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import openvino as ov


class OpenVinoEngine:
    """Runs `user_encoder.xml`. A history of 100 events takes 0.7 ms of a core (measured)."""

    files: tuple[str, ...] = ("user_encoder.xml", "user_encoder.bin")
    # More at once gain nothing on a core, and padding costs.
    rows_at_once = 4

    def __init__(self, directory: Path, threads: int) -> None:
        options: dict[str, object] = {
            # So small a network gains little by bfloat16, and neighbours would change their order.
            "INFERENCE_PRECISION_HINT": "f32",
            "NUM_STREAMS": 1,
            # Other processes share the cores: a pinned thread would wait behind them.
            "ENABLE_CPU_PINNING": False,
        }
        if threads > 0:
            options["INFERENCE_NUM_THREADS"] = threads
        compiled = ov.Core().compile_model(directory / self.files[0], "CPU", options)
        self._request = compiled.create_infer_request()

    def run(self, arguments: Sequence[np.ndarray]) -> np.ndarray:
        """Return user vectors, float32 [users, W]."""
        return np.array(self._request.infer(list(arguments))[0])
