"""Chance that is the same for the same user at the same time, so that a replay is exact."""

from hashlib import blake2b

from google.protobuf.timestamp_pb2 import Timestamp


def seed_of(user_id: str, request_time: Timestamp) -> int:
    """Return a seed of 64 bits."""
    when = request_time.SerializeToString(deterministic=True)
    digest = blake2b(user_id.encode() + b"\0" + when, digest_size=8).digest()
    return int.from_bytes(digest)
