"""Accepted pairs as files, one module a format."""
