"""`python -m baselines SYSTEM --trial trial.npz --out DIR --seed S [--budget-trials N]`."""

import os
import sys

THREADS = "2"


def main() -> int:
    """Settle how many threads the libraries use, which they read when loaded; then run."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = THREADS
    # Threads that spin while they wait take the cores from whatever else runs on the machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from baselines import command

    return command.main()


if __name__ == "__main__":
    sys.exit(main())
