"""When requests are sent: a Poisson process, in steps of rates."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tandem_cli.failure import CommandFailed

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
ARRIVALS_MAX = 5_000_000


@dataclass(frozen=True)
class Step:
    """`rate` requests per second on average, for `seconds`. counted: false for warming up."""

    rate: float
    seconds: float
    counted: bool = True


def steps_of(
    rates: Sequence[float], ramp: str, seconds: float, warm_up_s: float = 0.0
) -> list[Step]:
    """Return a step for each rate, then those of a ramp `FROM:TO:STEPS`, each of `seconds`.

    They follow `warm_up_s` seconds at the first rate, which do not count.
    """
    every = [*rates, *(_ramp(ramp) if ramp else ())]
    if not every:
        raise CommandFailed("name at least one --rate, or a --ramp")
    if min(every) <= 0:
        raise CommandFailed("rates are requests per second, above 0")
    if sum(every) * seconds > ARRIVALS_MAX:
        raise CommandFailed(f"that is more than {ARRIVALS_MAX:,} requests; ask for fewer")
    warm = [Step(every[0], warm_up_s, counted=False)] if warm_up_s > 0 else []
    return [*warm, *(Step(rate, seconds) for rate in every)]


def arrivals(steps: Sequence[Step], random: np.random.Generator) -> tuple[Float64, Int64]:
    """Return when each request arrives, in seconds from the start, ascending; and its step's place.

    A Poisson process: the count of a step is drawn, and given the count, moments are independent
    and uniform. So nothing about an arrival depends on how the ones before it were served.
    """
    starts = np.cumsum([0.0, *(step.seconds for step in steps)])
    counts = [int(random.poisson(step.rate * step.seconds)) for step in steps]
    times = [
        np.sort(start + random.random(count) * step.seconds)
        for start, count, step in zip(starts, counts, steps, strict=False)
    ]
    return np.concatenate(times), np.repeat(np.arange(len(steps)), counts)


def _ramp(text: str) -> list[float]:
    """Return the rates of `FROM:TO:STEPS`, equally far apart."""
    try:
        first, last, count = text.split(":")
        return [float(rate) for rate in np.linspace(float(first), float(last), int(count))]
    except ValueError:
        raise CommandFailed(
            f"--ramp {text!r}: write it as FROM:TO:STEPS, such as 5:50:10"
        ) from None
