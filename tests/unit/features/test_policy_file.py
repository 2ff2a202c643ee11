"""Policy files, right and wrong."""

from datetime import date
from pathlib import Path

import pytest

from features.policy import Override
from features.policy_file import PolicyInvalid, parse_policy, read_policy

WHOLE = """
[block]
categories = ["Adult"]
tags = ["Graphic  Violence"]
words = ["gore", "血腥"]

[age]
age_if_unknown = 12
attributes = ["min_age"]

[age.categories]
Horror = 16

[[override]]
item_id = "7"
decision = "allow"
reviewer = "j.doe"
date = 2026-03-01
reason = "A documentary."
least_age = 12
expires = 2026-12-31

[[override]]
item_id = "8"
decision = "block"
reviewer = "j.doe"
date = 2026-03-01
reason = "Complaints."
"""
OVERRIDE = """
[[override]]
item_id = "7"
decision = "allow"
reviewer = "j.doe"
date = 2026-03-01
reason = "A documentary."
"""


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "policy.toml"
    path.write_text(WHOLE)
    policy = read_policy(path)
    assert policy.categories == {"adult"}
    assert policy.tags == {"graphic violence"}
    assert policy.words == ("gore", "血腥")
    assert policy.age_attributes == ("min_age",)
    assert policy.age_categories == {"horror": 16}
    assert policy.age_if_unknown == 12
    assert policy.overrides == {
        "7": Override(
            "7", False, "j.doe", date(2026, 3, 1), "A documentary.", 12, date(2026, 12, 31)
        ),
        "8": Override("8", True, "j.doe", date(2026, 3, 1), "Complaints."),
    }
    assert policy.rule_count == 6
    assert len(policy.digest) == 64


def test_an_empty_file_is_a_policy_that_permits_everything() -> None:
    policy = parse_policy(b"", "policy.toml")
    assert policy.in_force
    assert policy.rule_count == 0
    # Whoever sets no age for those who tell none has them be below every limit.
    assert policy.age_if_unknown == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[blocked]", "the file: has no key 'blocked'; there are block, age, override"),
        ("[block]\nword = []", "[block]: has no key 'word'"),
        ("block = 1", "[block]: must be a section"),
        ("[block]\nwords = 'gore'", "[block] words: must be a list of texts"),
        ("[block]\nwords = ['gore', 7]", "[block] words[1]: must be a text"),
        ("[block]\nwords = ['!!']", "[block] words[0]: '!!' has neither letters nor digits"),
        ("[block]\ntags = [' ']", "[block] tags[0]: must be a text that is not empty"),
        ("[age]\nage_if_unknown = true", "[age] age_if_unknown: must be a whole number from 0"),
        ("[age.categories]\nHorror = 0", "[age.categories] Horror: must be a whole number from 1"),
        ("[age.categories]\nHorror = 16\nHORROR = 18", "[age.categories] HORROR: is there already"),
        ("[age.categories]\nHorror = '16'", "[age.categories] Horror: must be a whole number"),
        ("[override]\nitem_id = '7'", "[[override]]: must be sections in double brackets"),
        (OVERRIDE.replace("reviewer", "who"), "[[override]] 1: has no key 'who'"),
        (OVERRIDE.replace("allow", "permit"), "[[override]] 1 decision: must be allow or block"),
        (OVERRIDE.replace("2026-03-01", "'2026-03-01'"), "[[override]] 1 date: must be a date"),
        (OVERRIDE.replace("2026-03-01", "2026-03-01T00:00:00"), "[[override]] 1 date: must be a"),
        (OVERRIDE + "expires = 2026-02-28", "[[override]] 1 expires: is before date"),
        (OVERRIDE + OVERRIDE, "[[override]] 2 item_id: '7' has one already"),
        (
            OVERRIDE.replace("allow", "block") + "least_age = 3",
            "[[override]] 1 least_age: goes with the decision allow",
        ),
        ("[block", "is not TOML: "),
    ],
)
def test_a_mistake_is_told_by_file_section_and_key(text: str, problem: str) -> None:
    with pytest.raises(PolicyInvalid) as failure:
        parse_policy(text.encode(), "policy.toml")
    assert str(failure.value).startswith(f"policy.toml: {problem}")
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("key", ["item_id", "decision", "reviewer", "date", "reason"])
def test_an_override_needs_all_that_makes_it_answerable(key: str) -> None:
    lines = [line for line in OVERRIDE.splitlines() if not line.startswith(key)]
    with pytest.raises(PolicyInvalid, match=f"{key}: is required"):
        parse_policy("\n".join(lines).encode(), "policy.toml")


def test_a_file_that_is_not_there_or_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(PolicyInvalid, match=r"none\.toml: cannot be read: No such file"):
        read_policy(tmp_path / "none.toml")
    with pytest.raises(PolicyInvalid, match="is not UTF-8"):
        parse_policy(b"\xff", "policy.toml")
