"""The policy file of a running service: read at its start, and again when it has changed."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from features.policy import NO_POLICY, Override, Policy
from features.policy_file import PolicyInvalid, parse_policy, read_policy
from serving.audit import AuditLog
from serving.server import StartFailed

logger = logging.getLogger(__name__)


class FollowedPolicy:
    """policy: what the file said when it was last right; NO_POLICY where there is no file."""

    def __init__(self, path: str, audit: AuditLog | None) -> None:
        """Read the file. Raises StartFailed if it is broken.

        path: "" for none. audit: needed where there is a file.
        """
        self._path = Path(path) if path else None
        self._audit = audit
        self._decided: set[Override] = set()
        # Digests of what the file held at the last look, and of what was refused last.
        self._looked_at = self._refused = ""
        try:
            self.policy = read_policy(self._path) if self._path else NO_POLICY
        except PolicyInvalid as error:
            raise StartFailed(str(error)) from error

    async def follow(
        self, interval_s: float, enforce: Callable[[Policy], Awaitable[None]] | None = None
    ) -> None:
        """Tell the audit log what is in force, then look at the file every so often, for ever.

        enforce: puts a new policy to work, before it is called loaded.
        """
        if self._path is None:
            return
        self._tell("policy_loaded", self.policy)
        while True:
            await asyncio.sleep(interval_s)
            try:
                await self.look(enforce)
            except Exception:
                # The loop must not end: the next change would not be seen.
                logger.exception("the policy file could not be looked at")

    async def look(self, enforce: Callable[[Policy], Awaitable[None]] | None = None) -> None:
        """Take the file's policy if it is right and another one. What is wrong is told, once.

        A change counts when two looks have seen the same: half a file, as an editor may write it,
        can be a policy with half its rules.
        """
        path = self._path
        if path is None:
            return
        try:
            content = await asyncio.to_thread(path.read_bytes)
        except OSError as error:
            seen, problem = "unreadable", f"{path}: cannot be read: {error.strerror or error}"
        else:
            seen, problem = sha256(content).hexdigest(), ""
        settled, self._looked_at = seen == self._looked_at, seen
        if seen == self.policy.digest:
            self._refused = ""
        if not settled or seen in (self.policy.digest, self._refused):
            return
        try:
            if problem:
                raise PolicyInvalid(problem)
            policy = await asyncio.to_thread(parse_policy, content, str(path))
        except PolicyInvalid as error:
            self._refused = seen
            logger.error("the policy stays as it was: %s", error)
            self._later("policy_refused", file=str(path), problem=str(error))
            return
        if enforce is not None:
            await enforce(policy)
        self.policy, self._refused = policy, ""
        logger.info("%s is in force: %d rules", path, policy.rule_count)
        self._tell("policy_reloaded", policy)

    def decided(self, override: Override) -> None:
        """Tell the audit log, once in this process, that an override decided."""
        if override not in self._decided:
            self._decided.add(override)
            self._later("override_applied", **_told(override))

    def _tell(self, what: str, policy: Policy) -> None:
        self._later(
            what,
            file=str(self._path),
            sha256=policy.digest,
            rules=policy.rule_count,
            overrides=[_told(override) for override in policy.overrides.values()],
        )

    def _later(self, what: str, **told: object) -> None:
        if self._audit is not None:
            self._audit.append_later(what, **told)


def _told(override: Override) -> dict[str, object]:
    """Return an override as the audit log has it."""
    return {
        "item_id": override.item_id,
        "decision": "block" if override.blocks else "allow",
        "reviewer": override.reviewer,
        "date": override.reviewed.isoformat(),
        "reason": override.reason,
        "least_age": override.least_age,
        "expires": override.expires.isoformat() if override.expires else None,
    }
