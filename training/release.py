"""Writing a release directory: whole or not at all."""

import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from safetensors.numpy import save_file

from features.manifest import FORMAT, MANIFEST, AgainstEntry, DatasetEntry, EncoderEntry, Manifest
from features.release import file_sha256
from features.user_view import ReleaseTables
from features.vocabulary import Vocabulary
from models.ranker.export import RankerDiffers, export_language
from models.ranker.ranker import Ranker
from models.ranker.text import TOKENIZER
from models.tower.export import TowerDiffers, export_tower
from models.tower.serving import ServedTower
from models.tower.tower import UserTower
from training.errors import TrainingError

FALLBACK_ITEMS = 1_000


def new_release_id(name: str) -> str:
    """Return an id that is unique, sorts by time and tells people the data set."""
    word = "".join(c if c.isalnum() else "-" for c in name.lower()).strip("-")[:32] or "release"
    stamp = datetime.now(UTC).strftime("%Y%m%d%H%M%S")
    return f"{word}-{stamp}-{secrets.token_hex(3)}"


def check_target(out: Path) -> None:
    """Raise TrainingError if a release cannot be written to a directory."""
    if out.exists():
        raise TrainingError(f"{out} exists already; a release is never overwritten")
    parent = next(p for p in out.absolute().parents if p.exists())
    if not os.access(parent, os.W_OK):
        raise TrainingError(f"{parent} cannot be written to")


def write_release(
    out: Path,
    release_id: str,
    tables: ReleaseTables,
    tower: UserTower,
    ranker: Ranker,
    tokenizer_directory: Path,
    golden: list[dict[str, object]],
    vocabulary: Vocabulary,
    *,
    dataset: DatasetEntry,
    encoder: EncoderEntry,
    metrics: Mapping[str, object],
    settings: Mapping[str, object],
    friends: bool,
    warm_start: str,
    against: AgainstEntry | None,
    version: str,
) -> None:
    """Write a release beside its place and then rename it there.

    friends: whether it has learned what it is worth that friends used something. Raises
    TrainingError where exports do not say what user tower and ranker say.
    """
    draft = out.absolute().with_name(f".{out.name}.{secrets.token_hex(4)}")
    draft.mkdir(parents=True)
    try:
        _write_tables(draft, tables)
        tower.save(draft / "tower")
        _export_tower(draft / "tower", tower, tables)
        ranker.save(draft / "ranker")
        _export_ranker(draft / "ranker", ranker)
        shutil.copyfile(tokenizer_directory / TOKENIZER, draft / "ranker" / TOKENIZER)
        lines = (json.dumps(entry, ensure_ascii=False) for entry in golden)
        (draft / "golden.jsonl").write_text("\n".join(lines) + "\n")
        (draft / "vocabulary.json").write_text(json.dumps(asdict(vocabulary), ensure_ascii=False))
        files = sorted(path for path in draft.rglob("*") if path.is_file())
        _make_readable(files, draft)
        hashes = {str(path.relative_to(draft)): file_sha256(path) for path in files}
        manifest: Manifest = {
            "format": FORMAT,
            "release_id": release_id,
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "tandem_version": version,
            "dataset": dataset,
            "encoder": encoder,
            "models": {
                "text_encoder": encoder["version"],
                "user_encoder": hashes["tower/model.safetensors"][:12],
                "ranker": hashes["ranker/model.safetensors"][:12],
                "cf": hashes["cf.safetensors"][:12],
            },
            "metrics": dict(metrics),
            "source_weights": tables.weights.by_name(),
            "senses": tables.senses.by_name(),
            "spaces": tables.items.media.widths,
            "friends": friends,
            "settings": dict(settings),
            "warm_start": warm_start,
            "against": against,
            "files": hashes,
        }
        (draft / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False))
        draft.rename(out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _make_readable(files: Sequence[Path], draft: Path) -> None:
    """Give files the mode that the umask gives: safetensors writes for its own user alone."""
    mode = draft.stat().st_mode & 0o666
    for file in files:
        file.chmod(mode)


def _export_tower(folder: Path, tower: UserTower, tables: ReleaseTables) -> None:
    vectors = torch.from_numpy(tables.tower.item_vectors + tables.tower.mean)
    try:
        export_tower(ServedTower(tower, vectors).eval(), folder)
    except TowerDiffers as error:
        raise TrainingError(str(error)) from error


def _export_ranker(folder: Path, ranker: Ranker) -> None:
    if not ranker.config.language:
        return
    try:
        export_language(ranker, folder)
    except RankerDiffers as error:
        raise TrainingError(str(error)) from error


def _write_tables(draft: Path, tables: ReleaseTables) -> None:
    items = tables.items
    columns = {
        "item_id": list(items.item_ids),
        "text_hash": list(items.text_hashes),
        "popularity": items.popularity,
        "recent_popularity": items.recent_popularity,
        "create_time_ms": items.create_time_ms,
        "latitude": items.latitude,
        "longitude": items.longitude,
        "category": items.category.by_item(),
        "brand": items.brand.by_item(),
    }
    pq.write_table(pa.table(columns), draft / "items.parquet")
    np.save(draft / "text_vectors.npy", np.ascontiguousarray(items.text_vectors))
    np.save(draft / "text_tokens.npy", np.ascontiguousarray(items.text_tokens))
    items.media.save(draft)
    save_file(
        {
            "item_factors": tables.cf.item_factors,
            "regularization": np.array(tables.cf.regularization, np.float32),
            "alpha": np.array(tables.cf.alpha, np.float32),
        },
        draft / "cf.safetensors",
    )
    ratings = tables.ratings
    save_file(
        {
            "mean": np.array(ratings.mean, np.float32),
            "scale": np.array(ratings.scale, np.float32),
            "quality": ratings.quality,
            "counts": ratings.counts,
        },
        draft / "ratings.safetensors",
    )
    rhythms = tables.rhythms
    save_file(
        {"lifts": rhythms.lifts, "projection": rhythms.projection, "base": rhythms.base},
        draft / "rhythms.safetensors",
    )
    popular = tables.popularity
    save_file(
        {
            "centres": popular.centres,
            "starts": popular.starts,
            "rows": popular.rows,
            "counts": popular.counts,
        },
        draft / "popularity.safetensors",
    )
    told = {"regions": popular.regions, "counting": asdict(popular.counting)}
    (draft / "popularity.json").write_text(json.dumps(told, ensure_ascii=False))
    tables.word_index.save(draft / "words")
    tables.tags.save(draft)
    tables.tastes.save(draft)
    tables.entities.save(draft)
    (draft / "tower").mkdir()
    save_file(
        {
            "item_vectors": np.ascontiguousarray(tables.tower.item_vectors),
            "mean": tables.tower.mean,
            "projection": np.ascontiguousarray(tables.tower.projection),
        },
        draft / "tower" / "space.safetensors",
    )
    tables.neighbours.save(draft)
    order = np.lexsort((-items.popularity, -items.recent_popularity))[:FALLBACK_ITEMS]
    fallback = [items.item_ids[row] for row in order]
    (draft / "fallback.json").write_text(json.dumps(fallback, ensure_ascii=False))
