"""Cache memory in pages of a fixed number of positions, so that rows of any length share it without gaps."""

from __future__ import annotations

PAGE = 16


class Pages:
    """Which pages belong to which slot.

    A slot reserves what it may need at most, so that it never has to wait in the middle, and takes pages as it grows,
    the last ones given back first, so that the memory that is touched stays small.
    """

    def __init__(self, slots: int, pages: int) -> None:
        self._free = list(range(pages))[::-1]
        self._taken: list[list[int]] = [[] for _ in range(slots)]
        self._reserved = [0] * slots
        self._open = pages

    def fits(self, positions: int) -> bool:
        """Whether a slot for that many positions can be reserved."""
        return -(-positions // PAGE) <= self._open

    def reserve(self, slot: int, positions: int) -> None:
        """Set pages for that many positions aside."""
        self._reserved[slot] = -(-positions // PAGE)
        self._open -= self._reserved[slot]

    def take(self, slot: int) -> int:
        """The next page of a slot, within what it reserved."""
        page = self._free.pop()
        self._taken[slot].append(page)
        assert len(self._taken[slot]) <= self._reserved[slot]
        return page

    def release(self, slot: int) -> None:
        """All pages of a slot are free again."""
        self._free += reversed(self._taken[slot])
        self._open += self._reserved[slot]
        self._taken[slot] = []
        self._reserved[slot] = 0
