"""A text encoder, pooled as it is served: texts to unit vectors."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoModel, PreTrainedModel
from transformers.utils import logging

from models.ranker.precision import mixed_precision
from training.encoder.texts import Tokens
from training.errors import TrainingError
from training.progress import Say, tracked

Float32 = npt.NDArray[np.float32]
ENCODE_AT_ONCE = 64


class TextModel(nn.Module):
    """A transformer whose last states are pooled into one unit vector a text."""

    def __init__(self, encoder: PreTrainedModel, pooling: str, pad_id: int) -> None:
        """pooling: mean or cls."""
        super().__init__()
        self.encoder = encoder
        self.pooling = pooling
        self.pad_id = pad_id

    def forward(self, ids_BT: Tensor) -> Tensor:
        """Return the unit vectors, float32 [B, D], of texts."""
        with mixed_precision():
            states = self.states(ids_BT)
        return self.pooled(states.float(), ids_BT)

    def states(self, ids_BT: Tensor) -> Tensor:
        """Return the last states [B, T, D]."""
        attention = (ids_BT != self.pad_id).long()
        return self.encoder(input_ids=ids_BT, attention_mask=attention).last_hidden_state

    def pooled(self, states_BTD: Tensor, ids_BT: Tensor) -> Tensor:
        """Return unit vectors [B, D] of the texts."""
        if self.pooling == "cls":
            return F.normalize(states_BTD[:, 0], dim=-1)
        there = (ids_BT != self.pad_id).unsqueeze(-1).to(states_BTD.dtype)
        return F.normalize((states_BTD * there).sum(1) / there.sum(1).clamp(min=1), dim=-1)


def load_encoder(directory: Path, pooling: str, pad_id: int) -> TextModel:
    """Return the encoder of a Hugging Face directory; raise TrainingError if there is none."""
    return TextModel(_loaded(directory), pooling, pad_id)


def encode(model: TextModel, tokens: Tokens, say: Say) -> Float32:
    """Return the texts' vectors, float32 [texts, D]."""
    model.eval()
    vectors = np.zeros((len(tokens), int(model.encoder.config.hidden_size)), np.float32)
    order = np.argsort([len(ids) for ids in tokens.ids], kind="stable").tolist()
    starts = range(0, len(order), ENCODE_AT_ONCE)
    for start in tracked(starts, len(starts), "encoding texts, batches", say):
        some = order[start : start + ENCODE_AT_ONCE]
        ids, _ = tokens.batch(some)
        with torch.inference_mode():
            vectors[some] = model(ids).numpy()
    return vectors


def save_encoder(model: TextModel, source: Path, out: Path) -> None:
    """Write the encoder alone as a Hugging Face directory, whatever else `source` held with it.

    Weights that the trained model has not, such as a pooler, stay as they were.
    """
    encoder = _loaded(source)
    encoder.load_state_dict(model.encoder.state_dict(), strict=False)
    encoder.save_pretrained(out)


def _loaded(directory: Path) -> PreTrainedModel:
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        encoder: PreTrainedModel = AutoModel.from_pretrained(
            directory, dtype=torch.float32, local_files_only=True, use_safetensors=True
        )
    except (ValueError, OSError) as error:
        reason = str(error).strip().splitlines()[0]
        raise TrainingError(f"{directory}: no encoder: {reason}") from error
    finally:
        logging.set_verbosity(level)
    return encoder
