"""Prepares a directory that Triton's image_encoder loads, from an image tower in the layout of
Hugging Face: image_encoder.json, openvino/ for a CPU and network.pt2 for a GPU."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tandem_cli.encoder_directory import WEIGHTS, published, slug
from tandem_cli.encoder_settings import EncoderUnusable, read_json
from tandem_cli.images.preprocessing import input_size, read_preprocessing

ABOUT = "image_encoder.json"
FORMAT = 1


def prepare_tower(weights: Path, out_root: Path) -> Path:
    """Make `out_root/<version>/` of a tower, or reuse it.

    The version is `<name>-<12 hex digits>`, the digits from a hash of all that decides on the
    vectors. The directory appears complete or not at all. Raises EncoderUnusable.
    """
    for name in ("config.json", WEIGHTS, "preprocessor_config.json"):
        if not (weights / name).is_file():
            raise EncoderUnusable(f"{weights}: there is no {name} in it")
    preprocessing = read_preprocessing(weights)
    name = weights.resolve().name
    version = f"{slug(name)}-{_fingerprint(weights, preprocessing)}"
    directory = out_root / version
    if (directory / ABOUT).is_file():
        return directory

    # Imported late: it takes seconds, and a directory that is there needs none of it.
    from tandem_cli.images.network import convert_tower, load_tower

    with published(directory, ABOUT) as draft:
        dimension = convert_tower(load_tower(weights), input_size(preprocessing), draft)
        about = {
            "format": FORMAT,
            "name": name,
            "version": version,
            "dimension": dimension,
            "preprocessing": preprocessing,
        }
        (draft / ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return directory


def read_about_tower(directory: Path) -> dict[str, Any]:
    """Return image_encoder.json of a prepared directory. Raises EncoderUnusable."""
    if not (directory / ABOUT).is_file():
        raise EncoderUnusable(f"{directory}: there is no {ABOUT} in it; `tandem images prepare`")
    return read_json(directory / ABOUT)


def _fingerprint(weights: Path, preprocessing: dict[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in (WEIGHTS, "config.json"):
        with (weights / name).open("rb") as content:
            digest.update(hashlib.file_digest(content, "sha256").digest())
    digest.update(json.dumps(preprocessing, sort_keys=True).encode())
    return digest.hexdigest()[:12]
