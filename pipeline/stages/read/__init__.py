"""Files to documents; files of pairs to pairs."""
