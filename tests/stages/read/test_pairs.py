import gzip
import os

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.config.settings import WriteSettings
from pipeline.errors import InputError, UsageError
from pipeline.report.card import CardFacts
from pipeline.run.corpus_files import publish_corpus
from pipeline.stages.read.pairs import Given, corpora
from pipeline.stages.write.record import CorpusRow
from pipeline.types import Pair, Reject, Scored, Source, Verdict

TH = "ตลาดน้ำเปิดทุกวันเสาร์"
EN = "The floating market opens every Saturday."


def read(*paths, lang="", limit=10_000):
    found = [row for corpus in corpora(paths, lang) for row in corpus.read(limit)]
    return [row for row in found if isinstance(row, Given)], [row for row in found if isinstance(row, Reject)]


def put(path, data):
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def texts(given):
    return [(row.pair.src_lang, row.pair.src_text, row.pair.tgt_text) for row in given]


def test_tsv_with_more_columns_and_bad_lines(tmp_path):
    lines = [f"{TH}\t{EN}\t0.83".encode(), b"no tab", b"", b"\xff\tx", f"\t{EN}".encode(), f"{TH}\t \r".encode()]
    path = put(tmp_path / "a.tsv", b"\xef\xbb\xbf" + b"\n".join(lines) + b"\n")
    given, rejects = read(path, lang="th")
    assert texts(given) == [("th", TH, EN)]
    assert given[0].pair.id == "a.tsv:1" and given[0].columns == ("0.83",)
    assert (given[0].pair.origin, given[0].pair.cost, given[0].pair.margin) == ("aligned", None, None)
    whole = path.read_bytes()
    assert [(r.line, r.reason.split()[0]) for r in rejects] == [(2, "no"), (4, "not"), (5, "'src'"), (6, "'tgt'")]
    assert whole[rejects[0].offset :].startswith(b"no tab")
    assert whole[rejects[1].offset] == 0xFF


def test_json_lines(tmp_path):
    rows = [
        {"id": 7, "src": TH, "tgt": EN},
        {"src_text": "Chợ nổi", "tgt_text": EN, "src_lang": "vi", "licence": "CC0-1.0", "url": "u"},
        {"th": TH, "en": EN},
        {"src": TH, "tgt": EN, "src_lang": "lo"},
        {"src": TH, "tgt": EN, "tgt_lang": "fr"},
        {"src": 5, "tgt": EN},
        {"source": TH},
        {"src": TH, "tgt": "a\0b"},
    ]
    path = put(tmp_path / "a.jsonl.gz", gzip.compress(b"\n".join(map(orjson.dumps, rows)) + b"\n[]\n{"))
    given, rejects = read(path, lang="th")
    assert texts(given) == [("th", TH, EN), ("vi", "Chợ nổi", EN), ("th", TH, EN)]
    assert given[0].pair.id == "7"
    assert given[1].source == Source(path.name, 2, "u", "CC0-1.0")
    assert [r.line for r in rejects] == [4, 5, 6, 7, 8, 9, 10]
    for reject, word in zip(rejects, ("'lo'", "'fr'", "int", "none of", "NUL", "list", "JSON"), strict=True):
        assert word in reject.reason


def test_moses_files_belong_together_by_name(tmp_path):
    source = put(tmp_path / "news.vi", "Một\n\nHai\nBa\n".encode())
    english = put(tmp_path / "news.en.gz", gzip.compress(b"One\n\nTwo\n\xe9\n"))
    given, rejects = read(english, source)
    assert texts(given) == [("vi", "Một", "One"), ("vi", "Hai", "Two")]
    assert [(r.path, r.line) for r in rejects] == [(english.name, 4)]


def test_moses_files_of_different_lengths_are_refused(tmp_path):
    paths = put(tmp_path / "a.th", f"{TH}\n"), put(tmp_path / "a.en", f"{EN}\n{EN}\n")
    with pytest.raises(InputError, match=r"a\.en has a line 2, .*a\.th ends before"):
        read(*paths)


@pytest.mark.parametrize(
    "names, message",
    [
        (["a.th"], r"has no English side"),
        (["a.en"], r"has no source side"),
        (["a.th", "b.en"], r"no English side"),
        (["a.tsv"], r"what language"),
        (["a.docx"], r"no known type '\.docx'"),
    ],
)
def test_files_that_are_no_corpus_are_refused(tmp_path, names, message):
    with pytest.raises(UsageError, match=message):
        corpora([put(tmp_path / name, "x\n") for name in names], "")


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        corpora([tmp_path / "a.tsv"], "th")


TMX = """<tmx version="1.4"><header/><body>
<tu tuid="one"><tuv xml:lang="TH-th"><seg>ตลาด<ph>x</ph>น้ำ</seg></tuv>
<tuv xml:lang="en_GB"><seg><bpt i="1">&lt;b&gt;</bpt>Mar<hi>ket<it>y</it></hi><ept i="1"/></seg></tuv>
<tuv xml:lang="en-US"><seg>Mall</seg></tuv></tu>
<tu><tuv lang="vi"><seg>Chợ</seg></tuv><tuv lang="en"><seg>Market</seg></tuv></tu>
<tu><tuv xml:lang="en"><seg>alone</seg></tuv></tu>
</body></tmx>"""


def test_tmx(tmp_path):
    given, rejects = read(put(tmp_path / "a.tmx", TMX))
    assert texts(given) == [("th", "ตลาดน้ำ", "Market"), ("vi", "Chợ", "Market")]
    assert given[0].pair.id == "one"
    assert [r.line for r in rejects] == [3]


def test_a_document_type_that_defines_entities_is_refused(tmp_path):
    for subset in ('<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">', '<!ENTITY % all SYSTEM "all.ent"> %all;'):
        given, (reject,) = read(put(tmp_path / "a.tmx", f"<!DOCTYPE tmx [{subset}]>{TMX}"))
        assert not given
        assert "document type" in reject.reason


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE tmx SYSTEM "tmx14.dtd">',
        "<!DOCTYPE tmx PUBLIC '-//LISA OSCAR:1998//DTD for Translation Memory eXchange//EN' 'http://127.0.0.1:9/a.dtd'>",
        '<!DOCTYPE tmx SYSTEM "file:///etc/hostname">',
        '<!DOCTYPE tmx SYSTEM "a>b.dtd" [<!ATTLIST tu changedby CDATA #IMPLIED> ]>',
        "<!-- <!DOCTYPE tmx [ --><!DOCTYPE tmx>",
    ],
)
def test_the_document_type_of_translation_tools_is_passed_over(tmp_path, doctype):
    given, rejects = read(put(tmp_path / "a.tmx", f'<?xml version="1.0"?>\n{doctype}\n{TMX}'))
    assert texts(given) == [("th", "ตลาดน้ำ", "Market"), ("vi", "Chợ", "Market")]
    assert [r.line for r in rejects] == [3]


@pytest.mark.parametrize(
    "name, data",
    [
        ("a.tmx", TMX[: TMX.index("<tu>") + 30].encode()),
        ("a.tmx.gz", gzip.compress(TMX.encode() + os.urandom(99_000))[:-50_000]),
        ("b.tmx.gz", gzip.compress(TMX.encode())[:-9]),
    ],
)
def test_damaged_tmx_keeps_what_came_before(tmp_path, name, data):
    given, rejects = read(put(tmp_path / name, data))
    assert texts(given)[:1] == [("th", "ตลาดน้ำ", "Market")]
    assert "damaged" in rejects[-1].reason


def test_damaged_parquet(tmp_path):
    scores = [float("nan"), 0.5]  # as data frames write what is missing
    pq.write_table(pa.table({"src": [TH, None], "tgt": [EN, EN], "score_margin": scores}), tmp_path / "a.parquet")
    given, (reject,) = read(tmp_path / "a.parquet", lang="th")
    assert texts(given) == [("th", TH, EN)]
    assert given[0].pair.margin is None
    assert reject.line == 2
    given, (reject,) = read(put(tmp_path / "b.parquet", b"PAR1 not really"), lang="th")
    assert not given
    assert "damaged" in reject.reason


@pytest.mark.parametrize("name", ["pairs.jsonl", "pairs.parquet"])
def test_a_corpus_of_our_own_comes_back_whole(tmp_path, name):
    source, english = Source("a.txt", 0, "u", "CC0-1.0"), Source("b.txt", 0, "v", "CC0-1.0")
    pairs = [
        Pair("1", "d", "e", "vi", (), (), ((0, 3),), ((1, 7),), "Một", "One", "aligned", 0.25, 0.125, 0.5),
        Pair("2", "d", "e", "th", (), (), (), (), TH, EN, "mined", None, 1.5),
    ]
    scores = {"alignment_cost": None, "margin": None, "mining_margin": None, "displacement": None}
    made = [{**scores, "alignment_cost": 0.25, "margin": 0.125, "displacement": 0.5}, {**scores, "mining_margin": 1.5}]
    rows = [
        CorpusRow(Scored(pair, score), Verdict(pair.id, True, ()), source, english, columns=("wiki", "0.9"))
        for pair, score in zip(pairs, made, strict=True)
    ]
    facts = CardFacts("c", "0", (), dict.fromkeys(scores, "version:1"))
    publish_corpus(rows, WriteSettings(), tmp_path, facts)
    given, rejects = read(tmp_path / "corpus" / name)
    assert not rejects
    assert [row.pair for row in given] == pairs
    assert [row.columns for row in given] == [("wiki", "0.9")] * 2
    assert [(row.source.path, row.source.licence, row.english.url) for row in given] == [("a.txt", "CC0-1.0", "v")] * 2


def test_a_row_in_both_languages_gives_a_pair_of_each(tmp_path):
    data = orjson.dumps({"id": 7, "th": TH, "vi": "Chợ", "en": EN})
    given, _ = read(put(tmp_path / "a.jsonl", data))
    assert texts(given) == [("th", TH, EN), ("vi", "Chợ", EN)]
    assert [row.pair.id for row in given] == ["7:th", "7:vi"]
    (half,), rejects = read(put(tmp_path / "b.jsonl", orjson.dumps({"th": TH, "vi": " ", "en": EN})))
    assert half.pair.src_lang == "th" and not rejects
    (alone,), _ = read(tmp_path / "a.jsonl", lang="vi")
    assert (alone.pair.src_text, alone.pair.id) == ("Chợ", "7")


def test_two_sources_share_one_english_side(tmp_path):
    for lang, text in (("th", TH), ("vi", "Chợ"), ("en", EN)):
        put(tmp_path / f"m.{lang}", f"{text}\n")
    given, _ = read(*(tmp_path / f"m.{lang}" for lang in ("vi", "th", "en")))
    assert texts(given) == [("vi", "Chợ", EN), ("th", TH, EN)]


def test_a_language_may_name_a_country(tmp_path):
    row = {"src": "Chợ", "tgt": EN, "src_lang": "vi-VN", "tgt_lang": "en_US"}
    given, rejects = read(put(tmp_path / "a.jsonl", orjson.dumps(row)))
    assert texts(given) == [("vi", "Chợ", EN)] and not rejects


@pytest.mark.parametrize(
    "row",
    [
        {"translation": {"th": TH, "en": EN}},
        {"id": 4.0, "translation": {"tha_Thai": TH, "eng_Latn": EN}, "src": None, "tgt": None, "origin": None},
        {"translation": {"language": ["en", "th"], "translation": [EN, TH]}},
        {"translations": {"language": ["th-TH", "de", "en-GB"], "translation": [TH, "Markt", EN]}},
        {"translation": {"th": TH, "en-US": " ", "en-GB": EN}},
        {"TH": TH, "en-US": EN, "en_id": "7", "score": 0.5},
        {"src": TH, "tgt": EN, "src_lang": "tha", "tgt_lang": "eng_Latn"},
        {"src": TH, "tgt": EN, "src_lang": "th-Thai-TH", "tgt_lang": "EN"},
    ],
)
@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "a.NDJSON.gz", "a.parquet"])
def test_languages_are_named_in_every_usual_way(tmp_path, row, name):
    path = tmp_path / name
    if name == "a.parquet":
        pq.write_table(pa.Table.from_pylist([row]), path)
    else:
        put(path, gzip.compress(orjson.dumps(row)) if name.endswith("gz") else orjson.dumps([row])[1:-1])
    given, rejects = read(path)
    assert not rejects
    assert texts(given) == [("th", TH, EN)]
    assert "id" not in row or given[0].pair.id == "4"


def test_both_languages_of_a_translation_give_a_pair_each(tmp_path):
    path = put(tmp_path / "a.jsonl", orjson.dumps({"translation": {"en": EN, "vi": "Chợ", "th": TH, "id": "Pasar"}}))
    assert texts(read(path)[0]) == [("th", TH, EN), ("vi", "Chợ", EN)]
    assert texts(read(path, lang="vi")[0]) == [("vi", "Chợ", EN)]


@pytest.mark.parametrize("value", [{"en": EN}, {"th": 5, "en": EN}, [TH, EN], "text", {}, {"language": [5], "x": 1}])
def test_a_translation_that_is_no_pair_is_set_aside(tmp_path, value):
    given, (reject,) = read(put(tmp_path / "a.jsonl", orjson.dumps({"translation": value})))
    assert not given and reject.line == 1


@pytest.mark.parametrize("field", ["src_spans", "scores", "src_lang", "url", "src_doc", "origin", "licence", "id"])
@pytest.mark.parametrize("value", [5, 1e300, True, [5], [[1, 2, 3]], {"margin": "x"}, {"margin": [1]}])
def test_a_field_of_the_wrong_type_costs_its_line_at_most(tmp_path, field, value):
    rows = [{"src": TH, "tgt": EN, field: value}, {"src": TH, "tgt": EN}]
    given, rejects = read(put(tmp_path / "a.jsonl", b"\n".join(map(orjson.dumps, rows))), lang="th")
    assert [row.source.line for row in given][-1:] == [2] and len(given) + len(rejects) == 2


def test_moses_files_may_name_their_language_otherwise(tmp_path):
    paths = put(tmp_path / "a.tha", f"{TH}\n"), put(tmp_path / "a.EN-us.gz", gzip.compress(EN.encode()))
    assert texts(read(*paths)[0]) == [("th", TH, EN)]


def test_a_folder_is_no_file_of_pairs(tmp_path):
    with pytest.raises(InputError, match="is a folder"):
        corpora([tmp_path], "th")


@pytest.mark.parametrize("code", ["src_lang", "licence", "model", "origin", "src_text", "scores", "id", "translation"])
def test_a_language_code_of_tmx_is_no_other_field_of_a_pair(tmp_path, code):
    path, seg = tmp_path / "a.tmx", '<tuv xml:lang="{}"><seg>{}</seg></tuv>'.format
    path.write_text(f"<tmx><body><tu>{seg('th', 'ก')}{seg('en', 'a')}{seg(code, 'x')}</tu></body></tmx>")
    (found,) = corpora([path], "")[0].read(1000)
    assert isinstance(found, Given)
    assert (found.pair.src_text, found.pair.tgt_text, found.pair.origin, found.model) == ("ก", "a", "aligned", "")
    assert (found.source.licence, found.pair.id) == ("", "a.tmx:1")
