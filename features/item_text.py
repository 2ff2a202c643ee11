"""The one text of an item that encoders read."""

from hashlib import sha256

from tandem.v1.item_pb2 import Item

MAX_TAGS = 16


def item_text(item: Item) -> str:
    """Return an item's text: title, then categories, tags and brand, then the description.

    What tells items apart comes first, because encoders cut long texts at their window. Empty
    parts are left out; an item without any text gives "".
    """
    parts = [
        item.title,
        ", ".join(item.categories),
        ", ".join(item.tags[:MAX_TAGS]),
        item.brand,
        item.description,
    ]
    return ". ".join(part.strip() for part in parts if part.strip())


def text_hash(text: str) -> str:
    """Return the key under which a text's vector is kept: 32 hexadecimal digits."""
    return sha256(text.encode()).hexdigest()[:32]
