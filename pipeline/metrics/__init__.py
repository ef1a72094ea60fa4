"""Scores of systems against references: corpus metrics, their significance, learned metrics."""
