"""How likely a pair was damaged, from many weak features."""
