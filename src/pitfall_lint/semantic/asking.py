"""Asking about many definitions at once: answers are kept, cycles end, effort is bounded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

EFFORT = 400
"""Steps after which the answer to the outermost question is "perhaps"."""
DEPTH = 60


class Asking:
    """Questions whose answer is no until one of their parts says yes; a yes holds for good.

    A no holds as long as what it leaned on is no: what was denied on the way to a yes is forgotten.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._steps = 0
        self._denied: list[tuple[dict[Any, bool], Any]] = []
        self.answers: dict[Any, bool] = {}
        """What was answered for all files at once."""

    def is_too_much(self) -> bool:
        """Take one more step; tell whether that is beyond the effort."""
        self._steps += 1
        return self._steps > EFFORT or self._depth > DEPTH

    def deny(self, answers: dict[Any, bool], key: Any) -> None:
        """Answer a question with no for now."""
        answers[key] = False
        self._denied.append((answers, key))

    def ask(self, question: Callable[[], bool]) -> bool:
        """Return the answer to a question that may lead to others."""
        before = len(self._denied)
        self._depth += 1
        try:
            found = question()
        finally:
            self._depth -= 1
        if found:
            for answers, key in self._denied[before:]:
                answers.pop(key, None)
            del self._denied[before:]
        if not self._depth:
            self._denied.clear()
            self._steps = 0
        return found

    def remembered(self, answers: dict[Any, bool], key: Any, question: Callable[[], bool]) -> bool:
        """Return the kept answer to a question, or ask it; it may come back to itself."""
        found = answers.get(key)
        if found is None:
            self.deny(answers, key)
            found = self.ask(question)
            if found:
                answers[key] = True
        return found
