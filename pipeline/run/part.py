"""One part of a run, for many machines: `mekong run --shard i/n` translates it, `mekong merge` does the rest.

A part is the shards whose slots leave the same rest when they are divided by the number of parts. Parts read, segment
and translate, which is what takes GPUs, and leave a receipt each. What needs all shards, the matching of documents and
everything after it, is done when all parts are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from pipeline.errors import StoreError, UsageError
from pipeline.files.claim import Part, one_at_a_time
from pipeline.files.damage import NOT_JSON
from pipeline.files.store import Store, to_json, write_bytes
from pipeline.registry.facts import ModelFacts
from pipeline.run import keys, provenance
from pipeline.run import shards as kinds
from pipeline.run.finished import FinishedRun
from pipeline.run.folder import changed_settings, read_settings, settings_path, write_settings
from pipeline.run.manifest import MadeWith
from pipeline.run.names import corrected_in_shard
from pipeline.run.order import read_order
from pipeline.run.run import Run

RECEIPTS = "parts"
"""The folder of the receipts, beside those of the stages."""
LOCK = "settings.lock"


def part_of(text: str) -> Part:
    """The part that a person named, "2/4".

    Raises UsageError when that is none.
    """
    number, slash, count = text.partition("/")
    if slash and number.isdecimal() and count.isdecimal() and 1 <= int(number) <= int(count):
        return Part(int(number), int(count))
    raise UsageError(
        f"--shard is {text!r}, not i/n with i from 1 to n",
        "In a job array of Slurm: --array=1-4 and --shard $SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT.",
    )


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a part was translated with; `translator` is `keys.translator_key`."""

    part: str
    translator: str
    code: str
    packages: dict[str, str]
    machine: dict[str, str]
    translation: str
    model: ModelFacts


@dataclass(frozen=True, slots=True)
class PartDone:
    """How far a run is: the shards of the part, the shards of all parts, and how many of these are translated."""

    part: str
    shards: int
    all_shards: int
    translated: int


def settle_settings(run: Run) -> None:
    """Store the settings of a part, which the other parts share.

    Raises StoreError when another part is at work with others.
    """
    store = run.store
    store.shard_root.mkdir(parents=True, exist_ok=True)
    with one_at_a_time(store.shard_root / LOCK):
        there = settings_path(run.out).is_file()
        changed = changed_settings(read_settings(run.out), run.config) if there else []
        others = store.claim.others() if store.claim else []
        if changed and others:
            raise StoreError(
                f"{others[0]} works in {run.out} with other settings: {', '.join(changed)}",
                "Give every part the same settings.",
            )
        if changed or not there:
            write_settings(run.config, run.out)


def translate_part(run: Run, part: Part) -> PartDone:
    """Read, segment and translate the shards of a part, which the process holds, and leave its receipt."""
    run.begin()
    run.perform(run.read, run.segment, run.translate)
    resources, folder = run.resources, _receipts(run.store)
    receipt = Receipt(
        part=str(part),
        translator=run.translator_key,
        code=provenance.code_version(),
        packages=provenance.packages(),
        machine=provenance.machine(),
        translation=resources.translation_plan,
        model=resources.model_facts()[0],
    )
    write_bytes(folder / f"{part.file_name}.json", to_json(receipt, indent=True) + b"\n")
    for other in folder.glob("*.json"):
        if not other.stem.endswith(f"of{part.total}"):
            other.unlink(missing_ok=True)  # of a run that was cut otherwise
    translated = sum(run.shards.is_committed(kinds.TRANSLATIONS, number) for number in run.shards.numbers)
    return PartDone(str(part), len(run.shards.mine), len(run.shards.numbers), translated)


def merge(run: Run) -> FinishedRun:
    """What is left when all parts are translated; `run` has the settings of the folder, and the process holds it.

    Raises StoreError when a part is not translated, or two were with different models or kinds of machine.
    """
    run.begin()
    run.take(read_order(run.out))
    receipts = _read_receipts(run.store)
    run.perform(run.segment)
    run.translation_keys = [_translated(run, number, receipts) for number in run.shards.numbers]
    one, *others = {receipt.translator: receipt for receipt in receipts.values()}.values()
    if others:
        raise StoreError(
            f"the parts of {run.out} are not translated alike: {one.part} by {_how(one)}, "
            f"{others[0].part} by {_how(others[0])}",
            "Translate all parts with one version of mekong, one model, and one kind of device.",
        )
    run.perform(run.settle_names, run.match, run.align, run.score)
    return run.finish(_made_with(run, list(receipts.values())))


def _how(receipt: Receipt) -> str:
    return f"{receipt.model.name} with {receipt.translation}, mekong {receipt.code}"


def _translated(run: Run, number: int, receipts: dict[Part, Receipt]) -> str:
    """The key of the translations of a shard, if they are what its part has a receipt for."""
    slot, settled = run.shards.slot(number), run.resources.settled
    for part, receipt in receipts.items():
        if part.has(slot):
            names = corrected_in_shard(settled, run.shards, number)
            asked = keys.translations_key(receipt.translator, run.segment_keys[number], names)
            for key in run.again.keys(asked):  # a part of this run may have noted it just now
                if run.shards.done(kinds.TRANSLATIONS, number, key):
                    return key
    raise _not_translated(run, receipts)


def _not_translated(run: Run, receipts: dict[Part, Receipt]) -> StoreError:
    count = next(iter(receipts), Part(1, 1)).total
    missing = [part for part in (Part(number, count) for number in range(1, count + 1)) if part not in receipts]
    remedy = "`mekong run` without --shard does all that is left on this machine."
    if not receipts:
        return StoreError(f"no part of {run.out} is translated", f"Run `mekong run --shard 1/n` first; {remedy}")
    if missing:
        remedy = f"Run `mekong run` with --shard {', --shard '.join(map(str, missing))}; {remedy}"
        return StoreError(f"parts of {run.out} are not translated: {', '.join(map(str, missing))}", remedy)
    return StoreError(
        f"{run.out} has shards that no part has translated: input or settings have changed since",
        f"Run all {count} parts again: what is done is kept. {remedy}",
    )


def _made_with(run: Run, receipts: list[Receipt]) -> MadeWith:
    """What the run was made with: the translations by the parts, the rest here."""
    here, one = run.made_with(with_model=False), receipts[0]
    machine = {name: "; ".join(sorted({each.machine.get(name, "") for each in receipts})) for name in one.machine}
    return replace(
        here,
        code=one.code,
        packages=one.packages,
        machine=machine,
        translation=one.translation,
        models=(one.model, *here.models),
    )


def _receipts(store: Store) -> Path:
    return store.shard_root / RECEIPTS


def _read_receipts(store: Store) -> dict[Part, Receipt]:
    """The receipts by part, in order; raises StoreError when one is damaged."""

    def read() -> Iterator[tuple[Part, Receipt]]:
        for path in _receipts(store).glob("*.json"):
            try:
                receipt = msgspec.json.decode(path.read_bytes(), type=Receipt)
                yield part_of(receipt.part), receipt
            except (OSError, *NOT_JSON, UsageError) as error:
                raise StoreError(f"{path} is damaged: {error}", "Run that part again: what is done is kept.") from error

    return dict(sorted(read()))
