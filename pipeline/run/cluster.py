"""The parts of a run on the nodes of a Ray cluster (extra `ray`).

Ray starts processes on nodes, and starts them again when a node is lost; nothing else is asked of it. A task is one
part of the run: it starts `mekong run --shard i/n` as a child of its own, which commits shard by shard in the run
folder on a disk that all nodes share. What is done is read from that folder, never from what a task returns, so a task
that is lost or done twice costs time and changes no byte.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.config.settings import Config
from pipeline.errors import EngineError, MekongError, UsageError
from pipeline.files.claim import Part
from pipeline.run import provenance
from pipeline.run.folder import settings_path

RETRIES = 2
"""How often Ray begins a part again whose process or node was lost."""
HEARD = 1.0
"""Seconds after which a request to stop is heard."""
SAID = 2_000
"""The last characters of what a part said that are shown when it failed."""
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_enable_metrics_collection": "0",
    "RAY_task_events_report_interval_ms": "0",
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",
}
"""Nothing is sent out, no environment is made anew on the nodes, a part without a GPU sees none. Ray reads them when it
is imported."""


CHILD = """
from pipeline.engines.child import end_with_parent
end_with_parent({parent})
from pipeline.cli.main import main
main()
"""
"""The command, which ends when the task does, however and whenever that ends."""


class PartFailed(EngineError):
    """A part ended with an error; the others were finished."""


def translate_on_cluster(config: Config, out: Path, say: Callable[[str], None], check: Callable[[], None]) -> None:
    """Have every part of a run translated by the cluster that RAY_ADDRESS names, or by one on this machine.

    The settings are read from the run folder. `check` raises to stop; the parts then end with what they have. Raises
    UsageError without Ray, EngineError when there is no cluster or a part cannot be finished.
    """
    ray = _ray()
    address = os.environ.get("RAY_ADDRESS")
    try:
        local = {} if address else {"include_dashboard": False, "_node_ip_address": "127.0.0.1"}
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **local)
    except (ConnectionError, RuntimeError, ValueError) as error:
        raise EngineError(
            f"no Ray cluster at {address or 'this machine'}: {error}", "Check RAY_ADDRESS with `ray status`."
        ) from error
    try:
        _have_parts_done(ray, config, out, say, check)
    finally:
        ray.shutdown()


def _ray() -> Any:
    os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
    try:
        import ray
    except ImportError as error:
        raise UsageError(
            "run.executor is ray, and Ray is not installed", "pip install 'mekong-mt[ray]' on every node."
        ) from error
    return ray


def _have_parts_done(
    ray: Any, config: Config, out: Path, say: Callable[[str], None], check: Callable[[], None]
) -> None:
    needs, count = _needs(ray, config)
    say(f"{count} parts on a Ray cluster of {len(_nodes(ray))} nodes")
    task = ray.remote(max_retries=RETRIES, scheduling_strategy="SPREAD", **needs)(perform_part)
    settings, version = str(settings_path(out).resolve()), provenance.code_version()
    common = settings, str(out.resolve()), str(Path.cwd()), _own_environment(), version
    parts = [Part(number, count) for number in range(1, count + 1)]
    under_way = {task.remote(part, *common): part for part in parts}
    failed: list[str] = []
    try:
        while under_way:
            ended, _ = ray.wait(list(under_way), num_returns=1, timeout=HEARD)
            for one in ended:
                part = under_way.pop(one)
                said = _outcome(ray, one)
                say(f"part {part} {'failed' if said else 'is translated'}; {len(under_way)} under way")
                failed += [f"part {part}: {said}"] if said else []
            check()
    except MekongError:
        for one in under_way:
            ray.cancel(one, force=False)
        ray.wait(list(under_way), num_returns=len(under_way), timeout=30)
        raise
    if failed:
        raise PartFailed(
            f"{len(failed)} of {count} parts failed: {failed[0]}", "What is done is kept: run the same command again."
        )


def _outcome(ray: Any, task: Any) -> str:
    """What a part that failed said last; empty for one that is done."""
    try:
        said: str = ray.get(task)
    except ray.exceptions.RayError as error:
        return f"lost {RETRIES + 1} times: {str(error).splitlines()[0]}"
    return said


def _nodes(ray: Any) -> list[Mapping[str, Any]]:
    return [node for node in ray.nodes() if node["Alive"]]


def _needs(ray: Any, config: Config) -> tuple[dict[str, float], int]:
    """What a part occupies, and how many parts there are: one a GPU, or without GPUs one a node, with all its cores."""
    resources = [node["Resources"] for node in _nodes(ray)]
    gpus = 0 if config.translate.device == "cpu" else int(sum(found.get("GPU", 0) for found in resources))
    if gpus:
        return {"num_gpus": 1, "num_cpus": 1}, config.run.parts or gpus
    cores = [int(found["CPU"]) for found in resources if found.get("CPU", 0) >= 1]
    if not cores:
        raise EngineError("the Ray cluster has no node with a free core", "Look at `ray status`.")
    return {"num_cpus": min(cores)}, config.run.parts or len(cores)


def _own_environment() -> dict[str, str]:
    """The variables that mekong reads; nodes need not have been started with them."""
    return {name: value for name, value in os.environ.items() if name.startswith("MEKONG_")}


def perform_part(part: Part, settings: str, out: str, folder: str, environment: Mapping[str, str], version: str) -> str:
    """Translate a part in a child process; what it said last when it failed, empty when it is done.

    `settings` is the file of the run, `folder` where its paths begin, `version` the code that the cluster was asked by.
    """
    if (here := provenance.code_version()) != version:
        return f"this node has mekong {here}, not {version}: install the same on every node"
    if not Path(settings).is_file():
        return f"this node has no {settings}: the run folder must be on a disk that all nodes share"
    arguments = ["run", settings, "--out", out, "--shard", str(part), "--quiet"]
    # Ray says one thread for a task on a GPU; what a part computes in is its own business
    inherited = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD.format(parent=os.getpid()), *arguments],
        cwd=folder,
        env={**inherited, **environment},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _, said = child.communicate()
    except BaseException:  # cancelled: a KeyboardInterrupt in a task of Ray
        child.terminate()
        child.wait()
        raise
    return "" if child.returncode == 0 else (said or "").strip()[-SAID:] or f"exit code {child.returncode}"
