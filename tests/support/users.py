"""What a gateway knows of a user."""

from tandem.v1.user_pb2 import UserState
from tests.support.gateway import World


async def state(world: World, user_id: str = "anna") -> UserState:
    return (await world.client.get_user_state(user_id)).user
