"""How large slots are made: for the rows of a call, in a few sizes, and as many as fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pipeline.engines.mekong.cuda.model import CHUNK, PaddedModel
from pipeline.engines.mekong.cuda.slots import ENCODE_TOKENS, shapes
from pipeline.engines.mekong.scheduler import Job
from pipeline.engines.search_settings import Search

SMALLEST = 64
"""Source positions of the smallest room; each further one has twice as many."""
TARGETS = 2
"""Target positions for each source position of a room. Bounds leave more for short rows than these become."""
ORDINARY = 0.9
"""Share of a call's rows that the ordinary room holds; the others come in a second wave."""
FEWEST = 16
"""Slots for a wave of hardly any rows."""
USABLE = 0.9
"""Share of the free memory that slots may take: the allocator and the graphs want some."""


@dataclass(frozen=True, slots=True, order=True)
class Room:
    """Positions of a slot."""

    source: int
    target: int


@dataclass(frozen=True, slots=True)
class Wave:
    """Jobs that are done in slots of one size, and how many slots are enough for them."""

    room: Room
    slots: int
    jobs: tuple[Job, ...]


@dataclass(frozen=True, slots=True)
class Footprint:
    """What the memory of a model's slots depends on: layers of the decoder, H heads of width W, the model's width, rows
    of the first feed-forward matrix, bytes a number, and heads that have attention masks of their own."""

    layers: int
    heads: int
    head_width: int
    width: int
    feed: int
    item: int
    encoder_masks: int = 1
    decoder_masks: int = 1

    @classmethod
    def of(cls, model: PaddedModel) -> Footprint:
        """That of a loaded model."""
        size = model.architecture
        return Footprint(
            layers=len(model.decoder.layers),
            heads=size.heads,
            head_width=size.head_width,
            width=size.width,
            feed=len(model.encoder.layers[0].feed_input.weight),
            item=model.dtype.itemsize,
            encoder_masks=1 if model.encoder_bias is None else size.heads,
            decoder_masks=1 if model.decoder_bias is None else size.heads,
        )

    @property
    def _widest(self) -> int:
        """Bytes of the widest activations of a row."""
        return self.item * (2 * self.feed + 4 * self.heads * self.head_width + 4 * self.width)

    def cache(self, room: Room, beams: int) -> int:
        """Bytes of keys and values of a slot."""
        source, target = shapes(room.source)[-1], shapes(room.target)[-1]
        return 2 * self.layers * self.heads * self.head_width * self.item * (source + target * beams)

    def slots_that_fit(self, search: Search, room: Room, free: int) -> int:
        """How many slots `PaddedSlots` can have in memory of which `free` bytes are free with the model's weights
        loaded; 0 when not even one."""
        beams = search.num_beams
        source, target = shapes(room.source)[-1], shapes(room.target)[-1]
        # Integers of the search: token, parent, origin, and the sequence where repetitions are looked for.
        places = 8 * target * beams * (3 + (search.no_repeat_ngram_size > 0))
        # The scores' masks of a step while they are made, its logits twice, and the widest activations.
        masks = 2 * self.item * self.decoder_masks * target * beams**2
        step = beams * (2 * 4 * CHUNK + self._widest)
        slot = self.cache(room, beams) + places + masks + step
        # Of each source token that is encoded at a time: those of all slots, where these are few.
        token = self._widest + self.item * 2 * self.encoder_masks * source
        many = int((free * USABLE - ENCODE_TOKENS * token) / slot)
        few = int(free * USABLE / (slot + source * token))
        return max(many, min(few, ENCODE_TOKENS // source), 0)


def rounded(slots: int) -> int:
    """At most so many, with four binary digits that count: a little more or less free memory gives the same number, and
    the same number gives the same bytes."""
    step = 1 << max(0, slots.bit_length() - 4)
    return slots // step * step


def waves(jobs: Sequence[Job], prefix: int, longest: int, most: int, fit: Callable[[Room], int]) -> list[Wave]:
    """The jobs of a call, in slots that hold them all if memory has enough of those, else in two waves: in slots that
    hold most of them, and the long ones in larger slots.

    `prefix` positions come before what a job may have; no room has more than `longest`. At most `most` slots; `fit`
    says how many of a room there can be.
    """
    if not jobs:
        return []
    rungs = {job.index: _rung(job, prefix) for job in jobs}
    order = sorted(rungs.values())
    top, ordinary = order[-1], order[int(ORDINARY * (len(order) - 1))]

    def wave(rung: int, part: Sequence[Job]) -> Wave:
        room = Room(min(rung, longest), min(TARGETS * rung, longest))
        return Wave(room, min(most, _enough(len(part))), tuple(part))

    whole = wave(top, jobs)
    if top == ordinary or fit(whole.room) >= whole.slots:
        return [whole]
    short = [job for job in jobs if rungs[job.index] <= ordinary]
    return [wave(ordinary, short), wave(top, [job for job in jobs if rungs[job.index] > ordinary])]


def _rung(job: Job, prefix: int) -> int:
    """Source positions of the smallest room that holds a job."""
    rung = SMALLEST
    while rung < len(job.row) or TARGETS * rung < prefix + job.bound:
        rung *= 2
    return rung


def _enough(jobs: int) -> int:
    """Slots for a number of jobs: a power of two, so that calls of about the same size have the same number."""
    return max(FEWEST, 1 << (jobs - 1).bit_length())
