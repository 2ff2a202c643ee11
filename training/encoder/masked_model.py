"""The encoder with the head that names hidden tokens."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoModel, AutoModelForMaskedLM, PreTrainedModel
from transformers.utils import logging

from models.ranker.precision import mixed_precision
from training.errors import TrainingError

# What transformers calls the head in the families that it is known of.
HEADS = ("cls", "lm_head")


class MaskedModel(nn.Module):
    """An encoder, pooled as served, and a masked-language-model head tied to its embeddings.

    A directory of an encoder holds no such head: its transform starts from random weights, its
    decoder is the encoder's own word embeddings.
    """

    def __init__(self, directory: Path, pooling: str, pad_id: int) -> None:
        """pooling: mean or cls. Raises TrainingError for a family whose head is not known."""
        super().__init__()
        self.pooling = pooling
        self.pad_id = pad_id
        level = logging.get_verbosity()
        logging.set_verbosity_error()  # weights that the head lacks are no news
        try:
            whole = AutoModelForMaskedLM.from_pretrained(
                directory, dtype=torch.float32, local_files_only=True, use_safetensors=True
            )
        except (ValueError, OSError) as error:
            reason = str(error).strip().splitlines()[0]
            raise TrainingError(f"{directory}: no masked language model: {reason}") from error
        finally:
            logging.set_verbosity(level)
        head = next((getattr(whole, name) for name in HEADS if hasattr(whole, name)), None)
        if head is None:
            raise TrainingError(
                f"{directory}: the head of {type(whole).__name__} is not known; those of BERT, "
                "RoBERTa and MPNet are"
            )
        whole.tie_weights()
        self.encoder: PreTrainedModel = whole.base_model
        self.head: nn.Module = head
        self.words = whole.get_input_embeddings().weight

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

    def losses(self, states_BTD: Tensor, hidden_BT: Tensor, ids_BT: Tensor) -> Tensor:
        """Return the cross-entropy, float32 [hidden], of the hidden tokens of ids [B, T]."""
        with mixed_precision():
            logits = self.head(states_BTD[hidden_BT])
        return F.cross_entropy(logits.float(), ids_BT[hidden_BT], reduction="none")

    def head_parameters(self) -> list[nn.Parameter]:
        """Return what the head has besides the encoder's word embeddings."""
        return [p for p in self.head.parameters() if p is not self.words]


def save_encoder(model: MaskedModel, source: Path, out: Path) -> None:
    """Write the encoder alone as a Hugging Face directory, whatever else `source` held with it.

    Weights that the masked model has not, such as a pooler, stay as they were.
    """
    level = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        encoder = AutoModel.from_pretrained(source, dtype=torch.float32, local_files_only=True)
    finally:
        logging.set_verbosity(level)
    encoder.load_state_dict(model.encoder.state_dict(), strict=False)
    encoder.save_pretrained(out)
