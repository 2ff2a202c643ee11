import base64

from hypothesis import given
from hypothesis import strategies as st

from features.ids import item_hash
from gateway_service.attribution import LOW_BITS, Tokens
from tandem.v1.event_pb2 import Event
from tandem.v1.impression_pb2 import Attributed, Attribution

OLD, NEW = bytes(range(32)), bytes(range(1, 33))
SHOWN = Attribution(
    impression_id=b"0123456789abcdef",
    release_id="first",
    user_hash=item_hash("anna"),
    surface="home",
    item_hashes=[item_hash(item) & LOW_BITS for item in ("a", "b", "c")],
)


def event(token: str, item_id: str = "b", user_id: str = "anna") -> Event:
    return Event(user_id=user_id, item_id=item_id, attribution_token=token)


def test_a_token_says_by_itself_what_was_shown_where() -> None:
    token = Tokens([OLD]).sign(SHOWN)
    assert Tokens([OLD]).read(token) == SHOWN
    assert Tokens([OLD]).attributed(event(token)) == Attributed(
        impression_id=SHOWN.impression_id, position=2, propensity=1.0
    )


def test_with_exploration_the_token_knows_each_items_propensity() -> None:
    explored = Attribution()
    explored.CopyFrom(SHOWN)
    explored.propensities.extend([1.0, 0.25, 1.0])
    tokens = Tokens([OLD])
    found = tokens.attributed(event(tokens.sign(explored)))
    assert found is not None
    assert found.propensity == 0.25


def test_older_keys_are_read_and_the_newest_signs() -> None:
    before, after = Tokens([OLD]), Tokens([OLD, NEW])
    assert after.read(before.sign(SHOWN)) == SHOWN
    assert before.read(after.sign(SHOWN)) is None


def test_nobody_without_the_key_makes_a_token_that_holds() -> None:
    assert Tokens([OLD]).read(Tokens([NEW]).sign(SHOWN)) is None


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_token_of_which_any_byte_was_changed_does_not_hold(place: int, change: int) -> None:
    token = Tokens([OLD]).sign(SHOWN)
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[place % len(raw)] ^= change
    assert Tokens([OLD]).read(base64.urlsafe_b64encode(raw).rstrip(b"=").decode()) is None


@given(st.one_of(st.text(), st.binary().map(lambda b: b.decode("latin1"))))
def test_any_other_text_is_no_token(text: str) -> None:
    assert Tokens([OLD]).read(text) is None


def test_ten_items_take_about_two_hundred_bytes() -> None:
    many = Attribution()
    many.CopyFrom(SHOWN)
    many.release_id = "ml-latest-small-20261122000000-abcdef"
    del many.item_hashes[:]
    many.item_hashes.extend(range(1 << 31, (1 << 31) + 10))
    ten = len(Tokens([OLD]).sign(many))
    many.item_hashes.extend(range(490))
    assert ten < 220
    assert len(Tokens([OLD]).sign(many)) < 3_000
