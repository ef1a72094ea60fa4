"""A translation model that says what the test tells it to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipeline.engines.base import Output, Request

Say = Callable[[Request], str]


class WordCodec:
    """One token a character of the request; what the model says is looked up by request."""

    takes_hints = True

    def __init__(self, say: Say) -> None:
        self.say = say
        self.requests: list[Request] = []

    def encode(self, request: Request) -> list[int]:
        if request not in self.requests:
            self.requests.append(request)
        return [self.requests.index(request)] + [0] * len(request.text)

    def count(self, text: str) -> int:
        return len(text)

    def decode(self, tokens: Sequence[int]) -> str:
        request = self.requests[tokens[0]]
        return self.say_again(request) if tokens[1] else self.say(request)

    def say_again(self, request: Request) -> str:
        """What a careful search finds."""
        return "The meeting in Hanoi has 25 people."


@dataclass
class EchoEngine:
    about: dict[str, str] = field(default_factory=dict)
    batches: list[int] = field(default_factory=list)
    careful: list[bool] = field(default_factory=list)
    batch_rows = 32

    def generate(
        self, rows: Sequence[Sequence[int]], max_new_tokens: Sequence[int], *, careful: bool = False
    ) -> list[Output]:
        self.batches.append(len(rows))
        self.careful.append(careful)
        note = "decoded again in float32 on the CPU" if careful else ""
        return [Output((row[0], careful), -0.5, "stop", note) for row in rows]

    def close(self) -> None:
        pass
