"""Lines to English lines, without a run folder: segmented and translated as a run does it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.config.settings import Config
from pipeline.errors import InputError
from pipeline.files.store import to_json
from pipeline.stages.segment.stage import segment
from pipeline.stages.translate.stage import TranslateContext, translate
from pipeline.text.language import detect, is_wordless
from pipeline.text.languages import alternatives, source_languages, table
from pipeline.types import ENGLISH, Document, Source, Translation


def translate_lines(
    lines: Sequence[tuple[str, str]], lang: str, config: Config, context: TranslateContext, *, as_json: bool
) -> Iterator[str]:
    """The English of each (name, line): text, or a JSON record.

    Blank lines stay as they are, and where the language is detected also those of numbers and of names only.
    """
    documents = [_document(name, line, lang) for name, line in lines]
    foreign = {document.id: document for document in documents if document.lang != ENGLISH and document.text.strip()}
    segments = [replace(found, kind="body") for found in segment(foreign.values(), config.segment)]
    done: dict[str, list[Translation]] = {}
    for found, made in zip(segments, translate(segments, foreign, config.translate, context), strict=True):
        done.setdefault(found.doc_id, []).append(made)
    for document in documents:
        made_here = done.get(document.id, [])
        text = " ".join(part.text for part in made_here if part.text) if made_here else document.text
        if as_json:
            record = {"id": document.id, "lang": document.lang, "text": document.text, "translation": text}
            yield to_json({**record, "segments": made_here}).decode()
        else:
            yield text


def _document(name: str, line: str, lang: str) -> Document:
    found = lang if lang != "auto" else ENGLISH if is_wordless(line) else detect(line)
    if found not in table():
        choices = alternatives(f"--lang {code}" for code in source_languages())
        raise InputError(f"{name}: the language looks like {found!r}", f"Say it with {choices}.")
    return Document(name, found, line, Source(name))
