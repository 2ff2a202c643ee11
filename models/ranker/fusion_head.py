"""The head that adds the language model's view and each feature's into one logit per outcome."""

import torch
from torch import Tensor, nn

HIDDEN = 8


class FusionHead(nn.Module):
    """Logits as a sum: one part of the language model, one of each feature, and a bias.

    Features count otherwise for newcomers, users without history: what is popular, say, is most of
    what there is to go by, while beside a history it tells little that other features do not.
    reads_newcomers: whether the language model's part counts for them.

    new_BC: bool, which candidates are for newcomers. new_BCF: bool, which of their features count
    as newcomers' do.
    """

    def __init__(self, width: int, features: int, outcomes: int) -> None:
        super().__init__()
        self.language = nn.Linear(width, outcomes, bias=False)
        self.bias = nn.Parameter(torch.zeros(outcomes))
        self.usual = FeatureParts(features, outcomes)
        self.newcomers = FeatureParts(features, outcomes)
        self.reads_newcomers: Tensor
        self.register_buffer("reads_newcomers", torch.tensor(True))
        nn.init.normal_(self.language.weight, std=0.02)

    @torch.no_grad()
    def rescale(self, outcome: int, slope: float, offset: float) -> None:
        """Make an outcome's logit `slope` times itself plus `offset`; its parts go along."""
        for parts in (self.usual, self.newcomers):
            parts.linear_FA[..., outcome] *= slope
            parts.outer_FHA[..., outcome] *= slope
        self.language.weight[outcome] *= slope
        self.bias[outcome] = self.bias[outcome] * slope + offset

    def listens(self, new_BC: Tensor) -> bool:
        """Return whether the language model has a say in any logit of such candidates."""
        read = bool(self.reads_newcomers) or not bool(new_BC.all())
        return read and bool(self.language.weight.any())

    def forward(
        self, state_BCW: Tensor, features_BCF: Tensor, new_BC: Tensor, new_BCF: Tensor
    ) -> Tensor:
        """Return logits [B, C, outcomes]."""
        language = self._language(state_BCW, new_BC)
        return language + self.of_features(features_BCF, new_BCF) + self.bias

    def explain(
        self, state_BCW: Tensor, features_BCF: Tensor, new_BC: Tensor, new_BCF: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits [B, C, outcomes], and of the first outcome's the language model's part
        [B, C] and each feature's [B, C, features].
        """
        language = self._language(state_BCW, new_BC)
        sums = [parts.explain(own) for parts, own in self._read_by(features_BCF, new_BCF)]
        total, first = (sum(each[1:], each[0]) for each in zip(*sums, strict=True))
        return language + total + self.bias, language[..., 0], first

    def of_features(self, features_BCF: Tensor, new_BCF: Tensor) -> Tensor:
        """Return the sum of all features' parts [B, C, outcomes], without making each."""
        sums = [parts(own) for parts, own in self._read_by(features_BCF, new_BCF)]
        total: Tensor = sum(sums[1:], sums[0])
        return total

    def _read_by(
        self, features_BCF: Tensor, new_BCF: Tensor
    ) -> list[tuple["FeatureParts", Tensor]]:
        """Return the features that each set of parts reads, 0 for those of the other set."""
        if not new_BCF.any():
            return [(self.usual, features_BCF)]
        return [(self.newcomers, features_BCF * new_BCF), (self.usual, features_BCF * ~new_BCF)]

    def _language(self, state_BCW: Tensor, new_BC: Tensor) -> Tensor:
        read = (self.reads_newcomers | ~new_BC)[..., None]
        return torch.where(read, self.language(state_BCW), 0.0)


class FeatureParts(nn.Module):
    """What each feature adds to each logit.

    A feature's part is a small network of that feature alone (neural additive model: Agarwal et
    al., NeurIPS 2021), less its value where the feature is 0, so that a feature of which nothing
    is known contributes nothing. Contributions are therefore exact.
    """

    def __init__(self, features: int, outcomes: int) -> None:
        super().__init__()
        self.linear_FA = nn.Parameter(torch.zeros(features, outcomes))
        self.inner_FH = nn.Parameter(torch.randn(features, HIDDEN))
        self.inner_bias_FH = nn.Parameter(torch.randn(features, HIDDEN))
        self.outer_FHA = nn.Parameter(torch.zeros(features, HIDDEN, outcomes))

    @torch.no_grad()
    def begin_as(self, other: "FeatureParts") -> None:
        """Take another's weights."""
        self.load_state_dict(other.state_dict())

    @torch.no_grad()
    def clear(self, outcome: int) -> None:
        """Have no feature add anything to an outcome."""
        self.linear_FA[..., outcome] = 0.0
        self.outer_FHA[..., outcome] = 0.0

    def forward(self, features_BCF: Tensor, read_R: Tensor | None = None) -> Tensor:
        """Return the sum of features' parts [B, C, outcomes]; read_R: of which, None for all."""
        read = slice(None) if read_R is None else read_R
        # In full precision: rounding a sum of so many parts would move the logit.
        with torch.autocast(features_BCF.device.type, enabled=False):
            some = features_BCF[..., read]
            bent = _bent(some, self.inner_FH[read], self.inner_bias_FH[read]).flatten(-2)
            return some @ self.linear_FA[read] + bent @ self.outer_FHA[read].flatten(0, 1)

    def explain(self, features_BCF: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sum of all features' parts [B, C, outcomes], and each one's of the first
        outcome [B, C, features].
        """
        with torch.autocast(features_BCF.device.type, enabled=False):
            bent = _bent(features_BCF, self.inner_FH, self.inner_bias_FH).flatten(-2)
            count, outcomes = self.linear_FA.shape
            # One product gives the sums and, by a matrix of blocks, the first outcome's parts.
            blocks = self.outer_FHA[..., :1] * torch.eye(count, device=bent.device)[:, None]
            both = bent @ torch.cat([self.outer_FHA, blocks], dim=-1).flatten(0, 1)
            total, first = both[..., :outcomes], both[..., outcomes:]
            return features_BCF @ self.linear_FA + total, features_BCF * self.linear_FA[
                :, 0
            ] + first


def _bent(features_BCF: Tensor, inner_FH: Tensor, bias_FH: Tensor) -> Tensor:
    return torch.relu(features_BCF[..., None] * inner_FH + bias_FH) - torch.relu(bias_FH)
