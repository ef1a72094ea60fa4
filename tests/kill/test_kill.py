"""Some of the kills of `make kill`: those that need no engine, for as long as a suite can wait."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXECUTIONS = ("one process", "settings changed and back", "parts, merge")
KILLS, SECONDS = 50, 25
"""As many as there is time for; on an idle machine all."""


def test_runs_that_are_killed_at_random_come_to_the_same_bytes() -> None:
    chosen = [word for name in EXECUTIONS for word in ("--only", name)]
    command = [sys.executable, "-m", "tests.kill", "--kills", str(KILLS), "--seconds", str(SECONDS), *chosen]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (
        re.findall(r"([0-9]+) kills in [0-9]+ chains, 0 findings", done.stdout)
        and "kills in 0 chains" not in done.stdout
    )
