"""Corpus formats."""
