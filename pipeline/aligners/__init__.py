"""Sentence encoders, the bead dynamic programme, document candidates."""
