"""One evaluation, top to bottom: systems, metrics, report."""

import time
from dataclasses import asdict
from typing import Any

from tandem_cli.evaluation.baselines import BASELINES, set_up_baselines
from tandem_cli.evaluation.figures import degradation, measured
from tandem_cli.evaluation.outcomes import run_systems
from tandem_cli.evaluation.plan import FORMAT, Plan
from training.evaluation.answers import WITHOUT
from training.evaluation.machine import hardware, versions
from training.evaluation.measure import ablation, added, significance


def evaluate(plan: Plan) -> dict[str, Any]:
    """Run all systems and return the report. One that fails is told, and the others go on."""
    start = time.monotonic()
    if set(plan.systems) & set(BASELINES):
        set_up_baselines()
    levels = {share: run_systems(plan, share) for share in (0.0, *plan.noise)}
    clean = levels[0.0]
    measure, systems, values = measured(clean)
    trial = clean.trials[0]
    baselines = [name for name in values if name in BASELINES]
    return {
        "format": FORMAT,
        "dataset": plan.tandem.spec,
        "protocol": plan.protocol.name,
        "data": {
            "name": plan.dataset.name,
            "fingerprint": plan.fingerprint,
            "users": trial.events.users,
            "items": trial.events.items,
            "events": len(trial.events.events),
            "repeat": trial.repeat,
        },
        "trial": {
            **{key: value for key, value in asdict(plan.protocol).items() if key != "fold"},
            "known_events": [int(each.known.sum()) for each in clean.trials],
            "requests": sum(len(each.requests) for each in clean.trials),
            "requests_all": sum(each.requests_all for each in clean.trials),
            "users_asked": measure.bootstrap.users,
            "labelled_rows": sum(len(each.rated) for each in clean.trials),
            "labelled_rows_all": sum(each.rated_all for each in clean.trials),
        },
        "seeds": list(plan.seeds),
        "hardware": hardware(),
        "versions": versions(),
        "settings": asdict(plan.tandem.train),
        "seconds": round(time.monotonic() - start, 1),
        "systems": {n: system for n, system in systems.items() if not n.startswith(WITHOUT)},
        "significance": significance(measure, values, baselines),
        "ablation": ablation(measure, values),
        "added": added(measure, values),
        "noise": degradation(levels, values),
    }
