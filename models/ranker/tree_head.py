"""The head of an ablation: gradient-boosted trees on the features, one ensemble per outcome."""

import json
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from lightgbm import Booster

NEEDED = "lightgbm==4.7.0"


class TreeHead(nn.Module):
    """Logits as a sum: one part of each feature, and a bias. It reads no language model.

    Unlike the additive head's, a feature's part depends on the other features: it is the feature's
    Shapley value in the ensemble (Lundberg et al., "Consistent individualized feature attribution
    for tree ensembles", 2018), of which LightGBM computes the exact one. So parts sum to the logit,
    but a feature of which nothing is known may have one.

    The ensembles are kept as LightGBM's text in the module's state, so that they are saved, hashed
    and loaded with it. An outcome without any has parts of 0.
    """

    def __init__(self, width: int, features: int, outcomes: int) -> None:
        super().__init__()
        self.features = features
        # Serving asks every head for the language model's part; this one's is 0.
        self.language = nn.Linear(width, outcomes, bias=False).requires_grad_(False)
        nn.init.zeros_(self.language.weight)
        self.bias: Tensor
        self.register_buffer("bias", torch.zeros(outcomes))
        self.slope: Tensor
        self.register_buffer("slope", torch.ones(outcomes))
        self._ensembles: list[_Ensemble | None] = [None] * outcomes

    def plant(self, outcome: int, text: str, level: float | None = None) -> None:
        """Give an outcome an ensemble, LightGBM's text; raises ImportError without LightGBM.

        level: what its logit shall be on average over what the trees were grown on; None keeps it.
        """
        ensemble = _Ensemble(text, self.features)
        self._ensembles[outcome] = ensemble
        self.slope[outcome] = 1.0
        self.bias[outcome] = ensemble.mean if level is None else level

    @torch.no_grad()
    def rescale(self, outcome: int, slope: float, offset: float) -> None:
        """Make an outcome's logit `slope` times itself plus `offset`; its parts go along."""
        self.slope[outcome] *= slope
        self.bias[outcome] = self.bias[outcome] * slope + offset

    def listens(self, new_BC: Tensor) -> bool:
        """Return that the language model has a say in no logit."""
        del new_BC
        return False

    def forward(
        self, state_BCW: Tensor, features_BCF: Tensor, new_BC: Tensor, new_BCF: Tensor
    ) -> Tensor:
        """Return logits [B, C, outcomes]; neither the language model's states are read nor who is a
        newcomer: trees see from the features what there is to go by.
        """
        del state_BCW, new_BC
        return self.of_features(features_BCF, new_BCF) + self.bias

    def of_features(self, features_BCF: Tensor, new_BCF: Tensor) -> Tensor:
        """Return the sum of all features' parts [B, C, outcomes].

        It does without the parts themselves, which cost some fifty times as much.
        """
        del new_BCF
        rows = _rows(features_BCF)
        logits = np.zeros((len(rows), len(self._ensembles)))
        for outcome, ensemble in enumerate(self._ensembles):
            if ensemble is not None:
                logits[:, outcome] = ensemble.scores(rows)
        shape = (*features_BCF.shape[:-1], len(self._ensembles))
        return self.slope * _tensor(logits, features_BCF).view(shape)

    def explain(
        self, state_BCW: Tensor, features_BCF: Tensor, new_BC: Tensor, new_BCF: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits [B, C, outcomes], and of the first outcome's the language model's part
        [B, C], which is 0, and each feature's [B, C, features].
        """
        logits, parts = (
            self(state_BCW, features_BCF, new_BC, new_BCF),
            self._parts(features_BCF, outcome=0),
        )
        return logits, self.language(state_BCW)[..., 0], parts

    def parts(self, features_BCF: Tensor, new_BCF: Tensor) -> Tensor:
        """Return each feature's part of each logit [B, C, features, outcomes]."""
        del new_BCF
        every = range(len(self._ensembles))
        return torch.stack([self._parts(features_BCF, outcome) for outcome in every], dim=-1)

    def _parts(self, features_BCF: Tensor, outcome: int) -> Tensor:
        ensemble = self._ensembles[outcome]
        if ensemble is None:
            return torch.zeros_like(features_BCF)
        parts = _tensor(ensemble.parts(_rows(features_BCF)), features_BCF)
        return self.slope[outcome] * parts.view(features_BCF.shape)

    def get_extra_state(self) -> Tensor:
        """Return the ensembles' texts as JSON in UTF-8, uint8 [n]."""
        texts = ["" if ensemble is None else ensemble.text for ensemble in self._ensembles]
        return torch.tensor(list(json.dumps(texts).encode()), dtype=torch.uint8)

    def set_extra_state(self, state: Tensor) -> None:
        """Take the ensembles of a state. Raises ImportError without LightGBM."""
        texts = json.loads(state.cpu().numpy().tobytes())
        self._ensembles = [_Ensemble(text, self.features) if text else None for text in texts]


class _Ensemble:
    """Trees of one outcome, less their mean over what they were grown on."""

    def __init__(self, text: str, features: int) -> None:
        self.text = text
        self._booster = _read(text)
        # The last column is the mean, the same for every row.
        nothing = np.zeros((1, features))
        self.mean = float(np.asarray(self._booster.predict(nothing, pred_contrib=True))[0, -1])

    def scores(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        found = self._booster.predict(rows, raw_score=True, num_threads=torch.get_num_threads())
        return np.asarray(found) - self.mean

    def parts(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        found = self._booster.predict(rows, pred_contrib=True, num_threads=torch.get_num_threads())
        return np.asarray(found)[:, :-1]


def _read(text: str) -> "Booster":
    try:
        # Here and not above: only rankers of trees need it, which are made for ablations.
        from lightgbm import Booster
    except ImportError as error:
        raise ImportError(f"a ranker of trees needs LightGBM: pip install {NEEDED}") from error
    return Booster(model_str=text)


def _rows(features_BCF: Tensor) -> npt.NDArray[np.float32]:
    return np.ascontiguousarray(features_BCF.detach().float().flatten(0, -2).cpu().numpy())


def _tensor(values: npt.NDArray[np.float64], like: Tensor) -> Tensor:
    return torch.from_numpy(values.astype(np.float32)).to(like.device)
