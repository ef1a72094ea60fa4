"""The `mekong` command: arguments in, exit code out.

Exit codes: 0 done, 1 failure, 2 usage, 3 done but more input rejected than allowed, 130 stopped by the user. Results go
to standard output, everything else to standard error. Modules that load models are imported by the commands that
need them, so that the help is quick.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import MekongError, UsageError
from pipeline.files.terminal import put, tell

MEMORY = (
    "Free some, lift a limit (`ulimit -v`), or set run.workers or translate.batch_rows lower. What is done is kept."
)
MEMORY_SIGNS = ("cannot allocate memory", "failed to map segment", "not enough memory", "can't start new thread")

app = typer.Typer(
    name="mekong",
    help="Thai and Vietnamese news text into English, and into parallel corpora: "
    "translate, align, score, filter, report.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="A.B=C", help="Change one setting, for example --set translate.retries=2. Repeat."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable results on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, warnings only.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        from pipeline.run.provenance import code_version

        put(f"mekong {code_version()}")
        raise typer.Exit


@app.callback()
def mekong(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version, in a checkout with its commit."
        ),
    ] = False,
) -> None:
    """What holds for all commands."""


@app.command()
def run(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="A YAML file, see configs/.")],
    out: Annotated[Path | None, typer.Option(help="Run folder; default out/<name of the configuration>.")] = None,
    sets: Sets = None,
    shard: Annotated[
        str | None,
        typer.Option(metavar="I/N", help="Translate part I of N only, side by side with the others; then merge."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done and what it takes, and stop.")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Run the whole pipeline on a configuration.

    Read, segment, translate, align, score, filter, write, report. A second run of the same command skips what
    is done. Ctrl-C finishes the batch in hand; the next run goes on.

    Example: mekong run configs/news.yaml --set read.paths=[articles] --out out/articles
    """
    from pipeline.cli.finished import say_if_finished

    if not dry_run and not shard and say_if_finished(config, out, sets or [], as_json=as_json, quiet=quiet):
        return
    from pipeline.cli.run import run_command

    run_command(config, out, sets or [], shard=shard, dry_run=dry_run, as_json=as_json, quiet=quiet)


@app.command()
def merge(
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="A run folder whose parts are all translated.")],
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Finish a run that was translated in parts: match, align, score, filter, write, report.

    What it writes is what `mekong run` writes without parts.

    Example: mekong run news.yaml --out out/news --shard 1/2 & mekong run news.yaml --out out/news --shard 2/2;
    wait; mekong merge out/news
    """
    from pipeline.cli.run import merge_command

    merge_command(folder, as_json=as_json, quiet=quiet)


@app.command()
def translate(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[FILE]...", help="Text, one line in, one line out; default stdin.")
    ] = None,
    lang: Annotated[str, typer.Option(help="th, vi, or auto to detect it line by line.")] = "auto",
    model: Annotated[str | None, typer.Option(help="A registry name, see `mekong models list`.")] = None,
    engine: Annotated[str | None, typer.Option(help="auto, mekong, reference, transformers or ctranslate2.")] = None,
    glossary: Annotated[list[Path] | None, typer.Option(help="Your own glossary; it wins. Repeat.")] = None,
    no_glossary: Annotated[bool, typer.Option("--no-glossary", help="Give the model no hints.")] = False,
    sets: Sets = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON record a line, with what went wrong.")] = False,
    quiet: Quiet = False,
) -> None:
    """Translate lines of text to English lines.

    Example: mekong translate --lang th < article.th > article.en
    """
    from pipeline.cli.translate import translate_command

    changes = list(sets or [])
    changes += [f"translate.model={model}"] if model else []
    changes += [f"translate.engine={engine}"] if engine else []
    changes += ["translate.use_glossary=false"] if no_glossary else []
    translate_command(files or [], lang, changes, glossary or [], as_json=as_json, quiet=quiet)


@app.command()
def align(
    source: Annotated[Path | None, typer.Argument(metavar="SRC", help="Thai or Vietnamese text.")] = None,
    target: Annotated[Path | None, typer.Argument(metavar="TGT", help="English text.")] = None,
    cases: Annotated[Path | None, typer.Option(help="JSONL with id, src_text, tgt_text instead of two files.")] = None,
    lang: Annotated[str, typer.Option(help="Language of SRC, th or vi; detected where it is not given.")] = "",
    translated: Annotated[
        bool, typer.Option("--translate", help="Translate SRC first, though a lexicon could compare the two.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Where the beads go; default standard output.")] = None,
    sets: Sets = None,
    as_json: Annotated[bool, typer.Option("--json", help="Beads as JSON lines with character spans.")] = False,
    quiet: Quiet = False,
) -> None:
    """Align the sentences of two documents.

    One bead a line: source TAB English TAB similarity. A language that the sentence encoder does not know
    (Vietnamese) is compared by a lexicon; without one, or with --translate, it is translated first.

    Example: mekong align article.th article.en
    """
    from pipeline.cli.align import align_command

    align_command(
        source, target, cases, out, sets or [], lang=lang, translated=translated, as_json=as_json, quiet=quiet
    )


@app.command("filter")
def filter_corpus(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Pairs: .tsv .jsonl .parquet .tmx, or two files.")
    ],
    lang: Annotated[str, typer.Option(help="th or vi; may be left out where the files say it.")] = "",
    preset: Annotated[str | None, typer.Option(help="keep-most, balanced, strict or none; default balanced.")] = None,
    config: Annotated[Path | None, typer.Option(help="A YAML file with rules, see configs/.")] = None,
    held_out: Annotated[list[Path] | None, typer.Option(help="Texts that must not get in: a test set. Repeat.")] = None,
    licence: Annotated[str | None, typer.Option(help="Licence of pairs that state none, such as CC-BY-4.0.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder; default out/<name of the first file>-filtered.")] = None,
    sets: Sets = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Score and filter an existing corpus.

    A line of .tsv is source TAB English; .jsonl has src and tgt, or is a pairs.jsonl of mekong; corpus.th and
    corpus.en belong together. What is kept goes to corpus/, the rest with its reasons to rejected_pairs.jsonl,
    figures and examples to report.html. A second run in the same folder with other rules scores nothing again. Ctrl-C
    keeps what is scored; the next run goes on.

    Example: mekong filter crawl.th crawl.en --preset strict --held-out dev.en --out out/crawl
    """
    from pipeline.cli.filter import FilterArguments, filter_command

    asked = FilterArguments(files, lang, config, preset, held_out or [], licence, sets or [])
    filter_command(asked, out, as_json=as_json, quiet=quiet)


@app.command()
def report(
    folders: Annotated[
        list[Path],
        typer.Argument(metavar="RUN", help="Run folders, the first is the baseline; or one of `mekong filter`."),
    ],
    out: Annotated[Path | None, typer.Option(help="Folder of a comparison; default out/comparison.")] = None,
    quiet: Quiet = False,
) -> None:
    """Write the corpus and the report of a finished run again, or compare several runs.

    One run or filtered corpus: corpus and report are made anew, with what was decided in `mekong view`. Several runs:
    comparison.html and comparison.json with their settings, counts and facts, and paired scores on the segments that
    all of them share.

    Example: mekong report out/quickstart

    Example: mekong report out/quickstart out/plain --out out/comparison
    """
    from pipeline.cli.run import report_command

    report_command(folders, out, quiet=quiet)


@app.command()
def view(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run or of a filtered corpus.")],
    quiet: Quiet = False,
) -> None:
    """Accept or reject the pairs of a run, or of a filtered corpus, by hand, in a browser.

    Prints the address of a page on this machine. Decisions go to RUN/decisions.jsonl as they are made;
    `mekong report RUN`, or the next `mekong run` or `mekong filter`, writes corpus and report with them. Ctrl-C ends.

    Example: mekong view out/quickstart
    """
    from pipeline.cli.view import view_command

    view_command(folder, quiet=quiet)


@app.command()
def doctor(
    model: Annotated[
        str | None, typer.Option(help="Another model than the embedded one; it is loaded, and tried on a sentence.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that everything a run needs is there.

    Python, packages, device, memory that is there and that the model needs, the speed of the last run, disk, offline
    state, models; with --model one small translation.

    Example: mekong doctor --model opus-mt-th-en
    """
    from pipeline.cli.doctor import doctor_command

    doctor_command(model, as_json=as_json)


def _add_parts() -> None:
    from pipeline.cli.bench import app as bench_app
    from pipeline.cli.memory import app as memory_app
    from pipeline.cli.models import app as models_app
    from pipeline.cli.score import score_command

    app.command("score")(score_command)
    app.add_typer(models_app, name="models", help="List, check and add models.")
    app.add_typer(memory_app, name="memory", help="List, prune and export the translation memory.")
    app.add_typer(bench_app, name="bench", help="Measure engines, aligners, filters and rankings.")


if sys.platform == "linux":  # what these import is there on Linux only
    _add_parts()


def _check_platform() -> None:
    """Raises UsageError where fork, file locks and /proc are not those of Linux."""
    if sys.platform != "linux":
        raise UsageError(
            f"mekong runs on Linux, and this is {sys.platform}",
            "Run it in a Linux container or virtual machine; on Windows, in the Windows Subsystem for Linux.",
        )


class Warnings(logging.Handler):
    """What libraries and we ourselves warn of, a line each on standard error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one."""
        tell(self.format(record))


def main() -> None:
    """Run the command; errors of ours become a message and an exit code, never a traceback."""
    logging.basicConfig(level=logging.WARNING, handlers=[Warnings()])
    try:
        _check_platform()
        app(prog_name="mekong")
    except MekongError as error:
        tell(f"mekong: {error}")
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.stderr.write("mekong: stopped at once; what was committed before is kept\n")
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        sys.stderr.write(f"mekong: the memory is used up: {error or type(error).__name__}\n  {MEMORY}\n")
        sys.exit(1)


def _is_out_of_memory(error: BaseException | None) -> bool:
    """Also of what libraries say that are being loaded, or cannot start a thread, and of what came of that."""
    if error is None:
        return False
    said = str(error).lower()
    here = isinstance(error, MemoryError) or any(sign in said for sign in MEMORY_SIGNS)
    return here or _is_out_of_memory(error.__cause__ or error.__context__)


if __name__ == "__main__":
    main()
