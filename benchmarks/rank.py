"""What ranking costs: the service on this machine, or with `--decoder` a decoder on a GPU.

    .venv/bin/python -m benchmarks.rank --release var/demo/release
    python -m benchmarks.rank --device cuda --decoder 0.6b

See benchmarks/rank_service.py and benchmarks/rank_decoder.py. Of this repository the second needs
`benchmarks`, `models`, `features`, `serving` and, on PYTHONPATH, `clients/python`; besides torch,
transformers, safetensors, tokenizers, protobuf, scipy and numpy, but no release and no network.
"""

import sys


def main() -> None:
    """Hand over; what one of them imports the other may lack."""
    if any(argument.startswith("--decoder") for argument in sys.argv[1:]):
        from benchmarks.rank_decoder import main as measure_decoder

        measure_decoder()
    else:
        from benchmarks.rank_service import main as measure_service

        measure_service()


if __name__ == "__main__":
    main()
