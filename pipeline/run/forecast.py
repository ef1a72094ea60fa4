"""What a translation model needs of this machine, what is there, and how fast it was: known before it is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.config.settings import TranslateSettings
from pipeline.engines.devices import Memory, describe_device, gpu_memory, main_memory
from pipeline.engines.load import Plan, choose
from pipeline.engines.needs import SENTENCE, Need, need
from pipeline.engines.token_counts import Count, token_counter
from pipeline.errors import ModelMissing
from pipeline.registry import models
from pipeline.registry.models import Entry
from pipeline.run.rates import Conditions, Rate, last_rate

LAYS_OUT = ("transformers", "reference")
"""Engines that use other GPUs, main memory and disk for a model that is larger than a device."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """`missing` says what to do where the model is not in the store, empty where it is; `there` is the memory of the
    device that the plan names, of several GPUs that of the one with the least free, or of all together for an engine
    that lays a model out over them."""

    model: str
    plan: Plan
    missing: str
    device: str
    need: Need
    there: Memory
    rate: Rate | None

    @property
    def needed_text(self) -> str:
        """The memory that it needs, for people."""
        if self.need.weights is None:
            return "not known before the model is in the store"
        text = f"{self.need.weights / 1e9:.1f} GB of weights in {self.plan.dtype}"
        if self.need.slots is not None:
            return f"{text}, about {self.need.slots / 1e9:.1f} GB for {self.need.sentences} sentences in hand"
        if self.need.sentences:
            return f"{text}, and slots for up to {self.need.sentences:,} sentences, as many as fit"
        return f"{text}, and what the sentences in hand take"

    @property
    def there_text(self) -> str:
        """The memory that is there, for people."""
        return f"{'GPU' if self.plan.device == 'cuda' else 'RAM'}: {self.there}"

    @property
    def short(self) -> str:
        """What is wrong where the memory will not do, else empty."""
        total = self.need.total
        if total is None or total <= self.there.free:
            return ""
        where = "the GPU" if self.plan.device == "cuda" else "this machine"
        return (
            f"{self.model} needs {total / 1e9:.1f} GB ({SENTENCE} tokens a sentence), and {where} has "
            f"{self.there.free / 1e9:.1f} GB free{self._then}"
        )

    @property
    def _then(self) -> str:
        """What can be done about it."""
        if self.plan.engine in LAYS_OUT:
            return "; the layers that do not fit are fetched from elsewhere at every step, which is slow"
        return "; take a smaller model or translate.dtype, or translate.engine=transformers, which uses all there is"

    @property
    def rate_text(self) -> str:
        """How fast it was the last time, for people."""
        return str(self.rate) if self.rate else "not measured yet on this machine with this model and these settings"


def forecast(entry: Entry, settings: TranslateSettings) -> Forecast:
    """What is to be expected of a translation model.

    Raises UsageError when the device or what else is asked for is not there, ModelError when the model's files are
    damaged.
    """
    plan = choose(entry, settings)
    missing, folder = "", None
    try:
        folder = models.locate(entry)
    except ModelMissing as error:
        missing = error.remedy
    wanted = need(entry, folder, plan, settings.num_beams)
    rate = last_rate(Conditions.of(entry, settings))
    return Forecast(entry.name, plan, missing, describe_device(), wanted, _memory_for(plan), rate)


def _memory_for(plan: Plan) -> Memory:
    if plan.device == "cpu":
        return main_memory()
    cards = gpu_memory()
    if plan.engine in LAYS_OUT:
        return Memory(sum(card.free for card in cards), sum(card.total for card in cards))
    return min(cards, key=lambda card: card.free)


def counter(entry: Entry) -> Count | None:
    """What counts tokens with the model's tokenizer, None where the model is not in the store or has none to read."""
    try:
        return token_counter(models.locate(entry))
    except ModelMissing:
        return None
