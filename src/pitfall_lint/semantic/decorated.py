"""Whether calls of a function run its body as it stands: a decorator above it may send them elsewhere."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Collection, Mapping

from pitfall_lint.libraries import Libraries
from pitfall_lint.libraries.tasks import Retry
from pitfall_lint.semantic.alone import Alone
from pitfall_lint.semantic.reading import Reading
from pitfall_lint.semantic.receivers import Receivers
from pitfall_lint.semantic.spans import Binding, Place

_DECORATOR = re.compile(rb"[ \t]*@([A-Za-z_][\w.]*)[ \t]*(?:\([^\n]*\))?[ \t]*(?:#[^\n]*)?\r?\n")
_FUNCTION = re.compile(rb"\b(?:def|lambda)\b")
_TRANSPARENT = frozenset({"staticmethod", "classmethod", "override"})
_BUILTINS = frozenset(dir(builtins))


class Decorated:
    """The question of one file."""

    def __init__(
        self,
        data: bytes,
        libraries: Libraries,
        imports: Mapping[str, list[Binding]],
        alone: Alone,
        receivers: Receivers,
        is_own: Callable[[str], bool],
    ) -> None:
        self._data = data
        self._followed = _TRANSPARENT | libraries.leaves(Retry)
        self._imports = imports
        self._alone = alone
        self._receivers = receivers
        self._is_own = is_own
        self._answers: dict[str, bool] = {}

    def is_cut_off(self, place: Place) -> bool:
        """Tell whether a decorator of a function is surely one through which calls are not followed.

        A function inside of it may be handed out and called by itself: then the answer is no.
        """
        if place.start <= 0 or not place.is_function:
            return False
        line = self._data.rfind(b"\n", 0, place.start - 1) + 1
        above = _DECORATOR.fullmatch(self._data, line, place.start)
        if above is None or len(_FUNCTION.findall(self._data, place.start, place.end)) != 1:
            return False
        name = above[1].decode("utf-8", "replace")
        if name not in self._answers:
            self._answers[name] = not self._is_followed(*name.split("."))
        return self._answers[name]

    def _is_followed(self, root: str, *rest: str) -> bool:
        leaf = rest[-1] if rest else root
        if leaf in self._followed:
            return True
        bound = self._imports.get(root)
        if bound is None:
            bodies = self._receivers.texts.bodies_of(leaf)
            if rest:  # a method, perhaps of the project
                return bool(bodies) or self._receivers.lineage.is_method(leaf)
            return _wraps(bodies) if bodies else root not in _BUILTINS
        if self._alone.is_given(root) or not all(binding.surely for binding in bound):
            return True
        return any(self._may_wrap(".".join([binding.full, *rest])) for binding in bound)

    def _may_wrap(self, full: str) -> bool:
        """Tell whether what is imported may be a function of the project that puts another one around what it gets."""
        if full.rpartition(".")[2] in self._followed:
            return True
        if not self._is_own(full):
            return False
        found = self._receivers.elsewhere(full)
        if found is None or len(found[1]) != 1:
            return True
        bodies = found[0].texts.bodies_of(found[1][0])
        return not bodies or _wraps(bodies)


def is_decorated(data: bytes, place: Place) -> bool:
    """Tell whether a line right above a function surely is a decorator."""
    line = data.rfind(b"\n", 0, max(place.start - 1, 0)) + 1
    return place.start > 0 and data[line : place.start].lstrip().startswith(b"@")


def _wraps(bodies: Collection[Reading | None]) -> bool:
    """Tell whether one of some functions holds another one."""
    return any(body is None or sum(word == "def" for word, _ in body.words) > 1 for body in bodies)
