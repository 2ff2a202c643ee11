"""Events and candidates as tokens in the language model's input space."""

import torch
from torch import Tensor, nn

from models.ranker.config import RankerConfig

ACTIONS = 16


class ItemTokens(nn.Module):
    """Item tokens: projected contents + id embedding + side features, at the words' own scale.

    Contents are the text vector and, where the release has spaces of media, the joined vectors
    behind it. The projection of these begins at 0: until it has learned, it changes nothing.

    The id embedding is dropped whole, at random, in training, so that an item without one (newer
    than the release) is nothing unusual to the model.
    """

    def __init__(self, config: RankerConfig, width: int, word_scale: float) -> None:
        super().__init__()
        self.id_dropout = config.id_dropout if config.ids else 1.0
        self.has_ids = config.ids
        self.text = nn.Linear(config.text_width, width)
        self.media: nn.Linear | None = None
        if config.spaces:
            self.media = nn.Linear(sum(config.spaces.values()), width, bias=False)
            nn.init.zeros_(self.media.weight)
        self.ids = nn.Embedding(config.items + 1, config.id_width)
        self.id_projection = nn.Linear(config.id_width, width, bias=False)
        self.action = nn.Embedding(ACTIONS, width)
        self.event = nn.Linear(config.event_width, width)
        self.candidate = nn.Linear(len(config.features) + config.context_width, width)
        self.norm = nn.LayerNorm(width)
        nn.init.normal_(self.ids.weight, std=0.02)
        nn.init.normal_(self.action.weight, std=0.02)
        # The words of the pretrained model have this scale: tokens much larger or smaller would
        # drown its position embeddings, or drown in them.
        nn.init.constant_(self.norm.weight, word_scale)

    def ids_of(self, rows: Tensor) -> Tensor:
        """Return what items [...] are known by, [..., id width], zeros for the row -1."""
        known = rows >= 0
        if not self.has_ids:
            known = torch.zeros_like(known)
        if self.training:
            known = known & (torch.rand(rows.shape, device=rows.device) >= self.id_dropout)
        ids: Tensor = self.ids((rows + 1) * known)
        return ids * known[..., None]

    def _contents(self, vectors: Tensor) -> Tensor:
        if self.media is None:
            told: Tensor = self.text(vectors)
            return told
        width = self.text.in_features
        return self.text(vectors[..., :width]) + self.media(vectors[..., width:])

    def events(self, ids: Tensor, vectors: Tensor, actions: Tensor, features: Tensor) -> Tensor:
        """Return tokens [..., S, width] of events; ids are of `ids_of`."""
        items = self._contents(vectors) + self.id_projection(ids)
        return self.norm(items + self.action(actions) + self.event(features))

    def candidates(self, ids: Tensor, vectors: Tensor, side: Tensor) -> Tensor:
        """Return tokens [..., C, width] of candidates; ids are of `ids_of`.

        side: standardised features, and behind them the context, [..., C, F + X].
        """
        items = self._contents(vectors) + self.id_projection(ids)
        return self.norm(items + self.candidate(side))
