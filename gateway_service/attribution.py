"""Attribution tokens: what an answer showed, signed; they join events to it without any log."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from hashlib import blake2b

from google.protobuf.message import DecodeError

from features.ids import item_hash
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.event_pb2 import Event
from tandem.v1.impression_pb2 import Attributed, Attribution
from tandem.v1.recommender_service_pb2 import RecommendResponse

IMPRESSION_ID_BYTES = 16
KEY_ID_BYTES = 4
MAC_BYTES = 16
LOW_BITS = 0xFFFFFFFF


class Tokens:
    """Signs tokens with the last of some keys, and reads those that any of them signed.

    A token is a key's id, a keyed BLAKE2b of the rest and a serialised Attribution, in base64 for
    URLs.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {_key_id(key): key for key in keys}
        self._newest = keys[-1]

    def sign(self, attribution: Attribution) -> str:
        """Return the token of an answer."""
        body = attribution.SerializeToString(deterministic=True)
        signed = _key_id(self._newest) + _mac(self._newest, body) + body
        return base64.urlsafe_b64encode(signed).rstrip(b"=").decode()

    def read(self, token: str) -> Attribution | None:
        """Return what a token says, None where nobody here has signed it."""
        try:
            signed = base64.b64decode(
                token + "=" * (-len(token) % 4), altchars=b"-_", validate=True
            )
        except (binascii.Error, ValueError):
            return None
        key = self._keys.get(signed[:KEY_ID_BYTES])
        mac, body = signed[KEY_ID_BYTES:][:MAC_BYTES], signed[KEY_ID_BYTES + MAC_BYTES :]
        if key is None or not hmac.compare_digest(mac, _mac(key, body)):
            return None
        try:
            return Attribution.FromString(body)
        except DecodeError:
            return None

    def attributed(self, event: Event) -> Attributed | None:
        """Return what an event's token says of it; None without one that fits user and item.

        A token of an answer for nobody known fits every user: who looked around may sign in then.
        """
        token = self.read(event.attribution_token) if event.attribution_token else None
        if token is None or token.user_hash not in (0, item_hash(event.user_id)):
            return None
        low = item_hash(event.item_id) & LOW_BITS
        if low not in token.item_hashes:
            return None
        place = list(token.item_hashes).index(low)
        return Attributed(
            impression_id=token.impression_id,
            position=place + 1,
            propensity=token.propensities[place] if token.propensities else 1.0,
        )


def attribution_of(
    user_id: str, context: RequestContext, answer: RecommendResponse, exploration_chance: float
) -> Attribution:
    """Return what the token of an answer is to say.

    exploration_chance: with what probability the list has places for exploration.
    """
    drawn = [
        item.explored_with * exploration_chance if item.HasField("explored_with") else 1.0
        for item in answer.items
    ]
    return Attribution(
        impression_id=secrets.token_bytes(IMPRESSION_ID_BYTES),
        release_id=answer.release_id,
        user_hash=item_hash(user_id) if user_id else 0,
        request_time=context.request_time,
        surface=context.surface,
        item_hashes=[item_hash(item.item_id) & LOW_BITS for item in answer.items],
        propensities=drawn if min(drawn, default=1.0) < 1 else (),
    )


def _key_id(key: bytes) -> bytes:
    return blake2b(key, digest_size=KEY_ID_BYTES, person=b"tandem-key-id").digest()


def _mac(key: bytes, body: bytes) -> bytes:
    return blake2b(body, digest_size=MAC_BYTES, key=key, person=b"tandem-token").digest()
