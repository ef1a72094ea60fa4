"""Cache memory in pages of a fixed number of positions, so that rows of any length share it without gaps."""

from __future__ import annotations

PAGE = 16


class Pages:
    """Which pages belong to which slot. The last ones given back are taken first, so that little memory is touched."""

    def __init__(self, slots: int, pages: int) -> None:
        self._free = list(range(pages))[::-1]
        self._taken: list[list[int]] = [[] for _ in range(slots)]

    def take(self, slot: int) -> int:
        """Another page for a slot."""
        self._taken[slot].append(self._free.pop())
        return self._taken[slot][-1]

    def release(self, slot: int) -> None:
        """All pages of a slot are free again."""
        self._free += reversed(self._taken[slot])
        self._taken[slot] = []
