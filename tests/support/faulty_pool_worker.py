"""The worker process of the pool, with the faults that a test puts into $POOL_FAULTS (JSON)."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from pipeline.engines.child import serve
from pipeline.engines.pool_worker import PoolWorker
from pipeline.errors import ModelRefused

FAULTS = json.loads(os.environ["POOL_FAULTS"])


class OwnError(ModelRefused):
    """A kind of error that the parent does not know."""


class FaultyWorker(PoolWorker):
    """`deadly`: a token whose rows end the process. `dead`: a device that ends with every chunk. `once`: a file; the
    process that removes it ends. `hang`: a file that is made before nothing more happens. `refused`, `broken`: tokens
    whose rows raise. `echo`: instead of loading a model, answer rows with their tokens backwards."""

    def load(self) -> dict[str, Any]:
        if not FAULTS.get("echo"):
            return super().load()
        return {"about": {"engine": "echo", "device": self.device, "dtype": self.dtype}, "batch_rows": 100}

    def generate(self, rows: list[list[int]], max_new_tokens: list[int], **options: Any) -> dict[str, Any]:
        present = {token for row in rows for token in row}
        if FAULTS.get("deadly") in present or FAULTS.get("dead") == self.device:
            os.kill(os.getpid(), signal.SIGKILL)
        if "once" in FAULTS and Path(FAULTS["once"]).exists():
            Path(FAULTS["once"]).unlink()
            os._exit(5)
        if "hang" in FAULTS:
            Path(FAULTS["hang"]).touch()
            time.sleep(600)
        if FAULTS.get("refused") in present:
            raise OwnError("this row is refused", "try another")
        if FAULTS.get("broken") in present:
            raise RuntimeError("nobody expected this")
        if FAULTS.get("echo"):
            backwards = [row[::-1][:most] for row, most in zip(rows, max_new_tokens, strict=True)]
            return {"outputs": [{"tokens": tokens, "logprob": -0.5, "ended": "stop"} for tokens in backwards]}
        return super().generate(rows, max_new_tokens, **options)


if __name__ == "__main__":
    serve(FaultyWorker)
