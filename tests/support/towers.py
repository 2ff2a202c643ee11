"""User towers with random weights."""

import torch

from models.tower.config import TowerConfig
from models.tower.serving import ServedTower
from models.tower.tower import UserTower


def random_served_tower(config: TowerConfig, seed: int = 0) -> ServedTower:
    """Return a tower whose every weight matters, and items' vectors."""
    torch.manual_seed(seed)
    tower = UserTower(config)
    for parameter in tower.parameters():
        torch.nn.init.normal_(parameter, std=0.2)
    return ServedTower(tower, 0.3 * torch.randn(config.items, config.width)).eval()
