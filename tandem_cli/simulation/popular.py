"""What is popular, as somebody who serves."""

from collections import Counter, defaultdict, deque
from collections.abc import Sequence

from sample_world.life import Reaction, Visit
from training.datasets import Dataset

WEEK_MS = 7 * 86_400_000


class Popular:
    """What most people used in the last seven days, without what the user has seen."""

    def __init__(self, dataset: Dataset) -> None:
        self._used: deque[tuple[int, str]] = deque()
        self._counts: Counter[str] = Counter()
        self._seen: defaultdict[str, set[str]] = defaultdict(set)
        self._all = [str(item_id) for item_id in dataset.items["item_id"]]
        events = dataset.interactions.sort_values("timestamp", kind="stable")
        columns = (events[name].astype(str) for name in ("user_id", "item_id"))
        for user_id, item_id, time_ms in zip(*columns, events["timestamp"].tolist(), strict=True):
            self._use(user_id, item_id, int(time_ms))

    def list_for(self, visit: Visit, count: int) -> list[str]:
        """Return the ids of items to show, best first."""
        while self._used and self._used[0][0] < visit.time_ms - WEEK_MS:
            self._counts[self._used.popleft()[1]] -= 1
        seen = self._seen[visit.user_id]
        ordered = [item_id for item_id, _ in self._counts.most_common()]
        fill = (item_id for item_id in self._all if item_id not in self._counts)
        return [i for i in (*ordered, *fill) if i not in seen][:count]

    def hear(self, visit: Visit, reactions: Sequence[Reaction]) -> None:
        """Take note of what became of the list that was given last."""
        for reaction in reactions:
            self._seen[visit.user_id].add(reaction.item_id)
            if reaction.action == "view":
                self._use(visit.user_id, reaction.item_id, reaction.time_ms)

    def night(self, day: int) -> str:
        """Do nothing: what was used counts already."""
        del day
        return ""

    def _use(self, user_id: str, item_id: str, time_ms: int) -> None:
        self._used.append((time_ms, item_id))
        self._counts[item_id] += 1
        self._seen[user_id].add(item_id)
