"""The file of the translation memory: what models answered, by key, in SQLite, for several processes at once.

Whoever may write the file may have written anything into it. So the schema must be ours to the letter (a foreign one
could bring triggers), every row carries a seal over its bytes, and its types are checked when it is read. What SQLite
says comes out as StoreError.
"""

from __future__ import annotations

import fcntl
import hashlib
import math
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from pipeline.engines.base import Hypothesis
from pipeline.errors import StoreError
from pipeline.files.damage import NOT_JSON
from pipeline.files.store import replacing, to_json

APPLICATION = 0x4D6B544D
"""Says in the header of the file whose it is: MkTM."""
LAYOUT = 1
"""Counts up when another version could not read what is in the file."""
SCHEMA = (
    "CREATE TABLE makers (id INTEGER PRIMARY KEY, identity TEXT NOT NULL, lang TEXT NOT NULL, model TEXT NOT NULL, "
    "made_with TEXT NOT NULL, UNIQUE (identity, lang))",
    "CREATE TABLE segments (key BLOB PRIMARY KEY, maker INTEGER NOT NULL, source TEXT NOT NULL, answer BLOB NOT NULL, "
    "seal BLOB NOT NULL, used INTEGER NOT NULL)",
)
MAGIC = b"SQLite format 3\0"
PATIENCE = 60.0
"""Seconds that a process waits for another one's transaction, which takes some milliseconds."""
KEYS_A_QUERY = 10_000
"""SQLite binds 32,766 parameters at most."""
REMEDY = "Remove it, or do without: --set translate.memory=off. It holds nothing that cannot be translated again."

ELSEWHERE = "Name a file on a local disk that can be written: --set translate.memory=FILE, or off."

_Day = Annotated[int, msgspec.Meta(ge=1, le=date.max.toordinal())]
_Word = Annotated[str, msgspec.Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f]*\Z")]
"""Goes to terminals: no control characters."""
_Answer = tuple[str, float | None, int, int]
_answers = msgspec.json.Decoder(_Answer)


@dataclass(frozen=True, slots=True)
class Maker:
    """What answers were made by: `identity` hashes everything that can change one, `made_with` says it to people."""

    identity: str
    lang: str
    model: str
    made_with: str


@dataclass(frozen=True, slots=True)
class KnownSegment:
    """One answer: its key (16 bytes), the text as the model read it, and what it made of it."""

    key: bytes
    source: str
    hypothesis: Hypothesis


@dataclass(frozen=True, slots=True)
class Holding:
    """What a memory holds of one maker: segments, bytes of text, and the day of the last use (ISO 8601)."""

    model: str
    lang: str
    made_with: str
    identity: str
    segments: int
    bytes: int
    last_use: str


class MemoryOutOfReach(StoreError):
    """The memory cannot be opened, read or written here and now; nothing is known to be wrong with what is in it."""


def connect(path: Path) -> sqlite3.Connection:
    """A connection to a file that is there; transactions are begun by hand."""
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=PATIENCE, isolation_level=None
    )
    for pragma in ("trusted_schema=OFF", "cell_size_check=ON", "synchronous=NORMAL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class MemoryFile:
    """An open memory; a context manager that closes it. Every method raises StoreError with what SQLite says."""

    def __init__(self, path: Path) -> None:
        """Open a file that is there.

        Raises StoreError when it is not there, damaged, of something else or of another version; a file that is not
        ours is not touched.
        """
        self.path = path
        check_header(path)
        with _told(path):
            self._connection = connect(path)
            try:
                found = self._connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
                schema = tuple(sql for (sql,) in found)
            except BaseException:
                self._connection.close()
                raise
        if schema != SCHEMA:
            self._connection.close()
            raise StoreError(f"{path} is not laid out as a translation memory of mekong", REMEDY)

    @classmethod
    def opened(cls, path: Path) -> MemoryFile:
        """Open a memory, which is made where there is none."""
        if not path.exists():
            _create(path)
        return cls(path)

    def __enter__(self) -> MemoryFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with _told(self.path):
            self._connection.close()

    @property
    def size(self) -> int:
        """Bytes that it takes on disk, what waits in its log apart."""
        with _told(self.path):
            (pages,), (page,) = (self._connection.execute(f"PRAGMA {name}").fetchone() for name in _SIZES)
        return int(pages * page)

    def find(self, keys: Sequence[bytes]) -> tuple[dict[bytes, Hypothesis], list[bytes]]:
        """The answers that are there, by key; and the keys of those that were not used today yet."""
        found: dict[bytes, Hypothesis] = {}
        stale: list[bytes] = []
        today = _today()
        with _told(self.path):
            for start in range(0, len(keys), KEYS_A_QUERY):
                part = keys[start : start + KEYS_A_QUERY]
                marks = ",".join("?" * len(part))
                query = f"SELECT key, source, answer, seal, used FROM segments WHERE key IN ({marks})"  # noqa: S608
                for key, source, answer, seal, used in self._connection.execute(query, part):
                    found[key] = self._checked(key, source, answer, seal).hypothesis
                    if used != today:
                        stale.append(key)
        return found, stale

    def use(self, keys: Sequence[bytes]) -> None:
        """Note that answers were used today."""
        if keys:
            with self._transaction() as connection:
                connection.executemany("UPDATE segments SET used = ? WHERE key = ?", [(_today(), key) for key in keys])

    def keep(self, maker: Maker, rows: Sequence[KnownSegment]) -> None:
        """Add answers, in one transaction; what is there already stays as it is."""
        today = _today()
        with self._transaction() as connection:
            names = (maker.identity, maker.lang)
            connection.execute(
                "INSERT OR IGNORE INTO makers (identity, lang, model, made_with) VALUES (?, ?, ?, ?)",
                (*names, maker.model, maker.made_with),
            )
            (number,) = connection.execute("SELECT id FROM makers WHERE identity = ? AND lang = ?", names).fetchone()
            connection.executemany(
                "INSERT OR IGNORE INTO segments VALUES (?, ?, ?, ?, ?, ?)",
                [
                    (row.key, number, row.source, answer, _seal(row.key, row.source, answer), today)
                    for row in rows
                    for answer in [_packed(row.hypothesis)]
                ],
            )

    def holdings(self) -> list[Holding]:
        """What there is, by model and language."""
        query = (
            "SELECT model, lang, made_with, identity, COUNT(*), SUM(LENGTH(CAST(source AS BLOB)) + LENGTH(answer)), "
            "MAX(used) FROM segments JOIN makers ON makers.id = maker GROUP BY maker ORDER BY model, lang, makers.id"
        )
        with _told(self.path):
            rows = self._connection.execute(query).fetchall()
            checked = msgspec.convert(rows, list[tuple[_Word, _Word, _Word, _Word, int, int, _Day]])
        return [Holding(*row[:-1], last_use=date.fromordinal(row[-1]).isoformat()) for row in checked]

    def each(self) -> Iterator[tuple[Maker, KnownSegment]]:
        """Every answer with its maker, by model and language in the order in which they came."""
        query = (
            "SELECT identity, lang, model, made_with, key, source, answer, seal FROM segments "
            "JOIN makers ON makers.id = maker ORDER BY model, lang, makers.id, segments.rowid"
        )
        with _told(self.path):
            for *names, key, source, answer, seal in self._connection.execute(query):
                maker = Maker(*msgspec.convert(names, tuple[_Word, _Word, _Word, _Word]))
                yield maker, self._checked(key, source, answer, seal)

    def prune(self, model: str | None, days: int | None, size: int | None) -> int:
        """Forget answers, and give the room back; how many.

        Those of a `model`; those not used for more than `days`; the longest unused, until the file has `size` bytes at
        most. With several, what all of them mean.
        """
        chosen, values = "maker IN (SELECT id FROM makers WHERE ? IS NULL OR model = ?)", [model, model]
        gone = 0
        if size is None or days is not None:
            before = _today() - days if days is not None else date.max.toordinal()
            gone += self._delete(f"{chosen} AND used < ?", [*values, before])
        while size is not None and self.size > size:
            batch = self._rows_over(size)
            oldest = f"key IN (SELECT key FROM segments WHERE {chosen} ORDER BY used, rowid LIMIT ?)"  # noqa: S608
            deleted = self._delete(oldest, [*values, batch])
            gone += deleted
            if not deleted:
                break
        with _told(self.path):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return gone

    def _rows_over(self, size: int) -> int:
        """How many rows are too many, taking all to be of the same length."""
        with _told(self.path):
            (rows,) = self._connection.execute("SELECT COUNT(*) FROM segments").fetchone()
        return max(1, math.ceil(int(rows) * (1 - size / self.size)))

    def _delete(self, condition: str, values: Sequence[Any]) -> int:
        with self._transaction() as connection:
            deleted = int(connection.execute(f"DELETE FROM segments WHERE {condition}", values).rowcount)  # noqa: S608
            connection.execute("DELETE FROM makers WHERE id NOT IN (SELECT maker FROM segments)")
        with _told(self.path):
            self._connection.execute("PRAGMA incremental_vacuum").fetchall()
        return deleted

    def _checked(self, key: Any, source: Any, answer: Any, seal: Any) -> KnownSegment:
        if not isinstance(source, str) or any(not isinstance(value, bytes) for value in (key, answer, seal)):
            raise StoreError(f"{self.path} is damaged: a value is of another type", REMEDY)
        if seal != _seal(key, source, answer):
            raise StoreError(f"{self.path} is damaged: a row does not fit its seal", REMEDY)
        text, logprob, src_tokens, out_tokens = _answers.decode(answer)
        return KnownSegment(key, source, Hypothesis(text, logprob, src_tokens, out_tokens, "stop"))

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        """One that takes its turn at the start: a lock that is asked for later could not be waited for."""
        with _told(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise


_SIZES = ("page_count", "page_size")


def check_header(path: Path) -> None:
    """Whether a file is a memory that this version can read, by its first bytes; touches nothing.

    Raises StoreError when it is not, or cannot be read.
    """
    try:
        with path.open("rb") as stream:
            header = stream.read(100)
    except OSError as error:
        raise MemoryOutOfReach(f"{path} cannot be read: {error.strerror}", ELSEWHERE) from error
    if header[:16] != MAGIC or int.from_bytes(header[68:72]) != APPLICATION:
        raise StoreError(
            f"{path} is no translation memory of mekong, or is damaged",
            "Name another file in translate.memory; if it was one, remove it: all in it can be translated again.",
        )
    layout = int.from_bytes(header[60:64])
    if layout != LAYOUT:
        raise StoreError(
            f"{path} is a translation memory of another version of mekong (layout {layout}, here {LAYOUT})",
            "Name another file in translate.memory, or remove this one.",
        )


@contextmanager
def _place(path: Path) -> Iterator[Path]:
    try:
        with replacing(path) as temporary:
            yield temporary
    except StoreError as error:
        raise MemoryOutOfReach(error.problem, ELSEWHERE) from error


def _create(path: Path) -> None:
    """Make an empty memory under another name and give it its own: nobody ever sees half of one.

    The folder is locked meanwhile: of two processes that begin at once, the second finds what the first has made.
    """
    with _told(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            if path.exists():
                return
            with _place(path) as temporary, closing(sqlite3.connect(temporary, isolation_level=None)) as connection:
                settings = ("auto_vacuum=INCREMENTAL", f"application_id={APPLICATION}", f"user_version={LAYOUT}")
                for pragma in settings:
                    connection.execute(f"PRAGMA {pragma}")
                for statement in SCHEMA:
                    connection.execute(statement)
                connection.execute("PRAGMA journal_mode=WAL").fetchall()
        finally:
            os.close(folder)


@contextmanager
def _told(path: Path) -> Iterator[None]:
    """Errors of SQLite, of the system and of values, as ours."""
    try:
        yield
    except NOT_JSON as error:
        raise StoreError(f"{path} is damaged: {error}", REMEDY) from error
    except OSError as error:
        raise MemoryOutOfReach(f"{path} cannot be used: {error.strerror or error}", ELSEWHERE) from error
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise MemoryOutOfReach(f"{path} cannot grow: {error}", "Free some space on its disk.") from error
        if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, 0):
            raise StoreError(f"{path} is damaged: {error}", REMEDY) from error
        raise MemoryOutOfReach(f"{path} cannot be used: {error}", ELSEWHERE) from error


def _packed(hypothesis: Hypothesis) -> bytes:
    """Its fields but for those that are the same in all that are kept."""
    return to_json((hypothesis.text, hypothesis.logprob, hypothesis.src_tokens, hypothesis.out_tokens))


def _seal(key: bytes, source: str, answer: bytes) -> bytes:
    return hashlib.blake2b(b"\0".join((key, source.encode(), answer)), digest_size=8).digest()


def _today() -> int:
    return datetime.now(UTC).date().toordinal()
