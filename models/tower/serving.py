"""The user tower as it is served: rows and vectors in, one user vector out."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from models.tower.attention_bias import time_buckets
from models.tower.tower import UserTower


class ServedTower(nn.Module):
    """Reads padded histories with the release's item vectors inside.

    item_vectors_NW: the items' vectors, their mean not taken off.
    """

    def __init__(self, tower: UserTower, item_vectors_NW: Tensor) -> None:
        super().__init__()
        self.tower = tower
        self.item_vectors_NW: Tensor
        self.register_buffer("item_vectors_NW", item_vectors_NW)

    def forward(
        self,
        rows_BL: Tensor,
        unknown_vectors_BUD: Tensor,
        actions_BL: Tensor,
        features_BLE: Tensor,
        times_ms_BL: Tensor,
        next_ms_BL: Tensor,
        context_BX: Tensor,
        lengths_B: Tensor,
    ) -> Tensor:
        """Return user vectors [B, W], float32.

        rows_BL: int64; -1 - k is the k-th of the user's unknown_vectors_BUD, float32 contents.
        Events are oldest first, padded at the end; lengths_B: int64, at least 1. The rest is as in
        `features.tower.TowerInput`.
        """
        return self.of_buckets(
            rows_BL,
            unknown_vectors_BUD,
            actions_BL,
            features_BLE,
            time_buckets(times_ms_BL, next_ms_BL),
            context_BX,
            lengths_B,
        )

    def of_buckets(
        self,
        rows_BL: Tensor,
        unknown_vectors_BUD: Tensor,
        actions_BL: Tensor,
        features_BLE: Tensor,
        buckets_BLL: Tensor,
        context_BX: Tensor,
        lengths_B: Tensor,
    ) -> Tensor:
        """Return the same of elapsed times in buckets, as `time_buckets` gives them."""
        unknown_BUW = self.tower.items.project(unknown_vectors_BUD)
        place = (-1 - rows_BL).clamp(min=0)[..., None].expand(-1, -1, unknown_BUW.shape[-1])
        known_BLW = F.embedding(rows_BL.clamp(min=0), self.item_vectors_NW)
        items_BLW = torch.where((rows_BL >= 0)[..., None], known_BLW, unknown_BUW.gather(1, place))
        length = rows_BL.shape[1]
        context_BLX = context_BX[:, None].expand(-1, length, -1)
        vectors_BLW = self.tower.of_buckets(
            items_BLW, actions_BL, features_BLE, buckets_BLL, context_BLX
        )
        last = (lengths_B - 1)[:, None, None].expand(-1, 1, vectors_BLW.shape[-1])
        return vectors_BLW.gather(1, last)[:, 0]
