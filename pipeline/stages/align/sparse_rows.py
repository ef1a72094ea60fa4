"""Rows of a matrix that is nearly empty, apart from the kernel that reads them: importing that one imports numba."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class SparseRows(NamedTuple):
    """The entries of row i are `columns` (int32) and `weights` (float64) from starts[i] to starts[i+1]."""

    starts: NDArray[np.int64]
    columns: NDArray[np.int32]
    weights: NDArray[np.float64]
