"""Scores of pairs and of corpora, each with a signature."""
