"""What can be known of a run before anything is loaded or written."""

from __future__ import annotations

from pipeline.config.settings import Config
from pipeline.engines.load import choose
from pipeline.errors import InputError
from pipeline.run.memory import check_memory
from pipeline.run.resources import Resources
from pipeline.stages.filter.held_out import held_out_files
from pipeline.stages.filter.stage import check_rules
from pipeline.stages.read.paths import expand


def check_request(config: Config, resources: Resources) -> None:
    """Raises UsageError when the device or a score of a rule is not there, InputError when no input is named, or one
    or a held-out file does not exist, StoreError when what should be the translation memory is something else.

    No model needs to be there; what one needs may be gigabytes, so this comes first.
    """
    if config.run.executor == "local":
        choose(resources.translation_entry, config.translate)
    if not config.read.paths:
        raise InputError("read.paths is empty", "Name files, folders or globs in it.")
    expand(config.read.paths)
    check_rules(config.filter.rules)
    held_out_files(config.filter.held_out)
    check_memory(config.translate.memory)
