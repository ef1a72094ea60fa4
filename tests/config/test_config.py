"""Settings: precedence, helpful errors, and what is refused."""

import json
from pathlib import Path

import pytest

from pipeline.config.load import load_config
from pipeline.config.settings import Config
from pipeline.errors import ConfigError
from pipeline.files.plain_yaml import load_yaml

ROOT = Path(__file__).resolve().parents[2]


def config_file(folder: Path, text: str) -> Path:
    path = folder / "news.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_override_wins_over_file_and_file_over_default(tmp_path: Path) -> None:
    path = config_file(tmp_path, "translate: {retries: 0, num_beams: 4}\n")
    config = load_config(path, ["translate.retries=2", "read.paths=[a, b]"])
    assert (config.translate.retries, config.translate.num_beams) == (2, 4)
    assert config.read.paths == ("a", "b")
    assert config.translate.max_hints == Config().translate.max_hints


def test_name_defaults_to_file_name(tmp_path: Path) -> None:
    assert load_config(config_file(tmp_path, "")).name == "news"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("translat: {}\n", ["'translat'", "did you mean 'translate'"]),
        ("translate: {retrys: 1}\n", ["translate.retrys", "did you mean 'retries'"]),
        ("translate: {retries: 9}\n", ["translate.retries", "9"]),
        ("translate: {retries: many}\n", ["translate.retries", "'many'"]),
        ("filter: {rules: {similarity: {minimum: 1}}}\n", ["minimum"]),
        ("- a\n", ["list"]),
        ("a: &x 1\nb: *x\n", ["aliases"]),
        ("name: a\nname: b\n", ["'name' is repeated"]),
        ("name: !!python/object/apply:os.getcwd []\n", ["not plain YAML"]),
        ("name: [\n", ["not plain YAML"]),
    ],
)
def test_error_names_the_key_and_the_way_out(tmp_path: Path, text: str, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(config_file(tmp_path, text))
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("override", ["translate.retries", "=3", "translate..retries=1", "name.x=1", "name=[1"])
def test_bad_override_is_refused(tmp_path: Path, override: str) -> None:
    with pytest.raises(ConfigError):
        load_config(config_file(tmp_path, "name: n\n"), [override])


@pytest.mark.parametrize(
    "name", ["../../x", "/tmp/x", "a/b", "..", ".", "", ".x", "a\x1b[2J", "a\u202eb", "a\n", "\udcff"]
)
def test_a_name_that_is_no_folder_under_out_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        load_config(config_file(tmp_path, "{}"), [f"name={json.dumps(name)}"])


def test_the_name_of_a_file_makes_a_name_that_will_do(tmp_path: Path) -> None:
    for stem, name in (("\x1b[2Jnews", "_[2Jnews"), ("tin tức", "tin tức"), ("...", "_")):
        path = tmp_path / f"{stem}.yaml"
        path.write_text("{}")
        assert load_config(path).name == name


@pytest.mark.parametrize(
    "override", ["a." * 30_000 + "b=1", "name=" + "[" * 5000, "x" * 50_000 + "=1", "name=!!int ''"]
)
def test_what_is_said_of_an_override_stays_short(tmp_path: Path, override: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(config_file(tmp_path, "{}"), [override])
    assert len(caught.value.problem) < 2000


def test_missing_and_oversized_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read"):
        load_yaml(tmp_path / "none.yaml")
    with pytest.raises(ConfigError, match="bytes"):
        load_yaml(config_file(tmp_path, "#" * 1_000_001))


@pytest.mark.parametrize("path", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda path: path.stem)
def test_shipped_configurations_load(path: Path) -> None:
    assert load_config(path).name == path.stem


def test_a_language_that_is_not_in_the_table_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"read.lang = 'fr': Input should be 'auto', 'th', 'vi' or 'en'"):
        load_config(config_file(tmp_path, "read: {lang: fr}\n"))
    assert load_config(config_file(tmp_path, "read: {lang: vi}\n")).read.lang == "vi"
