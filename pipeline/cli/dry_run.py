"""`mekong run --dry-run`: what would be done, and what it takes, before anything is loaded or downloaded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from rich.table import Table

from pipeline.files.progress import clock
from pipeline.files.store import to_json
from pipeline.files.terminal import console, put
from pipeline.run.amounts import Amount
from pipeline.run.anew import StageWork
from pipeline.run.forecast import Forecast, counter, forecast
from pipeline.run.preview import Preview, preview
from pipeline.run.run import Run
from pipeline.stages.read.paths import expand

REASONS = 8
"""Changes that are told; a preset of the filter alone changes fifty settings."""


def say_plan(run: Run, *, as_json: bool) -> None:
    """Print the plan of a run; raises ModelMissing, after all else is said, when a model is not in the store."""
    entry = run.resources.translation_entry
    expected = forecast(entry, run.config.translate)
    found = preview(run, counter(entry))
    if as_json:
        put(to_json(_data(found, expected), indent=True).decode())
    else:
        table = Table("what", "how much", box=None)
        for what, amount in _rows(run, found, expected):
            table.add_row(what, amount.replace("[", "\\["))
        console().print(table)
    if expected.short:
        run.progress.warn(expected.short)
    run.resources.check(translation=True)


def _rows(run: Run, found: Preview, expected: Forecast) -> Iterator[tuple[str, str]]:
    resources, inputs = run.resources, expand(run.config.read.paths)
    yield "device", expected.device
    yield "input files", f"{len(inputs.files):,}"
    yield "input bytes", f"{sum(path.stat().st_size for path in inputs.files if path.is_file()):,}"
    documents = ", ".join(f"{amount.documents:,} {lang}" for lang, amount in found.amounts.items())
    yield "documents", f"{documents or 'none'}; {found.rejected:,} rejected"
    for lang, amount in found.amounts.items():
        yield f"  {lang}", _amount(amount)
    if inputs.passed_over:
        yield "passed over", inputs.passed_over_text()
    entries = {
        "translation model": resources.translation_entry,
        "sentence encoder": resources.encoder_entry,
        "filter model": resources.reader_entry,
    }
    yield from ((role, f"{entry.name} ({entry.licence})") for role, entry in entries.items() if entry)
    if expected.missing:
        yield "not in the store", f"{expected.model}; {expected.missing}"
    yield "memory needed", expected.needed_text
    yield "memory there", expected.there_text
    yield "translation", _time(found, expected)
    yield "speed", expected.rate_text
    yield "output folder", str(run.out)
    yield "finished before", ("yes" if found.nothing_to_do else "no longer") if found.finished else "no"
    for work in found.stages:
        yield f"  {work.stage} anew", _work(work)
    for number, reason in enumerate(found.because[:REASONS]):
        yield "" if number else "changed since", reason
    if len(found.because) > REASONS:
        yield "", f"and {len(found.because) - REASONS} more"


def _work(work: StageWork) -> str:
    more = ", more if documents are matched otherwise" if work.at_least else ""
    return f"{work.shards:,} of {work.of:,} shards{more}" if work.shards or more else "nothing"


def _amount(amount: Amount) -> str:
    about = "" if amount.exact else "about "
    text = f"{amount.characters:,} characters, {about}{amount.segments:,} segments"
    return text if amount.tokens is None else f"{text}, about {amount.tokens:,} tokens"


def _time(found: Preview, expected: Forecast) -> str:
    if found.nothing_to_do:
        return "nothing to do"
    tokens = found.tokens_to_translate
    if tokens is None:
        return "tokens are not known before the model is in the store" if expected.missing else "no tokens to translate"
    if expected.rate is None or not tokens:
        return f"about {tokens:,} tokens"
    return f"about {tokens:,} tokens in {clock(tokens / expected.rate.per_second)}, loading apart"


def _data(found: Preview, expected: Forecast) -> dict[str, object]:
    amounts = {
        lang: {
            "documents": amount.documents,
            "characters": amount.characters,
            "segments": amount.segments,
            "tokens": amount.tokens,
            "exact": amount.exact,
        }
        for lang, amount in found.amounts.items()
    }
    rate, tokens = expected.rate.per_second if expected.rate else None, found.tokens_to_translate
    return {
        "device": expected.device,
        "documents": amounts,
        "rejected": found.rejected,
        "finished": found.finished,
        "anew": [asdict(work) for work in found.stages],
        "changed": found.because,
        "model": expected.model,
        "in_store": not expected.missing,
        "plan": asdict(expected.plan),
        "bytes_needed": asdict(expected.need),
        "bytes_there": asdict(expected.there),
        "tokens": found.tokens,
        "tokens_to_translate": tokens,
        "tokens_per_second": rate,
        "seconds": tokens / rate if rate and tokens is not None else None,
    }
