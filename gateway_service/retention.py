"""Forgets old answers: what was shown is logged to be learned from, not for ever."""

import asyncio
import logging

from gateway_service.store.database import Database
from gateway_service.store.impressions import forget_impressions
from gateway_service.store.times import now_us
from serving.errors import TandemError

logger = logging.getLogger(__name__)
DAY_US = 86_400_000_000
EVERY_S = 3_600.0


async def keep_for(database: Database, days: int) -> None:
    """Every hour, forget the answers that were logged so many days ago, for ever."""
    while True:
        try:
            forgotten = await database.write(
                lambda connection: forget_impressions(connection, now_us() - days * DAY_US)
            )
            if forgotten:
                logger.info("%d answers older than %d days were forgotten", forgotten, days)
        except TandemError as error:
            logger.warning("old answers could not be forgotten: %s", error)
        await asyncio.sleep(EVERY_S)
