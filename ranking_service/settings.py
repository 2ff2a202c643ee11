"""Settings of the ranking service, each from TANDEM_RANKING_<FIELD>."""

import os
from dataclasses import dataclass
from typing import Annotated

from ranking_service.engine import DeviceName, EngineName
from serving.settings import Between


@dataclass(frozen=True)
class Settings:
    """What can be set.

    host, port: where to listen. reflection: whether reflection is on. engine: what runs the
    language model, see docs/ranker.md. device: where; by default a GPU if torch can use one.
    threads: processor threads of a forward pass. queue_max: requests that may wait for the model
    before more are refused. batch_tokens: up to so many tokens of requests that wait are scored
    together; a larger request is scored alone.
    diversity: from 0 to 1, of requests that set none, see docs/variety.md. influences: items of the
    history that are taken away in turn to tell what they weigh in a slate, 0 for none; each costs
    about as much as ranking the slate alone. log_level: of Python's logging.
    """

    host: str = "127.0.0.1"
    port: Annotated[int, Between(1, 65_535)] = 50053
    reflection: bool = True
    engine: EngineName = "auto"
    device: DeviceName = "auto"
    threads: Annotated[int, Between(1, 1024)] = os.cpu_count() or 1
    queue_max: Annotated[int, Between(1, 100_000)] = 32
    batch_tokens: Annotated[int, Between(1, 1_000_000)] = 512
    influences: Annotated[int, Between(0, 50)] = 4
    diversity: Annotated[float, Between(0.0, 1.0)] = 0.2
    log_level: str = "INFO"
