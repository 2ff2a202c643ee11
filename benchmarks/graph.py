"""What the source `graph` adds to the candidates: recall of the union with it and without it.

.venv/bin/python -m benchmarks.graph --name sample-world
.venv/bin/python -m benchmarks.graph --planted --name followed-directors
.venv/bin/python -m benchmarks.graph movielens:../shared/data/ml-latest-small --name mls
"""

import argparse
import tempfile
from pathlib import Path

from benchmarks.added_source import measure
from benchmarks.environment import describe, write_result
from benchmarks.followed_directors import write_followed_directors
from sample_world import write_world
from tandem.v1.candidate_pb2 import Source


def main() -> None:
    """Fit, ask, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("dataset", nargs="?", default="", help="default: a sample world")
    parser.add_argument("--planted", action="store_true", help="people follow directors")
    parser.add_argument("--name", required=True, help="of the result")
    parser.add_argument("--domain", default="mixed", help="of the sample world")
    parser.add_argument("--items", type=int, default=3_000, help="of the sample world")
    parser.add_argument("--users", type=int, default=300, help="of the sample world")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        about, spec = arguments.dataset, arguments.dataset
        if arguments.planted:
            about, spec = "followed directors", str(write_followed_directors(Path(folder) / "data"))
        elif not spec:
            size = {"items": arguments.items, "users": arguments.users}
            about, spec = f"sample world: {arguments.domain}, {size}", f"{folder}/world"
            write_world(Path(spec), domain=arguments.domain, seed=7, **size)
        result = measure(spec, Path(folder), Source.SOURCE_GRAPH)
    print(result)
    write_result(
        f"graph_{arguments.name.replace('-', '_')}", {**describe(), "dataset": about, **result}
    )


if __name__ == "__main__":
    main()
