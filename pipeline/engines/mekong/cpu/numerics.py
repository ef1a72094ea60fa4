"""What the compiled loops of the CPU core share.

Nothing here assumes finite numbers: a NaN stays one.
"""

from __future__ import annotations

from typing import Any, cast

import numba
import numpy as np

from pipeline.engines.jit import F, compiled

# All of fast math but the assumption that there are no NaNs and infinities.
# Without numpy's error model every division is a branch that may raise, and no loop with one becomes vectors.
OPTIONS: dict[str, Any] = {
    "error_model": "numpy",
    "fastmath": {"reassoc", "contract", "arcp", "nsz", "afn"},
}
f32, i32, u32 = np.float32, np.int32, np.uint32
LIMIT = f32(127.0)
"""Largest magnitude of a quantised activation."""


kernel = compiled(**OPTIONS)


def inline(function: F) -> F:
    """`function` compiled into the kernels that call it."""
    return cast(F, numba.njit(inline="always", nogil=True, **OPTIONS)(function))


# No reassociation here: it would undo the two-step reduction. The compiler puts the code where it is called.
@numba.njit(nogil=True, error_model="numpy", fastmath={"contract", "nsz"})
def exp(x: Any) -> Any:
    """e**x to 3e-7 of itself, as compilers can turn into vectors: 2**n times a polynomial (Taylor's) of the rest,
    where the rest is taken with ln 2 in two parts (Cody and Waite 1980, chapter 6)."""
    x = f32(-87.0) if x < f32(-87.0) else x
    x = f32(88.0) if x > f32(88.0) else x
    z = x * f32(1.4426950408889634)
    whole = i32(z + (f32(0.5) if z > f32(0.0) else f32(-0.5)))
    rest = x - f32(whole) * f32(0.693359375)
    rest = rest + f32(whole) * f32(2.12194440e-4)
    p = f32(1.0 / 5040)
    p = p * rest + f32(1.0 / 720)
    p = p * rest + f32(1.0 / 120)
    p = p * rest + f32(1.0 / 24)
    p = p * rest + f32(1.0 / 6)
    p = p * rest + f32(0.5)
    p = p * rest + f32(1.0)
    p = p * rest + f32(1.0)
    return p * i32((whole + i32(127)) << i32(23)).view(f32)


@inline
def ordered(number: Any) -> Any:
    """An integer that orders as the float does. The largest integer of a row is found in vectors, a float is not."""
    bits = f32(number).view(i32)
    return i32(bits ^ ((bits >> i32(31)) & i32(0x7FFFFFFF)))


@inline
def unordered(integer: Any) -> Any:
    """The float of which `ordered` made an integer."""
    return i32(integer ^ ((integer >> i32(31)) & i32(0x7FFFFFFF))).view(f32)


@inline
def quantise(x: Any, q: Any, scale: Any, r: Any) -> None:
    """Row r of x (R, K) as bytes, q[r] = 128 + x[r] / scale[r] rounded; the largest magnitude becomes LIMIT. The scale
    is NaN when the row is not finite."""
    count = x.shape[1]
    largest = i32(0)
    for i in range(count):
        # Without its sign a float orders as its bits do, and infinity and NaN are above all numbers.
        largest = max(largest, i32(f32(x[r, i]).view(i32) & i32(0x7FFFFFFF)))
    peak = i32(largest).view(f32)
    finite = largest < i32(0x7F800000)
    scale[r] = peak / LIMIT if finite else f32(np.nan)
    factor = LIMIT / peak if finite and peak > f32(0.0) else f32(0.0)
    for i in range(count):
        q[r, i] = np.uint8(i32((x[r, i] if finite else f32(0.0)) * factor + f32(128.5)))
