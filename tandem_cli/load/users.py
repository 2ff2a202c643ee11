"""For whom lists are asked: users of a data set or of the running stack, and strangers."""

from collections.abc import Sequence

import numpy as np

from tandem_cli.dataset_spec import cleaning_of, need_dataset
from tandem_cli.failure import CommandFailed
from tandem_client import AsyncTandemClient

# Reading a whole event log to draw users from it would be a load of its own.
USERS_MAX = 10_000
EXPORT_TIMEOUT_S = 120.0


def users_of_dataset(spec: str) -> list[str]:
    """Return the users of a data set. Raises CommandFailed where there is none."""
    # pandas need not be loaded where no data set is read.
    from training.datasets.errors import DatasetError
    from training.datasets.source import open_dataset

    need_dataset(spec)
    try:
        known = open_dataset(spec, rejects=None, cleaning=cleaning_of([])).users.user_id
    except DatasetError as error:
        raise CommandFailed(str(error)) from error
    return [str(user) for user in known]


async def users_of_stack(client: AsyncTandemClient) -> list[str]:
    """Return up to USERS_MAX users of whom the stack has events, the oldest first."""
    users: dict[str, None] = {}
    async for part in client.export_events(timeout_s=EXPORT_TIMEOUT_S):
        users |= dict.fromkeys(logged.event.user_id for logged in part.events)
        # Events come before all else.
        if not part.events or len(users) >= USERS_MAX:
            break
    return list(users)[:USERS_MAX]


def drawn(
    known: Sequence[str], count: int, unknown_share: float, random: np.random.Generator
) -> list[str]:
    """Return a user for each of `count` requests, independent of each other.

    unknown_share: of the requests, how many come from users of whom nothing is known.
    """
    if not known and unknown_share < 1:
        raise CommandFailed("nobody is known: name a --dataset, or set --unknown-share 1")
    strange = random.random(count) < unknown_share
    places = random.integers(0, max(len(known), 1), count)
    return [
        f"stranger-{number}" if is_strange else known[place]
        for number, (is_strange, place) in enumerate(zip(strange, places, strict=True))
    ]
