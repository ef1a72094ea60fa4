"""`mekong bench`: how fast, measured here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from pipeline.errors import UsageError
from pipeline.files.terminal import put, tell

if TYPE_CHECKING:
    from pipeline.bench.systems import RealRequest

app = typer.Typer(no_args_is_help=True, help="Benchmarks.")


@app.command("engine")
def engine_command(
    shape: Annotated[
        str | None, typer.Option(help="opus-mt, nllb-600m, nllb-3.3b, madlad-3b or tiny; default opus-mt.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Instead of a shape: a registry name, measured with its real weights.")
    ] = None,
    source: Annotated[Path | None, typer.Option(help="With --model: lines to translate.")] = None,
    ref: Annotated[Path | None, typer.Option(help="With --model: their English, line by line.")] = None,
    lang: Annotated[str | None, typer.Option(help="With --model: language of the lines, where it has several.")] = None,
    device: Annotated[Literal["cpu", "cuda"], typer.Option(help="Where to run.")] = "cpu",
    beam: Annotated[
        int | None, typer.Option(min=1, help="Beam size; default 1, which is greedy; with --model 1, then 4.")
    ] = None,
    engines: Annotated[
        str | None, typer.Option(help="Names separated by commas, such as 'mekong int8,ctranslate2 int8'; default all.")
    ] = None,
    rounds: Annotated[
        int | None, typer.Option(min=1, help="Measured rounds, after one to warm up; default 5, with --model 3.")
    ] = None,
    sentences: Annotated[
        int | None, typer.Option(min=1, help="Rows of a run; the default suits the shape, with --model it is all.")
    ] = None,
    memory: Annotated[
        bool, typer.Option("--memory", help="Instead: memory and model time over 10,000 and 200,000 short segments.")
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results there too.")
    ] = None,
) -> None:
    """Compare inference engines on a model of true shape with random weights, or on a model of the store.

    Every engine runs in a process of its own, in turn. With random weights the output lengths are prescribed and only
    those tokens count; CTranslate2 gets the best of many settings; transformers, which is slow, a part of the rows.
    With --model each translates the lines as a run would, and BLEU and chrF stand beside the speed; transformers takes
    part in the first round only.

    Example: mekong bench engine --shape opus-mt --device cpu

    Example: mekong bench engine --model opus-mt-vi-en --source dev.vi --ref dev.en --sentences 300
    """
    from pipeline.bench.machine import circumstances

    _check_folder(json_file)
    if model is None and (source or ref or lang):
        raise UsageError("--source, --ref and --lang are for --model", "Name a model of the store with it.")
    if model is not None and (shape or memory):
        raise UsageError("--shape and --memory are for random weights", "Leave them out, or --model.")
    names = [name.strip() for name in engines.split(",")] if engines else []
    where = circumstances()
    if model is not None:
        from pipeline.bench.systems import RealRequest

        if source is None or ref is None:
            raise UsageError("--model needs lines to translate", "Name them with --source, their English with --ref.")
        asked = RealRequest(source, ref, lang, device, beam, names, rounds or 3, sentences)
        _measure_real(model, asked, where, json_file)
        return
    from pipeline.bench.shapes import shape_of
    from pipeline.files.progress import Progress

    chosen = shape_of(shape or "opus-mt")
    if memory:
        from pipeline.bench import memory as memory_bench
        from pipeline.bench.table import show_stages

        stages = memory_bench.measure(chosen, device, Progress())
        show_stages(stages, where)
        _save(json_file, {"memory": stages, "circumstances": where})
        return
    from pipeline.bench.harness import make_plan, measure
    from pipeline.bench.table import show

    plan = make_plan(chosen, device, beam or 1, names, rounds or 5, sentences)
    rows = measure(plan, Progress())
    show(rows, plan.notes, where)
    _save(json_file, {"rows": rows, "circumstances": where, "notes": plan.notes})


@app.command("pipeline")
def pipeline_command(
    segments: Annotated[int, typer.Option(min=1000, help="Segments of a run.")] = 20_000,
    parts: Annotated[
        str, typer.Option(help="Which of stages, memory, engine, matching, duplicates, separated by commas.")
    ] = "stages,memory,engine,matching,duplicates",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results there too.")
    ] = None,
) -> None:
    """What whole runs cost besides the engine, over made news, and which goals hold.

    Stages: processor time by stage with an engine that costs nothing, and how much faster one process a core is.
    Memory: the peak of all processes at two sizes. Engine: the translate stage and the whole run against the engine
    alone, on a model of OPUS-MT's shape in int8. Matching: five documents a segment with as many others, by made
    vectors. Duplicates: 50 formulaic pairs a segment.

    Example: mekong bench pipeline --segments 5000 --parts stages
    """
    from pipeline.bench import pipeline, pipeline_table
    from pipeline.bench.machine import circumstances
    from pipeline.files.progress import Progress

    chosen = [part.strip() for part in parts.split(",")]
    if unknown := [part for part in chosen if part not in pipeline.PARTS]:
        raise UsageError(f"there is no part {unknown[0]!r}", f"Take some of {', '.join(pipeline.PARTS)}.")
    _check_folder(json_file)
    where = circumstances()
    found = pipeline.measure(chosen, segments, Progress())
    pipeline_table.show(found, where)
    _save(json_file, {"found": found, "circumstances": where})


def _measure_real(model: str, asked: RealRequest, where: dict[str, Any], json_file: Path | None) -> None:
    from pipeline.bench.systems import measure_real, real_plan
    from pipeline.bench.systems_table import show_systems
    from pipeline.files.progress import Progress
    from pipeline.registry import models

    models.offline()
    rows = measure_real(real_plan(models.entry(model), asked), Progress())
    show_systems(rows, where)
    _save(json_file, {"rows": rows, "circumstances": where})


@app.command("align")
def align_command(
    cases: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[CASES]...", help="JSONL files with gold, or folders with given sentences."),
    ] = None,
    units: Annotated[
        int | None, typer.Option(min=1, help="Instead: seconds of the programme alone, on so many units a side.")
    ] = None,
    errors: Annotated[int, typer.Option(min=0, help="Print so many of our wrong beads.")] = 0,
    encoder: Annotated[str | None, typer.Option(help="A registry name, see `mekong models list`.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results there too.")
    ] = None,
) -> None:
    """Compare aligners on documents whose true alignment is known.

    Strict, lax and exact F1, source boundaries (inner: line breaks apart), recall by shape, seconds a document. Beside
    ours: Gale-Church by lengths and Vecalign's way, both on sentences found by crfcut (Thai) or by rules, and vecalign
    itself where it is installed.

    Example: mekong bench align cases.jsonl --errors 20
    """
    from pipeline.bench import alignment, alignment_table
    from pipeline.bench.alignment_cases import FORMAT
    from pipeline.bench.machine import circumstances
    from pipeline.config.settings import AlignSettings
    from pipeline.engines.encoders.load import load_encoder
    from pipeline.files.progress import Progress
    from pipeline.registry import models

    if bool(cases) == (units is not None):
        raise UsageError("give either files with cases or --units N", FORMAT)
    _check_folder(json_file)
    where = circumstances()
    models.offline()
    loaded = load_encoder(models.entry(encoder or AlignSettings().encoder))
    if units is not None:
        speeds = alignment.speed(units, loaded, Progress())
        alignment_table.show_speed(speeds, where)
        _save(json_file, {"speed": speeds, "circumstances": where})
        return
    results, wrong = alignment.measure(cases or [], loaded, Progress())
    shown = alignment.sample(wrong, errors) if errors else []
    alignment_table.show(results, shown, where)
    _save(json_file, {"results": results, "wrong": shown, "circumstances": where})


@app.command("documents")
def documents_command(
    cases: Annotated[Path, typer.Argument(metavar="CASES", help="JSONL with id, src_text and tgt_text (English).")],
    strangers: Annotated[
        list[Path] | None, typer.Argument(metavar="[MORE]...", help="JSONL whose tgt_text belongs to no case.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a setting of align or segment.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results there too.")
    ] = None,
) -> None:
    """How well document alignment finds the English text of each case among all others, without translations.

    Example: mekong bench documents dev.jsonl others.jsonl
    """
    from pipeline.bench.documents import evaluate, lines, read_cases
    from pipeline.config.load import settings_from
    from pipeline.engines.encoders.load import load_encoder
    from pipeline.registry import models

    _check_folder(json_file)
    config = settings_from(overrides or [])
    more = [row for path in strangers or [] for row in read_cases(path)]
    rows = read_cases(cases)
    models.offline()
    found = evaluate(rows, more, config, load_encoder(models.entry(config.align.encoder), config.translate.device))
    for line in lines(found):
        put(line)
    _save(json_file, {"documents": found})


@app.command("ranking")
def ranking_command(
    hyp: Annotated[list[Path], typer.Option("--hyp", help="Hypotheses of a system, one segment a line; repeat.")],
    src: Annotated[Path | None, typer.Option("--src", help="The source, line by line: adds SimSrc.")] = None,
    ref: Annotated[Path | None, typer.Option("--ref", help="The reference, line by line: adds SimRef.")] = None,
    recorded: Annotated[
        str | None,
        typer.Option(metavar="ENDING", help="Compare with the score in the file HYP.ENDING beside each hypothesis."),
    ] = None,
    resamples: Annotated[int, typer.Option(min=100, help="Bootstrap resamples for the confidence.")] = 1000,
    encoder: Annotated[str | None, typer.Option(help="A registry name, see `mekong models list`.")] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results there too.")
    ] = None,
) -> None:
    """Rank systems without a reference, by sentence vectors, and say how sure the order is.

    SimPeers: how close a system's segments are to those of the others (three systems or more). SimSrc: to the source;
    it favours literal translations. The confidence is the share of bootstrap resamples that keep an order.

    Example: mekong bench ranking --src dev.th --hyp ours.en --hyp theirs.en --hyp third.en --recorded comet
    """
    from pipeline.bench.machine import circumstances
    from pipeline.bench.ranking import rank_files
    from pipeline.bench.ranking_table import show
    from pipeline.config.settings import AlignSettings
    from pipeline.engines.encoders.load import load_encoder
    from pipeline.registry import models

    _check_folder(json_file)
    where = circumstances()
    models.offline()
    loaded = load_encoder(models.entry(encoder or AlignSettings().encoder))
    rankings = rank_files(loaded, hyp, src, ref, recorded, resamples)
    show(rankings, recorded, where)
    _save(json_file, {"rankings": rankings, "circumstances": where})


@app.command("filter")
def filter_command(
    cases: Annotated[
        list[Path], typer.Argument(metavar="CASES...", help="JSONL files with gold alignments, or TSV files of pairs.")
    ],
    preset: Annotated[str, typer.Option(help="keep-most, balanced or strict.")] = "balanced",
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The language model of filter.model, such as qwen2.5-coder-1.5b.")
    ] = None,
    join: Annotated[
        int,
        typer.Option(min=1, metavar="N", help="So many pairs on end of a document are one: a paragraph, an article."),
    ] = 1,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results there too.")
    ] = None,
) -> None:
    """What a preset's rules keep of good pairs, and catch of the same pairs made bad in known ways.

    Good pairs are the beads of the gold, or lines SOURCE TAB ENGLISH. They are shuffled, truncated by a third, copied,
    put into a wrong language, given another number, unit, year or name, made to repeat a phrase; the seed is fixed.
    Numbers added, negation dropped and the English of the next sentence are reported only.

    With --model a language model reads what no other rule rejects, which takes half an hour (Vietnamese) or one
    (Thai) a thousand good pairs on two CPU cores.

    Example: mekong bench filter cases.jsonl --preset strict
    """
    from pipeline.bench import filtering, filtering_table
    from pipeline.bench.machine import circumstances
    from pipeline.config.settings import AlignSettings, FilterSettings
    from pipeline.engines.encoders.load import load_encoder
    from pipeline.errors import ModelMissing
    from pipeline.files.progress import Progress
    from pipeline.registry import models
    from pipeline.stages.score.damage.forced import load_reader

    _check_folder(json_file)
    rules = FilterSettings(preset=preset).rules
    files = {str(path): filtering.joined(filtering.read_pairs(path), join) for path in cases}
    where = circumstances()
    models.offline()
    try:
        encoder = load_encoder(models.entry(AlignSettings().encoder))
    except ModelMissing as error:
        encoder = None
        tell(f"Without a sentence encoder, so Thai pairs have no similarity: {error}")
    reader = load_reader(models.entry(model), "auto") if model else None
    outcomes = filtering.measure(files, rules, encoder, reader, progress=Progress())
    filtering_table.show(outcomes, preset, encoder.name if encoder else None, model, where)
    found = {
        "preset": preset,
        "model": model,
        "join": join,
        "outcomes": filtering_table.rows(outcomes),
        "circumstances": where,
    }
    _save(json_file, found)


def _check_folder(json_file: Path | None) -> None:
    if json_file is not None and not json_file.parent.is_dir():
        raise UsageError(f"--json: there is no folder {json_file.parent}", "Make it first.")


def _save(path: Path | None, results: dict[str, Any]) -> None:
    if path is not None:
        from pipeline.files.store import to_json, write_bytes

        write_bytes(path, to_json(results, indent=True) + b"\n")
