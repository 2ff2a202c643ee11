"""Events and items to arrays: shared by training and serving, so that both see the same numbers."""

import os

# The matrices here are small: a second BLAS thread costs more than it does, and beside busy
# processes several times more. It is read when numpy is loaded, so this package comes first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
