"""On what, when and with what a benchmark ran."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from typing import Any

from pipeline.engines.devices import processor
from pipeline.run import provenance

PACKAGES = ("torch", "transformers", "ctranslate2", "numba", "numpy")


def circumstances() -> dict[str, Any]:
    """Date, command, processor, the cores this process may use, load average, versions; to be taken at the start."""
    packages = provenance.packages()
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "command": " ".join(["mekong", *sys.argv[1:]]),
        "cpu": processor(),
        "cpu_mask": sorted(os.sched_getaffinity(0)),
        "load_average": [round(load, 2) for load in os.getloadavg()],
        "code": provenance.code_version(),
        "packages": {name: packages[name] for name in PACKAGES if name in packages},
    }
