"""The directory in which a trained encoder is kept."""

import json
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from training.encoder.model import TextModel, save_encoder
from training.errors import TrainingError
from training.release import check_target

# What says how an encoder is used, where its directory has it.
KEPT = (
    "1_Pooling/config.json",
    "config_sentence_transformers.json",
    "modules.json",
    "sentence_bert_config.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "vocab.txt",
)


def need_new(out: Path) -> None:
    """Raise TrainingError unless a directory can be made at `out`."""
    if out.exists():
        raise TrainingError(f"{out} exists already; an encoder is never overwritten")
    check_target(out)


def write_encoder(
    model: TextModel,
    weights: Path,
    tokenizer_directory: Path,
    out: Path,
    report_name: str,
    report: Mapping[str, object],
) -> None:
    """Write an encoder that began as `weights` to `out`, wholly or not at all.

    report: what training gained, kept beside it as JSON under its name.
    """
    draft = out.absolute().with_name(f".{out.name}.{secrets.token_hex(4)}")
    draft.mkdir(parents=True)
    try:
        save_encoder(model, weights, draft)
        shutil.copyfile(tokenizer_directory / "tokenizer.json", draft / "tokenizer.json")
        for name in KEPT:
            if (weights / name).is_file():
                (draft / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(weights / name, draft / name)
        (draft / report_name).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
