"""The progress of a training run on disk: one that was stopped goes on, to the same end."""

import json
import os
import shutil
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

import features
import models
import training
from features.manifest import MANIFEST
from features.release import file_sha256
from training.datasets.fingerprint import fingerprint
from training.datasets.format import Dataset
from training.errors import TrainingError
from training.place import Loop, Place, load_weights, weights
from training.progress import Say, Tracker
from training.settings import TrainSettings

RUN = "run.json"
STATE = ".safetensors"
# A folder of what is being written; what is found in it is of a run that was killed.
DRAFTS = "drafts"
EVERY_S = 300.0
Values = dict[str, Any]


class Checkpoint:
    """The newest state of each stage of one run, in a folder; without one, nothing is kept.

    A state is one safetensors file, whose metadata has as JSON what is no tensor. It is written
    elsewhere and renamed, so that a run killed at any moment leaves a whole one.
    """

    def __init__(self, folder: Path | None = None, run: Values | None = None, say: Say = print):
        self.folder = folder
        self._run = run or {}
        self._say = say
        self._saved = time.monotonic()

    def save(self, stage: str, values: Values, tensors: Mapping[str, Tensor]) -> None:
        """Keep the state of a stage in place of the one before. Raises TrainingError."""
        if self.folder is None:
            return
        if isinstance(self._say, Tracker):
            values = {**values, "numbers": self._say.steps}
        tensors = {name: value.contiguous() for name, value in tensors.items()}
        file = self._file(stage)
        try:
            drafts = self.folder / DRAFTS
            shutil.rmtree(drafts, ignore_errors=True)
            drafts.mkdir(parents=True)
            if not (self.folder / RUN).exists():
                text = json.dumps(self._run, indent=1)
                (drafts / RUN).write_text(text, encoding="utf-8")
                _rename(drafts / RUN, self.folder / RUN)
            save_file(tensors, drafts / file.name, metadata={"values": json.dumps(values)})
            _rename(drafts / file.name, file)
            drafts.rmdir()
        except (OSError, SafetensorError) as error:
            raise TrainingError(f"progress cannot be kept in {self.folder}: {error}") from error
        self._saved = time.monotonic()

    def load(self, stage: str) -> tuple[Values, dict[str, Tensor]] | None:
        """Return the state of a stage, if there is one. Raises TrainingError."""
        file = self._file(stage)
        if self.folder is None or not file.exists():
            return None
        try:
            with safe_open(file, framework="pt") as content:
                values: Values = json.loads(content.metadata()["values"])
                # Copies, for the sums of some kernels depend on how memory is aligned.
                tensors = {name: content.get_tensor(name).clone() for name in content.offset_keys()}
        except (OSError, SafetensorError, ValueError) as error:
            raise TrainingError(f"{file} cannot be read: {error}; --restart begins anew") from error
        if isinstance(self._say, Tracker):
            self._say.steps |= Counter(values.get("numbers", {}))
        return values, tensors

    def keep(self, loop: Loop, place: Place) -> None:
        """Keep a loop's state."""
        if self.folder is None:
            return
        state = loop.optimizer.state_dict()
        of_place = {name: value for name, value in vars(place).items() if name != "best_state"}
        values = {
            "place": of_place,
            "random": loop.random.bit_generator.state,
            "groups": state["param_groups"],
            "schedule": loop.schedule and loop.schedule.state_dict(),
        }
        tensors = {"torch": torch.get_rng_state()}
        tensors |= {f"model.{name}": value for name, value in weights(loop.model).items()}
        if loop.average is not None:
            tensors |= {f"average.{name}": own for name, own in loop.average.state_dict().items()}
        tensors |= {f"best.{name}": value for name, value in place.best_state.items()}
        for index, own in state["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in own.items()}
        self.save(loop.stage, values, tensors)

    def stepped(self, loop: Loop, place: Place, loss: float) -> None:
        """Count a step of an epoch; every few minutes keep the loop's state."""
        place.step += 1
        place.losses.append(loss)
        if time.monotonic() - self._saved >= EVERY_S:
            self.keep(loop, place)

    def turned(self, loop: Loop, place: Place) -> None:
        """Go on to the next epoch, and keep the loop's state."""
        place.epoch, place.step, place.losses = place.epoch + 1, 0, []
        self.keep(loop, place)

    def restore(self, loop: Loop) -> Place | None:
        """Bring a loop to where it was, if it was anywhere. Raises TrainingError."""
        found = self.load(loop.stage)
        if found is None:
            return None
        values, tensors = found
        load_weights(loop.model, _under("model.", tensors))
        if loop.average is not None:
            loop.average.load_state_dict(_under("average.", tensors))
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _under("optimizer.", tensors).items():
            index, _, part = name.partition(".")
            state.setdefault(int(index), {})[part] = value
        loop.optimizer.load_state_dict({"state": state, "param_groups": values["groups"]})
        if loop.schedule is not None:
            loop.schedule.load_state_dict(values["schedule"])
        loop.random.bit_generator.state = values["random"]
        torch.set_rng_state(tensors["torch"])
        place = Place(**values["place"], best_state=_under("best.", tensors))
        self._say(f"going on from {loop.stage}, epoch {place.epoch}, step {place.step}")
        return place

    def finish(self, stage: str, result: object, model: nn.Module | None = None) -> None:
        """Keep what has come of a stage; of its loop nothing more is needed."""
        self.save(stage, {"result": result}, weights(model) if model is not None else {})

    def finished(self, stage: str, model: nn.Module | None = None) -> Any:
        """Return what has come of a stage and bring its model to that, or None. Raises likewise."""
        found = self.load(stage)
        if found is None or "result" not in found[0]:
            return None
        if model is not None:
            load_weights(model, found[1])
            model.eval()
        self._say(f"going on after {stage}, which is done")
        return found[0]["result"]

    def remove(self) -> None:
        """Remove what was kept, and the folder unless it holds something else."""
        if self.folder is None or not self.folder.exists():
            return
        shutil.rmtree(self.folder / DRAFTS, ignore_errors=True)
        for file in self.folder.glob(f"*{STATE}"):
            file.unlink()
        (self.folder / RUN).unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()

    def _file(self, stage: str) -> Path:
        return (self.folder or Path()) / f"{stage.replace(' ', '-')}{STATE}"


# For loops that are never gone on with.
NOWHERE = Checkpoint()


def open_checkpoint(folder: Path, run: Values, *, restart: bool, say: Say) -> Checkpoint:
    """Return the progress of a run in a folder, if `restart` without what was kept there.

    run: what decides on its outcome, by name. Raises TrainingError if the folder has another run's.
    """
    checkpoint = Checkpoint(folder, run, say)
    if restart:
        checkpoint.remove()
    file = folder / RUN
    if not file.exists():
        if folder.exists() and any(path.name != DRAFTS for path in folder.iterdir()):
            raise TrainingError(f"{folder} holds something else than the progress of training")
        return checkpoint
    try:
        old, new = json.loads(file.read_text(encoding="utf-8")), json.loads(json.dumps(run))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{file} cannot be read: {error}; --restart begins anew") from error
    other = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    if other:
        raise TrainingError(
            f"{folder} has the progress of another run, with another {', '.join(other)}; "
            "--restart begins anew, --work DIR keeps progress elsewhere"
        )
    return checkpoint


def run_of(
    dataset: Dataset, settings: TrainSettings, encoder_directory: Path, warm: Path | None
) -> Values:
    """Return what decides on the outcome of a run, by name."""
    encoder = sorted(path for path in encoder_directory.iterdir() if path.is_file())
    packages = (features, models, training)
    code = [path for p in packages for path in sorted(Path(p.__path__[0]).rglob("*.py"))]
    return {
        "data set": fingerprint(dataset),
        "encoder": _hash(encoder),
        "warm start": _hash([warm / MANIFEST]) if warm else "",
        "version of the code": _hash(code),
        "version of torch": torch.__version__,
        **{f"setting {name}": value for name, value in asdict(settings).items()},
    }


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): v for n, v in tensors.items() if n.startswith(prefix)}


def _hash(files: list[Path]) -> str:
    return sha256("".join(file_sha256(file) for file in files).encode()).hexdigest()


def _rename(draft: Path, file: Path) -> None:
    """Give a written file its name, once it is on the disk."""
    with draft.open("rb") as written:
        os.fsync(written.fileno())
    draft.replace(file)
