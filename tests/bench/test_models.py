"""Checkpoints with random weights, and the engines that run them."""

from pathlib import Path

import pytest
import torch

from pipeline.bench.arms import ArmSettings
from pipeline.bench.engines import CTranslate2, MekongEngineArm, Transformers, convert
from pipeline.bench.roofline import bound
from pipeline.bench.shapes import SHAPES, Shape, build, load, shape_of
from pipeline.bench.workload import news
from pipeline.errors import UsageError

M2M100 = Shape(
    "small", "m2m100", 2, 32, 4, 8, 64, 300, start=2, end=2, pad=1, unknown=3, ordinary=(4, 299), sentences=8
)
T5 = Shape("small", "t5", 2, 32, 4, 16, 64, 300, start=0, end=2, pad=1, unknown=0, ordinary=(3, 299), sentences=8)
SMALL = {"marian": SHAPES["tiny"], "m2m100": M2M100, "t5": T5}


@pytest.fixture(scope="module")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A small checkpoint of each family."""
    folders = {}
    for family, shape in SMALL.items():
        folders[family] = tmp_path_factory.mktemp(family)
        build(shape, folders[family])
    return folders


@pytest.mark.parametrize("family", SMALL)
def test_checkpoints_load_and_tell_inputs_apart(family: str, checkpoints: dict[str, Path]) -> None:
    shape = SMALL[family]
    model = load(shape, checkpoints[family], "float32")
    assert {file.name for file in checkpoints[family].iterdir()} >= {"config.json", "model.safetensors"}
    ids = torch.tensor([source[:4] for source in news(shape, 8, multiple=1).sources])
    with torch.inference_mode():
        logits = model(input_ids=ids, decoder_input_ids=torch.full((8, 1), shape.start)).logits
    assert logits.shape == (8, 1, shape.vocabulary)
    assert logits.isfinite().all()
    # Sane activations: no choice is all but certain, and inputs make a difference.
    assert 0.1 < float(logits.std()) < 20
    assert float(logits.std(dim=0).mean()) > 0.01


def test_shapes_have_the_published_sizes() -> None:
    millions = {"opus-mt": 75, "nllb-600m": 615, "nllb-3.3b": 3345, "madlad-3b": 2940}
    for name, expected in millions.items():
        shape = SHAPES[name]
        attention = 4 * shape.width * shape.heads * shape.head_width
        feed = (3 if shape.family == "t5" else 2) * shape.width * shape.feed
        tables = 2 if shape.family == "t5" else 1
        count = shape.layers * (3 * attention + 2 * feed) + tables * shape.vocabulary * shape.width
        assert count / 1e6 == pytest.approx(expected, rel=0.01), name


@pytest.mark.parametrize("beam", [1, 4])
def test_transformers_generates_the_prescribed_lengths(beam: int, checkpoints: dict[str, Path]) -> None:
    rows = news(SMALL["marian"], 12, multiple=4)
    engine = Transformers(checkpoints["marian"], SMALL["marian"], "cpu", "float32", beam)
    engine.feed(rows.sources, rows.lengths)
    for settings in (ArmSettings(1, 1, "unsorted", 5), ArmSettings(1, 1, "tokens", 128)):
        engine.use(settings)
        lengths, steps = engine.run(10)
        assert lengths == rows.lengths[:10]
        assert steps is not None and rows.tokens(10) <= steps <= 10 * max(rows.lengths)


@pytest.mark.parametrize("family", SMALL)
def test_ctranslate2_runs_the_same_model(family: str, checkpoints: dict[str, Path], tmp_path: Path) -> None:
    pytest.importorskip("ctranslate2")
    shape = SMALL[family]
    convert(checkpoints[family], shape, "float32", tmp_path / "converted")
    engine = CTranslate2(tmp_path / "converted", shape, "cpu", "float32", beam=1)
    rows = news(shape, 6, multiple=1)
    engine.feed(rows.sources, rows.lengths)
    engine.use(ArmSettings(1, 1, "tokens", 64))
    assert engine.run(6) == (rows.lengths, None)

    answers = engine.translator.translate_batch(
        engine.sources, beam_size=1, min_decoding_length=8, max_decoding_length=8
    )
    model = load(shape, checkpoints[family], "float32")
    for source, answer in zip(rows.sources, answers, strict=True):
        made = [shape.start]
        for _ in range(8):
            logits = model(input_ids=torch.tensor([source]), decoder_input_ids=torch.tensor([made])).logits[0, -1]
            logits[[shape.end, shape.pad]] = -torch.inf
            made.append(int(logits.argmax()))
        assert answer.hypotheses[0] == [engine.names[token] for token in made[1:]]


@pytest.mark.parametrize("beam", [1, 4])
def test_ctranslate2_generates_rows_of_one_length_together(
    beam: int, checkpoints: dict[str, Path], tmp_path: Path
) -> None:
    pytest.importorskip("ctranslate2")
    convert(checkpoints["marian"], SMALL["marian"], "int8", tmp_path / "converted")
    engine = CTranslate2(tmp_path / "converted", SMALL["marian"], "cpu", "int8", beam)
    rows = news(SMALL["marian"], 40, multiple=4)
    engine.feed(rows.sources, rows.lengths)
    engine.use(ArmSettings(2, 1, "one length", 4))
    assert engine.run(30) == (rows.lengths[:30], None)


@pytest.mark.parametrize(("dtype", "beam"), [("float32", 4), ("int8", 1)])
def test_mekong_generates_the_prescribed_lengths(dtype: str, beam: int, checkpoints: dict[str, Path]) -> None:
    pytest.importorskip("pipeline.engines.mekong.engine")
    rows = news(SMALL["marian"], 40, multiple=4)
    engine = MekongEngineArm(checkpoints["marian"], SMALL["marian"], "cpu", dtype, beam)
    engine.feed(rows.sources, rows.lengths)
    engine.use(ArmSettings(2, 1, "own"))
    lengths, steps = engine.run(30)
    assert lengths == rows.lengths[:30]
    assert steps is not None and steps >= rows.tokens(30)
    assert engine.model_seconds > 0
    engine.close()


def test_roofline_agrees_with_one_worked_out_by_hand() -> None:
    # 1024 rows, 30 tokens: (926 MB of weights + 1024 x (2.21 MB of keys and values + 2.05 MB of logits)) / 4.3 TB/s is
    # 1230 us, and 151 M multiplications a source token 391 us.
    assert bound(SHAPES["nllb-600m"], "NVIDIA H200", 1, 30, 30) == pytest.approx(1024 / 1621e-6, rel=0.005)
    beam = bound(SHAPES["nllb-600m"], "NVIDIA H200", 4, 30, 30)
    assert beam is not None and 150_000 < beam < 631_000
    assert bound(SHAPES["nllb-600m"], "NVIDIA GeForce", 1, 30, 30) is None


def test_an_unknown_shape_is_named_with_those_there_are() -> None:
    with pytest.raises(UsageError, match="opus-mt, nllb-600m"):
        shape_of("opus")
