"""A policy file that changes while a service runs."""

import json
from pathlib import Path

import pytest

from features.followed_policy import FollowedPolicy
from features.policy import Policy
from serving.audit import AuditLog
from serving.server import StartFailed

GORE = "[block]\nwords = ['gore']\n"
WAR = "[block]\nwords = ['war']\n"
OVERRIDE = """
[[override]]
item_id = "7"
decision = "allow"
reviewer = "j.doe"
date = 2026-03-01
reason = "A documentary."
"""


class Followed:
    """A file, what follows it, and the audit log."""

    def __init__(self, directory: Path, text: str) -> None:
        self.path = directory / "policy.toml"
        self.path.write_text(text)
        self.audit = AuditLog(str(directory / "audit.jsonl"))
        self.rules = FollowedPolicy(str(self.path), self.audit)

    async def look(self, times: int = 2) -> tuple[str, ...]:
        """Look some times and return the words that are blocked then."""
        for _ in range(times):
            await self.rules.look()
        return self.rules.policy.words

    def told(self, what: str) -> list[dict[str, object]]:
        self.audit.close()
        lines = self.audit.path.read_text().splitlines()
        return [record for line in lines if (record := json.loads(line))["what"] == what]


async def test_a_change_counts_once_two_looks_have_seen_the_same(tmp_path: Path) -> None:
    followed = Followed(tmp_path, GORE)
    assert await followed.look() == ("gore",)
    followed.path.write_text(WAR)
    assert await followed.look(1) == ("gore",)
    # Half a file, as an editor may have left it for a moment.
    followed.path.write_text("")
    assert await followed.look(1) == ("gore",)
    followed.path.write_text(WAR)
    assert await followed.look(1) == ("gore",)
    assert await followed.look(1) == ("war",)
    (told,) = followed.told("policy_reloaded")
    assert (told["rules"], told["sha256"]) == (1, followed.rules.policy.digest)


async def test_a_broken_or_missing_file_leaves_the_policy_as_it_was_and_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    followed = Followed(tmp_path, GORE)
    followed.path.write_text("[block]\nword = ['war']")
    assert await followed.look(5) == ("gore",)
    followed.path.unlink()
    assert await followed.look(5) == ("gore",)
    problems = [record.getMessage() for record in caplog.records]
    assert len(problems) == 2
    assert "[block]: has no key 'word'" in problems[0]
    assert "cannot be read" in problems[1]
    followed.path.write_text(WAR)
    assert await followed.look() == ("war",)
    assert len(followed.told("policy_refused")) == 2


async def test_a_policy_that_could_not_be_enforced_is_tried_again(tmp_path: Path) -> None:
    followed = Followed(tmp_path, GORE)
    followed.path.write_text(WAR)
    await followed.look(1)

    async def fail(policy: Policy) -> None:
        raise OSError("the catalogue is down")

    with pytest.raises(OSError, match="down"):
        await followed.rules.look(fail)
    assert followed.rules.policy.words == ("gore",)
    assert await followed.look(1) == ("war",)


def test_a_broken_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match=r"policy.toml: \[block\]: has no key"):
        Followed(tmp_path, "[block]\nword = ['war']")


def test_without_a_file_there_is_no_policy() -> None:
    assert not FollowedPolicy("", None).policy.in_force


async def test_an_override_that_decides_is_told_once_in_a_process(tmp_path: Path) -> None:
    followed = Followed(tmp_path, GORE + OVERRIDE)
    override = followed.rules.policy.overrides["7"]
    for _ in range(3):
        followed.rules.decided(override)
    (told,) = followed.told("override_applied")
    assert told["item_id"] == "7"
    assert told["decision"] == "allow"
    assert told["reviewer"] == "j.doe"
    assert told["reason"] == "A documentary."
