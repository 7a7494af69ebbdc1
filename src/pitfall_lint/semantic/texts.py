"""What one file gives to names, attributes and callers, cut out of its bytes by the name that is asked for."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

from pitfall_lint.semantic.reading import Reading

_CLASS = re.compile(rb"class[ \t]+(\w+)")
_ASSIGNMENT = rb"\bself\.%s\b[ \t]*=(?!=)[ \t]*([^\r\n]*)"
_GIVEN = rb"(?:\bself\.|^[ \t]+)%s[ \t]*(?::(?!=)[ \t]*([^=\r\n#]*))?(?:=(?!=)[ \t]*([^\r\n]*))?"
_TARGET = rb"\bself\.%s[ \t]*(?:,|\bin\b)|\bas[ \t]+self\.%s\b|,[ \t]*self\.%s\b[^=\n(]*="
_SLASHED = re.compile(rb"^(\w+)[ \t]*(?::[^=\n]*)?=[ \t(]*[a-zA-Z]{0,2}[\"']+(?:/|\w+://)", re.MULTILINE)


def slashed_variables(data: bytes) -> frozenset[str]:
    """Return the variables of a module that are given a text that begins as an absolute path or an address does."""
    return frozenset(name.decode("utf-8", "replace") for name in _SLASHED.findall(data))


class Texts:
    """The question for one file; a value is told up to the end of its line."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._bodies: dict[str, list[Reading | None]] = {}
        self._assigned: dict[str, list[bytes]] = {}
        self._variables: dict[str, list[bytes]] = {}
        self._given: dict[str, list[tuple[bytes, bytes]]] = {}

    def bodies_of(self, name: str) -> Sequence[Reading | None]:
        """Return the functions of a name; None for one that cannot be read on its own."""
        found = self._bodies.get(name)
        if found is None:
            found = self._bodies[name] = []
            if f"def {name}".encode() in self.data:
                pattern = rb"^([ \t]*)(?:async[ \t]+)?def[ \t]+%s\b" % re.escape(name.encode())
                found.extend(self._body(match) for match in re.finditer(pattern, self.data, re.MULTILINE))
        return found

    def _body(self, match: re.Match[bytes]) -> Reading | None:
        start, indent = match.start(), len(match[1])
        end = re.compile(rb"^[ \t]{0,%d}[^ \t\r\n#)\]}]" % indent, re.M).search(self.data, match.end())
        text = self.data[start : end.start() if end else len(self.data)]
        try:
            tree = ast.parse(b"if 1:\n" + text if indent else text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        node = tree.body[0]
        function = node.body[0] if isinstance(node, ast.If) else node
        if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return None
        reading = Reading(function)
        if indent:
            reading.owner = owner_at(self.data, start)
        return reading

    def module_variable(self, name: str) -> Sequence[bytes]:
        """Return what the module assigns to a variable."""
        found = self._variables.get(name)
        if found is None:
            pattern = rb"^%s\b[ \t]*(?::[^=\r\n]*)?=(?!=)[ \t]*([^\r\n]*)" % re.escape(name.encode())
            found = self._variables[name] = re.findall(pattern, self.data, re.MULTILINE)
        return found

    def assigned(self, attribute: str) -> Sequence[bytes]:
        """Return what is assigned to `self.attribute`; nothing when an annotation may say what it is."""
        found = self._assigned.get(attribute)
        if found is None:
            name = attribute.encode()
            found = re.findall(_ASSIGNMENT % re.escape(name), self.data) if b"self." + name in self.data else []
            if found and re.search(rb"\b%s[ \t]*:(?!=)" % re.escape(name), self.data):
                found = []
            self._assigned[attribute] = found
        return found

    def given_to(self, attribute: str) -> Sequence[tuple[bytes, bytes]]:
        """Return annotations and values of what goes by an attribute's name; both empty where that is hard to tell."""
        found = self._given.get(attribute)
        if found is None:
            found = self._given[attribute] = list(self._find_given(attribute.encode()))
        return found

    def _find_given(self, attribute: bytes) -> Iterator[tuple[bytes, bytes]]:
        if attribute not in self.data:
            return
        name = re.escape(attribute)
        for match in re.finditer(_GIVEN % name, self.data, re.MULTILINE):
            if match[1] or match[2]:
                yield match[1] or b"", match[2] or b""
        if b"self." + attribute in self.data and re.search(_TARGET % (name, name, name), self.data) is not None:
            yield b"", b""


def class_at(data: bytes, offset: int) -> str:
    """Return the name of the module's class that begins last before a method; "" when there is none."""
    match = _CLASS.match(data, _class_start(data, offset))
    return match[1].decode("utf-8", "replace") if match is not None else ""


def owner_at(data: bytes, offset: int) -> str:
    """Return the name of the module's class around a method; "" where another class may stand between them."""
    between = data[_class_start(data, offset) : offset]
    return "" if re.search(rb"\n[ \t]+class ", between) is not None else class_at(data, offset)


def _class_start(data: bytes, offset: int) -> int:
    return data.rfind(b"\nclass ", 0, offset) + 1
