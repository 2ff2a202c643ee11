"""What goes into the catalogue's database and comes out of it."""

from dataclasses import dataclass

from features.item_text import item_text, text_hash
from retrieval_service.catalogue.media import put_hashes, version_of
from tandem.v1.item_pb2 import Item


@dataclass(frozen=True)
class Draft:
    """An item as it is to be stored: its serialised content, its text and the text's hash.

    vectors: those that it brought along, by space; the item has their hashes instead.
    """

    item: Item
    content: bytes
    text: str
    text_hash: str
    vectors: dict[str, "NewVector"]


@dataclass(frozen=True)
class Change:
    """An item's latest change. item: None once deleted."""

    item_id: str
    revision: int
    text_hash: str
    item: Item | None


@dataclass(frozen=True)
class NewVector:
    """A vector to be stored, float32 little-endian, and whether its text was cut."""

    encoder_version: str
    text_hash: str
    vector: bytes
    truncated: bool


@dataclass(frozen=True)
class Written:
    """What a batch did, and the catalogue's revision after it."""

    written: int
    unchanged: int
    revision: int


def draft_of(item: Item) -> Draft:
    """Return an item as it is to be stored."""
    kept = Item()
    kept.CopyFrom(item)
    kept.ClearField("revision")
    vectors = {
        space: NewVector(version_of(space), key, raw, truncated=False)
        for space, key, raw in put_hashes(kept)
    }
    text = item_text(kept)
    # Deterministic, so that equal items are equal bytes whatever the order of their attributes.
    return Draft(kept, kept.SerializeToString(deterministic=True), text, text_hash(text), vectors)
