"""Whether an expression could hold an object of some library, told by the stdlib's `ast` and imports alone.

Says no only where the full inference of types cannot say yes either: parameters without annotation, constants,
displays, what other libraries give, and names of modules that have nothing to do with the library.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache

from pitfall_lint.semantic.reading import Reading
from pitfall_lint.semantic.spans import Binding

_Question = tuple[ast.expr, Reading, frozenset[str]]
_NEVER = (
    *(ast.Constant, ast.JoinedStr, ast.List, ast.Dict, ast.Set, ast.Tuple, ast.ListComp, ast.DictComp),
    *(ast.SetComp, ast.GeneratorExp, ast.Compare, ast.BinOp, ast.UnaryOp, ast.Lambda),
)
_BUILTINS = frozenset(dir(builtins)) - {"super"}


PLAIN_METHODS = frozenset(
    name for kind in (dict, list, str, bytes, set, int) for name in dir(kind) if not name.startswith("_")
) | {"json", "text", "read", "readline", "readlines", "total_seconds", "isoformat", "model_dump", "group", "groups"}
"""Methods that give plain data, whatever they are called on."""
_ASSIGNMENT = rb"\bself\.%s\b[ \t]*=(?!=)[ \t]*([^\r\n]*)"


def is_near(roots: frozenset[str], named: Collection[str]) -> bool:
    """Tell whether one of some things is named: a word, or both a package and a word ("package.Type")."""
    for root in roots:
        package, _, leaf = root.rpartition(".")
        if leaf in named and (not package or package in named):
            return True
    return False


@lru_cache(maxsize=4096)
def _packages(roots: frozenset[str]) -> frozenset[str]:
    """Return the top-level packages of some things; the things themselves where they have none."""
    return frozenset(root.partition(".")[0] for root in roots)


class Receivers:
    """The question for the expressions of one file."""

    def __init__(
        self,
        data: bytes,
        roots: frozenset[str],
        imports: Callable[[str], Iterable[Binding]],
        reaches: Callable[[str, frozenset[str]], bool],
        giving: frozenset[str] = frozenset(),
    ) -> None:
        self.giving = giving
        """Leaf names of library functions and methods that are known to give objects of a type."""
        self.data = data
        self.named = roots
        """The words of interest that this file names."""
        self.imports = imports
        self.reaches = reaches
        """Tells whether what a qualified name is imported from may have to do with these packages."""
        self._leaf_words: dict[frozenset[str], frozenset[str]] = {}
        self._attributes: dict[tuple[str, frozenset[str]], bool] = {}
        self._never: set[tuple[str, Reading, frozenset[str]]] = set()
        """Names of definitions that hold no such object."""
        self._bodies: dict[str, list[tuple[frozenset[str], bool]]] = {}
        self._assignments: dict[str, list[bytes]] = {}
        self._globals: dict[str, list[bytes]] = {}
        self._working = 0
        """How many questions about attributes and variables are open."""

    def may_hold(self, node: ast.expr, reading: Reading, roots: frozenset[str]) -> bool:
        """Tell whether an expression of a definition could be an object of one of these packages."""
        seen: set[tuple[str, Reading, frozenset[str]]] = set()
        pending: list[_Question] = [(node, reading, roots)]
        while pending:
            found = self._ask(*pending.pop(), seen)
            if found is True:
                return True
            if found:
                pending.extend(found)
        if not self._working:
            self._never |= seen
        return False

    def _ask(
        self, node: ast.expr, reading: Reading, roots: frozenset[str], seen: set[tuple[str, Reading, frozenset[str]]]
    ) -> bool | list[_Question]:
        """Answer, or return the questions of which one has to be answered with yes."""
        if isinstance(node, _NEVER):
            return False
        if isinstance(node, (ast.Await, ast.Subscript, ast.NamedExpr, ast.Starred)):
            return [(node.value, reading, roots)]
        if isinstance(node, ast.IfExp):
            return [(node.body, reading, roots), (node.orelse, reading, roots)]
        if isinstance(node, ast.BoolOp):
            return [(part, reading, roots) for part in node.values]
        if isinstance(node, ast.Call):
            return self._called(node, reading, roots, seen)
        if isinstance(node, ast.Name):
            return self._name(node.id, reading, roots, seen)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, reading, roots)
        return True

    def _called(
        self, node: ast.Call, reading: Reading, roots: frozenset[str], seen: set[tuple[str, Reading, frozenset[str]]]
    ) -> bool | list[_Question]:
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr in self._leaves(roots):
            return True if func.attr[:1].isupper() else [(func.value, reading, _packages(roots))]  # a client's method
        if isinstance(func, ast.Name):
            if func.id in reading.values or func.id in reading.params:
                return self._name(func.id, reading, roots, seen)
            if self._bound(func.id, reading):
                return self._imported(func.id, reading, roots)
            return func.id not in _BUILTINS and self._near(roots) and self._returned(func.id, roots)
        if isinstance(func, ast.Attribute) and func.attr in PLAIN_METHODS and func.attr not in self.giving:
            return False
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in ("self", "cls"):
            return self._near(roots) and self._returned(func.attr, roots)
        return [(func, reading, roots)]

    def _name(
        self, name: str, reading: Reading, roots: frozenset[str], seen: set[tuple[str, Reading, frozenset[str]]]
    ) -> bool | list[_Question]:
        if name in ("self", "cls"):
            return self._near(roots)
        if name in reading.params or name in reading.values:
            key = (name, reading, roots)
            if key in seen or key in self._never:  # what else it may be is being looked at
                return False
            seen.add(key)
            if any(self._annotated(annotation, reading, roots) for annotation in reading.params.get(name, ())):
                return True
            return [(value, reading, roots) for value in reading.values.get(name, ())]
        if self._bound(name, reading):
            return self._imported(name, reading, roots)
        return self._near(roots) and self._remembered(f" {name}", roots, lambda: self._global(name, roots))

    def _attribute(self, node: ast.Attribute, reading: Reading, roots: frozenset[str]) -> bool | list[_Question]:
        if node.attr in self._leaves(roots):
            return True
        if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            return self._near(roots) and self._remembered(node.attr, roots, lambda: self._own(node.attr, roots))
        return [(node.value, reading, roots)]

    def _remembered(self, key: str, roots: frozenset[str], ask: Callable[[], bool]) -> bool:
        """Return the answer of a question that may come back to itself: no, until it is known."""
        found = self._attributes.get((key, roots))
        if found is None:
            self._working += 1
            self._attributes[key, roots] = False
            found = self._attributes[key, roots] = ask()
            self._working -= 1
            if not found and self._working:  # perhaps only because another question was still open
                del self._attributes[key, roots]
        return found

    def _global(self, name: str, roots: frozenset[str]) -> bool:
        """Tell whether what this module assigns to a variable may be such an object; yes when it assigns nothing."""
        texts = self._globals.get(name)
        if texts is None:
            pattern = rb"^%s\b[ \t]*=(?!=)[ \t]*([^\r\n]*)" % re.escape(name.encode())
            texts = self._globals[name] = re.findall(pattern, self.data, re.MULTILINE)
        return not texts or any(self._text(text, roots) for text in texts)

    def _text(self, text: bytes, roots: frozenset[str]) -> bool:
        try:
            value = ast.parse(text.decode("utf-8", "replace").strip(), mode="eval").body
        except (SyntaxError, ValueError):
            head = re.match(rb"[\w.]+(?=\()", text)  # it goes on in the next line
            if head is None:
                return text[:1] not in b"[{\"'"
            value = ast.parse(f"{head[0].decode('utf-8', 'replace')}()", mode="eval").body
        return self.may_hold(value, Reading(), roots)

    def _returned(self, name: str, roots: frozenset[str]) -> bool:
        """Tell whether a function of this file may return such an object; yes when it stands elsewhere."""
        bodies = self._bodies.get(name)
        if bodies is None:
            bodies = self._bodies[name] = list(self._find_bodies(name))
        leaves = self._leaves(roots)
        return not bodies or any(asks or not leaves.isdisjoint(words) for words, asks in bodies)

    def _find_bodies(self, name: str) -> Iterator[tuple[frozenset[str], bool]]:
        """Yield the words of the functions of a name that return something, and whether they ask others for it."""
        if f"def {name}".encode() not in self.data:
            return
        for match in re.finditer(
            rb"^([ \t]*)(?:async[ \t]+)?def[ \t]+%s\b" % re.escape(name.encode()), self.data, re.M
        ):
            end = re.compile(rb"^[ \t]{0,%d}[^ \t\r\n#)\]}]" % len(match[1]), re.M).search(self.data, match.end())
            body = self.data[match.start() : end.start() if end else len(self.data)]
            if b"return" in body or b"yield" in body or b"->" in body:
                words = frozenset(word.decode("utf-8", "replace") for word in re.findall(rb"\w+", body))
                yield words, b" self." in body or b"(" in body[body.find(b":") :]
            else:
                yield frozenset(), False

    def _own(self, name: str, roots: frozenset[str]) -> bool:
        """Tell whether what this file assigns to `self.name` may be such an object; yes when it assigns nothing."""
        assigned = self._assigned(name)
        if not assigned:
            return True
        for text in assigned:
            try:
                value = ast.parse(text.decode("utf-8", "replace").strip(), mode="eval").body
            except (SyntaxError, ValueError):
                return True  # it goes on in the next line
            if isinstance(value, ast.Name) and not list(self.imports(value.id)):
                # A parameter: only its annotation could say what it is.
                notes = re.findall(rb"\b%s[ \t]*:[ \t]*([\w.\"'|\[\] ]+)" % value.id.encode(), self.data)
                defaults = re.findall(rb"\b%s[ \t]*=" % value.id.encode(), self.data)
                if not notes and not defaults:
                    continue
                return True
            if self.may_hold(value, Reading(), roots):
                return True
        return False

    def _assigned(self, name: str) -> list[bytes]:
        """Return the texts of what the file assigns to `self.name`; none when an annotation may say what it is."""
        found = self._assignments.get(name)
        if found is None:
            needle = name.encode()
            found = re.findall(_ASSIGNMENT % re.escape(needle), self.data) if b"self." + needle in self.data else []
            if found and re.search(rb"\b%s[ \t]*:(?!=)" % re.escape(needle), self.data):
                found = []
            self._assignments[name] = found
        return found

    def _annotated(self, annotation: ast.expr, reading: Reading, roots: frozenset[str]) -> bool:
        """Tell whether an annotation names one of the packages' types, or a class of the project near them."""
        for part in ast.walk(annotation):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    inner = ast.parse(part.value, mode="eval").body
                except (SyntaxError, ValueError):
                    continue
                if not isinstance(inner, ast.Constant) and self._annotated(inner, reading, roots):
                    return True
            if isinstance(part, ast.Attribute) and part.attr in self._leaves(roots):
                return True
            if isinstance(part, ast.Name):
                if part.id in self._leaves(roots):
                    return True
                if self._bound(part.id, reading):
                    if self._imported(part.id, reading, roots):
                        return True
                elif part.id not in _BUILTINS and self._near(roots):
                    return True
        return False

    def _bound(self, name: str, reading: Reading) -> bool:
        return name in reading.inner or bool(list(self.imports(name)))

    def _imported(self, name: str, reading: Reading, roots: frozenset[str]) -> bool:
        fulls = [*reading.inner.get(name, ()), *(binding.full for binding in self.imports(name))]
        return any(not self._leaves(roots).isdisjoint(full.split(".")) or self.reaches(full, roots) for full in fulls)

    def _leaves(self, roots: frozenset[str]) -> frozenset[str]:
        found = self._leaf_words.get(roots)
        if found is None:
            found = self._leaf_words[roots] = frozenset(root.rpartition(".")[2] for root in roots)
        return found

    def _near(self, roots: frozenset[str]) -> bool:
        """Tell whether this file names one of the packages, or imports what does."""
        return is_near(roots, self.named) or self.reaches("", roots)
