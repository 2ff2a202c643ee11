"""`tandem policy check` on files and data sets."""

import subprocess
import sys
from pathlib import Path

import pytest

POLICY = """
[block]
tags = ["gore"]
words = ["zombie", "nothing such"]

[age.categories]
Horror = 16

[[override]]
item_id = "3"
decision = "allow"
reviewer = "j.doe"
date = 2026-03-01
reason = "Harmless."

[[override]]
item_id = "1"
decision = "block"
reviewer = "j.doe"
date = 2026-03-01
reason = "Complaints."
expires = 2026-03-02

[[override]]
item_id = "gone"
decision = "block"
reviewer = "j.doe"
date = 2026-03-01
reason = "Complaints."
"""


def tandem(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tandem_cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text(POLICY)
    return path


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    directory = tmp_path / "data"
    directory.mkdir()
    (directory / "items.csv").write_text(
        "item_id,title,description,categories,tags\n"
        "1,Calm [b]seas[/b],,Drama,\n"
        "2,Zombies!,,Horror,gore|night\n"
        "3,A zombie romance,,Comedy,\n"
        "4,The house,,Horror,\n"
    )
    (directory / "interactions.csv").write_text(
        "user_id,item_id,timestamp\nu,1,1000\nu,2,2000\nv,3,3000\nv,4,4000\n"
    )
    return directory


def test_a_right_file_is_said_to_be_right(policy: Path) -> None:
    done = tandem("policy", "check", policy)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == f"{policy} is right: 4 rules, 3 overrides\n"


def test_a_broken_file_is_one_line_naming_section_and_key(policy: Path) -> None:
    policy.write_text(POLICY.replace("reviewer", "reviewed_by", 1))
    done = tandem("policy", "check", policy)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"tandem: {policy}: [[override]] 1: has no key 'reviewed_by'")


def test_on_a_data_set_each_rule_tells_its_items(policy: Path, dataset: Path) -> None:
    done = tandem("policy", "check", policy, "--dataset", dataset)
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    for expected in (
        "age.categories 'horror' 2 2 Zombies!; 4 The house",
        "block.words 'zombie' 2 2 Zombies!; 3 A zombie romance",
        "block.tags 'gore' 1 2 Zombies!",
        "block.words 'nothing such' 0",
        "3 allow j.doe lets it through, against block.words 'zombie'",
        "1 block j.doe nothing: it expired on 2026-03-02",
        "gone block j.doe nothing: there is no such item",
        "from the age of 16: 1 items",
        "3 of 4 items may be shown, each from its least age on",
    ):
        assert expected in lines


def test_a_stack_refuses_a_broken_policy_before_it_starts_anything(
    policy: Path, tmp_path: Path
) -> None:
    policy.write_text("[blocked]")
    done = tandem("up", "--policy", policy, "--state", tmp_path / "state")
    assert done.returncode == 1
    assert "the file: has no key 'blocked'" in done.stderr
