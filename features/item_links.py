"""What an item's attributes link it with: brand, tags, categories and attributes of text."""

from collections.abc import Iterator

from features.opening_hours import ATTRIBUTE as OPENING_HOURS
from tandem.v1.item_pb2 import Item

BRAND, TAG, CATEGORY = "brand", "tag", "category"
# Between the categories of a path.
_BELOW = "\x1f"
# A longer text is a description rather than a name.
NAME_MOST = 256
# Attributes of text that name nothing.
NO_NAMES = frozenset({OPENING_HOURS})


def attribute_links(item: Item) -> Iterator[tuple[str, str]]:
    """Yield (relation, name) of whatever an item is linked with by its attributes, each once.

    A category is known by its path from the broadest one: the same word below another is another.
    An attribute of text may name several, split by `|`.
    """
    if item.brand:
        yield BRAND, item.brand
    for tag in dict.fromkeys(item.tags):
        yield TAG, tag
    for depth in range(1, len(item.categories) + 1):
        yield CATEGORY, _BELOW.join(item.categories[:depth])
    for relation in sorted(set(item.attributes) - NO_NAMES):
        text = item.attributes[relation].string_value
        for name in dict.fromkeys(part.strip() for part in text.split("|")):
            if name and len(name.encode()) <= NAME_MOST:
                yield relation, name


def shown_name(relation: str, name: str) -> str:
    """Return a name as people read it: of a category the last of its path."""
    return name.rpartition(_BELOW)[2] if relation == CATEGORY else name
