"""The last stage: the slate against the catalogue as it is now, and against what was seen."""

from collections.abc import Iterable, Mapping
from itertools import chain

from features.release import Release
from gateway_service.blocklist import Blocklist
from gateway_service.conditions import Conditions
from gateway_service.downstream import Downstream
from gateway_service.fallback import fallback_candidates, is_fallback
from gateway_service.safety import Permitted
from serving.stages import StageLog
from tandem.v1 import stage_pb2
from tandem.v1.candidate_pb2 import RankedItem
from tandem.v1.catalog_service_pb2 import BatchGetItemsRequest
from tandem.v1.item_pb2 import Item

# What the catalogue answers in one call.
ITEMS_MAX = 1_000


def backfilled(
    ranked: list[RankedItem],
    release: Release,
    blocked: Blocklist,
    user_id: str,
    wanted: int,
    conditions: Conditions,
    permitted: Permitted | None,
) -> list[RankedItem]:
    """Return the ranked items, with items of the fallback list after them up to `wanted`.

    With conditions or a policy there are more of them, as few may satisfy these; but none where
    retrieval applied conditions itself, as it then found all that do.
    """
    found_nothing = all(is_fallback(item.hits) for item in ranked)
    if found_nothing and (conditions.any or permitted is not None):
        wanted = ITEMS_MAX
    elif conditions.any:
        wanted = 0
    slate = {item.item_id: item for item in ranked}
    if len(slate) >= wanted:
        return list(slate.values())
    last = ranked[-1].score if ranked else 0.0
    # As many as are ranked already may be found again.
    for candidate in fallback_candidates(release, blocked, user_id, wanted + len(slate)):
        if len(slate) >= wanted:
            break
        if candidate.item_id not in slate:
            slate[candidate.item_id] = RankedItem(
                item_id=candidate.item_id, score=last, hits=candidate.hits
            )
    return list(slate.values())


async def check(
    downstream: Downstream,
    slate: list[RankedItem],
    conditions: Conditions,
    permitted: Permitted | None,
    blocked: Blocklist,
    count: int,
    stages: StageLog,
    budget_s: float,
) -> tuple[list[RankedItem], dict[str, Item]]:
    """Return the first `count` items that may be shown, and what the catalogue says of them.

    The catalogue's items include those that the reasons name. Where it does not answer, nobody has
    checked the fallback items: a policy and what the caller asked leave them out then, words do
    not.
    """
    slate = [item for item in slate if item.item_id not in blocked]
    if not slate:
        return [], {}
    names = (("filter", conditions.asked), ("policy", permitted is not None))
    strict = [name for name, there_is in names if there_is]
    ids = _first_unique(chain((item.item_id for item in slate), _named_in_reasons(slate)))
    answer = await stages.run(
        stage_pb2.STAGE_CHECK,
        downstream.catalog.BatchGetItems(BatchGetItemsRequest(item_ids=ids), timeout=budget_s),
        budget_s,
        instead="titles are missing, and items may have become unavailable"
        + (f"; fallback items are left out, for the {' and '.join(strict)}" if strict else ""),
    )
    if answer is None:
        sure = [i for i in slate if not (strict and is_fallback(i.hits))][:count]
        if permitted is not None:
            _keep_reasons(sure, {})
        return sure, {}
    known = [item for item in answer.items if permitted is None or permitted(item)]
    items = {item.item_id: item for item in known}
    fit = conditions.satisfied_by([item for item in known if not item.unavailable])
    shown = [item for item in slate if item.item_id in fit][:count]
    for item in shown:
        item.title = items[item.item_id].title
    if permitted is not None:
        _keep_reasons(shown, items)
    return shown, items


def _keep_reasons(slate: list[RankedItem], permitted: Mapping[str, Item]) -> None:
    """Leave out the reasons that name an item of which nobody knows that it may be shown."""
    for item in slate:
        kept = [r for r in item.reasons if not r.item_id or r.item_id in permitted]
        if len(kept) < len(item.reasons):
            del item.reasons[:]
            item.reasons.extend(kept)


def _named_in_reasons(slate: list[RankedItem]) -> Iterable[str]:
    return (reason.item_id for item in slate for reason in item.reasons if reason.item_id)


def _first_unique(item_ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(item_ids))[:ITEMS_MAX]
