"""The user tower: history -> user vectors whose inner product with item vectors ranks items.

After SASRec (Kang and McAuley, ICDM 2018), with text beside ids and with elapsed time in attention.
"""

from pathlib import Path

import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from models.tower.attention_bias import AttentionBias, time_buckets
from models.tower.config import TowerConfig, load_tower_config
from models.tower.items import ItemTower

WEIGHTS = "model.safetensors"
ACTIONS = 16


class Block(nn.Module):
    """Attention, then a feed-forward network, each after a norm and beside a shortcut."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        width = config.width
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.attended = nn.Linear(width, width)
        self.feed_norm = nn.LayerNorm(width)
        self.feed = nn.Sequential(
            nn.Linear(width, 2 * width),
            nn.GELU(),
            nn.Dropout(config.dropout),
            nn.Linear(2 * width, width),
        )

    def forward(self, state_BLW: Tensor, bias_BHLL: Tensor) -> Tensor:
        """Return the next state [B, L, W]."""
        batch, length, width = state_BLW.shape
        parts = self.query_key_value(self.attention_norm(state_BLW))
        query, key, value = parts.view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        rate = self.dropout if self.training else 0.0
        seen = F.scaled_dot_product_attention(
            query, key, value, attn_mask=bias_BHLL, dropout_p=rate
        )
        seen = self.attended(seen.transpose(1, 2).reshape(batch, length, width))
        state_BLW = state_BLW + F.dropout(seen, rate)
        return state_BLW + F.dropout(self.feed(self.feed_norm(state_BLW)), rate)


class UserTower(nn.Module):
    """Reads item vectors with action, features and age; answers for every position at once."""

    def __init__(self, config: TowerConfig) -> None:
        super().__init__()
        self.config = config
        self.items = ItemTower(config)
        self.action = nn.Embedding(ACTIONS, config.width)
        self.event = nn.Linear(config.event_width, config.width)
        self.bias = AttentionBias(config.heads, config.max_history)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        self.context = nn.Linear(config.context_width, config.width, bias=False)
        self.merge = nn.Linear(config.width, config.width)
        nn.init.normal_(self.action.weight, std=0.02)
        nn.init.zeros_(self.context.weight)

    def forward(
        self,
        item_vectors_BLW: Tensor,
        actions_BL: Tensor,
        features_BLE: Tensor,
        times_ms_BL: Tensor,
        next_ms_BL: Tensor,
        context_BLX: Tensor,
    ) -> Tensor:
        """Return user vectors [B, L, W]: at each position what is wanted next.

        Events are oldest first and padded at the end, where nothing looks at them.
        """
        buckets_BLL = time_buckets(times_ms_BL, next_ms_BL)
        return self.of_buckets(item_vectors_BLW, actions_BL, features_BLE, buckets_BLL, context_BLX)

    def of_buckets(
        self,
        item_vectors_BLW: Tensor,
        actions_BL: Tensor,
        features_BLE: Tensor,
        buckets_BLL: Tensor,
        context_BLX: Tensor,
    ) -> Tensor:
        """Return the same of elapsed times in buckets, as `time_buckets` gives them."""
        scale = self.config.width**0.5
        tokens = item_vectors_BLW * scale + self.action(actions_BL) + self.event(features_BLE)
        state = F.dropout(tokens, self.config.dropout, self.training)
        bias = self.bias(buckets_BLL).to(state.dtype)
        for block in self.blocks:
            state = block(state, bias)
        return self.merge(self.norm(state) + self.context(context_BLX))

    def save(self, directory: Path) -> None:
        """Write configuration and weights into a folder."""
        directory.mkdir(parents=True, exist_ok=True)
        self.config.save(directory)
        save_file({k: v.contiguous() for k, v in self.state_dict().items()}, directory / WEIGHTS)


def load_tower(directory: Path) -> UserTower:
    """Return a trained tower, in evaluation mode."""
    tower = UserTower(load_tower_config(directory))
    tower.load_state_dict(load_file(directory / WEIGHTS))
    return tower.eval()
