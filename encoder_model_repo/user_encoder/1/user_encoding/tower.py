"""The user tower of one release, loaded."""

import json
from collections.abc import Mapping, Sequence
from hashlib import file_digest
from pathlib import Path
from typing import Protocol

import numpy as np

from user_encoding.users import Users, arguments, parts

FORMAT = 1
ENGINES = ("auto", "openvino", "torch")
ABOUT = "user_encoder.json"
# Characters of a library's own explanation that go into ours.
REASON_MAX = 300


class TowerUnusable(Exception):
    """The release or its tower cannot be loaded; the text says why in one line."""


class Engine(Protocol):
    """Runs the network. files: what it reads in the tower's folder."""

    files: tuple[str, ...]
    rows_at_once: int

    def run(self, arguments: Sequence[np.ndarray]) -> np.ndarray:
        """Return float32 [users, W]."""


class Tower:
    """The tower of a release directory."""

    def __init__(self, engine: Engine, about: Mapping[str, int]) -> None:
        self._engine = engine
        self.about = about

    @classmethod
    def load(cls, release_id: str, uri: str, parameters: Mapping[str, str], device: str) -> "Tower":
        """Load the tower of the release at `uri` for a device, "cpu" or "cuda:N".

        The directory must lie under the parameter `releases_root`, be that release, and have the
        content that its manifest names. Raises TowerUnusable.
        """
        directory = Path(uri).resolve()
        if not directory.is_relative_to(Path(parameters["releases_root"]).resolve()):
            raise TowerUnusable(f"{directory} is not under {parameters['releases_root']}")
        if not (directory / "manifest.json").is_file():
            raise TowerUnusable(f"{directory} is no release: it has no manifest.json")
        try:
            tower = cls._load(release_id, directory, parameters, device)
            # The first call pays for memory and kernels; it also proves that the engine works.
            tower.vectors(_somebody(tower.about))
        except TowerUnusable:
            raise
        except Exception as error:
            reason = " ".join(str(error).split())[:REASON_MAX]
            raise TowerUnusable(f"{directory}: {type(error).__name__}: {reason}") from error
        return tower

    @classmethod
    def _load(
        cls, release_id: str, directory: Path, parameters: Mapping[str, str], device: str
    ) -> "Tower":
        manifest = json.loads((directory / "manifest.json").read_text(encoding="utf-8"))
        if manifest["release_id"] != release_id:
            raise TowerUnusable(f"{directory} holds {manifest['release_id']}, not {release_id}")
        folder, name = directory / "tower", _engine_name(parameters, device)
        # Imported late: a machine has the libraries of one of them.
        if name == "torch":
            from user_encoding.torch_engine import TorchEngine

            _verify(directory, manifest["files"], (ABOUT, *TorchEngine.files))
            engine: Engine = TorchEngine(folder, device)
        else:
            from user_encoding.openvino_engine import OpenVinoEngine

            _verify(directory, manifest["files"], (ABOUT, *OpenVinoEngine.files))
            engine = OpenVinoEngine(folder, int(parameters["threads"]))
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        if about["format"] != FORMAT:
            raise TowerUnusable(f"{folder}: format {about['format']}, not {FORMAT}")
        return cls(engine, about)

    def vectors(self, users: Users) -> np.ndarray:
        """Return user vectors, float32 [users, W]."""
        vectors = np.empty((len(users), self.about["width"]), np.float32)
        for places in parts(users, self._engine.rows_at_once):
            vectors[places] = self._engine.run(arguments(users, places))
        return vectors


def _engine_name(parameters: Mapping[str, str], device: str) -> str:
    name = parameters["engine"]
    if name not in ENGINES:
        raise TowerUnusable(f"engine {name!r} is none of {', '.join(ENGINES)}")
    if name == "auto":
        return "openvino" if device == "cpu" else "torch"
    return name


def _verify(directory: Path, hashes: Mapping[str, str], names: Sequence[str]) -> None:
    for name in names:
        with (directory / "tower" / name).open("rb") as file:
            if file_digest(file, "sha256").hexdigest() != hashes[f"tower/{name}"]:
                raise TowerUnusable(f"{file.name} does not match its hash in the manifest")


def _somebody(about: Mapping[str, int]) -> Users:
    """Return a user with two events."""
    events = np.zeros((1, 2), np.int64)
    return Users(
        rows=events,
        unknown_vectors=np.zeros((1, 1, about["text_width"]), np.float32),
        actions=events,
        features=np.zeros((1, 2, about["event_width"]), np.float32),
        times_ms=events,
        next_ms=events,
        context=np.zeros((1, about["context_width"]), np.float32),
        length=np.array([2]),
    )
