"""What the source `friends` adds to the candidates: recall of the union with it and without it.

    .venv/bin/python -m benchmarks.friends --name sample-world
    .venv/bin/python -m benchmarks.friends --passed-on --name passed-on

In the sample world friends are people of like taste, who do not influence each other. In the other
data set people take up what their friends used, and nothing else tells of it.
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.added_source import measure
from benchmarks.environment import describe, write_result
from benchmarks.passed_on import write_passed_on
from sample_world import write_world
from tandem.v1.candidate_pb2 import Source


def main() -> None:
    """Fit, ask, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--passed-on", action="store_true", help="friends pass things on")
    parser.add_argument("--name", required=True, help="of the result")
    parser.add_argument("--items", type=int, default=3_000, help="of the sample world")
    parser.add_argument("--users", type=int, default=500, help="of the sample world")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        directory = Path(folder) / "data"
        if arguments.passed_on:
            about = "made-up films that friends pass on"
            write_passed_on(directory)
        else:
            size = {"items": arguments.items, "users": arguments.users}
            about = f"sample world: mixed, with friends, {size}"
            write_world(directory, domain="mixed", seed=7, friends=True, **size)
        result = measure(str(directory), Path(folder), Source.SOURCE_FRIENDS)
    print(result)
    write_result(
        f"friends_{arguments.name.replace('-', '_')}", {**describe(), "dataset": about, **result}
    )


if __name__ == "__main__":
    main()
