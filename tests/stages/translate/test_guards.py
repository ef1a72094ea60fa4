"""What the guards catch, and what they leave alone."""

from pathlib import Path

import pytest

from pipeline.stages.translate.guards import clean, compression, findings, loop_share, name_present, plain_number
from pipeline.text.unicode import fold

DATA = Path(__file__).parents[2] / "data"


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("The visit begins on Monday.", "The visit begins on Monday."),
        ("Here is the translation: The visit begins.", "The visit begins."),
        ("Sure! Here's the English translation:\n\nThe visit begins.", "The visit begins."),
        ("Translation: The visit begins.\nI hope this helps.", "The visit begins."),
        ('The translation of the Thai sentence into English is:\n\n"The visit begins."', "The visit begins."),
        ("“The visit begins.”", "“The visit begins.”"),
        ('"The visit begins."', "The visit begins."),
        ('"Peace" and "war"', '"Peace" and "war"'),
        ("The visit begins. (Note: the date is unclear)", "The visit begins."),
        ("Hanoi: the visit begins.", "Hanoi: the visit begins."),
        ("", ""),
    ],
)
def test_clean_takes_the_translation_out_of_the_talk(answer: str, expected: str) -> None:
    source = "“การเยือนเริ่มขึ้น”" if answer.startswith("“") else "การเยือนเริ่มขึ้น"
    assert clean(answer, source) == expected


SOURCE = "นายกรัฐมนตรีเดินทางถึงกรุงฮานอยเมื่อวันที่ 5 พฤษภาคม พร้อมคณะผู้แทน 25 คน"
GOOD = "The Prime Minister arrived in Hanoi on May 5 with a delegation of 25 people."


def ended(
    hypothesis: str, source: str = SOURCE, engine: str = "stop", names: tuple[tuple[str, str], ...] = ()
) -> list[str]:
    return [found.ended for found in findings(source, "th", hypothesis, engine, names)]


def test_a_month_is_asked_for_by_its_name() -> None:
    (found,) = findings(SOURCE, "th", GOOD.replace("May", "June"), "stop", ())
    assert (found.ended, found.missing) == ("incomplete", "May")


def test_a_good_translation_passes() -> None:
    assert ended(GOOD, names=(("ฮานอย", "Hanoi"), ("พฤษภาคม", "May"))) == []


@pytest.mark.parametrize(
    ("hypothesis", "worst"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("I'm sorry, but I can't translate this 25 5.", "refused"),
        ("The sentence is about a Prime Minister who went to Hanoi on May 5 with 25 people.", "refused"),
        ("This Thai sentence means 5 and 25.", "refused"),
        (SOURCE, "copied"),
        ("The Prime Minister arrived in กรุงฮานอย on May 5 with 25 people.", "incomplete"),
        ("The Prime Minister arrived in Hanoi on May 5 with his people and friends.", "incomplete"),
        ("Hanoi, 5, 25.", "incomplete"),
        ("The Prime Minister " + "and the minister of the state 5 25 " * 12, "looped"),
        ("The delegation delegation delegation delegation delegation of 25 on May 5 arrived.", "looped"),
    ],
)
def test_each_fault_is_found_and_named(hypothesis: str, worst: str) -> None:
    found = findings(SOURCE, "th", hypothesis, "stop")
    assert found and found[0].ended == worst
    assert all(one.problem for one in found)


def test_engine_words_are_kept() -> None:
    assert ended(GOOD, engine="length") == ["length"]
    assert ended("", engine="failed") == ["failed"]


def test_missing_number_and_name_are_told_to_the_second_attempt() -> None:
    found = findings(
        SOURCE, "th", "The Prime Minister arrived on May 5 with a large delegation.", "stop", (("ฮานอย", "Hanoi"),)
    )
    assert [one.missing for one in found] == ["25", "Hanoi"]


def test_buddhist_year_left_as_it_is_counts_as_missing() -> None:
    source = "ทั้งสองประเทศสถาปนาความสัมพันธ์ทางการทูตเมื่อ พ.ศ. 2535"
    assert ended("The two countries established diplomatic relations in 1992.", source) == []
    assert ended("The two countries established diplomatic relations in 2535.", source) == ["incomplete"]


def test_countries_pass_under_any_of_their_names_and_latin_terms_as_they_are() -> None:
    names = (("ประเทศไทย", "Thailand"), ("TTXVN", "Vietnam News Agency"))
    assert ended("Thai leaders met in Hanoi on May 5, said TTXVN; 25 people came.", names=names) == []
    missing = findings(SOURCE, "th", "The leaders met in Hanoi on May 5; 25 people came.", "stop", names)
    assert [one.missing for one in missing] == ["Thailand", "Vietnam News Agency"]


@pytest.mark.parametrize(
    ("name", "text", "there"),
    [
        ("Vietnam", "Vietnamese leaders", True),
        ("Russia", "the Russian side", True),
        ("To Lam", "Tô Lâm said", True),
        ("United Nations", "the UN said", True),
        ("Republic of Kazakhstan", "in Kazakhstan", True),
        ("Kazakhstan", "in Turkey", False),
        ("To Lam", "to the lamb", False),
        ("Olympic Games", "the 2012 Olympics", True),
        ("Kyoto Protocol", "refused to ratify Kyoto", True),
        ("Black Sea", "the Black and Caspian Seas", True),
        ("Minister of Public Health", "the health minister said", True),
        ("Department of Disease Control", "the disease control agency", True),
        ("International Olympic Committee", "the IOC said", True),
        ("Kyoto Protocol", "refused to ratify the protocol", False),
        ("Minister of Public Health", "the minister of finance", False),
        ("Department of Health", "the department of trade", False),
        ("Ho Chi Minh", "in Minh's town", False),
        ("World Health Organization", "it was a world record", False),
        ("Red River", "red cars", False),
        ("Supreme Court", "the supreme leader", False),
        ("Move Forward Party", "he will move soon", False),
        ("National Assembly", "the assembly of the national guard", True),
    ],
)
def test_names_are_found_in_their_usual_forms(name: str, text: str, there: bool) -> None:
    folded = fold(text)
    assert name_present(name, folded, folded.split()) is there


def test_repetition_measures() -> None:
    assert loop_share("the deal was signed and " * 10) > 0.2
    assert loop_share(GOOD) == 0.0
    assert compression("very good " * 50) > 5
    assert compression(GOOD) < 1.5


def rows(name: str) -> list[list[str]]:
    """The lines of a file of cases, cut at tabs; a line break inside a field is written as a backslash and an n."""
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    return [line.replace("\\n", "\n").split("\t") for line in lines]


@pytest.mark.parametrize(("lang", "source", "english"), rows("guards_right.tsv"))
def test_what_the_source_says_is_no_talk_and_is_not_cut(lang: str, source: str, english: str) -> None:
    assert findings(source, lang, english, "stop") == ()
    assert clean(english, source) == english


SOURCES = {"th": "การเยือนเริ่มขึ้นในวันจันทร์", "vi": "Chuyến thăm bắt đầu vào thứ Hai"}


@pytest.mark.parametrize("lang", SOURCES)
@pytest.mark.parametrize("answer", [row[0] for row in rows("guards_wrong.tsv")])
def test_what_a_model_says_itself_is_found_before_and_after_cleaning(answer: str, lang: str) -> None:
    source = SOURCES[lang]
    for text in (answer, clean(answer, source)):
        assert {found.ended for found in findings(source, lang, text, "stop")} & {"refused", "empty"}


@pytest.mark.parametrize("source", SOURCES.values())
@pytest.mark.parametrize("answer", [row[0] for row in rows("guards_wrapped.txt")])
def test_a_wrapped_translation_is_taken_out(answer: str, source: str) -> None:
    assert clean(answer, source) == "The visit begins."


@pytest.mark.parametrize("answer", ['"The visit begins."', "Translation: The visit begins.", "Sure: (Note: a visit)"])
def test_only_answers_of_chat_models_are_taken_apart(answer: str) -> None:
    assert clean(answer, SOURCES["th"], chat=False) == answer


def test_a_fence_of_the_source_stays() -> None:
    assert clean("Use ``` here", "ใช้ ``` ที่นี่") == "Use ``` here"
    assert findings("ใช้ ``` ที่นี่", "th", "Use ``` here", "stop") == ()


@pytest.mark.parametrize(
    ("lang", "source", "english", "problem"),
    [
        ("th", "ในเดือนสิงหาคม 2022 เขาลาออก", "He resigned on August 22, 2022.", "does not have: 22"),
        ("vi", "Giá vàng tăng mạnh trong tháng 5.", "Gold rose by 12 percent in May.", "does not have: 12"),
        ("vi", "Dự án trị giá 300 triệu đồng.", "The project is worth 300 million yuan.", "dong became yuan"),
        ("th", "พื้นที่เสียหาย 4 ไร่", "4 hectares were damaged.", "rai became hectare"),
    ],
)
def test_added_numbers_and_other_units_are_found(lang: str, source: str, english: str, problem: str) -> None:
    found = findings(source, lang, english, "stop")
    assert [one.ended for one in found] == ["incomplete"]
    assert problem in found[0].problem


def test_for_an_added_day_the_month_is_asked_for() -> None:
    source, english = "ในเดือนสิงหาคม พ.ศ. 2565 เขาลาออก", "He resigned on August 22, 2022."
    (found,) = findings(source, "th", english, "stop")
    assert found.missing == "August 2022"


@pytest.mark.parametrize(
    ("lang", "source", "english"),
    [
        ("th", "ในเดือนสิงหาคม 2022 เขาลาออก", "He resigned in August 2022."),
        ("vi", "Hai người bị thương.", "2 people were hurt."),
        ("th", "ราคาขึ้นสามเท่า", "The price rose 3 times."),
    ],
)
def test_numbers_that_words_of_the_source_say_are_not_added(lang: str, source: str, english: str) -> None:
    assert findings(source, lang, english, "stop") == ()


def test_a_stretch_of_the_source_that_was_carried_over_is_found_and_a_title_is_not() -> None:
    source = "Tức là, không có sự phản đối nào về nguyên tắc đối với phim Đất rừng phương Nam, ông Costello nói."
    kept = 'The sentence "không có sự phản đối nào về nguyên tắc đối với phim" translates to:'
    (found,) = (one for one in findings(source, "vi", kept, "stop") if one.problem.startswith("left"))
    assert found.problem == "left as in the source: không có sự phản đối nào"
    titled = "That is, there is no objection in principle to the film Đất rừng phương Nam, Costello said."
    assert findings(source, "vi", titled, "stop") == ()
    work = 'The work "Nhật ký trong tù và những bài thơ khác" (Prison Diary and other poems)'
    assert findings('Tác phẩm "Nhật ký trong tù và những bài thơ khác"', "vi", work, "stop") == ()


def test_for_a_change_said_otherwise_the_relation_is_asked_for_again() -> None:
    (found,) = findings("Phà tăng giá vé lên 32.000 đồng.", "vi", "The ferry raised the fare by 32,000 dong.", "stop")
    assert (found.problem, found.missing) == ("up to 32,000 became up by 32,000", "up to 32,000")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2e10, "20 billion"),
        (148_620_000_000, "148.62 billion"),
        (1.5e6, "1.5 million"),
        (32_000, "32,000"),
        (2025, "2025"),
    ],
)
def test_large_numbers_are_asked_for_in_words(value: float, text: str) -> None:
    assert plain_number(value, "") == text
