"""`names.tsv` of a run: every name that was given to the model, the English that the run settled on, and how often.

A name gets one English through the whole corpus, from a glossary, a gazetteer or its syllables. What a person corrects
in the second column goes before all of these in the next run, which translates the shards anew that have the name. A
line is: name TAB English TAB times TAB the English that the run would say by itself. Only models that read hints are
given names.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import InputError
from pipeline.files.lines import text_lines
from pipeline.files.store import write_bytes
from pipeline.run.shards import Shards
from pipeline.stages.translate.glossary import Glossary, GlossaryEntry
from pipeline.text.languages import language, own_scripts
from pipeline.text.numbers import EN_MONTHS
from pipeline.text.unicode import tones_placed
from pipeline.types import Translation

FILE = "names.tsv"
MOST_DIGITS = 12
_HEAD = "# Names as they were given to the model. Correct the English in the second column; the next run keeps it."


@dataclass(frozen=True, slots=True)
class SettledName:
    """A line of the file; `said` is what the run would say without a person."""

    name: str
    english: str
    times: int
    said: str

    @property
    def by_hand(self) -> bool:
        """Whether a person corrected the English."""
        return self.english != self.said


def names_due(folder: Path) -> Path:
    """A file that is there from before the first translation until the names are written: a kill may come when all
    shards are translated and their names are not counted yet."""
    return folder / "shards" / "names.due"


def read_settled(folder: Path) -> list[SettledName]:
    """The lines of the file in a run folder, none where there is no file.

    Raises InputError, naming the line, for one that is not of this form.
    """
    path = folder / FILE
    lines = text_lines(path, "list of names") if path.is_file() else ()
    found = []
    for where, line in lines:
        if "\r" in line:
            raise InputError(f"{where}: a line ends in CR alone", "Save the file with line ends of Unix or Windows.")
        if line.strip() and not line.startswith("#"):
            found.append(_parsed(line, where))
    return found


def _parsed(line: str, where: str) -> SettledName:
    fields = [unicodedata.normalize("NFC", field).strip() for field in line.split("\t")]
    if len(fields) != 4 or not all(fields) or not fields[2].isdecimal() or len(fields[2]) > MOST_DIGITS:
        remedy = "A line is: name TAB English TAB times TAB the English of the run. Correct it, or delete the line."
        raise InputError(f"{where}: {line!r} is no name", remedy)
    return SettledName(fields[0], fields[1], int(fields[2]), fields[3])


def corrections(settled: Iterable[SettledName], lang: str) -> list[GlossaryEntry]:
    """What a person corrected, as names of the glossary of a language: those in its script, and for languages in Latin
    letters those in no script of another."""
    entry = language(lang)
    found = []
    for line in settled:
        foreign = any(other.has_words(line.name) for other in own_scripts())
        if line.by_hand and (entry.has_words(line.name) if entry.script else not foreign):
            found.append(GlossaryEntry(line.name, line.english, "PROPN"))
    return found


def corrected_in(settled: Iterable[SettledName], texts: Iterable[str]) -> list[tuple[str, str]]:
    """The names that a person corrected and that stand in one of the texts, with their English, in order."""
    left = {line.name: line.english for line in settled if line.by_hand}
    forms = {name: tones_placed(name, "vi", "new") for name in left}
    found = {}
    for text in texts if left else ():
        shown = tones_placed(text, "vi", "new")  # as the glossary compares: Hoà Bình is Hòa Bình
        for name in [name for name in left if forms[name] in shown]:
            found[name] = left.pop(name)
    return sorted(found.items())


def corrected_in_shard(settled: Sequence[SettledName], shards: Shards, number: int) -> list[tuple[str, str]]:
    """The same of the segments of a shard, which are read only where a person corrected anything."""
    if not any(line.by_hand for line in settled):
        return []
    return corrected_in(settled, (segment.text for segment in shards.segments(number)))


def count_hints(translations: Iterable[Translation]) -> Counter[tuple[str, str]]:
    """How often each hint was given to the model, with its English."""
    return Counter(hint for made in translations for hint in made.hints)


def names_among(hints: Counter[tuple[str, str]], glossaries: Mapping[str, Glossary]) -> Counter[tuple[str, str]]:
    """The hints that are names; months are none here."""
    found = hints.copy()
    for term, english in hints:
        entries = [entry for glossary in glossaries.values() if (entry := glossary.entry(term))]
        # What no glossary has is a name that the document spelled, or that was read by its syllables.
        if english in EN_MONTHS or (entries and not any(entry.is_name for entry in entries)):
            del found[term, english]
    return found


def write_settled(found: Mapping[tuple[str, str], int], before: Sequence[SettledName], folder: Path) -> None:
    """Write the file, the most frequent name first; what a person corrected stays, also where it was not found."""
    corrected = {line.name: line for line in before if line.by_hand}
    times = Counter(dict.fromkeys(corrected, 0))
    said = {name: line.said for name, line in corrected.items()}
    for (name, english), number in found.items():
        times[name] += number
        said.setdefault(name, english)
    lines = [
        f"{name}\t{corrected[name].english if name in corrected else said[name]}\t{times[name]}\t{said[name]}"
        for name in sorted(times, key=lambda name: (-times[name], name))
    ]
    write_bytes(folder / FILE, ("\n".join([_HEAD, *lines]) + "\n").encode())


def settle_names(
    shards: Shards,
    before: Sequence[SettledName],
    glossaries: Callable[[], Mapping[str, Glossary]],
    check: Callable[[], None],
) -> None:
    """Write the file of the names that the model was given for all shards, where it was given any; the glossaries are
    read only then. `check` raises to stop."""

    def translations() -> Iterator[Translation]:
        for number in shards.numbers:
            check()
            yield from shards.translations(number)

    hints = count_hints(translations())
    if hints or before:
        write_settled(names_among(hints, glossaries()), before, shards.folder)
    names_due(shards.folder).unlink(missing_ok=True)
