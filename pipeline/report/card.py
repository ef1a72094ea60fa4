"""The dataset card: `README.md` beside the corpus, with the YAML front matter that the Hugging Face hub reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import yaml

from pipeline.errors import StoreError
from pipeline.registry.facts import ModelFacts
from pipeline.stages.write import jsonl, parquet
from pipeline.stages.write.tally import CorpusTally
from pipeline.text.languages import language

FILES = {
    "jsonl": "`pairs.jsonl`: one pair a line, with everything known of it. `src_spans` and `tgt_spans` are character "
    "offsets (code points) into the documents, `licence` is an SPDX expression over both sides.",
    "parquet": "`pairs.parquet`: the same, a column `score_NAME` for each score; empty where a score does not apply.",
    "moses": "`corpus.LANG-en.LANG` and `corpus.LANG-en.en`: plain text, line n of one means line n of the other. "
    "Line ends and control characters inside a text became a space.",
    "tmx": "`corpus.tmx`: TMX 1.4b; characters that XML cannot hold were removed.",
}
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"), (10**7, "1M<n<10M"))
_HUB_LICENCES = re.compile(r"cc0-1\.0|cc-by(-nc)?(-sa|-nd)?-(2\.0|2\.5|3\.0|4\.0)|mit|apache-2\.0|odc-by|odbl|pddl")


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What the card says that the pairs do not.

    `models` must name every model that pairs name; `signatures` has one entry for every score name of the run, in the
    order of the Parquet columns; `version` is that of mekong.
    """

    name: str
    version: str
    models: tuple[ModelFacts, ...]
    signatures: Mapping[str, str]


def card(tally: CorpusTally, facts: CardFacts, formats: Sequence[str], apart: int = 0) -> str:
    """The whole card; `apart` machine translations lie beside these pairs in a folder of their own.

    Raises StoreError when a pair names a model that `facts` does not describe: its licence could not be stated.
    """
    models = _used_models(tally, facts)
    front = yaml.safe_dump(_front_matter(tally, facts, models, formats), allow_unicode=True, sort_keys=False)
    return f"---\n{front}---\n\n" + "\n".join(_body(tally, facts, models, formats, apart)) + "\n"


def _used_models(tally: CorpusTally, facts: CardFacts) -> list[ModelFacts]:
    known = {model.name: model for model in facts.models}
    for name in tally.models:
        if name not in known:
            raise StoreError(f"pairs name model {name!r}, of which nothing is known", "Report this as a bug.")
    return [known[name] for name in sorted(tally.models)]


def _front_matter(
    tally: CorpusTally, facts: CardFacts, models: Sequence[ModelFacts], formats: Sequence[str]
) -> dict[str, object]:
    total = tally.pairs.total()
    origins = {origin for _, origin in tally.pairs}
    front: dict[str, object] = {
        "pretty_name": _flat(facts.name),
        "language": [*sorted({lang for lang, _ in tally.pairs}), "en"],
        "license": _hub_licences(tally.licences),
        "task_categories": ["translation"],
        "multilinguality": ["translation"],
        "size_categories": [next((name for limit, name in _SIZES if total < limit), "n>10M")],
        "language_creators": [*(["machine-generated"] if "translated" in origins else []), "found"],
        "source_licences": sorted(_flat(licence) or "not stated" for licence in tally.licences),
        "machine_generated": "translated" in origins,
        "translation_models": [_model_entry(model) for model in models],
        "commercial_use_of_models": _commercial(models),
        "tags": ["parallel-corpus", *(["machine-translation"] if models else [])],
    }
    configs = _configs(tally, formats)
    if configs:
        front["configs"] = configs
    return front


def _configs(tally: CorpusTally, formats: Sequence[str]) -> list[dict[str, object]]:
    """How `datasets` loads the folder: all pairs, and from Parquet those of each language by themselves.

    `datasets` (5.2) keeps what it has loaded under the name of the folder, which is the same for all corpora, and a
    hash of these entries; it looks at neither the path nor the time of the file. So the entries have to differ wherever
    the pairs do, or it gives the pairs of another corpus.
    """
    data_file = next((name for name in (parquet.PAIRS, jsonl.PAIRS) if name.split(".")[1] in formats), "")
    if not data_file:
        return []
    content = {"data_files": data_file, "description": f"SHA-256 of {jsonl.PAIRS}: {tally.sha256}"}
    configs: list[dict[str, object]] = [{"config_name": "default", **content, "default": True}]
    if data_file == parquet.PAIRS:
        for lang in sorted({lang for lang, _ in tally.pairs}):
            configs.append({"config_name": f"{lang}-en", **content, "filters": [["src_lang", "==", lang]]})
    return configs


def _hub_licences(licences: Iterable[str]) -> list[str]:
    """Identifiers the hub knows; anything else, an expression over two sides included, is "other" or "unknown"."""
    found = {licence.lower() for licence in licences} or {""}
    return sorted({name if _HUB_LICENCES.fullmatch(name) else "other" if name else "unknown" for name in found})


def _model_entry(model: ModelFacts) -> dict[str, object]:
    return {
        "name": model.name,
        "source": model.source,
        "revision": model.revision,
        "license": model.licence,
        "commercial_use": model.commercial,
    }


def _commercial(models: Sequence[ModelFacts]) -> bool | None:
    """False when one model forbids it, None when nothing forbids it but something is not known."""
    answers = [model.commercial for model in models]
    return False if False in answers else None if None in answers else True


def _body(
    tally: CorpusTally, facts: CardFacts, models: Sequence[ModelFacts], formats: Sequence[str], apart: int
) -> list[str]:
    lines = [f"# {_safe(facts.name)}", "", _summary(tally), ""]
    if apart:
        lines += [f"{apart:,} machine translations are not among them: they are in `machine/`, with a card there.", ""]
    lines += _warnings(models, tally)
    rows = [(language(lang).name, origin, f"{n:,}") for (lang, origin), n in sorted(tally.pairs.items())]
    lines += ["## Pairs", "", *_table(("source language", "origin", "pairs"), rows), ""]
    lines += [
        "`translated`: a segment of a source document and its machine translation. "
        "`aligned`: text found in a source document and in an English document, matched by meaning. "
        "`mined`: the same from documents that are no translations of each other.",
        "",
    ]
    lines += ["## Licences of the texts", "", *_table(("licence", "pairs"), _licence_rows(tally)), ""]
    if models:
        head = ("model", "revision", "source", "licence", "pairs")
        lines += ["## Translation models", "", *_table(head, [_model_row(model, tally) for model in models]), ""]
    lines += ["## Files", "", *[f"- {FILES[name]}" for name in FILES if name in formats], ""]
    if facts.signatures:
        lines += ["## Scores", "", *_table(("score", "signature"), facts.signatures.items()), ""]
    return [*lines, f"Written by mekong {_safe(facts.version)}."]


def _summary(tally: CorpusTally) -> str:
    names = [language(lang).name for lang in sorted({lang for lang, _ in tally.pairs})]
    total = tally.pairs.total()
    return f"{total:,} pair{'' if total == 1 else 's'} of {' and '.join(names) or 'no'} text with English text."


def _warnings(models: Sequence[ModelFacts], tally: CorpusTally) -> list[str]:
    lines: list[str] = []
    if models:
        names = ", ".join(_safe(model.name) for model in models)
        unchecked = f", but for {tally.generated_by_hand:,} of them," if tally.generated_by_hand else ""
        lines += [
            f"**The English of `translated` pairs was generated by machine** ({names}) and{unchecked} was not checked "
            "by people.",
            "",
        ]
    if tally.by_hand:
        lines += [f"A person looked at {tally.by_hand:,} of the pairs and accepted them (`accepted_by_hand`).", ""]
    lines += [
        line for model in models if model.caution for line in (f"**{_safe(model.name)} is {model.caution}.**", "")
    ]
    if tally.confidences:
        lines += [
            f"By their `confidence`, a probability fitted on translations that a person judged, some "
            f"{tally.confidence:,.0f} of {tally.confidences:,} machine translations say what their source says.",
            "",
        ]
    for model in models:
        if model.commercial is False:
            licence = _safe(model.licence or "not stated")
            lines += [f"**Not for commercial use**: the licence of {_safe(model.name)} ({licence}) forbids it.", ""]
    if tally.licences[""]:
        lines += [f"**{tally.licences['']:,} pairs come from documents that state no licence.**", ""]
    return lines


def _licence_rows(tally: CorpusTally) -> list[tuple[str, str]]:
    return [(licence or "not stated", f"{n:,}") for licence, n in sorted(tally.licences.items())]


def _model_row(model: ModelFacts, tally: CorpusTally) -> tuple[str, ...]:
    stated = (model.revision or "not stated", model.source, model.licence or "not stated")
    return (model.name, *stated, f"{tally.models[model.name]:,}")


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return lines + ["| " + " | ".join(_safe(cell) for cell in row) + " |" for row in rows]


def _safe(text: str) -> str:
    """Text as Markdown that shows exactly that text, on one line."""
    return re.sub(r"([\\`*_{}\[\]<>#|!&~$])", r"\\\1", _flat(text))


def _flat(text: str) -> str:
    """Text on one line; a line of three hyphens would end the front matter."""
    return " ".join(text.split())
