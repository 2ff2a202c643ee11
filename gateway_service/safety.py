"""The safety policy at the edge: whether an item may be shown to the user of a request."""

from collections.abc import Callable

from features.followed_policy import FollowedPolicy
from features.policy import NO_POLICY, Verdict, utc_today
from tandem.v1.context_pb2 import RequestContext
from tandem.v1.item_pb2 import Item
from tandem.v1.user_pb2 import UserState

# Verdicts that are kept; then they are judged anew.
KEPT_MOST = 200_000
Permitted = Callable[[Item], bool]


class Safety:
    """Judges items by the policy, each revision once."""

    def __init__(self, rules: FollowedPolicy) -> None:
        self._rules = rules
        self._judged_by = NO_POLICY
        # By item id: revision and verdict.
        self._verdicts: dict[str, tuple[int, Verdict]] = {}

    def of_request(self, user: UserState, context: RequestContext) -> Permitted | None:
        """Return what tells whether an item may be shown, None where there is no policy."""
        policy = self._rules.policy
        if not policy.in_force:
            return None
        if policy is not self._judged_by or len(self._verdicts) > KEPT_MOST:
            self._judged_by, self._verdicts = policy, {}
        verdicts = self._verdicts
        age = policy.age_of(user, context.request_time.ToMilliseconds())
        today, decided = utc_today(), self._rules.decided

        def permitted(item: Item) -> bool:
            revision, verdict = verdicts.get(item.item_id, (0, None))
            # Without a revision nobody knows whether it is the item that was judged.
            if verdict is None or not revision or revision != item.revision:
                verdict = policy.judge(item)
                verdicts[item.item_id] = item.revision, verdict
            return policy.permits(item.item_id, verdict, age, today, decided)

        return permitted
