"""What attention knows of distance: how many events ago, and how long ago."""

import torch
from torch import Tensor, nn

TIME_BUCKETS = 32
# Buckets of log2 seconds: 31 of them reach 68 years.
MS_PER_S = 1000.0


class AttentionBias(nn.Module):
    """A learned bias by head for each distance in events and each bucket of elapsed time.

    The elapsed time runs from an event to the moment that is predicted, as in HSTU: Zhai et al.,
    "Actions Speak Louder than Words", ICML 2024.
    """

    def __init__(self, heads: int, max_history: int) -> None:
        super().__init__()
        self.max_history = max_history
        self.by_distance = nn.Embedding(max_history, heads)
        self.by_time = nn.Embedding(TIME_BUCKETS, heads)
        nn.init.zeros_(self.by_distance.weight)
        nn.init.zeros_(self.by_time.weight)

    def forward(self, buckets_BLL: Tensor) -> Tensor:
        """Return biases [B, heads, L, L]; -inf where an event would look at a later one.

        buckets_BLL: int64, as `time_buckets` gives them.
        """
        length = buckets_BLL.shape[1]
        order = torch.arange(length, device=buckets_BLL.device)
        distance_LL = (order[:, None] - order[None, :]).clamp(0, self.max_history - 1)
        bias_BLLH = self.by_distance(distance_LL)[None] + self.by_time(buckets_BLL)
        later_LL = order[None, :] > order[:, None]
        return bias_BLLH.permute(0, 3, 1, 2).masked_fill(later_LL, float("-inf"))


def time_buckets(times_ms_BL: Tensor, next_ms_BL: Tensor) -> Tensor:
    """Return floor(log2(1 + seconds)) from each event to what each position predicts, [B, L, L].

    times_ms_BL: int64, the events' times. next_ms_BL: int64, the time that each position predicts
    for: that of the next event, or of the request. The exponent of a float is exact, where a
    logarithm is rounded up just below a power of two, by some libraries and not by others.
    """
    elapsed_s = (next_ms_BL[:, :, None] - times_ms_BL[:, None, :]).clamp(min=0) / MS_PER_S
    return (torch.frexp(elapsed_s + 1.0).exponent.long() - 1).clamp(max=TIME_BUCKETS - 1)
