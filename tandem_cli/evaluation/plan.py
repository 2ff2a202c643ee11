"""What is to be evaluated, and where its results are kept."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from tandem_cli.evaluation.tandem import TandemSettings
from training.datasets import Dataset, fingerprint
from training.evaluation.protocols import Protocol

# Of what is kept, and of the report.
FORMAT = 1


@dataclass(frozen=True)
class Plan:
    """What is evaluated.

    systems: baselines by name, `tandem` for Tandem with its stages, and `tandem:PARTS` for one
    whose ranker is made of some parts only. seeds: of training.
    requests, rated: at most so many, 0 for all. noise: shares of random interactions, each a run
    more. work: where results are kept for the next run.
    """

    dataset: Dataset
    protocol: Protocol
    systems: Sequence[str]
    tandem: TandemSettings
    seeds: Sequence[int] = (1,)
    repeat: bool | None = None
    requests: int = 5_000
    rated: int = 20_000
    noise: Sequence[float] = ()
    work: Path = Path("var/evaluate")

    @cached_property
    def fingerprint(self) -> str:
        """The data set's."""
        return fingerprint(self.dataset)

    def directory(self, protocol: Protocol, share: float, seed: int) -> Path:
        """Return where the results of one fold, share of noise and seed are kept."""
        inputs = [asdict(protocol), self.repeat, self.requests, self.rated, share, FORMAT]
        settings = sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:8]
        return self.work / f"{self.fingerprint[:12]}-{protocol.name}-{seed}-{settings}"
