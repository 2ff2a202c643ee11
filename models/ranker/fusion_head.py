"""The head that adds the language model's view and each feature's into one logit per outcome."""

import torch
from torch import Tensor, nn

HIDDEN = 8


class FusionHead(nn.Module):
    """Logits as a sum: one part of the language model, one of each feature, and a bias.

    A feature's part is a small network of that feature alone (neural additive model: Agarwal et
    al., NeurIPS 2021), less its value where the feature is 0, so that a feature of which nothing
    is known contributes nothing. Contributions are therefore exact.
    """

    def __init__(self, width: int, features: int, outcomes: int) -> None:
        super().__init__()
        self.language = nn.Linear(width, outcomes, bias=False)
        self.bias = nn.Parameter(torch.zeros(outcomes))
        self.linear_FA = nn.Parameter(torch.zeros(features, outcomes))
        self.inner_FH = nn.Parameter(torch.randn(features, HIDDEN))
        self.inner_bias_FH = nn.Parameter(torch.randn(features, HIDDEN))
        self.outer_FHA = nn.Parameter(torch.zeros(features, HIDDEN, outcomes))
        nn.init.normal_(self.language.weight, std=0.02)

    @torch.no_grad()
    def rescale(self, outcome: int, slope: float, offset: float) -> None:
        """Make an outcome's logit `slope` times itself plus `offset`; its parts go along."""
        for part in (self.linear_FA, self.outer_FHA, self.bias):
            part[..., outcome] *= slope
        self.language.weight[outcome] *= slope
        self.bias[outcome] += offset

    def forward(self, state_BCW: Tensor, features_BCF: Tensor) -> Tensor:
        """Return logits [B, C, outcomes]."""
        return self.language(state_BCW) + self.of_features(features_BCF) + self.bias

    def explain(self, state_BCW: Tensor, features_BCF: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits [B, C, outcomes], and of the first outcome's the language model's part
        [B, C] and each feature's [B, C, features].
        """
        language, parts = self.language(state_BCW), self.parts(features_BCF)
        return language + parts.sum(-2) + self.bias, language[..., 0], parts[..., 0]

    def of_features(self, features_BCF: Tensor) -> Tensor:
        """Return the sum of all features' parts [B, C, outcomes], without making each."""
        # In full precision: rounding a sum of so many parts would move the logit.
        with torch.autocast(features_BCF.device.type, enabled=False):
            bent = self._bent(features_BCF).flatten(-2)
            return features_BCF @ self.linear_FA + bent @ self.outer_FHA.flatten(0, 1)

    def parts(self, features_BCF: Tensor) -> Tensor:
        """Return each feature's part of each logit [B, C, features, outcomes]."""
        with torch.autocast(features_BCF.device.type, enabled=False):
            bent = torch.einsum("...fh,fha->...fa", self._bent(features_BCF), self.outer_FHA)
            return features_BCF[..., None] * self.linear_FA + bent

    def _bent(self, features_BCF: Tensor) -> Tensor:
        bent = torch.relu(features_BCF[..., None] * self.inner_FH + self.inner_bias_FH)
        return bent - torch.relu(self.inner_bias_FH)
