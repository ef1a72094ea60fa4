"""The worker process of the pool, with the faults that a test puts into it."""

import os
import signal
from typing import Any

from pipeline.engines.child import serve
from pipeline.engines.pool_worker import PoolWorker
from tests.support.faults import faults, strike


class FaultyWorker(PoolWorker):
    """As `strike`, and: `dead`: a device that ends with every chunk. `echo`: instead of loading a model, answer rows
    with their tokens backwards."""

    def load(self) -> dict[str, Any]:
        if not faults().get("echo"):
            return super().load()
        return {"about": {"engine": "echo", "device": self.device, "dtype": self.dtype}, "batch_rows": 100}

    def generate(self, rows: list[list[int]], max_new_tokens: list[int], **options: Any) -> dict[str, Any]:
        if faults().get("dead") == self.device:
            os.kill(os.getpid(), signal.SIGKILL)
        strike(rows)
        if faults().get("echo"):
            backwards = [row[::-1][:most] for row, most in zip(rows, max_new_tokens, strict=True)]
            return {"outputs": [{"tokens": tokens, "logprob": -0.5, "ended": "stop"} for tokens in backwards]}
        return super().generate(rows, max_new_tokens, **options)


if __name__ == "__main__":
    serve(FaultyWorker)
