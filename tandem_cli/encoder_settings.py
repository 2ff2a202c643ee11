"""What an encoder's Hugging Face directory says about how it is to be used."""

import json
from pathlib import Path
from typing import Any

from tandem_cli.failure import CommandFailed

FORMAT = 1
POOLINGS = ("mean", "cls")
# The older spelling of sentence-transformers: one boolean for each way of pooling.
POOLING_FLAGS = {"pooling_mode_mean_tokens": "mean", "pooling_mode_cls_token": "cls"}
# Their positions are counted from the padding id on, so that two of them are never used.
OFFSET_POSITIONS = ("camembert", "mpnet", "roberta", "xlm-roberta")


class EncoderUnusable(CommandFailed):
    """No encoder can be made of the weights; the text says why in one line."""


def read_json(file: Path) -> dict[str, Any]:
    """Read a JSON object. Raises EncoderUnusable."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderUnusable(f"{file}: {error}") from error
    if not isinstance(content, dict):
        raise EncoderUnusable(f"{file}: not a JSON object")
    return content


def read_settings(weights: Path) -> dict[str, Any]:
    """Return format, model_type, pooling ("mean" or "cls"), max_tokens and pad_id."""
    config = read_json(weights / "config.json")
    return {
        "format": FORMAT,
        "model_type": config.get("model_type", ""),
        "pooling": _pooling(weights / "1_Pooling" / "config.json"),
        "max_tokens": _max_tokens(weights / "sentence_bert_config.json", config),
        "pad_id": config.get("pad_token_id") or 0,
    }


def _pooling(file: Path) -> str:
    if not file.is_file():
        return "mean"
    config = read_json(file)
    modes = [
        POOLING_FLAGS.get(key, key)
        for key, on in config.items()
        if key.startswith("pooling_mode_") and on
    ]
    if "pooling_mode" in config:
        modes = [str(config["pooling_mode"])]
    if len(modes) != 1 or modes[0] not in POOLINGS:
        raise EncoderUnusable(f"{file}: pooling {'+'.join(modes)} is neither mean nor cls")
    return modes[0]


def _max_tokens(file: Path, config: dict[str, Any]) -> int:
    limit = int(config.get("max_position_embeddings", 512))
    if config.get("model_type") in OFFSET_POSITIONS:
        limit -= 2
    if file.is_file():
        limit = min(limit, int(read_json(file).get("max_seq_length") or limit))
    return limit
