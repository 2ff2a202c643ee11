"""Which items may be candidates of a request, as the catalogue is now."""

from collections.abc import Callable

from features.item_filter import predicate
from features.moment import Moment, minute_of_week
from features.opening_hours import may_be_open
from features.policy import FREE, Override, utc_today
from features.release import Release
from retrieval_service.catalogue.view import View
from tandem.v1.retrieval_service_pb2 import RetrieveRequest


def allowed_by(
    request: RetrieveRequest,
    release: Release,
    moment: Moment,
    view: View,
    decided: Callable[[Override], None],
) -> Callable[[str], bool]:
    """Return whether an item may be a candidate, as the catalogue and the policy are now.

    decided: is told the policy's overrides that made a difference.
    """
    entries = view.entries
    policy, verdicts = view.policy, view.verdicts
    age, today = policy.age_of(request.user, moment.time_ms), utc_today()
    left_out = {*request.excluded_item_ids, request.context.seed_item_id}
    seen: set[int] = set()
    if not release.repeat:
        seen.update(request.user.seen.item_hashes)
        left_out.update(event.item_id for event in request.user.history)
    passes = predicate(request.filter) if request.HasField("filter") else None
    open_minute = None
    if request.open_only:
        open_minute = minute_of_week(moment.time_ms, moment.offset_min)

    def allowed(item_id: str) -> bool:
        entry = entries.get(item_id)
        return (
            entry is not None
            and not entry.item.unavailable
            and entry.id_hash not in seen
            and item_id not in left_out
            and (passes is None or passes(entry.item))
            and (
                not policy.in_force
                or policy.permits(item_id, verdicts.get(item_id, FREE), age, today, decided)
            )
            and (open_minute is None or may_be_open(entry.item, open_minute))
        )

    return allowed
