"""What commands that train have in common: the clock beside each line, and what failures are."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import grpc

from tandem_cli.console import say
from tandem_cli.failure import CommandFailed

if TYPE_CHECKING:
    from training.progress import Say

FREE_DISK_MIB = 1024


@contextmanager
def training_run() -> Iterator["Say"]:
    """Give what tells lines with the seconds since now; failures within become CommandFailed."""
    from transformers.utils.logging import disable_progress_bar

    from training.datasets import DatasetError
    from training.errors import TrainingError

    # Progress is told line by line; the libraries' bars would run through it.
    disable_progress_bar()
    start = time.monotonic()

    def tell(message: str) -> None:
        for line in message.splitlines():
            say(f"{time.monotonic() - start:6.0f} s  {line}")

    try:
        yield tell
    except (DatasetError, TrainingError) as error:
        raise CommandFailed(str(error)) from error
    except grpc.RpcError as error:
        raise CommandFailed(f"the text encoder failed: {error}") from error
