"""Segments to English, with hints and guards."""
