"""Bulk work makes way for requests, and goes on all the same."""

import asyncio
import time

import pytest

from retrieval_service import courtesy as courtesies
from retrieval_service.courtesy import Courtesy
from retrieval_service.encoder import PIECE_TEXTS, PIECE_TEXTS_BESIDE_REQUESTS, Encoder
from tests.support.encoder import FakeTextEncoder


class Pieces(FakeTextEncoder):
    """Remembers the sizes of what it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []

    async def encode(self, texts, **options):  # type: ignore[no-untyped-def]
        self.sizes.append(len(texts))
        return await super().encode(texts, **options)


def test_a_service_without_requests_is_quiet_and_one_with_some_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    courtesy = Courtesy()
    assert courtesy.quiet()
    with courtesy.request():
        assert not courtesy.quiet()
    assert not courtesy.quiet()
    monkeypatch.setattr(courtesies, "QUIET_S", 0.0)
    assert courtesy.quiet()


async def test_a_gap_begins_after_a_request_and_what_follows_it() -> None:
    courtesy = Courtesy()
    order: list[str] = []

    async def bulk() -> None:
        async with courtesy.gap():
            order.append("bulk")

    with courtesy.request():
        work = asyncio.create_task(bulk())
        await asyncio.sleep(0.05)
        order.append("request")
    end = time.monotonic()
    await work
    assert order == ["request", "bulk"]
    assert time.monotonic() - end >= courtesies.AFTERMATH_S


async def test_bulk_work_goes_on_under_requests_without_a_gap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(courtesies, "WAIT_MOST_S", 0.02)
    courtesy = Courtesy()
    async with asyncio.timeout(10):
        with courtesy.request():
            async with courtesy.gap():
                pass


async def test_texts_go_in_large_pieces_without_requests_and_in_small_ones_beside_them() -> None:
    courtesy, pieces = Courtesy(), Pieces()
    encoder = Encoder(pieces, 10.0, courtesy)  # type: ignore[arg-type]
    texts = [f"text {number}" for number in range(PIECE_TEXTS + 3)]
    quiet, _ = await encoder.encode_items(texts)
    assert pieces.sizes == [PIECE_TEXTS, 3]
    with courtesy.request():
        pass
    pieces.sizes.clear()
    some = 2 * PIECE_TEXTS_BESIDE_REQUESTS + 1
    beside, cut = await encoder.encode_items(texts[:some])
    assert pieces.sizes == [PIECE_TEXTS_BESIDE_REQUESTS, PIECE_TEXTS_BESIDE_REQUESTS, 1]
    assert (beside == quiet[:some]).all()
    assert cut.shape == (some,)


async def test_no_texts_have_no_vectors() -> None:
    vectors, cut = await Encoder(Pieces(), 10.0).encode_items([])  # type: ignore[arg-type]
    assert vectors.shape == (0, 0)
    assert cut.shape == (0,)
