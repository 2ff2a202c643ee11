"""What a list's variety may be asked to be."""

from serving.validation import check_duration, check_integer, check_number
from tandem.v1.variety_pb2 import Variety

LIMIT_MAX = 500
FRESH_AGE_MAX_S = 3_650 * 86_400


def check_variety(variety: Variety) -> None:
    """Check the bounds that the contract names. Raises InvalidField."""
    check_number("variety.diversity", variety.diversity, low=0, high=1)
    check_integer("variety.category_max", variety.category_max, low=0, high=LIMIT_MAX)
    check_integer("variety.brand_max", variety.brand_max, low=0, high=LIMIT_MAX)
    check_number("variety.fresh_share", variety.fresh_share, low=0, high=1)
    if variety.HasField("fresh_age"):
        check_duration("variety.fresh_age", variety.fresh_age, high_s=FRESH_AGE_MAX_S)


def asks_for_kinds(variety: Variety) -> bool:
    """Return whether a list has to look at categories, brands or ages at all."""
    return bool(variety.category_max or variety.brand_max or variety.fresh_share)
