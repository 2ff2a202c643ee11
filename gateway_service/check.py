"""The last stage: the slate against the catalogue as it is now, and against what was seen."""

from collections.abc import Iterable, Mapping
from itertools import chain

from features.release import Release
from features.variety import asks_for_kinds
from gateway_service.blocklist import Blocklist
from gateway_service.conditions import Conditions
from gateway_service.downstream import Downstream
from gateway_service.fallback import fallback_candidates, is_fallback
from gateway_service.pins import Pinned
from gateway_service.safety import Permitted
from serving.stages import StageLog
from tandem.v1 import stage_pb2
from tandem.v1.candidate_pb2 import RankedItem
from tandem.v1.catalog_service_pb2 import BatchGetItemsRequest
from tandem.v1.item_pb2 import Item
from tandem.v1.variety_pb2 import Variety

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
    variety: Variety,
) -> list[RankedItem]:
    """Return the ranked items, with items of the fallback list after them up to `wanted`.

    With conditions, a policy or limits there are more of them where there is nothing else, as few
    may satisfy these; but none where retrieval applied conditions itself, as it then found all that
    do.
    """
    strict = conditions.any or permitted is not None or asks_for_kinds(variety)
    if strict and all(is_fallback(item.hits) for item in ranked):
        wanted = ITEMS_MAX
    elif conditions.any:
        wanted = 0
    slate = {item.item_id: item for item in ranked}
    if len(slate) >= wanted:
        return list(slate.values())
    last = min((item.score for item in ranked), default=0.0)
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
    pinned: Pinned,
    stages: StageLog,
    budget_s: float,
) -> tuple[list[RankedItem], dict[str, Item]]:
    """Return the items that may be shown, and what the catalogue says of them.

    The catalogue's items include those that the reasons name. Where it does not answer, nobody has
    checked the fallback items: a policy and what the caller asked leave them out then, words do
    not. Pinned items may have been seen; those that nothing found are left out then too.
    """
    slate = [item for item in slate if item.item_id in pinned or item.item_id not in blocked]
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
        found = [i for i in slate if i.hits or i.item_id not in pinned]
        found = [i for i in found if i.item_id not in blocked]
        sure = [i for i in found if not (strict and is_fallback(i.hits))]
        if permitted is not None:
            _keep_reasons(sure, {})
        return sure, {}
    known = [item for item in answer.items if permitted is None or permitted(item)]
    items = {item.item_id: item for item in known}
    fit = conditions.satisfied_by([item for item in known if not item.unavailable])
    shown = [item for item in slate if item.item_id in fit]
    for item in shown:
        item.title = items[item.item_id].title
    if permitted is not None:
        _keep_reasons(shown, items)
    return shown, items


def _keep_reasons(slate: list[RankedItem], permitted: Mapping[str, Item]) -> None:
    """Leave out what names an item of which nobody knows that it may be shown."""
    for item in slate:
        reasons = [r for r in item.reasons if not r.item_id or r.item_id in permitted]
        influences = [i for i in item.influences if i.item_id in permitted]
        del item.reasons[:], item.influences[:]
        item.reasons.extend(reasons)
        item.influences.extend(influences)


def _named_in_reasons(slate: list[RankedItem]) -> Iterable[str]:
    for item in slate:
        yield from (reason.item_id for reason in item.reasons if reason.item_id)
        yield from (influence.item_id for influence in item.influences)


def _first_unique(item_ids: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(item_ids))[:ITEMS_MAX]
