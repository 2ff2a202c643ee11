"""The towers of several releases side by side, each loaded when it is first asked for."""

from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Lock

from user_encoding.tower import Tower

# The current release, the previous one, one that is being activated, and one to spare.
TOWERS_MAX = 4


class Towers:
    """Towers by release id. A thread of its own loads, so that the others go on meanwhile.

    What was not used for longest goes when there are more than TOWERS_MAX. One that could not be
    loaded is forgotten, so that the next request tries again.
    """

    def __init__(self, load: Callable[[str, str], Tower]) -> None:
        """Take what loads the tower of a release id from its directory."""
        self._load = load
        self._towers: OrderedDict[str, Future[Tower]] = OrderedDict()
        self._lock = Lock()
        self._loader = ThreadPoolExecutor(1, "loader")

    def get(self, release_id: str, uri: str) -> "Future[Tower]":
        """Return the tower of a release, perhaps one that is still being loaded."""
        with self._lock:
            known = self._towers.get(release_id)
            if known is not None and not _failed(known):
                self._towers.move_to_end(release_id)
                return known
            tower = self._loader.submit(self._load, release_id, uri)
            self._towers[release_id] = tower
            while len(self._towers) > TOWERS_MAX:
                self._towers.popitem(last=False)
        tower.add_done_callback(partial(self._forget_failed, release_id))
        return tower

    def stop(self) -> None:
        """Load no more."""
        self._loader.shutdown(cancel_futures=True)

    def _forget_failed(self, release_id: str, tower: "Future[Tower]") -> None:
        if _failed(tower):
            with self._lock:
                if self._towers.get(release_id) is tower:
                    del self._towers[release_id]


def _failed(tower: "Future[Tower]") -> bool:
    return tower.done() and (tower.cancelled() or tower.exception() is not None)
