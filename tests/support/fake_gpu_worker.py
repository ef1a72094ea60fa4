"""The worker process of the pool on a fake GPU, whose faults a test has set."""

import pytest

from pipeline.engines.child import serve
from pipeline.engines.pool_worker import PoolWorker
from tests.support.fake_gpu import FakeGpu
from tests.support.faults import faults

if __name__ == "__main__":
    FakeGpu(**faults()).install(pytest.MonkeyPatch())
    serve(PoolWorker)
