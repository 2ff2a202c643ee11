"""Items as vectors: what their texts say, plus what their id has learned."""

import torch
from torch import Tensor, nn

from models.tower.config import TowerConfig


class ItemTower(nn.Module):
    """An item's vector: a projection of its text vector plus an id embedding.

    An item that the release does not know has the projection alone.
    """

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.id_dropout = config.id_dropout
        self.text = nn.Linear(config.text_width, config.width, bias=False)
        self.ids = nn.Embedding(config.items, config.width)
        nn.init.normal_(self.ids.weight, std=0.02)
        nn.init.normal_(self.text.weight, std=0.02)

    def forward(self, rows: Tensor, text_vectors: Tensor) -> Tensor:
        """Return vectors [n, width] of items; rows [n], text vectors [n, D]."""
        ids = self.ids(rows)
        if self.training:
            kept = torch.rand(len(rows), 1, device=ids.device) >= self.id_dropout
            ids = ids * kept
        return self.text(text_vectors) + ids
