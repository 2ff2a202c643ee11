"""Beginning with what another release has learned, of this domain or another one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from features.item_table import ItemTable
from features.item_text import text_hash
from features.release import Release, open_release
from models.ranker.config import RankerConfig
from models.ranker.ranker import Ranker, load_ranker
from models.tower.tower import UserTower, load_tower
from serving.errors import ReleaseUnusable
from training.errors import TrainingError
from training.progress import Say

NO_TEXT = text_hash("")
# What is made of text vectors means something only with the encoder that it was learned with.
OF_TEXT = ("items.text.", "tokens.text.")
# Likewise of the vectors of media: spaces of one name and width are taken for the same.
OF_MEDIA = ("items.media.", "tokens.media.")
# Tables whose rows are items; those of the same items are taken one by one, or none.
OF_ITEMS = ("items.ids.", "tokens.ids.")
# Measured on the data, not learned.
MEASURED = ("feature_scale",)


@dataclass(frozen=True)
class WarmStart:
    """A release to begin with, and what of it fits a run.

    same_encoder: whether its text vectors are of the same space; same_spaces: whether it has the
    same spaces of media. same_data: whether its data set has the same name. rows, old_rows:
    int64 [n], the items that are the same in this run's item table and in the release's.
    """

    release: Release
    same_encoder: bool
    same_spaces: bool
    same_data: bool
    rows: npt.NDArray[np.int64]
    old_rows: npt.NDArray[np.int64]
    say: Say

    def has_seen(self, times_ms: npt.NDArray[np.int64]) -> bool:
        """Tell whether the release may know events of some times: its tower has seen them all.

        From such a tower the ranker would learn to believe whatever a tower says.
        """
        newest = self.release.newest_event_ms
        seen = self.same_data and bool((times_ms <= newest).any())
        if seen:
            self.say(
                f"warm start: the user tower begins anew, as that of {self.release.release_id} has "
                "seen what it is to predict"
            )
        return seen

    def tower(self, tower: UserTower) -> None:
        """Give a tower the weights that fit."""
        old = load_tower(self.release.tower_directory)
        taken = self._take(tower, old.state_dict(), {})
        rows = 0
        if tower.config.width == old.config.width:
            with torch.no_grad():
                tower.items.ids.weight[self.rows] = old.items.ids.weight[self.old_rows]
            rows = len(self.rows)
        self._tell("user tower", tower, taken, f", and the ids of {rows:,} items that are the same")

    def ranker(self, ranker: Ranker) -> None:
        """Give a ranker the weights that fit; item ids begin anew."""
        old = load_ranker(self.release.ranker_directory)
        before = {name: value.clone() for name, value in ranker.state_dict().items()}
        found = _renamed(old.state_dict(), old.config, ranker.config, before)
        backbone = [name for name in before if name.startswith("language_model.")]
        fits = all(
            name in found and found[name].shape == before[name].shape for name in backbone
        ) and _layers(old.config) == _layers(ranker.config)
        if not fits:
            found = {name: value for name, value in found.items() if name not in backbone}
            self.say("warm start: the language model has another shape and stays as it was given")
        taken = self._take(ranker, old.state_dict(), found)
        self._tell("ranker", ranker, taken, "")

    def _take(
        self, model: nn.Module, old: Mapping[str, Tensor], found: Mapping[str, Tensor]
    ) -> list[str]:
        """Copy what has the same name and shape; `found`, where it says anything, goes first."""
        source = found or old
        taken = []
        with torch.no_grad():
            for name, value in model.state_dict().items():
                foreign = name.startswith(OF_TEXT) and not self.same_encoder
                foreign |= name.startswith(OF_MEDIA) and not self.same_spaces
                if foreign or name.startswith(OF_ITEMS) or name in MEASURED:
                    continue
                if name in source and source[name].shape == value.shape:
                    value.copy_(source[name])
                    taken.append(name)
        return taken

    def _tell(self, what: str, model: nn.Module, taken: Sequence[str], more: str) -> None:
        names = [
            name
            for name in model.state_dict()
            if not name.startswith(OF_ITEMS) and name not in MEASURED
        ]
        left = sorted({name.rpartition(".")[0] or name for name in set(names) - set(taken)})
        self.say(
            f"warm start of the {what} from {self.release.release_id}: {len(taken)} of "
            f"{len(names)} weights fit{more}"
            + (f"; anew: {', '.join(left)}" if 0 < len(left) <= 8 else "")
        )


def warm_start(directory: Path, base: ItemTable, name: str, encoder: str, say: Say) -> WarmStart:
    """Open a release to begin with. name: the data set's; encoder: the text encoder's version.

    Two items are the same that have the same id and the same text. Ids are often mere numbers, so
    that equal ids of items without texts mean something only in data sets of the same name.
    Raises TrainingError if the release cannot be used.
    """
    try:
        release = open_release(directory)
    except ReleaseUnusable as error:
        raise TrainingError(str(error)) from error
    old = release.items
    place = {item_id: row for row, item_id in enumerate(old.item_ids)}
    same_name = release.manifest["dataset"]["name"] == name
    pairs = [
        (row, place[item_id])
        for row, item_id in enumerate(base.item_ids)
        if item_id in place
        and base.text_hashes[row] == old.text_hashes[place[item_id]]
        and (same_name or base.text_hashes[row] != NO_TEXT)
    ]
    rows = np.array(pairs, np.int64).reshape(-1, 2)
    same_encoder = release.encoder_version == encoder
    if not same_encoder:
        say(
            f"warm start: {release.release_id} has another text encoder, so that what it learned "
            "of text vectors is of no use here"
        )
    same_spaces = old.media.widths == base.media.widths
    return WarmStart(release, same_encoder, same_spaces, same_name, rows[:, 0], rows[:, 1], say)


def _layers(config: RankerConfig) -> tuple[object, object]:
    """Return what decides on a language model's meaning besides the shapes of its weights."""
    return config.language_model.get("model_type"), config.language_model.get("num_attention_heads")


def _renamed(
    old: Mapping[str, Tensor],
    was: RankerConfig,
    now: RankerConfig,
    fresh: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Return a ranker's weights with features and outcomes in the places that they have now.

    fresh: the weights that stay for features and outcomes which the old ranker did not know.
    """
    features = _pairs(was.features, now.features)
    outcomes = _pairs(was.outcomes, now.outcomes)
    found = dict(old)
    width = len(now.features)
    for name, value in fresh.items():
        if name not in old or not name.startswith(("head.", "tokens.candidate.")):
            continue
        merged, given = value.clone(), old[name]
        if name == "tokens.candidate.weight":
            merged[:, features[0]] = given[:, features[1]]
            if was.context_width == now.context_width:
                merged[:, width:] = given[:, len(was.features) :]
        elif name in ("head.language.weight", "head.bias"):
            if merged.shape[1:] == given.shape[1:]:
                merged[outcomes[0]] = given[outcomes[1]]
        elif name.endswith((".inner_FH", ".inner_bias_FH")):
            merged[features[0]] = given[features[1]]
        elif name.endswith((".linear_FA", ".outer_FHA")):
            for new_outcome, old_outcome in zip(*outcomes, strict=True):
                merged[features[0], ..., new_outcome] = given[features[1], ..., old_outcome]
        else:
            merged = given
        found[name] = merged
    return found


def _pairs(was: Sequence[str], now: Sequence[str]) -> tuple[list[int], list[int]]:
    """Return the places now and before of names that both have."""
    both = [name for name in now if name in was]
    return [now.index(name) for name in both], [was.index(name) for name in both]
