"""mekong: Thai and Vietnamese news text into English, and into parallel corpora."""
