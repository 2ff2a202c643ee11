"""When one choice is better than another beyond chance, where several are tried."""

import numpy as np
import numpy.typing as npt

# By so many standard errors.
ERRORS_LEAST = 2.0


def clearly_better(gain: npt.NDArray[np.float64], than: float = 0.0) -> bool:
    """Tell whether a gain, one for each target, is on average clearly above 0, and above `than`.

    Of no targets nothing is.
    """
    if not len(gain):
        return False
    error = float(gain.std()) / np.sqrt(len(gain))
    return bool(gain.mean() > max(than, ERRORS_LEAST * error))
