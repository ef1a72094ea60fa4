"""Int8 products of rows whose numbers are of very different size."""

import numpy as np
import torch

from pipeline.engines.mekong.cpu import kernels
from pipeline.engines.mekong.cpu.matrices import Int8Matrix, int8_rows
from pipeline.engines.mekong.cpu.quantised import quantise

WIDTH, OUTPUTS = 1024, 48


def product(x):
    """The int8 product of x (R, WIDTH) with weights that int8 holds exactly, and the same in float64."""
    weight = torch.randint(-127, 128, (OUTPUTS, WIDTH), generator=torch.Generator().manual_seed(1)).float()
    weight[:, 0] = 127
    rows, none = int8_rows(len(x), WIDTH), np.empty(0, np.float32)
    rows.x[:] = x
    kernels.normalise(rows.x, none, none, np.float32(0), False, *rows)
    numbers, scale = Int8Matrix(quantise(weight, 127), None)(rows)
    return numbers * scale[:, None], x.astype(np.float64) @ weight.double().numpy().T


def test_an_outlier_does_not_cost_the_other_numbers_their_precision():
    x = np.random.default_rng(0).standard_normal((20, WIDTH)).astype(np.float32)
    even, exact = product(x)
    usual = np.abs(even - exact).max()
    x[3, 7], x[11, 500] = 300, -2000
    peaked, exact = product(x)
    wrong = np.abs(peaked - exact).max(axis=1)
    assert (wrong < 2 * usual).all()


def test_a_row_is_the_same_beside_an_outlier():
    x = np.random.default_rng(0).standard_normal((20, WIDTH)).astype(np.float32)
    alone, _ = product(x)
    x[3, 7] = 300
    beside, _ = product(x)
    others = np.arange(20) != 3
    assert (alone[others] == beside[others]).all()
    assert (alone[3] != beside[3]).any()


def test_rows_of_zeros_are_zero_and_rows_of_nan_are_nan():
    x = np.zeros((3, WIDTH), np.float32)
    x[1, 5] = np.nan
    x[2, 5] = 1
    found, exact = product(x)
    assert (found[0] == 0).all()
    assert np.isnan(found[1]).all()
    assert np.allclose(found[2], exact[2], rtol=1e-5)
