"""The made-up world of the demo and the release that is trained on it; both are kept and reused."""

import json
import shutil
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from features.manifest import FORMAT
from features.release import open_release
from serving.errors import ReleaseUnusable
from serving.info import tandem_version
from tandem_cli.console import say
from tandem_cli.subcommand import run_subcommand

INPUTS = "inputs.json"
HISTORY_WANTED = 30
AS_WRITTEN = csv.ConvertOptions(
    column_types={"user_id": pa.string(), "language_code": pa.string()},
)


@dataclass(frozen=True)
class DemoWorld:
    """Where the demo keeps its things, how large its world is and how long it trains."""

    directory: Path
    items: int
    users: int
    seed: int = 7
    positions: int = 3_000
    epochs: int = 2

    @property
    def data(self) -> Path:
        """The data set directory."""
        return self.directory / "world"

    @property
    def release(self) -> Path:
        """The release directory."""
        return self.directory / "release"

    @property
    def state(self) -> Path:
        """The stack's state directory."""
        return self.directory / "state"

    def prepare(self) -> None:
        """Write the world and train on it, unless a run with the same inputs has done so."""
        inputs = {
            "format": FORMAT,
            "version": tandem_version(),
            **{key: str(value) for key, value in asdict(self).items()},
        }
        file = self.directory / INPUTS
        if file.exists() and json.loads(file.read_text()) == inputs and self._usable():
            say(f"world and release are there from an earlier run, in {self.directory}")
            return
        for former in (self.data, self.release, self.state):
            if former.exists():
                shutil.rmtree(former)
        self.directory.mkdir(parents=True, exist_ok=True)
        size = ("--items", str(self.items), "--users", str(self.users), "--seed", str(self.seed))
        run_subcommand("sample", str(self.data), *size)
        settings = ("--set", f"positions={self.positions}", "--set", f"epochs={self.epochs}")
        run_subcommand("train", "--dataset", str(self.data), "--out", str(self.release), *settings)
        file.write_text(json.dumps(inputs, indent=1))

    def known_user(self) -> str:
        """Return an English-reading user with about HISTORY_WANTED events."""
        readers = csv.read_csv(self.data / "users.csv", convert_options=AS_WRITTEN)
        english = set(readers.filter(pc.field("language_code") == "en")["user_id"].to_pylist())
        events = csv.read_csv(self.data / "interactions.csv", convert_options=AS_WRITTEN)
        counts: Counter[str] = Counter(events["user_id"].to_pylist())
        return min(
            (user for user in counts if user in english),
            key=lambda user: (abs(counts[user] - HISTORY_WANTED), user),
        )

    def _usable(self) -> bool:
        try:
            open_release(self.release)
        except ReleaseUnusable:
            return False
        return self.data.is_dir()
