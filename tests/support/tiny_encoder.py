"""A BERT of a few thousand random weights, in the layout of Hugging Face."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import WordPiece
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WORDS = ["a", "film", "book", "quiet", "##er", "安", "静", "的", "书", "店"]


def write_tiny_encoder(
    directory: Path, *, seed: int = 0, pooling: str = "mean", positions: int = 64
) -> Path:
    """Write config, weights, tokenizer and sentence-transformers' files; at most 32 tokens."""
    torch.manual_seed(seed)
    tokens = SPECIAL + WORDS
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=positions,
    )
    BertModel(config).save_pretrained(directory)
    ids = {token: index for index, token in enumerate(tokens)}
    tokenizer = Tokenizer(WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = BertNormalizer()
    tokenizer.pre_tokenizer = BertPreTokenizer()
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.save(str(directory / "tokenizer.json"))
    write_pooling(directory, pooling)
    (directory / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 32}))
    return directory


def write_pooling(directory: Path, pooling: str) -> None:
    """Write how token vectors become one."""
    (directory / "1_Pooling").mkdir(exist_ok=True)
    flags = {
        "word_embedding_dimension": 32,
        "pooling_mode_mean_tokens": pooling == "mean",
        "pooling_mode_cls_token": pooling == "cls",
        "pooling_mode_max_tokens": pooling == "max",
    }
    (directory / "1_Pooling" / "config.json").write_text(json.dumps(flags))
