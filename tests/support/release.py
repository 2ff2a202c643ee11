"""A small release directory that holds what the gateway reads."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from features.manifest import FORMAT, MANIFEST
from features.release import file_sha256


def write_small_release(
    directory: Path,
    release_id: str,
    item_ids: Sequence[str],
    fallback_item_ids: Sequence[str],
    *,
    repeat: bool = False,
    newest_event_ms: int = 0,
    friends: bool = True,
) -> Path:
    """Write the directory and return it."""
    directory.mkdir(parents=True)
    zeros = np.zeros(len(item_ids), np.float32)
    columns = {
        "item_id": list(item_ids),
        "text_hash": ["" for _ in item_ids],
        "popularity": zeros,
        "recent_popularity": zeros,
        "create_time_ms": np.full(len(item_ids), -1, np.int64),
        "latitude": zeros,
        "longitude": zeros,
        "category": ["" for _ in item_ids],
        "brand": ["" for _ in item_ids],
    }
    pq.write_table(pa.table(columns), directory / "items.parquet")
    np.save(directory / "text_vectors.npy", np.zeros((len(item_ids), 4), np.float32))
    np.save(directory / "text_tokens.npy", np.zeros((len(item_ids), 0), np.int32))
    vocabulary = {"names": {}, "items": 0}
    (directory / "vocabulary.json").write_text(json.dumps(vocabulary))
    (directory / "fallback.json").write_text(json.dumps(list(fallback_item_ids)))
    files = sorted(path for path in directory.iterdir())
    manifest = {
        "format": FORMAT,
        "release_id": release_id,
        "created_at": "2026-01-01T00:00:00+00:00",
        "tandem_version": "0",
        "dataset": {
            "spec": "",
            "name": "small",
            "fingerprint": "",
            "repeat": repeat,
            "newest_event_ms": newest_event_ms,
        },
        "encoder": {"version": "encoder-1", "dimension": 4},
        "models": {"text_encoder": "encoder-1", "ranker": "ranker-1"},
        "metrics": {},
        "source_weights": {},
        "senses": {"clock": True, "place": True},
        "spaces": {},
        "friends": friends,
        "settings": {},
        "files": {path.name: file_sha256(path) for path in files},
    }
    (directory / MANIFEST).write_text(json.dumps(manifest))
    return directory
