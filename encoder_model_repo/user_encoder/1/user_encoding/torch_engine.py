"""The tower on a GPU: torch, in float32."""

import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch.export.passes import move_to_device_pass


class TorchEngine:
    """Runs `user_encoder.pt2`, an exported program: it needs torch and no code of ours."""

    files: tuple[str, ...] = ("user_encoder.pt2",)
    rows_at_once = 64

    def __init__(self, directory: Path, device: str) -> None:
        self._device = torch.device(device)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch uses what it means to abandon
            program = torch.export.load(directory / self.files[0])
            self._module = move_to_device_pass(program, device).module()

    @torch.inference_mode()
    def run(self, arguments: Sequence[np.ndarray]) -> np.ndarray:
        """Return user vectors, float32 [users, W]."""
        tensors = (torch.from_numpy(np.ascontiguousarray(array)) for array in arguments)
        vectors = self._module(*(tensor.to(self._device, non_blocking=True) for tensor in tensors))
        return np.asarray(vectors.cpu().numpy())
