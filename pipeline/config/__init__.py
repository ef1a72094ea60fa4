"""Typed settings: what a configuration may say, and how it is read."""
