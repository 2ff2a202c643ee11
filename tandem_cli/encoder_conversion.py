"""Converts an encoder to OpenVINO IR and proves that it still says the same."""

import logging
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ["HF_HUB_OFFLINE"] = "1"
# Conversion would report its use to OpenVINO's makers; without this package it cannot.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]

import numpy as np  # noqa: E402
import openvino as ov  # noqa: E402
import torch  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from transformers import AutoModel  # noqa: E402
from transformers.utils import logging as transformers_logging  # noqa: E402

from tandem_cli.encoder_settings import EncoderUnusable  # noqa: E402

COSINE_MIN = 0.999
PARITY_TEXTS = [
    "",
    "A quiet bay at dusk.",
    "slow thoughtful science fiction, no gore",
    "适合周末和孩子一起去的安静书店",
    "Ünïcödé, digits 12345 and <punctuation>!",
    "People on an island wait for a ship that does not come. " * 40,
]


class PooledEncoder(torch.nn.Module):
    """Token ids and attention mask [texts, tokens] -> unit vectors [texts, dimension]."""

    def __init__(self, model: torch.nn.Module, pooling: str) -> None:
        super().__init__()
        self.model = model
        self.pooling = pooling

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Encode. Padding does not change the result."""
        output = self.model(input_ids=input_ids, attention_mask=attention_mask)
        hidden = output.last_hidden_state
        if self.pooling == "cls":
            pooled = hidden[:, 0]
        else:
            weights = attention_mask.unsqueeze(-1).to(hidden.dtype)
            pooled = (hidden * weights).sum(dim=1) / weights.sum(dim=1)
        return torch.nn.functional.normalize(pooled, dim=1)


def load_pooled_encoder(directory: Path, pooling: str) -> PooledEncoder:
    """Load the weights for torch in float32. Raises EncoderUnusable."""
    try:
        with quiet():
            model = AutoModel.from_pretrained(
                directory, dtype=torch.float32, local_files_only=True, use_safetensors=True
            )
    except Exception as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise EncoderUnusable(f"{directory}: {reason}") from error
    return PooledEncoder(model, pooling).eval()


def convert(directory: Path, settings: Mapping[str, Any]) -> int:
    """Write openvino/encoder.xml and .bin, check them, and return the dimension.

    Raises EncoderUnusable, also where OpenVINO's vectors differ from torch's.
    """
    encoder = load_pooled_encoder(directory, settings["pooling"])
    example = torch.tensor([[5, 6, 7], [5, 6, 0]])
    try:
        with quiet(), torch.inference_mode():
            model = ov.convert_model(
                encoder,
                example_input={"input_ids": example, "attention_mask": (example > 0).long()},
            )
    except Exception as error:
        raise EncoderUnusable(f"{directory}: OpenVINO cannot convert this network") from error
    file = directory / "openvino" / "encoder.xml"
    ov.save_model(model, file, compress_to_fp16=False)

    ids, mask = _parity_input(directory / "tokenizer.json", settings)
    with torch.inference_mode():
        expected = encoder(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
    compiled = ov.Core().compile_model(file, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    actual = compiled([ids, mask])[0]
    cosine = float((expected * actual).sum(axis=1).min())
    if not cosine >= COSINE_MIN:  # NaN is not either
        raise EncoderUnusable(
            f"{directory}: after conversion the cosine to torch is {cosine:.4f}, not {COSINE_MIN}"
        )
    return int(expected.shape[1])


def _parity_input(
    tokenizer_file: Path, settings: Mapping[str, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokenizer.enable_truncation(settings["max_tokens"])
    tokenizer.enable_padding(pad_id=settings["pad_id"])
    encodings = tokenizer.encode_batch(PARITY_TEXTS)
    return (
        np.array([encoding.ids for encoding in encodings], dtype=np.int64),
        np.array([encoding.attention_mask for encoding in encodings], dtype=np.int64),
    )


@contextmanager
def quiet() -> Iterator[None]:
    """Silence what does not concern whoever prepares an encoder: progress bars, tracer's notes."""
    level = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity(logging.ERROR)
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.enable_progress_bar()
        transformers_logging.set_verbosity(level)
