"""Encoders of the shapes of bert-base-chinese and bge-m3, small and with random weights."""

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from tokenizers.models import Unigram
from tokenizers.pre_tokenizers import Metaspace
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertModel, XLMRobertaConfig, XLMRobertaModel

from tests.support.tiny_encoder import write_pooling

SMALL = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 64,
    # Weights so large that what the text says shows in every vector.
    "initializer_range": 0.3,
}
CHARACTERS = list("安静的书店重金属音乐会")


def write_bert_base_chinese(directory: Path) -> Path:
    """Write the files that bert-base-chinese has: vocab.txt, no tokenizer.json and no pooling."""
    torch.manual_seed(0)
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *CHARACTERS, "book", "##shop"]
    config = BertConfig(vocab_size=len(tokens), type_vocab_size=2, **SMALL)
    BertModel(config).save_pretrained(directory)
    (directory / "vocab.txt").write_text("\n".join(tokens) + "\n", encoding="utf-8")
    about = {"tokenizer_class": "BertTokenizer", "do_lower_case": False, "model_max_length": 512}
    (directory / "tokenizer_config.json").write_text(json.dumps(about))
    return directory


def write_bge_m3(directory: Path) -> Path:
    """Write the files that bge-m3 has: XLM-RoBERTa with a unigram tokenizer, pooled by its first
    token; positions are counted from the padding id on.
    """
    torch.manual_seed(0)
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(character, -3.0) for character in CHARACTERS] + [("▁book", -3.0), ("shop", -3.5)]
    config = XLMRobertaConfig(
        vocab_size=len(pieces),
        max_position_embeddings=130,
        type_vocab_size=1,
        pad_token_id=1,
        **SMALL,
    )
    XLMRobertaModel(config).save_pretrained(directory)
    tokenizer = Tokenizer(Unigram(pieces, unk_id=3))
    tokenizer.pre_tokenizer = Metaspace()
    tokenizer.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    tokenizer.save(str(directory / "tokenizer.json"))
    write_pooling(directory, "cls")
    return directory
