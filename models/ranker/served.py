"""The language part of a ranker as it is served: looked-up arrays in, states out."""

import torch
from torch import Tensor, nn

from models.ranker.attention import Packing
from models.ranker.flat_batch import FlatBatch
from models.ranker.ranker import Ranker


class ServedLanguage(nn.Module):
    """Reads the tokens of a flat batch; all tables of embeddings are looked up before.

    So it holds matrices alone, which an exported copy does not hold twice at any size of catalogue.
    """

    def __init__(self, ranker: Ranker) -> None:
        super().__init__()
        self.ranker = ranker

    def forward(
        self,
        words_TW: Tensor,
        event_ids_SI: Tensor,
        event_vectors_SD: Tensor,
        event_actions_S: Tensor,
        event_features_SE: Tensor,
        candidate_ids_CI: Tensor,
        candidate_vectors_CD: Tensor,
        side_CX: Tensor,
        candidate_words_CNW: Tensor,
        positions_L: Tensor,
        prefix_mask_PP: Tensor,
        candidate_mask_CP: Tensor,
        own_mask_CO: Tensor,
    ) -> Tensor:
        """Return the last state at each candidate [C, W].

        words, candidate_words: embeddings of tokens; ids: of `ItemTokens.ids_of`; side: what
        `ItemTokens.candidates` reads. The rest is as in `FlatBatch`.
        """
        tokens = self.ranker.tokens
        events = tokens.events(event_ids_SI, event_vectors_SD, event_actions_S, event_features_SE)
        candidates = tokens.candidates(candidate_ids_CI, candidate_vectors_CD, side_CX)
        packing = Packing(
            prefix_mask_PP.shape[0],
            prefix_mask_PP[None],
            candidate_mask_CP[None],
            own_mask_CO[None],
        )
        states: Tensor = self.ranker.read(
            words_TW[None],
            events[None],
            candidates[None],
            candidate_words_CNW[None],
            positions_L[None],
            packing,
        )
        return states[0]


def looked_up(ranker: Ranker, batch: FlatBatch, features_CF: Tensor) -> tuple[Tensor, ...]:
    """Return the arguments of `ServedLanguage`. features_CF: standardised."""
    words, tokens = ranker.language_model.get_input_embeddings(), ranker.tokens
    return (
        words(torch.from_numpy(batch.text_ids_T)),
        tokens.ids_of(torch.from_numpy(batch.event_rows_S)),
        torch.from_numpy(batch.event_vectors_SD),
        torch.from_numpy(batch.event_actions_S),
        torch.from_numpy(batch.event_features_SE),
        tokens.ids_of(torch.from_numpy(batch.candidate_rows_C)),
        torch.from_numpy(batch.candidate_vectors_CD),
        torch.cat([features_CF, torch.from_numpy(batch.context_CX)], dim=-1),
        words(torch.from_numpy(batch.candidate_texts_CN).clamp(min=0)),
        torch.from_numpy(batch.positions_L),
        torch.from_numpy(batch.prefix_mask_PP),
        torch.from_numpy(batch.candidate_mask_CP),
        torch.from_numpy(batch.own_mask_CO),
    )
