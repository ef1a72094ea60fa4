"""What is measured of a pair; nothing here decides."""
