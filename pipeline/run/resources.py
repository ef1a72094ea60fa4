"""What stages need beside their rows: models, lexicons, glossaries. Each is opened when it is first used, and once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.settings import Config
from pipeline.engines.base import Translator
from pipeline.engines.load import choose, identity, load
from pipeline.errors import InputError, StoreError
from pipeline.files.published import published
from pipeline.files.store import file_sha256
from pipeline.registry import models
from pipeline.registry.facts import ModelFacts
from pipeline.registry.models import Entry
from pipeline.run.memory import TranslationMemory, open_memory
from pipeline.run.names import SettledName, corrections
from pipeline.run.rates import Conditions, Rate, keep_rate, last_rate
from pipeline.stages.score.base import Scorer
from pipeline.stages.score.damage.forced import load_reader
from pipeline.stages.score.stage import signatures
from pipeline.stages.segment import boundaries
from pipeline.stages.translate import glossary
from pipeline.text.languages import source_languages

if TYPE_CHECKING:
    from pipeline.engines.encoders.base import Encoder
    from pipeline.stages.align.lexicons import Lexicons

HEAVY = ("encoder", "scorers", "lexicons", "glossaries")


class Resources:
    """The resources that a configuration asks for; `close` lets go of what takes memory.

    Entries are looked up in the registry when they are asked for: a corpus filter has no translation model. Then
    raises UsageError when there is no such entry.
    """

    def __init__(self, config: Config) -> None:
        self._config = config
        self.threads = 0
        """Threads of the encoder on the CPU; 0 is one a core."""
        self.settled: Sequence[SettledName] = ()
        """Names that earlier runs in the folder settled; what a person corrected of them goes before all glossaries."""

    def close(self) -> None:
        """Let go of models, lexicons and glossaries; what is asked for afterwards is opened anew."""
        for name in HEAVY:
            self.__dict__.pop(name, None)

    # -- entries of the registry -----------------------------------------------------------------------------------

    @cached_property
    def translation_entry(self) -> Entry:
        """The translation model."""
        return models.entry(self._config.translate.model)

    @cached_property
    def encoder_entry(self) -> Entry:
        """The sentence encoder."""
        return models.entry(self._config.align.encoder)

    @cached_property
    def reader_entry(self) -> Entry | None:
        """The language model that reads pairs, None where the filter has none."""
        return models.entry(self._config.filter.model) if self._config.filter.model else None

    def check(self, *, translation: bool) -> None:
        """Raises ModelMissing or UsageError when a model is not in the store, or cannot do what it is asked for."""
        entries = [*([self.translation_entry] if translation else []), self.encoder_entry]
        reader = self.reader_entry
        for entry in entries:
            models.locate(entry)
        load_reader(reader, self._config.translate.device)

    def model_facts(self) -> tuple[ModelFacts, ...]:
        """Where the models of a run came from, and what their licences allow."""
        return (_facts(self.translation_entry, "translation"), *self.scoring_facts())

    def scoring_facts(self) -> tuple[ModelFacts, ...]:
        """The same of the models that score pairs."""
        roles = [(self.encoder_entry, "sentence encoder")]
        roles += [(self.reader_entry, "filter")] if self.reader_entry else []
        return tuple(_facts(entry, role) for entry, role in roles)

    # -- what rows are made with -----------------------------------------------------------------------------------

    @property
    def translation_plan(self) -> str:
        """Engine, device and precision of the translation, for people."""
        return str(choose(self.translation_entry, self._config.translate))

    @property
    def translator_identity(self) -> str:
        """The hash of everything about the translation model that can change an output."""
        return identity(self.translation_entry, self._config.translate)

    @property
    def rate(self) -> Rate | None:
        """How fast this machine translated with the same model and settings the last time, None where it never did."""
        return last_rate(Conditions.of(self.translation_entry, self._config.translate))

    def keep_rate(self, tokens: int, seconds: float, warn: Callable[[str], None]) -> None:
        """Remember how fast it translated now; `warn` is told where that cannot be written: no reason to end a run."""
        try:
            keep_rate(Conditions.of(self.translation_entry, self._config.translate), tokens, seconds)
        except StoreError as error:
            warn(f"the rate of this run is not kept for later estimates: {error.problem}")

    def translator(self, say: Callable[[str], None]) -> Translator:
        """The translation model, to be used as a context manager that closes it; `say` is told what takes long."""
        return load(self.translation_entry, self._config.translate, say)

    def memory(self, translator: Translator, warn: Callable[[str], None]) -> TranslationMemory:
        """The translation memory for a translator, to be used as a context manager; see `open_memory`."""
        return open_memory(self._config.translate, translator, warn)

    @cached_property
    def glossaries(self) -> dict[str, glossary.Glossary]:
        """The glossary of each source language, none when hints are turned off."""
        if not self._config.translate.use_glossary:
            return {}
        extra = [Path(path) for path in self._config.translate.glossary]
        loaded = {lang: glossary.Glossary.load(lang, extra) for lang in source_languages()}
        return {lang: one.with_names(corrections(self.settled, lang)) for lang, one in loaded.items()}

    def glossary_digests(self) -> list[str]:
        """The hashes of the files that hints come from.

        Raises InputError when one of the user's is not there.
        """
        if not self._config.translate.use_glossary:
            return []
        own = [Path(path) for path in self._config.translate.glossary]
        for path in own:
            if not path.is_file():
                raise InputError(f"the glossary {path} does not exist", "Correct translate.glossary.")
        return [file_sha256(path) for path in (*sorted(glossary.folder().glob("*.tsv")), *own)]

    @cached_property
    def boundary_digests(self) -> dict[str, str]:
        """The hashes of the boundary models by language: Thai segments and all units of the alignment rest on them."""
        return boundaries.digests()

    def aligner_digests(self) -> list[str]:
        """The hashes of all that the alignment rests on."""
        from pipeline.engines.encoders.load import encoder_device
        from pipeline.stages.align.lexicons import lexicon_key

        device = encoder_device(self.encoder_entry, self._config.translate.device)
        encoder = [models.fingerprint(self.encoder_entry), *([] if device == "cpu" else [device])]
        return [*encoder, *lexicon_key(self._config.align.lexicon), *self.boundary_digests.values()]

    @cached_property
    def lexicons(self) -> Lexicons:
        """The lexicons for languages that the encoder does not know, each loaded when first used."""
        from pipeline.stages.align.lexicons import load_lexicons

        return load_lexicons(self._config.align.lexicon)

    @cached_property
    def encoder(self) -> Encoder:
        """The sentence encoder."""
        from pipeline.engines.encoders.load import load_encoder

        return load_encoder(self.encoder_entry, self._config.translate.device, threads=self.threads)

    @cached_property
    def scorers(self) -> list[Scorer]:
        """All scorers, in the order of the report."""
        from pipeline.stages.score.scorers import all_scorers

        return all_scorers(self.encoder, load_reader(self.reader_entry, self._config.translate.device))

    @cached_property
    def signatures(self) -> dict[str, str]:
        """The signature of each score, by name; known also after `close`."""
        return signatures(self.scorers)


def _published(source: str) -> str:
    """The source of a model as others may see it: of a folder the name."""
    kind, _, place = source.partition(":")
    return f"{kind}:{published(Path(place))}" if kind == "path" else source


def _facts(entry: Entry, role: str) -> ModelFacts:
    lock = models.read_lock(entry)
    return ModelFacts(
        entry.name,
        role,
        source=_published(lock.source),
        revision=lock.version,
        fingerprint=models.fingerprint(entry),
        licence=entry.licence,
        commercial=entry.commercial,
        files={name: record.sha256 for name, record in lock.files.items()},
        general=entry.general,
        trial=entry.trial,
    )
