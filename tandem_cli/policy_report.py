"""What a safety policy does to a catalogue: items by rule, by least age, by override."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from rich import box
from rich.markup import escape
from rich.table import Table

from features.policy import Policy, Verdict, utc_today
from tandem.v1.item_pb2 import Item

EXAMPLES = 3


@dataclass
class Report:
    """items: how many there are. by_rule: ids and titles of the items that each rule concerns.

    ages: how many items by the least age that the rules leave them. left: how many may be shown to
    somebody, overrides included. decided: what became of each override.
    """

    policy: Policy
    items: int = 0
    left: int = 0
    count: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    ages: Counter[int] = field(default_factory=Counter)
    decided: dict[str, str] = field(default_factory=dict)

    def parts(self) -> Iterator[Table | str]:
        """Yield what is to be printed."""
        rules = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("Rule", "Items", "Examples"):
            rules.add_column(heading, overflow="fold")
        for rule in sorted({*self.policy.rules(), *self.count}, key=lambda r: (-self.count[r], r)):
            examples = escape("; ".join(self.examples[rule]))
            rules.add_row(escape(rule), f"{self.count[rule]:,}", examples)
        yield rules
        if self.policy.overrides:
            overrides = Table(box=box.SIMPLE_HEAD, pad_edge=False)
            for heading in ("Override", "Decision", "Reviewer", "Does"):
                overrides.add_column(heading, overflow="fold")
            for item_id, override in self.policy.overrides.items():
                decision = "block" if override.blocks else "allow"
                does = self.decided.get(item_id, "nothing: there is no such item")
                overrides.add_row(
                    escape(item_id), decision, escape(override.reviewer), escape(does)
                )
            yield overrides
        for age, number in sorted(self.ages.items()):
            yield f"from the age of {age}: {number:,} items"
        yield f"{self.left:,} of {self.items:,} items may be shown, each from its least age on"


def report_of(policy: Policy, items: Iterable[Item]) -> Report:
    """Judge items."""
    report = Report(policy)
    today = utc_today()
    for item in items:
        report.items += 1
        for rule in [*policy.blocking(item), *(rule for rule, _ in policy.limits(item))]:
            report.count[rule] += 1
            if len(report.examples[rule]) < EXAMPLES:
                title = f" {item.title}" if item.title else ""
                report.examples[rule].append(f"{item.item_id}{title}")
        verdict = policy.judge(item)
        if item.item_id in policy.overrides:
            report.decided[item.item_id] = _done_by_override(policy, item.item_id, verdict)
        age = policy.least_age(item.item_id, verdict, today)
        if age is not None:
            report.left += 1
            if age:
                report.ages[age] += 1
    return report


def _done_by_override(policy: Policy, item_id: str, verdict: Verdict) -> str:
    override = policy.overrides[item_id]
    if not override.counts(utc_today()):
        return f"nothing: it expired on {override.expires}"
    if override.blocks:
        return f"nothing: {verdict.rule} blocks it" if verdict.rule else "blocks it"
    if verdict.rule:
        return f"lets it through, against {verdict.rule}"
    if override.least_age is not None and override.least_age != verdict.least_age:
        return f"sets the least age to {override.least_age}, in place of {verdict.least_age}"
    return "nothing: no rule blocks it"
