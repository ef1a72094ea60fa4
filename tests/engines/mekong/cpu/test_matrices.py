"""Int8 products of rows whose numbers are of very different size."""

import numpy as np
import pytest
import torch

from pipeline.engines.mekong.cpu import kernels
from pipeline.engines.mekong.cpu.matrices import Int8Matrix, int8_rows, weight_limit
from pipeline.engines.mekong.cpu.quantised import quantise

WIDTH, OUTPUTS = 1024, 48
LIMITS = pytest.mark.parametrize("limit", [63, 127])


def weights(limit):
    """Integers (OUTPUTS, WIDTH) up to `limit`, which int8 holds exactly, and every processor can multiply: above 63,
    every other one is zero, since some add two neighbouring products in 16 bits."""
    made = torch.randint(-limit, limit + 1, (OUTPUTS, WIDTH), generator=torch.Generator().manual_seed(1)).float()
    made[:, 0] = limit
    if limit > 63:
        made[:, 1::2] = 0
    return made


def product(x, weight, limit):
    """The int8 product of x (R, WIDTH) with weights, and the same in float64."""
    rows, none = int8_rows(len(x), WIDTH), np.empty(0, np.float32)
    rows.x[:] = x
    kernels.normalise(rows.x, none, none, np.float32(0), False, *rows)
    numbers, scale = Int8Matrix(quantise(weight, limit), None)(rows)
    return numbers * scale[:, None], x.astype(np.float64) @ weight.double().numpy().T


def whole_numbers(count):
    """Rows (count, WIDTH) that bytes hold exactly; all of the largest ones in some, which makes the largest sums."""
    x = np.random.default_rng(0).integers(-127, 128, (count, WIDTH)).astype(np.float32)
    x[:, 0], x[0], x[1] = 127, 127, -127
    return x


@LIMITS
def test_products_of_whole_numbers_are_exact(limit):
    found, exact = product(whole_numbers(20), weights(limit), limit)
    assert np.allclose(found, exact, rtol=1e-6, atol=0.5)


def test_the_largest_weight_of_this_processor_loses_no_sum():
    limit = weight_limit()
    weight = torch.full((OUTPUTS, WIDTH), float(limit))
    weight[::2] *= -1
    found, exact = product(whole_numbers(20), weight, limit)
    # The sum is whole until it becomes a float32, which counts in twos at 255 * 127 * WIDTH. What overflows loses more.
    assert np.allclose(found, exact, rtol=1e-6, atol=2)


@LIMITS
def test_an_outlier_does_not_cost_the_other_numbers_their_precision(limit):
    x = np.random.default_rng(0).standard_normal((20, WIDTH)).astype(np.float32)
    even, exact = product(x, weights(limit), limit)
    usual = np.abs(even - exact).max()
    x[3, 7], x[11, 500] = 300, -2000
    peaked, exact = product(x, weights(limit), limit)
    wrong = np.abs(peaked - exact).max(axis=1)
    assert (wrong < 2 * usual).all()


@LIMITS
def test_a_row_is_the_same_beside_an_outlier(limit):
    x = np.random.default_rng(0).standard_normal((20, WIDTH)).astype(np.float32)
    alone, _ = product(x, weights(limit), limit)
    x[3, 7] = 300
    beside, _ = product(x, weights(limit), limit)
    others = np.arange(20) != 3
    assert (alone[others] == beside[others]).all()
    assert (alone[3] != beside[3]).any()


@LIMITS
def test_rows_of_zeros_are_zero_and_rows_of_nan_are_nan(limit):
    x = np.zeros((3, WIDTH), np.float32)
    x[1, 5] = np.nan
    x[2, 5] = 1
    found, exact = product(x, weights(limit), limit)
    assert (found[0] == 0).all()
    assert np.isnan(found[1]).all()
    assert np.allclose(found[2], exact[2], rtol=1e-5)
