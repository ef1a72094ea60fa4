"""Deciding about pairs by hand, in a browser on this machine."""
