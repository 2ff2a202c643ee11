"""Linking items with what they share, and learning which relations people follow."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy import sparse

from features.entities import AN_ITEM, ANY_RELATION, ItemEntities
from features.history import weights_of_actions
from features.item_links import CATEGORY, TAG, attribute_links, shown_name
from training.datasets.format import Dataset
from training.datasets.protos import items_of
from training.interactions import Interactions

# What one item in ten has, or what only one has, says nothing of what another is like.
COMMON_SHARE = 0.1
ITEMS_LEAST = 2
# Beyond an entity with more neighbours than this is everything and nothing.
HUB_MOST = 50
# Other sources read these already: if people follow no other relation, there is nothing to add.
READ_BY_OTHERS = (TAG, CATEGORY)
# A liked item is compared with one of so many liked before it.
LATELY = 10
PAIRS_MOST = 100_000
ERRORS_LEAST = 2.0

Int32 = npt.NDArray[np.int32]
# Item, scope and name of the entity, relation.
Link = tuple[int, str, str, str]


def collect_entities(dataset: Dataset) -> ItemEntities:
    """Return what a data set's items are linked with, by relations and by their attributes.

    Over one entity more, items are linked with what their entities are linked with. Entities that
    too many items have, or one alone, are left out. No relation is worth anything yet.
    """
    items = len(dataset.items)
    near = list(dict.fromkeys(_near(dataset)))
    if not {link[3] for link in near} - set(READ_BY_OTHERS):
        return ItemEntities(starts=np.zeros(items + 1, np.int64))
    own = {link[:3] for link in near}
    far = [link for link in dict.fromkeys(_far(dataset, near)) if link[:3] not in own]
    having: dict[tuple[str, str], set[int]] = defaultdict(set)
    for row, scope, name, _ in (*near, *far):
        having[scope, name].add(row)
    most = max(ITEMS_LEAST, int(items * COMMON_SHARE))
    kept = sorted(key for key, rows in having.items() if ITEMS_LEAST <= len(rows) <= most)
    place = {key: at for at, key in enumerate(kept)}
    links = [(link, False) for link in near] + [(link, True) for link in far]
    links = sorted(one for one in links if one[0][1:3] in place)
    relations = sorted({link[3] for link, _ in links})
    if not set(relations) - set(READ_BY_OTHERS):
        return ItemEntities(starts=np.zeros(items + 1, np.int64))
    kind = {name: at for at, name in enumerate(relations)}
    titles = dict(zip(dataset.items["item_id"], dataset.items["title"], strict=True))
    counts = np.bincount([link[0] for link, _ in links], minlength=items)
    return ItemEntities(
        relations=relations,
        scopes=[scope for scope, _ in kept],
        names=[name for _, name in kept],
        shown=[
            (titles[name] or name) if scope == AN_ITEM else shown_name(scope, name)
            for scope, name in kept
        ],
        starts=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        entities=np.array([place[link[1:3]] for link, _ in links], np.int32),
        kinds=np.array([kind[link[3]] for link, _ in links], np.int32),
        far=np.array([is_far for _, is_far in links], np.bool_),
        worth=np.zeros(len(relations), np.float32),
    )


def _near(dataset: Dataset) -> Iterator[Link]:
    """Yield the links of the items' own: by attributes, and by relations with items and others."""
    rows = {str(item_id): row for row, item_id in enumerate(dataset.items["item_id"])}
    told = {name for triple in _triples(dataset) for name in (triple[0], triple[2])}
    for row, item in enumerate(items_of(dataset)):
        for relation, name in attribute_links(item):
            # What relations tell of is the same thing, by whatever attribute an item has it.
            yield row, ANY_RELATION if name in told else relation, name, relation
    for head, relation, tail in _triples(dataset):
        for one, other in ((head, tail), (tail, head)):
            if one in rows and other in rows:
                yield rows[one], AN_ITEM, other, relation
                yield rows[one], AN_ITEM, one, relation
            elif one in rows:
                yield rows[one], ANY_RELATION, other, relation


def _far(dataset: Dataset, near: list[Link]) -> Iterator[Link]:
    """Yield the links over one entity: with what is related to an entity of the item's own."""
    items = set(dataset.items["item_id"])
    beside: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for head, relation, tail in _triples(dataset):
        if head not in items and tail not in items:
            beside[head].append((relation, tail))
            beside[tail].append((relation, head))
    for row, scope, name, _ in near:
        if scope == ANY_RELATION and len(beside.get(name, ())) <= HUB_MOST:
            for relation, other in beside.get(name, ()):
                yield row, ANY_RELATION, other, relation


def _triples(dataset: Dataset) -> Iterator[tuple[str, str, str]]:
    if len(dataset.relations):
        columns = (dataset.relations[name] for name in ("head", "relation", "tail"))
        yield from zip(*columns, strict=True)


def learn_worth(entities: ItemEntities, known: Interactions, seed: int) -> ItemEntities:
    """Return the entities with what each relation is worth to the people of some events.

    Of pairs of items that one user liked soon after each other, how many more share an entity by
    the relation than pairs of different users' items do; as a share of all that could, and 0 unless
    clearly more. Only pairs count whose first item has the relation.
    """
    if not len(entities.relations):
        return entities
    before, after = _pairs(known, seed)
    mixed = np.random.default_rng(seed + 1).permutation(after)
    worth = np.array(
        [
            _excess(_linked_by(entities, kind), before, after, mixed)
            for kind in range(len(entities.relations))
        ],
        np.float32,
    )
    others = [name not in READ_BY_OTHERS for name in entities.relations]
    return replace(entities, worth=worth if worth[others].any() else np.zeros_like(worth))


def worth_line(entities: ItemEntities) -> str:
    """Return which relations people follow as a line for people."""
    by_worth = sorted(zip(entities.worth.tolist(), entities.relations, strict=True), reverse=True)
    told = ", ".join(f"{name} {worth:.2f}" for worth, name in by_worth if worth > 0)
    return f"relations of items that people follow: {told or 'none'}"


def _pairs(known: Interactions, seed: int) -> tuple[Int32, Int32]:
    """Return rows of liked items before and after each other, int32 [pairs] each."""
    random = np.random.default_rng(seed)
    liked = known.where(weights_of_actions(known.events.actions) > 0)
    rows, firsts = liked.events.rows, liked.starts[liked.user_rows()]
    at = np.arange(len(rows))
    earlier = at - random.integers(1, LATELY + 1, len(rows))
    usable = np.flatnonzero(earlier >= firsts)
    usable = usable[rows[usable] != rows[earlier[usable]]]
    some = random.permutation(usable)[:PAIRS_MOST]
    return rows[earlier[some]], rows[some]


def _linked_by(entities: ItemEntities, kind: int) -> sparse.csr_matrix:
    """Return what items are linked with by one relation, float32 [items, E], 1 where they are."""
    rows = np.repeat(np.arange(entities.items), np.diff(entities.starts))
    own = entities.kinds == kind
    shape = (entities.items, len(entities.names))
    ones = np.ones(int(own.sum()), np.float32)
    return sparse.csr_matrix((ones, (rows[own], entities.entities[own])), shape=shape)


def _excess(linked: sparse.csr_matrix, before: Int32, after: Int32, mixed: Int32) -> float:
    has = np.diff(linked.indptr)[before] > 0
    if not has.any():
        return 0.0
    before = before[has]
    shared = _share(linked, before, after[has])
    # An item shares all with itself, which would make chance look greater than it is.
    others = mixed[has] != before
    chance = _share(linked, before[others], mixed[has][others]) if others.any() else shared
    p, q = float(shared.mean()), float(chance.mean())
    error = np.sqrt(p * (1 - p) / len(shared) + q * (1 - q) / len(chance))
    return (p - q) / (1 - q) if p - q > ERRORS_LEAST * error else 0.0


def _share(linked: sparse.csr_matrix, one: Int32, other: Int32) -> npt.NDArray[np.bool_]:
    return np.asarray(linked[one].multiply(linked[other]).sum(axis=1)).ravel() > 0
