from pipeline.text.abbreviations import spelled_out


def test_abbreviations_become_the_words_they_stand_for() -> None:
    assert spelled_out("ด่วน! ครม.ไฟเขียว เริ่ม 1 ม.ค.68", "th") == "ด่วน! คณะรัฐมนตรีไฟเขียว เริ่ม 1 มกราคม68"
    assert spelled_out("สำนักงาน ก.พ. รับสมัคร 13 ก.พ.", "th") == "สำนักงานคณะกรรมการข้าราชการพลเรือน รับสมัคร 13 กุมภาพันธ์"
    assert spelled_out("ผบ.ตร. พล.ต.อ.สมชาย", "th") == "ผู้บัญชาการตำรวจแห่งชาติ พลตำรวจเอกสมชาย"


def test_what_is_inside_a_word_and_what_is_another_abbreviation_stays() -> None:
    for text in ("ย.ครม.", "กครม.", "ไม่มีตัวย่อ", "3.5 ล้าน", ""):
        assert spelled_out(text, "th") == text
    assert spelled_out("TP. HCM ครม.", "vi") == "TP. HCM ครม."
