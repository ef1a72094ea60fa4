"""What mekong knows about Thai, Vietnamese and English text."""
