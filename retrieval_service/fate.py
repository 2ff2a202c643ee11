"""Which items may be candidates of a request, as the catalogue is now, and why others may not."""

from collections.abc import Callable

from features.item_filter import predicate
from features.moment import Moment, minute_of_week
from features.opening_hours import may_be_open
from features.policy import FREE, Override, utc_today
from features.release import Release
from retrieval_service.catalogue.view import View
from tandem.v1 import item_fate_pb2
from tandem.v1.item_fate_pb2 import Fate
from tandem.v1.retrieval_service_pb2 import RetrieveRequest


def fate_by(
    request: RetrieveRequest,
    release: Release,
    moment: Moment,
    view: View,
    decided: Callable[[Override], None],
) -> Callable[[str], Fate.ValueType]:
    """Return why an item may be no candidate, as the catalogue and the policy are now; UNSPECIFIED
    for one that may.

    decided: is told the policy's overrides that made a difference.
    """
    entries = view.entries
    policy, verdicts = view.policy, view.verdicts
    age, today = policy.age_of(request.user, moment.time_ms), utc_today()
    excluded = {*request.excluded_item_ids, request.context.seed_item_id}
    seen: set[int] = set()
    used: set[str] = set()
    if not release.repeat:
        seen.update(request.user.seen.item_hashes)
        used.update(event.item_id for event in request.user.history)
    passes = predicate(request.filter) if request.HasField("filter") else None
    open_minute = None
    if request.open_only:
        open_minute = minute_of_week(moment.time_ms, moment.offset_min)

    def fate(item_id: str) -> Fate.ValueType:
        entry = entries.get(item_id)
        if entry is None:
            return item_fate_pb2.FATE_NOT_IN_CATALOGUE
        if entry.item.unavailable:
            return item_fate_pb2.FATE_UNAVAILABLE
        if entry.id_hash in seen or item_id in used:
            return item_fate_pb2.FATE_SEEN
        if item_id in excluded:
            return item_fate_pb2.FATE_EXCLUDED
        if passes is not None and not passes(entry.item):
            return item_fate_pb2.FATE_FILTERED
        if policy.in_force:
            verdict = verdicts.get(item_id, FREE)
            if not policy.permits(item_id, verdict, age, today, decided):
                return item_fate_pb2.FATE_FORBIDDEN
        if open_minute is not None and not may_be_open(entry.item, open_minute):
            return item_fate_pb2.FATE_CLOSED
        return item_fate_pb2.FATE_UNSPECIFIED

    return fate
