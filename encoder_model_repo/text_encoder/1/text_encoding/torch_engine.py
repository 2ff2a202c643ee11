"""The encoder on a GPU: torch, in bfloat16 where the GPU computes in it, else float16."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel

from text_encoding.engine import Run


class TorchEngine:
    """Runs the Hugging Face weights, pools and normalises in float32."""

    # Launching a group's kernels takes about as long as a GPU needs for thousands of tokens.
    call_cost = 4096
    tokens_max = 65_536
    rows_max = 1024
    # A GPU has no niceness: bulk work goes when nothing else waits.
    bulk_lanes: Sequence[Run] = ()
    alone: Run | None = None

    def __init__(self, directory: Path, pooling: str, device: str) -> None:
        self._device = torch.device(device)
        self._pooling = pooling
        if self._device.type == "cpu":
            dtype = torch.float32
        else:
            dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        self.precision = str(dtype).removeprefix("torch.")
        model = AutoModel.from_pretrained(directory, dtype=dtype, local_files_only=True)
        self._model = model.to(self._device).eval()
        # Two, so that one prepares its group while the device computes that of the other.
        self.lanes: Sequence[Run] = (self.run, self.run)

    @torch.inference_mode()
    def run(self, tokens: np.ndarray, mask: np.ndarray) -> np.ndarray:
        """Return float32 [texts, dimension] of a group's token ids and attention mask."""
        return self._forward(tokens, mask).cpu().numpy()

    def _forward(self, tokens: np.ndarray, mask: np.ndarray) -> torch.Tensor:
        ids = torch.from_numpy(tokens).to(self._device, non_blocking=True)
        attended = torch.from_numpy(mask).to(self._device, non_blocking=True)
        hidden = self._model(input_ids=ids, attention_mask=attended).last_hidden_state.float()
        if self._pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weights = attended.unsqueeze(-1).float()
            pooled = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
        return torch.nn.functional.normalize(pooled, dim=1)
