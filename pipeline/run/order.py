"""How the documents of a run are cut into shards, and where the shards lie.

Where a shard ends is decided by its documents, not by how much came before: an article that is added, changed or
removed touches its own shard, and perhaps the next one, wherever it sorts (content-defined chunking, as in
Muthitacharoen, Chen and Mazieres 2001, "A low-bandwidth network file system"). A shard keeps its place on disk as long
as its texts are the same, whatever comes before it: `shards/order.json` says which shards there are, in order, each
with its slot (the number its files are called by) and the key of its texts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pipeline.errors import StoreError
from pipeline.files.damage import NOT_JSON
from pipeline.files.store import to_json, write_bytes
from pipeline.types import Document

FILE = "order.json"
LEAST, MOST = 0.3, 4.0
"""Of the usual size of a shard: none ends earlier, and none goes on for longer, whatever its documents say."""


def cut(documents: Iterable[Document], usual: int) -> Iterator[list[Document]]:
    """Shards of about `usual` characters each, in order."""
    shard: list[Document] = []
    chars = 0
    for document in documents:
        shard.append(document)
        chars += len(document.text)
        if chars >= MOST * usual or (chars >= LEAST * usual and _ends(document, usual)):
            yield shard
            shard, chars = [], 0
    if shard:
        yield shard


def _ends(document: Document, usual: int) -> bool:
    """Whether a shard may end here: of longer documents more do, so that shards are as long on the average."""
    name = hashlib.blake2b(f"{document.id}\n{document.text}".encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(name) / 2**64 < len(document.text) / ((1 - LEAST) * usual)


@dataclass(frozen=True, slots=True)
class Placed:
    """A shard: the number its files are called by, and the key of its texts."""

    slot: int
    texts: str


def read_order(folder: Path) -> list[Placed]:
    """The shards of a run folder, in order; none where nothing was read yet.

    Raises StoreError when the file is damaged.
    """
    path = folder / "shards" / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Placed])
    except FileNotFoundError:
        return []
    except (OSError, *NOT_JSON) as error:
        raise StoreError(
            f"{path} is damaged: {error}", "Delete it: `mekong run` then reads and translates anew."
        ) from error


def write_order(placed: Sequence[Placed], folder: Path) -> None:
    """Store the order of the shards, where it has changed."""
    if list(placed) != read_order(folder):
        write_bytes(folder / "shards" / FILE, to_json(placed) + b"\n")


class Placement:
    """Gives every shard its slot: the one it had, else one that no shard of the folder has."""

    def __init__(self, before: Iterable[Placed]) -> None:
        self._known = {placed.texts: placed.slot for placed in before}
        self._next = max(self._known.values(), default=-1) + 1

    def place(self, texts: str) -> Placed:
        """Where the shard with these texts lies."""
        slot = self._known.pop(texts, self._next)
        self._next += slot == self._next
        return Placed(slot, texts)
