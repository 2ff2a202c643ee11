"""The encoder on a GPU: torch, in bfloat16 where the GPU computes in it, else float16."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from transformers import AutoModel


class TorchEngine:
    """Runs the Hugging Face weights, pools and normalises in float32."""

    # Launching a group's kernels takes about as long as a GPU needs for thousands of tokens.
    call_cost = 4096

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

    @torch.inference_mode()
    def run(self, groups: Sequence[tuple[np.ndarray, np.ndarray]]) -> list[np.ndarray]:
        """Return float32 [texts, dimension] for each group of token ids and attention mask."""
        # All groups are launched before the first result is waited for.
        results = [self._forward(tokens, mask) for tokens, mask in groups]
        return [result.cpu().numpy() for result in results]

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
