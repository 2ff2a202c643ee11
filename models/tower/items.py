"""Items as vectors: what their texts say, plus what their id has learned."""

import torch
from torch import Tensor, nn

from models.tower.config import TowerConfig


class ItemTower(nn.Module):
    """An item's vector: a projection of its contents plus an id embedding.

    Contents are the text vector and, where the release has spaces of media, the joined vectors
    behind it. An item that the release does not know has the projection alone.
    """

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.id_dropout = config.id_dropout
        self.text = nn.Linear(config.text_width, config.width, bias=False)
        self.ids = nn.Embedding(config.items, config.width)
        nn.init.normal_(self.ids.weight, std=0.02)
        nn.init.normal_(self.text.weight, std=0.02)
        self.media: nn.Linear | None = None
        if config.spaces:
            self.media = nn.Linear(sum(config.spaces.values()), config.width, bias=False)
            nn.init.normal_(self.media.weight, std=0.02)

    def forward(self, rows: Tensor, contents: Tensor) -> Tensor:
        """Return vectors [n, width] of items; rows [n], contents [n, D + M]."""
        ids = self.ids(rows)
        if self.training:
            kept = torch.rand(len(rows), 1, device=ids.device) >= self.id_dropout
            ids = ids * kept
        return self.project(contents) + ids

    def project(self, contents: Tensor) -> Tensor:
        """Return what contents [..., D + M] say of items, [..., width]."""
        if self.media is None:
            told: Tensor = self.text(contents)
            return told
        width = self.text.in_features
        return self.text(contents[..., :width]) + self.media(contents[..., width:])

    def projection(self) -> Tensor:
        """Return the matrix of `project`, [D + M, width]."""
        parts = [self.text] if self.media is None else [self.text, self.media]
        return torch.cat([part.weight.T for part in parts])
