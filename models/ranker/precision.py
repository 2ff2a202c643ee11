"""The number format of the ranker's forward pass."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def mixed_precision(device: str = "cpu") -> Iterator[None]:
    """Compute in bfloat16 where the device has it, else in float32."""
    able = device != "cpu" or bool(torch.cpu._is_avx512_bf16_supported())
    with torch.autocast(device, dtype=torch.bfloat16, enabled=able):
        yield
