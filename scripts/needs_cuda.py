"""Exit code 0 when the installed torch asks for CUDA libraries, 1 when it is a CPU build."""

import sys
from importlib.metadata import requires

sys.exit(not any(name.startswith(("nvidia-", "cuda-")) for name in requires("torch") or ()))
