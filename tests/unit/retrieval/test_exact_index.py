import numpy as np

from retrieval_service.index.exact import ExactIndex

RANDOM = np.random.default_rng(0)
VECTORS = {f"item-{n}": RANDOM.normal(size=8).astype(np.float32) for n in range(200)}


def best(vectors, query, limit):
    products = {item_id: float(vector @ query) for item_id, vector in vectors.items()}
    ordered = sorted(products, key=lambda item_id: -products[item_id])
    return [item_id for item_id in ordered if products[item_id] > 0][:limit]


def ids(found):
    return [item_id for item_id, _ in found]


def test_the_best_of_all_vectors_are_found_in_order_for_each_query():
    index = ExactIndex(8)
    index.apply(VECTORS, [], 200)
    queries = RANDOM.normal(size=(3, 8)).astype(np.float32)
    for query, found in zip(queries, index.search(queries, 20), strict=True):
        assert ids(found) == best(VECTORS, query, 20)
        assert np.allclose([score for _, score in found], [VECTORS[i] @ query for i in ids(found)])


def test_items_come_change_and_go():
    index, vectors = ExactIndex(8), dict(VECTORS)
    index.apply(VECTORS, [], 200)
    gone = [f"item-{n}" for n in (0, 7, 199)]
    changed = {"item-3": -VECTORS["item-3"], "new": VECTORS["item-7"]}
    index.apply(changed, [*gone, "never there"], 205)
    vectors = {i: v for i, v in (vectors | changed).items() if i not in gone}
    assert len(index) == len(vectors)
    assert index.revision == 205
    for query in RANDOM.normal(size=(5, 8)).astype(np.float32):
        assert ids(index.search(query[None], 300)[0]) == best(vectors, query, 300)


def test_an_item_that_went_can_come_back():
    index = ExactIndex(8)
    index.apply(VECTORS, [], 1)
    index.apply({}, VECTORS, 2)
    assert len(index) == 0
    assert index.search(np.ones((1, 8), np.float32), 5) == [[]]
    index.apply({"item-1": np.ones(8, np.float32)}, [], 3)
    assert index.search(np.ones((1, 8), np.float32), 5) == [[("item-1", 8.0)]]
