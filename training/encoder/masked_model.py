"""The encoder with the head that names hidden tokens."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM
from transformers.utils import logging

from models.ranker.precision import mixed_precision
from training.encoder.model import TextModel
from training.errors import TrainingError

# What transformers calls the head in the families that it is known of.
HEADS = ("cls", "lm_head")


class MaskedModel(TextModel):
    """An encoder, pooled as served, and a masked-language-model head tied to its embeddings.

    A directory of an encoder holds no such head: its transform starts from random weights, its
    decoder is the encoder's own word embeddings.
    """

    def __init__(self, directory: Path, pooling: str, pad_id: int) -> None:
        """pooling: mean or cls. Raises TrainingError for a family whose head is not known."""
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
        super().__init__(whole.base_model, pooling, pad_id)
        self.head: nn.Module = head
        self.words = whole.get_input_embeddings().weight

    def losses(self, states_BTD: Tensor, hidden_BT: Tensor, ids_BT: Tensor) -> Tensor:
        """Return the cross-entropy, float32 [hidden], of the hidden tokens of ids [B, T]."""
        with mixed_precision():
            logits = self.head(states_BTD[hidden_BT])
        return F.cross_entropy(logits.float(), ids_BT[hidden_BT], reduction="none")

    def head_parameters(self) -> list[nn.Parameter]:
        """Return what the head has besides the encoder's word embeddings."""
        return [p for p in self.head.parameters() if p is not self.words]
