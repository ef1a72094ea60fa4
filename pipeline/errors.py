"""The errors mekong raises on purpose.

    MekongError                 exit code 1
    +-- UsageError              exit code 2: the command line or the configuration asks for something impossible
    |   +-- ConfigError         an unknown key, a wrong type, a value out of range
    +-- InputError              a file that cannot be read at all
    +-- ModelError              anything about a model
    |   +-- ModelMissing        not in the store; the message names the command that gets it
    |   +-- ModelRefused        a hash that differs, a pickle, code inside a checkpoint
    +-- EngineError             the engine died or answered nonsense
    +-- StoreError              a run folder that is damaged, foreign or in use
    +-- TooManyRejects          exit code 3: the run is done, but more input was rejected than allowed
    +-- Interrupted             exit code 130: stopped by the user, work so far is committed

Every message says what is wrong, the value seen, and what to try next.
"""

from __future__ import annotations


class MekongError(Exception):
    """Base of all errors of this project: `problem` (with the value seen) and `remedy` (what to try next)."""

    exit_code = 1

    def __init__(self, problem: str, remedy: str = "") -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem}\n  {remedy}" if remedy else problem)


class UsageError(MekongError):
    """The command or its arguments cannot be carried out."""

    exit_code = 2


class ConfigError(UsageError):
    """The configuration holds an unknown key or a value that does not fit."""


class InputError(MekongError):
    """An input file cannot be read or understood."""


class ModelError(MekongError):
    """A model entry or checkpoint is unusable."""


class ModelMissing(ModelError):
    """The model is in the registry but not in the store."""


class ModelRefused(ModelError):
    """The checkpoint is there but must not be loaded (hash, pickle, foreign code)."""


class EngineError(MekongError):
    """A translation engine failed beyond the retries that are its own business."""


class StoreError(MekongError):
    """The run folder cannot be used as it is."""


class TooManyRejects(MekongError):
    """The run finished, but rejected input went over the limit that was set."""

    exit_code = 3


class Interrupted(MekongError):
    """The user asked to stop; everything finished so far is committed."""

    exit_code = 130
