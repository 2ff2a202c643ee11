"""A tower's network on a CPU, by OpenVINO, and on a GPU, by torch."""

from pathlib import Path

import numpy as np


class OpenVinoEngine:
    """Runs `openvino/encoder.xml`, bfloat16 where the CPU computes in it."""

    def __init__(self, directory: Path, threads: int) -> None:
        import openvino as ov

        core = ov.Core()
        has_bf16 = "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        self.precision = "bf16" if has_bf16 else "f32"
        # Other processes share the cores: a pinned thread would wait behind them.
        options = {"INFERENCE_PRECISION_HINT": self.precision, "ENABLE_CPU_PINNING": False}
        if threads > 0:
            options["INFERENCE_NUM_THREADS"] = threads
        model = core.read_model(directory / "openvino" / "encoder.xml")
        self._request = core.compile_model(model, "CPU", options).create_infer_request()

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """Return float32 [images, dimension] of float32 [images, 3, height, width]."""
        return self._request.infer([pixels], share_inputs=True)[0].copy()


class TorchEngine:
    """Runs `network.pt2`, which needs no model code, in bfloat16 where it multiplies matrices."""

    def __init__(self, directory: Path, device: str) -> None:
        import torch

        self._torch, self._device = torch, torch.device(device)
        self.precision = "float32" if device == "cpu" else "bfloat16"
        self._network = torch.export.load(directory / "network.pt2").module().to(self._device)

    def run(self, pixels: np.ndarray) -> np.ndarray:
        """Return float32 [images, dimension] of float32 [images, 3, height, width]."""
        torch = self._torch
        narrow = self.precision == "bfloat16"
        with (
            torch.inference_mode(),
            torch.autocast(self._device.type, torch.bfloat16, enabled=narrow),
        ):
            return self._network(torch.from_numpy(pixels).to(self._device)).float().cpu().numpy()
