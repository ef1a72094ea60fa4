"""The run of every night: articles come, change and go, and only what they touch is made anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import orjson
import pytest

from pipeline.bench import news
from pipeline.bench.null_model import NullEngine, NullResources
from pipeline.config.settings import AlignSettings, Config, ReadSettings, RunSettings, TranslateSettings
from pipeline.engines.base import Output
from pipeline.files.owner import RUN
from pipeline.files.progress import Progress
from pipeline.run.folder import held, reopen, write_settings
from pipeline.run.publish import publish
from pipeline.run.run import Run
from pipeline.types import Document, Source
from tests.support.judges import compared, note_comparisons

STAGES = ("read", "segment", "translate", "profile", "judge", "align", "score")
Article = dict[str, str]
asked: list[int] = []
CANDIDATES = AlignSettings().candidates


class CountingEngine(NullEngine):
    """Notes how many rows it is asked for."""

    def generate(
        self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int], *, careful: bool = False
    ) -> list[Output]:
        asked.append(len(rows))
        return super().generate(rows, max_new_tokens, careful=careful)


class CountingResources(NullResources):
    """With that engine."""

    def translator(self, say):
        made = super().translator(say)
        made.engine = CountingEngine()
        return made


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    note_comparisons(monkeypatch)


@dataclass
class Newsroom:
    """A folder that is run every night; `night` says how many shards of each stage were made, rows asked for, and
    documents compared by their sentences."""

    folder: Path
    files: dict[Path, int] = field(default_factory=dict)

    def night(self, articles: Sequence[Article], **read: str) -> dict[str, int]:
        path, out = self.folder / "articles.jsonl", self.folder / "out"
        path.write_bytes(b"".join(orjson.dumps(article) + b"\n" for article in articles))
        config = Config(
            read=ReadSettings(paths=(str(path),), **read),
            translate=TranslateSettings(use_glossary=False, retries=0),
            align=AlignSettings(min_similarity=0),
            run=RunSettings(shard_chars=1800, workers=1),
        )
        asked.clear()
        compared.clear()
        run = Run(config, out, Progress(quiet=True), make_resources=CountingResources)
        with held(run.shards, RUN, config.read.paths):
            reopen(out)
            write_settings(config, out)
            publish(run.execute(), run.seconds)
        before, self.files = self.files, {p: p.stat().st_mtime_ns for p in (out / "shards").rglob("[0-9]*.jsonl.zst")}
        made = [p.parent.name for p, at in self.files.items() if before.get(p) != at]
        return {stage: made.count(stage) for stage in STAGES} | {"rows": sum(asked), "compared": len(compared)}

    def pairs(self) -> dict[str, bytes]:
        """The kept pairs by id."""
        lines = (self.folder / "out/corpus/pairs.jsonl").read_bytes().splitlines()
        return {orjson.loads(line)["id"]: line for line in lines}


def test_what_a_night_brings_is_all_that_is_made(tmp_path: Path) -> None:
    articles = list(news.documents(16 * news.SENTENCES * 2))
    room = Newsroom(tmp_path)
    first = room.night(articles)
    pairs = room.pairs()
    shards = first["read"]
    assert shards >= 8 and all(first[stage] == shards for stage in STAGES) and first["rows"] > 90
    assert first["compared"] == 16 * CANDIDATES == len(set(compared))
    assert room.night(articles) == dict.fromkeys([*STAGES, "rows", "compared"], 0)

    new = [one | {"id": f"new-{one['id']}"} for one in list(news.documents(34 * news.SENTENCES))[-2:]]
    added = room.night([*new, *articles])
    assert 1 <= added["translate"] <= 2 and added["segment"] <= 2 and added["align"] <= 2 and added["score"] <= 2
    assert added["rows"] < first["rows"] / 3
    # The new source with its candidates, and sources to which the new English document is closer than what they had.
    assert CANDIDATES < added["compared"] <= 2 * CANDIDATES + 2
    now = room.pairs()
    assert pairs.items() <= now.items() and len(now) > len(pairs), "articles that stay have the pairs they had"

    edited = [dict(one) for one in articles]
    edited[12]["text"] += " " + news.sentence(edited[20]["lang"], 77_777)[0]
    changed = room.night([*new, *edited])
    assert 1 <= changed["translate"] <= 2 and changed["align"] <= 2 and changed["score"] <= 2
    assert changed["compared"] == CANDIDATES, "the edited article is compared anew, whoever moved with it is not"

    removed = room.night([*new, *edited[2:]])
    assert removed["translate"] <= 2 and removed["align"] <= 2 and removed["score"] <= 2
    assert removed["compared"] < first["compared"] / 4, "others come where the removed English document was a candidate"
    files = {stage: len(list((tmp_path / "out/shards" / stage).glob("[0-9]*.jsonl.zst"))) for stage in STAGES}
    assert len(set(files.values())) == 1, "nothing is left of shards that are gone"

    fresh = Newsroom(tmp_path / "fresh")
    fresh.folder.mkdir()
    fresh.night([*new, *edited[2:]])
    assert fresh.pairs() == {
        name: line.replace(str(tmp_path / "articles").encode(), str(tmp_path / "fresh/articles").encode())
        for name, line in room.pairs().items()
    }, "a folder that has seen many nights holds what a new one does"

    licensed = room.night([*new, *edited[2:]], licence="CC0-1.0")
    assert licensed["read"] > 0 and licensed["segment"] == licensed["translate"] == licensed["score"] == 0
    assert licensed["profile"] == licensed["compared"] == 0
    assert all(b"CC0-1.0" in line for line in room.pairs().values())


def test_ids_of_rows_do_not_depend_on_where_they_stand(tmp_path: Path) -> None:
    from pipeline.stages.read.stage import Reader

    texts = [f"Bản tin số {n} của ngày hôm nay tại Hà Nội." for n in range(4)]

    def ids(texts: Sequence[str]) -> dict[str, str]:
        path = tmp_path / "news.jsonl"
        path.write_bytes(b"".join(orjson.dumps({"text": text, "lang": "vi"}) + b"\n" for text in texts))
        return {one.text: one.id for one in Reader(ReadSettings()).read([str(path)]) if isinstance(one, Document)}

    before, after = ids(texts), ids(["Tin mới.", *reversed(texts)])
    assert before.items() <= after.items() and len(set(after.values())) == 5


@pytest.mark.parametrize("usual", [300, 3000])
def test_shards_are_about_as_long_as_asked_for_whatever_the_documents(usual: int) -> None:
    from pipeline.run.order import MOST, cut

    documents = [Document(f"d{n}", "en", "x" * (20 + n * 7919 % 400), Source("a")) for n in range(2000)]
    sizes = [sum(len(one.text) for one in shard) for shard in cut(documents, usual)]
    assert 0.6 * usual < sum(sizes) / len(sizes) < 1.6 * usual + 200
    assert max(sizes) <= MOST * usual + 420
    kept = {tuple(one.id for one in shard) for shard in cut(documents, usual)}
    shifted = {tuple(one.id for one in shard) for shard in cut(documents[3:], usual)}
    assert len(kept - shifted) <= 3, "beyond the first few shards nothing moves"
