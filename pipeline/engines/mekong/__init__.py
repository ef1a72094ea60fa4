"""The project's own engine for encoder-decoder translation models, in PyTorch.

`families` reads checkpoints into one architecture; a core runs encoder and decoder steps (`cpu`: packed rows without
padding; `cuda`: static shapes); `search` chooses tokens; `scheduler` keeps the decoder's slots filled.
"""

VERSION = 1
"""Raised when the same rows would get other tokens or scores."""
