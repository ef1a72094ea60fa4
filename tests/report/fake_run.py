"""A made-up run over the project's sample articles: real text, invented scores, every kind of trouble once."""

from __future__ import annotations

import json
import random
import re
from dataclasses import replace
from pathlib import Path

from pipeline.config.settings import Config, Rule
from pipeline.metrics.base import MetricScore
from pipeline.registry.facts import ModelFacts
from pipeline.report.data import AlignedWork, CorpusMetric, DocumentWork, FactCheck, FactMiss, ReportData
from pipeline.types import (
    Document,
    DocumentPair,
    Pair,
    Reason,
    Reject,
    Scored,
    Segment,
    Source,
    Translation,
    Verdict,
)

ROOT = Path(__file__).parents[2]
BOILERPLATE = re.compile(r"อ่านเพิ่มเติม|ความคิดเห็น|Tin liên quan|ที่มา|https?://|^\d")
CAPTION = re.compile(r"ภาพ:|Ảnh:|Photo")
RULES = {
    "similarity": Rule(min=0.45),
    "length_ratio": Rule(min=0.5, max=2.2),
    "numbers": Rule(min=0.75),
    "bead_cost": Rule(max=0.6, origin="aligned"),
}
SIGNATURES = {
    "similarity": "similarity|encoder:use-multilingual-v3|cosine|v:1",
    "length_ratio": "length_ratio|characters|tgt/src|v:1",
    "numbers": "numbers|values+calendars|recall|v:1",
    "bead_cost": "bead_cost|v:1",
}
PROBLEMS = {
    "incomplete": ("missing number 14.6", "missing name Tokayev"),
    "looped": ("one word group makes up 61 % of the text",),
    "refused": ("the model answered instead of translating",),
    "failed": (),
}


def sample_documents():
    """(name, lang, source, text) of every sample article."""
    for path in sorted((ROOT / "samples").glob("*.txt")):
        yield path.name, path.name[:2], Source(f"samples/{path.name}", licence="CC0-1.0"), path.read_text()
    for number, line in enumerate((ROOT / "samples/agency.jsonl").read_text().split("\n")[:-1], 1):
        row = json.loads(line)
        source = Source("samples/agency.jsonl", number, row.get("url", ""), row.get("licence", ""), row.get("date", ""))
        yield row["id"], row["lang"], source, row["text"]


def cut(name, text, limit=220):
    """Segments of about `limit` characters, cut at spaces; good enough to look at."""
    segments, paragraph = [], -1
    for line in re.finditer(r"[^\n]*\S[^\n]*", text):
        paragraph += 1
        at, end = line.span()
        kind = "headline" if paragraph == 0 else "body"
        kind = "boilerplate" if BOILERPLATE.search(line[0]) else "caption" if CAPTION.search(line[0]) else kind
        while at < end:
            stop = end if end - at <= limit else max(text.rfind(" ", at, at + limit) + 1, at + 1)
            number = len(segments)
            piece = text[at:stop].strip()
            segments.append(Segment(f"{name}#{number}", name, number, paragraph, at, stop, piece, kind))
            at = stop
    return tuple(segments)


class FakeRun:
    """Builds the parts of one `ReportData`."""

    def __init__(self, names=(), seed=7):
        self.random = random.Random(seed)
        self.gold = json.loads((ROOT / "tests/data/samples_gold.json").read_text())
        self.documents = {
            n: Document(n, lang, text, src) for n, lang, src, text in sample_documents() if not names or n in names
        }
        self.segments = {name: cut(name, doc.text) for name, doc in self.documents.items()}
        self.works = {name: self.work(doc) for name, doc in self.documents.items()}

    def work(self, document):
        if document.lang == "en":
            return DocumentWork(document, self.segments[document.id])
        english = self.english_of(document)
        translations = tuple(
            self.translation(segment, english(segment))
            for segment in self.segments[document.id]
            if segment.kind != "boilerplate"
        )
        texts = {segment.id: segment for segment in self.segments[document.id]}
        pairs = [self.translated(texts[t.segment_id], t, document) for t in translations if t.ended != "failed"]
        return DocumentWork(
            document, self.segments[document.id], translations, (*pairs, *self.aligned_pairs(document.id))
        )

    def english_of(self, document):
        """A function from segments to plausible English: the gold counterpart, or a sentence of another article."""
        beads = []
        for key, rows in self.gold["sentences"].items():
            if key.split("|")[0] == document.id:
                beads += [(self.find(document.text, src), " ".join(tgt)) for src, tgt in rows if src and tgt]
        pool = [s for name, rows in self.segments.items() if self.documents[name].lang == "en" for s in rows]

        def english(segment):
            hits = [t for spans, t in beads if any(a < segment.end and segment.start < b for a, b in spans)]
            return " ".join(hits) or pool[segment.index % len(pool)].text

        return english

    @staticmethod
    def find(text, sentences):
        spans, at = [], 0
        for sentence in sentences:
            start = text.find(sentence, at)
            if start >= 0:
                at = start + len(sentence)
                spans.append((start, at))
        return spans

    def translation(self, segment, text):
        ended, problems = "stop", ()
        if segment.kind == "body" and self.random.random() < 0.12:
            ended, problems = self.random.choice(list(PROBLEMS.items()))
        text = {"failed": "", "looped": " ".join([text.split(" ")[0]] * 24)}.get(ended, text)
        return Translation(
            segment.id,
            text,
            "mekong-small",
            -0.4,
            len(segment.text) // 3,
            len(text) // 4,
            ended,
            1 + (ended != "stop"),
            problems,
        )

    def translated(self, segment, translation, document):
        pair = Pair(
            f"t:{segment.id}",
            document.id,
            "",
            document.lang,
            (segment.id,),
            (),
            ((segment.start, segment.end),),
            (),
            segment.text,
            translation.text,
            "translated",
            0.0,
        )
        base = 0.78 if translation.ended == "stop" else 0.4
        return self.judge(pair, base, None)

    def judge(self, pair, base, cost):
        draw = self.random
        scores = {
            "similarity": round(min(1.0, max(-0.1, draw.gauss(base, 0.1))), 4),
            "length_ratio": round(len(pair.tgt_text) / len(pair.src_text), 4),
            "numbers": round(draw.choice([1.0, 1.0, 1.0, 0.8, 0.5]), 4) if re.search(r"\d", pair.src_text) else None,
            "bead_cost": cost,
        }
        reasons = []
        for name, rule in RULES.items():
            value = scores[name]
            if value is None or rule.origin not in ("any", pair.origin):
                continue
            if rule.min is not None and value < rule.min:
                reasons.append(Reason(name, f"{name} {value} < {rule.min}"))
            if rule.max is not None and value > rule.max:
                reasons.append(Reason(name, f"{name} {value} > {rule.max}"))
        return Scored(pair, scores), Verdict(pair.id, not reasons, tuple(reasons))

    def aligned_pairs(self, name):
        for key, rows in self.gold["sentences"].items():
            src_name, tgt_name = key.split("|")
            if src_name != name or tgt_name not in self.documents:
                continue
            src, tgt = self.documents[src_name], self.documents[tgt_name]
            for number, (left, right) in enumerate(rows):
                src_spans, tgt_spans = tuple(self.find(src.text, left)), tuple(self.find(tgt.text, right))
                if not src_spans or not tgt_spans:
                    continue
                pair = Pair(
                    f"a:{src_name}:{number}",
                    src_name,
                    tgt_name,
                    src.lang,
                    (),
                    (),
                    src_spans,
                    tgt_spans,
                    " ".join(src.text[a:b] for a, b in src_spans),
                    " ".join(tgt.text[a:b] for a, b in tgt_spans),
                    "aligned",
                    0.3,
                )
                yield self.judge(pair, 0.74, round(max(0.0, self.random.gauss(0.3, 0.12)), 4))

    def document_pairs(self):
        parallel = {tuple(pair) for pair in self.gold["document_pairs"]}
        comparable = {tuple(pair) for pair in self.gold["comparable"]}
        for src in self.documents.values():
            for tgt in self.documents.values():
                if src.lang == "en" or tgt.lang != "en":
                    continue
                key, draw = (src.id, tgt.id), self.random
                if key in parallel:
                    yield DocumentPair(
                        *key, draw.uniform(0.8, 0.93), draw.uniform(0.6, 0.8), draw.uniform(0.75, 1.0), 1.0, "parallel"
                    )
                elif key in comparable:
                    yield DocumentPair(*key, 0.5831, 0.3312, 0.1875, 0.5, "comparable")
                else:
                    yield DocumentPair(
                        *key, draw.uniform(0.1, 0.45), draw.uniform(0.1, 0.3), draw.uniform(0, 0.2), 0.5, "unrelated"
                    )


def fake_run(names=(), **changes):
    """A `ReportData` of all samples or those named; its iterables are generators, as a lazy loader's would be."""
    run = FakeRun(names)
    pairs = list(run.document_pairs())
    some = next(w for w in run.works.values() if w.translations)
    miss = FactMiss(
        some.document.id,
        some.segments[3].id,
        some.document.lang,
        "2573 (2030)",
        some.segments[3].text,
        "Trade is to grow.",
    )
    data = ReportData(
        name="Mekong news, week 47",
        version="0.1.0",
        commands=("mekong models add mekong-small", "mekong run configs/news.yaml --out out/news"),
        documents=(work for work in run.works.values()),
        rejects=iter(
            [
                Reject("in/broken.jsonl", 17, 40213, "not UTF-8: byte 0xff at 40213"),
                Reject("in/scan.pdf", 0, -1, "the file type '.pdf' is not one of .txt, .jsonl, .parquet"),
            ]
        ),
        document_pairs=iter(pairs),
        aligned=(
            AlignedWork(pair, run.works[pair.src_doc], run.works[pair.tgt_doc])
            for pair in pairs
            if pair.relation == "parallel"
        ),
        rules=RULES,
        signatures=SIGNATURES,
        rank_by={"translated": "similarity", "aligned": "similarity"},
        metrics=(
            CorpusMetric(
                "dev set, 997 sentences",
                997,
                281,
                MetricScore(
                    "chrF2",
                    54.31,
                    "nrefs:1|bs:1000|seed:12345|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0",
                    54.3,
                    0.62,
                ),
            ),
        ),
        facts=(
            FactCheck("countries", 41, 39, ()),
            FactCheck("years", 28, 27, (miss,)),
            FactCheck("numbers", 112, 112, ()),
        ),
        models=(
            ModelFacts(
                "mekong-small",
                "translation",
                "package mekong-small",
                "0.3.0",
                "c1" * 16,
                "CC-BY-NC-4.0",
                False,
                {"config.json": "1f" * 32, "model.safetensors": "d3" * 32},
                general=True,
            ),
            ModelFacts("use-multilingual-v3", "sentence encoder", "package", "0.2.1", "0d" * 32, "Apache-2.0", True),
        ),
        packages={"torch": "2.13.0", "sacrebleu": "2.6.0", "pyarrow": "26.0.1"},
        environment={"python": "3.11.7", "device": "cpu", "dtype": "int8"},
        config=Config(name="news").model_dump(mode="json"),
    )
    return replace(data, **changes)
