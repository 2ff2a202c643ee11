"""User towers for tests, and releases of nothing else."""

import json
from pathlib import Path

import numpy as np
import torch

from features.context import CONTEXT_WIDTH
from features.events import EVENT_WIDTH
from features.manifest import MANIFEST, Manifest
from features.release import Release, file_sha256
from models.tower.config import TowerConfig
from models.tower.export import export_tower
from models.tower.serving import ServedTower
from models.tower.tower import UserTower


def random_served_tower(config: TowerConfig, seed: int = 0) -> ServedTower:
    """Return a tower whose every weight matters, and items' vectors."""
    torch.manual_seed(seed)
    tower = UserTower(config)
    for parameter in tower.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return ServedTower(tower, 0.3 * torch.randn(config.items, config.width)).eval()


def more_of_the_last(item_vectors: np.ndarray, text_width: int) -> ServedTower:
    """Return a tower whose user vector is the newest item's vector, normalised.

    item_vectors: float32 [items, W]. Items that it does not know are nothing to it.
    """
    items, width = item_vectors.shape
    config = TowerConfig(items, text_width, EVENT_WIDTH, CONTEXT_WIDTH, width=width)
    tower = UserTower(config)
    for parameter in tower.parameters():
        torch.nn.init.zeros_(parameter)
    torch.nn.init.ones_(tower.norm.weight)
    torch.nn.init.eye_(tower.merge.weight)
    return ServedTower(tower, torch.from_numpy(item_vectors)).eval()


def write_tower_release(directory: Path, release_id: str, served: ServedTower) -> Release:
    """Write what the user encoder reads of a release."""
    folder = directory / "tower"
    folder.mkdir(parents=True)
    export_tower(served, folder)
    manifest: Manifest = {  # type: ignore[typeddict-item]  # the rest is not read
        "release_id": release_id,
        "encoder": {"version": "", "dimension": served.tower.config.text_width},
        "spaces": served.tower.config.spaces,
        "files": {f"tower/{file.name}": file_sha256(file) for file in folder.iterdir()},
    }
    (directory / MANIFEST).write_text(json.dumps(manifest))
    return Release(directory, manifest)
