"""Writes the sentence of each reason, from the reason's facts alone."""

import re
from collections.abc import Mapping

from gateway_service.fallback import is_fallback
from tandem.v1 import candidate_pb2
from tandem.v1.candidate_pb2 import RankedItem, Reason, ReasonKind
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.item_pb2 import Item
from tandem.v1.user_pb2 import UserProfile

DEFAULT_LANGUAGE = "en"
LIST_COMMA = {"en": ", ", "zh": "、"}
# Kind -> sentence that names an item or words, and sentence where there is no name.
SENTENCES: dict[str, dict[ReasonKind.ValueType, tuple[str, str]]] = {
    "en": {
        candidate_pb2.REASON_KIND_LIKE_HISTORY_ITEM: (
            "Similar to “{name}” in your history",
            "Similar to something in your history",
        ),
        candidate_pb2.REASON_KIND_SIMILAR_USERS: ("", "Liked by people with a similar history"),
        candidate_pb2.REASON_KIND_MATCHES_WORDS: ("Fits your words: {name}", "Fits your words"),
        candidate_pb2.REASON_KIND_POPULAR: ("", "Popular lately"),
        candidate_pb2.REASON_KIND_LIKE_SEED_ITEM: (
            "Similar to “{name}”",
            "Similar to the item you are looking at",
        ),
        candidate_pb2.REASON_KIND_FALLBACK: ("", "A general suggestion"),
        candidate_pb2.REASON_KIND_HABIT: ("", "You come back to this"),
        candidate_pb2.REASON_KIND_NEARBY: ("", "Close to where you are"),
        candidate_pb2.REASON_KIND_TIME_OF_DAY: ("", "Right for this time of day"),
        candidate_pb2.REASON_KIND_PINNED: ("", "Picked for this list"),
        candidate_pb2.REASON_KIND_FRIENDS: ("", "Friends of yours used this"),
        candidate_pb2.REASON_KIND_SHARED_ENTITY: (
            "Linked with “{name}” in your history",
            "Linked with something in your history",
        ),
    },
    "zh": {
        candidate_pb2.REASON_KIND_LIKE_HISTORY_ITEM: (
            "与您看过的“{name}”相似",
            "与您的历史记录相似",
        ),
        candidate_pb2.REASON_KIND_SIMILAR_USERS: ("", "与您历史相近的人喜欢"),
        candidate_pb2.REASON_KIND_MATCHES_WORDS: ("符合您的描述：{name}", "符合您的描述"),
        candidate_pb2.REASON_KIND_POPULAR: ("", "近期热门"),
        candidate_pb2.REASON_KIND_LIKE_SEED_ITEM: ("与“{name}”相似", "与当前内容相似"),
        candidate_pb2.REASON_KIND_FALLBACK: ("", "通用推荐"),
        candidate_pb2.REASON_KIND_HABIT: ("", "您常会再选它"),
        candidate_pb2.REASON_KIND_NEARBY: ("", "离您很近"),
        candidate_pb2.REASON_KIND_TIME_OF_DAY: ("", "适合这个时段"),
        candidate_pb2.REASON_KIND_PINNED: ("", "为此列表特别挑选"),
        candidate_pb2.REASON_KIND_FRIENDS: ("", "您的朋友最近用过"),
        candidate_pb2.REASON_KIND_SHARED_ENTITY: ("与您看过的“{name}”有关", "与您的历史记录有关"),
    },
}
# What is shared: by both the relation and the entity, by either alone.
SHARED = {
    "en": {
        (True, True): "Same {relation} as {liked}: {entity}",
        (False, True): "Linked with {liked} by {entity}",
        (True, False): "Linked with {liked}: {relation}",
    },
    "zh": {
        (True, True): "与{liked}的{relation}相同：{entity}",
        (False, True): "因{entity}与{liked}有关",
        (True, False): "与{liked}有关：{relation}",
    },
}
LIKED = {
    "en": ("“{name}”", "something in your history"),
    "zh": ("“{name}”", "您的历史记录"),
}
# What items of every catalogue have; any other relation is shown by its own name.
RELATIONS = {"en": {}, "zh": {"brand": "品牌", "tag": "标签", "category": "类别"}}
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def language_of(profile: UserProfile, text: str) -> str:
    """Return the language for the sentences: the profile's, else that of the request's words."""
    named = profile.language_code.split("-")[0].lower()
    if named:
        return named if named in SENTENCES else DEFAULT_LANGUAGE
    return "zh" if _CHINESE.search(text or profile.text) else DEFAULT_LANGUAGE


def tell_reasons(
    slate: list[RankedItem], items: Mapping[str, Item], context: RequestContext, language: str
) -> None:
    """Give each item of the slate its reasons' sentences; items without reasons get theirs."""
    sentences = SENTENCES[language]
    for item in slate:
        if not item.reasons:
            item.reasons.extend(_reasons_of_hits(item, context))
        for reason in item.reasons:
            with_name, without = sentences.get(reason.kind, ("", ""))
            name = items[reason.item_id].title if reason.item_id in items else ""
            if reason.kind == candidate_pb2.REASON_KIND_MATCHES_WORDS:
                name = LIST_COMMA[language].join(reason.matched_tags)
            if reason.relation or reason.entity:
                reason.text = _what_is_shared(reason, name, language)
            else:
                reason.text = with_name.format(name=name) if name and with_name else without


def _what_is_shared(reason: Reason, name: str, language: str) -> str:
    """Return the sentence of a shared entity; name: the liked item's title, "" if unknown."""
    with_name, without = LIKED[language]
    relation = RELATIONS[language].get(reason.relation, reason.relation.replace("_", " "))
    return SHARED[language][bool(relation), bool(reason.entity)].format(
        liked=with_name.format(name=name) if name else without,
        relation=relation,
        entity=reason.entity,
    )


def _reasons_of_hits(item: RankedItem, context: RequestContext) -> list[Reason]:
    """Return what the sources that found an item say for it, where the ranker said nothing."""
    if is_fallback(item.hits):
        return [Reason(kind=candidate_pb2.REASON_KIND_FALLBACK)]
    by_source = {
        candidate_pb2.SOURCE_CF: candidate_pb2.REASON_KIND_SIMILAR_USERS,
        candidate_pb2.SOURCE_SEQUENCE: candidate_pb2.REASON_KIND_SIMILAR_USERS,
        candidate_pb2.SOURCE_LEXICAL: candidate_pb2.REASON_KIND_MATCHES_WORDS,
        candidate_pb2.SOURCE_TAGS: candidate_pb2.REASON_KIND_MATCHES_WORDS,
        candidate_pb2.SOURCE_POPULAR: candidate_pb2.REASON_KIND_POPULAR,
        candidate_pb2.SOURCE_HABIT: candidate_pb2.REASON_KIND_HABIT,
        candidate_pb2.SOURCE_NEARBY: candidate_pb2.REASON_KIND_NEARBY,
        candidate_pb2.SOURCE_FRIENDS: candidate_pb2.REASON_KIND_FRIENDS,
    }
    best_first = sorted(item.hits, key=lambda hit: hit.rank)
    reasons = [
        Reason(kind=by_source[hit.source], weight=1 / hit.rank)
        for hit in best_first
        if hit.source in by_source and hit.rank > 0
    ]
    if context.seed_item_id and any(h.source == candidate_pb2.SOURCE_SIMILAR for h in item.hits):
        reasons.insert(
            0,
            Reason(
                kind=candidate_pb2.REASON_KIND_LIKE_SEED_ITEM,
                item_id=context.seed_item_id,
                weight=1.0,
            ),
        )
    return reasons
