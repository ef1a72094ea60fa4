import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.settings import PRESETS, Config, FilterSettings, Rule
from pipeline.errors import ConfigError
from pipeline.stages.filter.stage import filter_pairs
from pipeline.types import Scored
from tests.stages.score.build import pair


def scored(name="p", source="ก", english="a", origin="aligned", **scores):
    return Scored(pair(source, english, name=name, origin=origin), scores)


def decide(rows, **rules):
    return list(filter_pairs(rows, FilterSettings(preset="none", rules={k: Rule(**v) for k, v in rules.items()})))


def test_reasons_name_score_value_and_limit():
    row = scored(similarity=0.3124, length_ratio=2.5, copy=0.1)
    (verdict,) = decide([row], similarity={"min": 0.45}, length_ratio={"max": 1.7}, copy={"max": 0.8})
    assert not verdict.keep
    assert verdict.texts == ("similarity 0.312 < 0.45", "length_ratio 2.5 > 1.7")
    assert verdict.kinds == {"similarity", "length_ratio"}


@given(st.floats(0, 1, exclude_max=True), st.floats(0.0009, 1))
def test_a_reason_never_shows_the_limit_as_the_value(value, limit):
    (verdict,) = decide([scored(similarity=value)], similarity={"min": limit})
    assert verdict.keep == (value >= limit)
    for reason in verdict.texts:
        assert float(reason.split()[1]) != limit


def test_limits_themselves_pass():
    (verdict,) = decide(
        [scored(similarity=0.45, length_ratio=1.7)], similarity={"min": 0.45}, length_ratio={"max": 1.7}
    )
    assert verdict.keep


def test_a_score_that_does_not_apply_passes():
    (verdict,) = decide([scored(similarity=None)], similarity={"min": 0.9}, guard={"min": 1})
    assert verdict.keep


def test_rules_for_one_origin():
    rows = [scored(o, english=o, origin=o, ending=0.0) for o in ("translated", "aligned", "mined")]
    assert [v.keep for v in decide(rows, ending={"min": 1, "origin": "aligned"})] == [True, False, False]
    assert [v.keep for v in decide(rows, ending={"min": 1, "origin": "translated"})] == [False, True, True]
    assert [v.keep for v in decide(rows, ending={"min": 1})] == [False, False, False]


def test_duplicates():
    rows = [
        scored("first", "Một hai", "One two"),
        scored("again", "MỘT  HAI", "one TWO"),
        scored("other english", "Một hai", "One too"),
        scored("other source", "Mốt hai", "One two"),
    ]
    first, again, *others = decide(rows)
    assert first.keep
    assert again.texts == ("duplicate of first",)
    assert all(verdict.keep for verdict in others)


def test_copies_that_differ_in_spelling_conventions_are_duplicates():
    rows = [scored("first", "“Hòa” – 5", "“Peace” – 5"), scored("again", '"Hoà" - 5', '"Peace" - 5')]
    assert [verdict.keep for verdict in decide(rows)] == [True, False]


def test_a_rejected_pair_does_not_shadow_a_good_copy():
    rows = [
        scored("bad", log_probability=-9.0),
        scored("good", log_probability=-1.0),
        scored("copy", log_probability=-9.0),
    ]
    bad, good, copy = decide(rows, log_probability={"min": -5})
    assert bad.texts == ("log_probability -9 < -5",)
    assert good.keep
    assert copy.texts == ("log_probability -9 < -5", "duplicate of good")
    assert copy.kinds == {"log_probability", "duplicate"}


@pytest.mark.parametrize("name", ["first", "a: b", "held-out x"])
def test_what_a_pair_is_called_does_not_change_the_kind_of_a_reason(name):
    _, again = decide([scored(name, "Một hai", "One two"), scored("again", "Một hai", "One two")])
    assert again.texts == (f"duplicate of {name}",)
    assert again.kinds == {"duplicate"}


def test_unknown_scores_are_refused_before_anything_is_read():
    def unread():
        raise AssertionError
        yield

    with pytest.raises(ConfigError, match="'similarty'; did you mean 'similarity'"):
        filter_pairs(unread(), FilterSettings(rules={"similarty": Rule(min=0.5)}))


def test_a_rule_that_nothing_can_pass_is_refused():
    with pytest.raises(ConfigError, match="min 2 is over max 1"):
        filter_pairs([], FilterSettings(rules={"copy": Rule(min=2, max=1)}))


class TestPresets:
    def test_a_preset_gives_its_rules_and_is_named(self):
        settings = FilterSettings(preset="balanced")
        assert settings.preset == "balanced"
        assert settings.rules["copy"].max is not None

    @pytest.mark.parametrize("name", PRESETS)
    def test_every_preset_names_scores_that_there_are(self, name):
        settings = FilterSettings(preset=name)
        assert settings.rules
        assert list(filter_pairs([], settings)) == []

    def test_no_preset_no_rules(self):
        assert FilterSettings(preset="none").rules == {}

    def test_balanced_where_nothing_is_said(self):
        assert FilterSettings().rules == Config().filter.rules == FilterSettings(preset="balanced").rules != {}

    def test_own_rules_replace_those_of_the_preset(self):
        settings = FilterSettings(preset="balanced", rules={"copy": Rule(max=0.5), "displacement": {"max": 0.4}})
        assert settings.rules["copy"] == Rule(max=0.5)
        assert settings.rules["displacement"] == Rule(max=0.4)
        assert settings.rules["repetition"] == FilterSettings(preset="balanced").rules["repetition"]

    @pytest.mark.parametrize("off", [None, False, "off"])
    def test_a_rule_is_switched_off(self, off):
        settings = FilterSettings.model_validate({"preset": "balanced", "rules": {"copy": off}})
        row = scored(copy=1.0)
        assert next(filter_pairs([row], settings)).keep
        assert not next(filter_pairs([row], FilterSettings(preset="balanced"))).keep

    def test_resolved_settings_are_read_again_as_they_are(self):
        settings = FilterSettings.model_validate({"preset": "strict", "rules": {"copy": "off"}})
        assert FilterSettings.model_validate(settings.model_dump()) == settings

    def test_an_unknown_preset_names_the_nearest(self):
        with pytest.raises(ConfigError, match="unknown preset 'ballanced'; did you mean 'balanced'"):
            FilterSettings(preset="ballanced")

    def test_a_stricter_preset_keeps_no_pair_that_a_milder_one_rejects(self):
        mild, middle, strict = (FilterSettings(preset=name).rules for name in PRESETS)
        for ours, theirs in ((mild, middle), (middle, strict)):
            for name, rule in ours.items():
                assert name in theirs
                assert rule.max is None or theirs[name].max <= rule.max
                assert rule.min is None or theirs[name].min >= rule.min
