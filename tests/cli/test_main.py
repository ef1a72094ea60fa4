"""The command before it does anything: where it runs, which version it is, and what a shell completes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import doctor
from pipeline.cli.main import main
from pipeline.run.provenance import code_version, version
from tests.support.runs import mekong

ROOT = Path(__file__).resolve().parents[2]


def test_another_system_than_linux_is_refused_with_a_remedy(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert mekong(monkeypatch, "models", "list") == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("mekong: mekong runs on Linux, and this is darwin\n  Run it in a Linux container")


def test_it_is_refused_before_anything_of_linux_is_imported() -> None:
    program = (
        "import sys; sys.platform = 'darwin'; sys.modules['fcntl'] = None\n"
        "from pipeline.cli.main import main; sys.argv = ['mekong', '--help']; main()"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr and "runs on Linux" in done.stderr


def test_the_version_is_that_of_the_package_and_of_the_checkout(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    assert mekong(monkeypatch, "--version") == 0
    printed = capfd.readouterr().out
    assert printed == f"mekong {code_version()}\n"
    assert printed.startswith(f"mekong {version()}")


@pytest.mark.parametrize(
    ("words", "completed"),
    [(["mod"], ["models"]), (["models", "a"], ["add"]), (["run", "--dr"], ["--dry-run"]), (["--vers"], ["--version"])],
)
def test_bash_completes_commands_and_options(words: list[str], completed: list[str]) -> None:
    asked = {
        "_MEKONG_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(["mekong", *words]),
        "COMP_CWORD": str(len(words)),
    }
    command = [sys.executable, "-m", "pipeline"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | asked)
    assert done.stdout.split() == completed, done.stderr


def test_the_script_for_bash_is_one() -> None:
    program = f'eval "$({sys.executable} -m pipeline --show-completion bash)"; complete -p mekong'
    done = subprocess.run(["bash", "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "complete -o default -F _mekong_completion mekong", done.stderr


def caused(error: Exception, cause: Exception) -> Exception:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        OSError(12, "Cannot allocate memory"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes"),
        caused(OSError("could not find libllvmlite.so"), OSError("cannot allocate memory in static TLS block")),
    ],
)
def test_memory_that_is_used_up_is_a_message(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(doctor, "doctor_command", fail)
    assert mekong(monkeypatch, "doctor") == 1
    said = capfd.readouterr().err
    assert said.startswith("mekong: the memory is used up: ") and "What is done is kept" in said
    assert "Traceback" not in said


def test_any_other_error_that_nobody_foresaw_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "doctor_command", lambda *_, **__: 1 / 0)
    monkeypatch.setattr(sys, "argv", ["mekong", "doctor"])
    with pytest.raises(ZeroDivisionError):
        main()
