"""How cost grows from 10^4 to 10^6 items and users: `make bench-scale`.

    .venv/bin/python -m benchmarks.scale
    .venv/bin/python -m benchmarks.scale --only search --sizes 1000000 --width 64

Each step runs in a process of its own; its result replaces the one of the same step and size in
`results/scale.json`, so that a long step can be run alone. Then the curves are drawn.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

from benchmarks.environment import RESULTS, ROOT, describe, write_result
from benchmarks.scale_picture import draw

SIZES = (10_000, 100_000, 1_000_000)
# As of item factors; and as of texts.
WIDTHS = (64, 384)
KINDS = ("search", "service", "ranking", "users")
NAME = "scale"


def main() -> None:
    """Run the steps, record each, draw."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--only", choices=KINDS, help="one kind of step")
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES)
    parser.add_argument("--width", type=int, nargs="*", default=WIDTHS, help="of vectors")
    arguments = parser.parse_args()
    for size in arguments.sizes:
        if arguments.only in (None, "search"):
            for width in arguments.width:
                run("search", f"{width}", "--items", size, "--width", width)
        if arguments.only in (None, "service"):
            run("service", "", "--items", size)
        if arguments.only in (None, "ranking"):
            run("ranking", "", "--items", size)
        if arguments.only in (None, "users"):
            run("users", "", "--users", size)
    draw(recorded()["steps"], RESULTS / f"{NAME}.png")


def run(kind: str, variant: str, *options: object) -> None:
    """Run a step, and record it."""
    size = options[1]
    print(f"{kind} {variant} {size}", flush=True)
    command = [sys.executable, "-m", f"benchmarks.scale_{kind}", *map(str, options)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    result = json.loads(done.stdout.splitlines()[-1])
    print(result, flush=True)
    steps = recorded()["steps"]
    key = "/".join(part for part in (kind, variant, str(size)) if part)
    steps[key] = {**result, "on": describe()}
    write_result(NAME, {"steps": dict(sorted(steps.items()))})


def recorded() -> dict[str, Any]:
    """Return what has been recorded so far."""
    file = RESULTS / f"{NAME}.json"
    found: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {"steps": {}}
    return found


if __name__ == "__main__":
    main()
