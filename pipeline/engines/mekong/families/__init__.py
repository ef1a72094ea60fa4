"""One file a family: how its published tensors map onto the one architecture.

To add a family, add a file with `adapt(config, tensors)` and a line below, and a tiny model in the tests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pipeline.engines.mekong.architecture import Checkpoint
from pipeline.engines.mekong.families import m2m100, marian, mbart, t5
from pipeline.engines.mekong.tensors import Tensors

ADAPTERS: Mapping[str, Callable[[Mapping[str, Any], Tensors], Checkpoint]] = {
    "marian": marian.adapt,
    "m2m_100": m2m100.adapt,
    "mbart": mbart.adapt,
    "t5": t5.adapt,
}
"""By the `model_type` of config.json."""
