"""Every setting with its type, its default and its meaning: typed and frozen."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticKnownError

from pipeline.errors import ConfigError
from pipeline.files.plain_yaml import load_yaml
from pipeline.text.languages import alternatives, table

PRESETS = ("keep-most", "balanced", "strict")
DEFAULT_PRESET = "balanced"
"""What is filtered by where nothing is said."""
_PRESET_FOLDER = Path(__file__).parent / "presets"
Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


def _known_language(value: str) -> str:
    choices = ("auto", *table())
    if value not in choices:
        raise PydanticKnownError("literal_error", {"expected": alternatives(map(repr, choices))})
    return value


LanguageChoice = Annotated[str, AfterValidator(_known_language)]
"""A code in the table of languages, or `auto`."""


_NO_NAME = re.compile("[/\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]|^\\.+")
"""What leads out of a folder, hides one, or is a command to a terminal."""


def fit_name(text: str) -> str:
    """`text` as the name of a folder under `out/`: what cannot be in it becomes `_`."""
    return _NO_NAME.sub("_", text) or "run"


def _folder_name(value: str) -> str:
    if value != fit_name(value):
        raise ValueError(f"it names a folder under out/; {fit_name(value)!r} could do")
    return value


FolderName = Annotated[str, AfterValidator(_folder_name)]


class Settings(BaseModel):
    """Base of all settings: frozen, no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReadSettings(Settings):
    """What is read and what is refused."""

    paths: tuple[str, ...] = ()
    """Files, folders or globs: .txt, .jsonl, .json (also .gz, .zst), .parquet, `datasets` folders."""
    lang: LanguageChoice = "auto"
    """Language of documents that do not state one; `auto` detects it."""
    licence: str = ""
    """Licence of documents that do not state one (SPDX id or name)."""
    max_line_bytes: Count = 1_000_000
    """A longer line (after decompression) is rejected."""
    max_document_bytes: Count = 20_000_000
    """A longer document is rejected."""
    max_rejects: Annotated[int, Field(ge=0)] = 100
    """More rejected lines and files than this end the run with exit code 3, after everything else is done."""


class SegmentSettings(Settings):
    """How documents are cut for translation."""

    max_chars: Annotated[int, Field(ge=40, le=2000)] = 220
    """Thai phrases are grouped up to about this many characters; a sentence of any language is cut above twice it."""


class TranslateSettings(Settings):
    """The model and how it is driven."""

    model: str = "qwen2.5-coder-1.5b"
    """Name of a registry entry (`mekong models list`)."""
    engine: Literal["auto", "mekong", "reference", "transformers", "ctranslate2"] = "auto"
    """`auto` takes the entry's engine for the device in use: mekong for encoder-decoder models. `reference` is
    transformers in float32."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """`auto` is CUDA where there is a usable GPU. A sentence encoder in Hugging Face's layout runs there too."""
    dtype: Literal["auto", "float32", "bfloat16", "float16", "int8"] = "auto"
    """`auto`: bfloat16 on a GPU that has it, else float16 or float32; on the CPU int8 with CTranslate2, and with mekong
    where the processor has instructions for it, else bfloat16 or float32."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Decoders of the mekong engine side by side; 0 is one a core, or one a GPU. Outputs do not depend on it."""
    threads: Annotated[int, Field(ge=0)] = 0
    """CPU threads of each; 0 shares the cores out: one for each of mekong's workers, all for another engine."""
    batch_tokens: Count = 65_536
    """Input tokens a batch, padding included; a batch is cut from one length-sorted shard."""
    batch_rows: Annotated[int, Field(ge=0)] = 0
    """Rows a batch at most, and so what a kill can cost; 0 takes what the engine does well with."""
    num_beams: Annotated[int, Field(ge=1, le=32)] = 1
    """Beam size; 1 is greedy."""
    shortlist: bool = False
    """Let the mekong engine generate only tokens of scripts that English is written in. Faster with large vocabularies;
    a name left in Thai letters can then not come out."""
    use_glossary: bool = True
    """Give glossary hints to models that take them."""
    glossary: tuple[str, ...] = ()
    """More glossary files (term TAB English TAB part of speech); they win over the shipped ones."""
    max_hints: Annotated[int, Field(ge=0, le=100)] = 25
    """Hints a segment at most, rarest terms first."""
    memory: Annotated[str, Field(min_length=1)] = "auto"
    """Where translations are kept so that no run makes them twice: `auto`, in the model store; `off`; a file or folder.
    For the mekong engine; outputs do not depend on it."""
    retries: Annotated[int, Field(ge=0, le=3)] = 1
    """How often a segment that fails a guard is translated again: with what was wrong named, where the model reads
    hints, else with more beams and no repetition."""


class AlignSettings(Settings):
    """Document and sentence alignment with the English documents of the input."""

    encoder: str = "use-multilingual-v3"
    """Registry entry of the sentence encoder."""
    lexicon: str = "auto"
    """For a language the encoder does not know: the shipped one (auto), none, or a file of `mekong models lexicon`."""
    candidates: Count = 5
    """English documents looked at for each source document."""
    min_similarity: Share = 0.2
    """Document similarity under which no sentences are aligned."""
    min_coverage: Share = 0.5
    """Share of the text, on both sides, inside close beads from which a document pair counts as parallel."""
    min_bead_score: Share = 0.55
    """Mean bead similarity from which a document pair counts as parallel."""
    min_monotony: Share = 0.7
    """Share of the links between two documents that are in the same order, from which they count as parallel."""
    mine: bool = False
    """Take sentences that say the same out of comparable documents too."""
    min_margin: Annotated[float, Field(ge=1)] = 1.4
    """Ratio margin from which such sentences are taken: 1 is as close as the nearest others."""


class Rule(Settings):
    """Keep a pair when `min <= score <= max`; a score that does not apply passes."""

    min: float | None = None
    max: float | None = None
    origin: Literal["any", "translated", "aligned"] = "any"
    """Which pairs the rule is for."""


class FilterSettings(Settings):
    """Rules over scores; every rule that fails is a reason."""

    preset: str = DEFAULT_PRESET
    """Rules to begin with: keep-most, balanced, strict, or none."""
    rules: dict[str, Rule] = Field(default_factory=dict)
    """One rule a score name; see docs/scoring.md for the names. A rule takes the place of the preset's for that score,
    `off` switches it off. Once read, these are all rules, the preset's included."""
    model: str | None = None
    """A chat model of the registry that reads every pair that it has not translated, so that damage shows which nothing
    else finds (`mekong bench filter`); null: none. On a CPU it reads one or two pairs a second."""
    near_duplicates: Annotated[float, Field(ge=0.5, le=1)] | None = 0.8
    """A pair is rejected when both sides have this Jaccard similarity to one kept before; null: only exact copies."""
    held_out: tuple[str, ...] = ()
    """Files of texts, such as test sets, that must not get into the corpus on either side; see docs/filtering.md."""

    @model_validator(mode="before")
    @classmethod
    def _with_preset(cls, data: Any) -> Any:
        """Put the preset's rules under the given ones. Raises ConfigError for an unknown preset."""
        if not isinstance(data, dict) or not isinstance(data.get("rules", {}), dict):
            return data
        # YAML reads a bare off as false.
        own = {name: {} if rule in (None, False, "off") else rule for name, rule in data.get("rules", {}).items()}
        return {**data, "rules": {**preset_rules(data.get("preset", DEFAULT_PRESET)), **own}}


def preset_rules(name: str) -> dict[str, Any]:
    """The rules of a shipped preset as plain data, none for "none".

    Raises ConfigError naming the nearest preset for an unknown one.
    """
    if name == "none":
        return {}
    if name not in PRESETS:
        near = difflib.get_close_matches(str(name), [*PRESETS, "none"], n=1, cutoff=0.0)
        raise ConfigError(
            f"filter.preset: unknown preset {name!r}; did you mean {near[0]!r}?", f"Presets: {', '.join(PRESETS)}, none"
        )
    return dict(load_yaml(_PRESET_FOLDER / f"{name}.yaml"))


class WriteSettings(Settings):
    """What goes into the corpus folder."""

    formats: tuple[Literal["jsonl", "parquet", "moses", "tmx"], ...] = ("jsonl", "parquet", "moses", "tmx")
    origins: tuple[Literal["translated", "aligned", "mined"], ...] = ("translated", "aligned", "mined")
    machine: Literal["auto", "apart", "together"] = "auto"
    """Where machine translations go: `apart`, in `corpus/machine/`, or `together` with the others. `auto` puts apart
    what a model made that its registry entry gives for trials (`use: trial`)."""


class ReportSettings(Settings):
    """How much the report shows."""

    examples: Count = 12
    """Pairs a table: the best, the worst, and a seeded sample."""


class RunSettings(Settings):
    """How work is cut."""

    shard_chars: Count = 100_000
    """Documents are gathered into shards of about this many characters: the unit of work, of commit and of resume."""
    workers: Annotated[int, Field(ge=0)] = 0
    """Processes that make shards side by side in all stages but translation; 0 is one a core. What they make does not
    depend on it."""
    executor: Literal["local", "ray"] = "local"
    """Who translates: this machine, or the nodes of a Ray cluster (extra `ray`; RAY_ADDRESS says which), in parts."""
    parts: Annotated[int, Field(ge=0)] = 0
    """Parts that a Ray cluster gets; 0 is one a GPU, or where there are none, one a node."""


class Config(Settings):
    """The whole configuration of one run."""

    name: FolderName = "run"
    """Names the default output folder, `out/<name>`."""
    read: ReadSettings = ReadSettings()
    segment: SegmentSettings = SegmentSettings()
    translate: TranslateSettings = TranslateSettings()
    align: AlignSettings = AlignSettings()
    filter: FilterSettings = FilterSettings()
    write: WriteSettings = WriteSettings()
    report: ReportSettings = ReportSettings()
    run: RunSettings = RunSettings()
