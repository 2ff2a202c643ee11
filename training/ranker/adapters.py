"""Low-rank adapters, for language models too large to be trained whole.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022.
"""

import warnings
from typing import cast

from peft import LoraConfig, get_peft_model
from transformers import PreTrainedModel

from models.ranker.ranker import Ranker

DROPOUT = 0.05


def add_adapters(ranker: Ranker, rank: int) -> None:
    """Freeze the language model and put adapters of a rank beside all of its linear layers."""
    config = LoraConfig(
        r=rank, lora_alpha=2 * rank, lora_dropout=DROPOUT, target_modules="all-linear"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # peft asks by a name that is to go
        adapted = get_peft_model(ranker.language_model, config)
    ranker.language_model = cast(PreTrainedModel, adapted)


def merge_adapters(ranker: Ranker) -> None:
    """Add what the adapters learned to the language model's weights, and take them off."""
    ranker.language_model = ranker.language_model.merge_and_unload()
