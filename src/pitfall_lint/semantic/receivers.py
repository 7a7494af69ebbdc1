"""Whether an expression could hold an object of some library, told by the stdlib's `ast` and imports alone.

Says no only where the full inference of types cannot say yes either: parameters without annotation, constants,
displays, what other libraries give, and names of modules that have nothing to do with the library.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cached_property, lru_cache
from types import MappingProxyType
from typing import Any

from pitfall_lint.semantic.anywhere import Anywhere
from pitfall_lint.semantic.asking import Asking
from pitfall_lint.semantic.below import all_below
from pitfall_lint.semantic.lineage import Lineage
from pitfall_lint.semantic.parts import ITEM_METHODS, TAKING, parts_of
from pitfall_lint.semantic.reading import Reading
from pitfall_lint.semantic.spans import Binding
from pitfall_lint.semantic.texts import Texts
from pitfall_lint.semantic.words import continues

_Question = tuple[ast.expr, Reading, frozenset[str], bool]
"""An expression, where it stands, what it may be an object of, and whether it is enough that it is anywhere near."""
_BUILTINS = frozenset(dir(builtins)) - {"super"}
PLAIN_METHODS = frozenset(
    name for kind in (dict, list, str, bytes, set, int) for name in dir(kind) if not name.startswith("_")
) | {"json", "text", "read", "readline", "readlines", "total_seconds", "isoformat", "model_dump", "group", "groups"}
"""Methods that give plain data, whatever they are called on."""


def is_near(roots: frozenset[str], named: Collection[str], also: Collection[str] = ()) -> bool:
    """Tell whether one of some things is named: a word, or both a package and a word ("package.Type")."""
    plain, pairs = _split(roots)
    if not plain.isdisjoint(named) or not plain.isdisjoint(also):
        return True
    return any((leaf in named or leaf in also) and (package in named or package in also) for package, leaf in pairs)


@lru_cache(maxsize=4096)
def _split(roots: frozenset[str]) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    pairs = tuple((package, leaf) for package, _, leaf in (root.rpartition(".") for root in roots) if package)
    return frozenset(root for root in roots if "." not in root), pairs


@lru_cache(maxsize=4096)
def leaves_of(roots: frozenset[str]) -> frozenset[str]:
    """Return the last words of some things."""
    return frozenset(root.rpartition(".")[2] for root in roots)


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
        giving: Mapping[str, frozenset[str]] = MappingProxyType({}),
        elsewhere: Callable[[str], tuple[Receivers, tuple[str, ...]] | None] = lambda full: None,
        lineage: Lineage | None = None,
        at: Callable[[str], Receivers] | None = None,
        asking: Asking | None = None,
        path: str = "",
        near: Callable[[frozenset[str]], Collection[str] | None] = lambda roots: None,
    ) -> None:
        self._path = path
        self._files_near = near
        """Returns the files that have to do with some things, where all files are known."""
        self.elsewhere = elsewhere
        """Tells in which module of the project an imported name is to be found, and under which names there."""
        self.at = at or (lambda path: self)
        """Answers the same questions for another file."""
        self.lineage = lineage or Lineage((), ())
        self._asking = asking or Asking()
        self.giving = giving
        """The packages of what library functions and methods are known to give, by their leaf names."""
        self.data = data
        self.named = roots
        """The words of interest that this file names."""
        self.imports = imports
        self.reaches = reaches
        """Tells whether what a qualified name is imported from may have to do with these packages."""
        self._answers: dict[Any, bool] = {}
        self.texts = Texts(data)
        self._nearness: dict[frozenset[str], bool] = {}

    def _says(self, roots: frozenset[str]) -> bool:
        return any("." not in root and root.encode() in self.data for root in roots)

    def may_hold(self, node: ast.expr, reading: Reading, roots: frozenset[str]) -> bool:
        """Tell whether an expression of a definition could be an object of one of these packages."""
        return self._asking.ask(lambda: self._pursue([(node, reading, roots, False)]))

    def may_be(self, names: tuple[str, ...], owner: str, roots: frozenset[str]) -> bool:
        """Tell whether what goes by a dotted name somewhere in this file could be such an object.

        `owner` is the class of the module around it, where that is sure.
        """
        if len(names) == 1 and names[0] in ("self", "cls"):
            known = self.lineage.may_be(owner, leaves_of(roots)) if owner else None
            return self._near(roots) and known is not False
        key = ("may be", names, roots)
        found = self._answers.get(key)
        if found is None:
            node: ast.expr = ast.Name(names[0])
            for name in names[1:]:
                node = ast.Attribute(node, name)
            found = self._answers[key] = self.may_hold(node, self.anywhere, roots)
        return found

    @cached_property
    def anywhere(self) -> Anywhere:
        """What the file gives to its names."""
        imports = self.imports  # by itself, so that what was read goes when nobody asks any more
        return Anywhere(self.data, lambda name: bool(list(imports(name))))

    def _pursue(self, pending: list[_Question]) -> bool:
        while pending:
            if self._asking.is_too_much():
                return True
            found = self._ask(*pending.pop())
            if found is True:
                return True
            if found:
                pending.extend(found)
        return False

    def _remembered(self, key: Any, ask: Callable[[], bool], *, for_all: bool = False) -> bool:
        """Return the answer of a question that may come back to itself: no, until it is known."""
        return self._asking.remembered(self._asking.answers if for_all else self._answers, key, ask)

    def _ask(self, node: ast.expr, reading: Reading, roots: frozenset[str], loose: bool) -> bool | list[_Question]:
        """Answer, or return the questions of which one has to be answered with yes."""
        if (parts := parts_of(node)) is not None:
            return [(part, reading, roots, loose) for part in parts]
        if isinstance(node, ast.Call):
            return self._called(node, reading, roots, loose)
        if isinstance(node, ast.Name):
            return self._name(node.id, reading, roots, loose)
        if isinstance(node, ast.Attribute):
            return self._attribute(node, reading, roots)
        return True

    def _called(self, node: ast.Call, reading: Reading, roots: frozenset[str], loose: bool) -> bool | list[_Question]:
        func = node.func
        if isinstance(func, ast.Attribute) and func.attr in leaves_of(roots):
            # a client's method
            return True if func.attr[:1].isupper() else [(func.value, reading, _packages(roots), True)]
        if isinstance(func, ast.Name):
            if reading.given_to(func.id) is not None:
                return self._name(func.id, reading, roots, True)
            if self._bound(func.id, reading):
                return self._imported(func.id, (), reading, roots, None if loose else True)
            if func.id in TAKING:
                return [(argument, reading, roots, loose) for argument in node.args]
            if func.id in _BUILTINS or not self._near(roots):
                return False
            return loose or self._made(func.id, roots, None)
        plain = isinstance(func, ast.Attribute) and func.attr in PLAIN_METHODS
        if isinstance(func, ast.Attribute) and plain and func.attr not in self.giving:
            return [(func.value, reading, roots, loose)] if func.attr in ITEM_METHODS else False
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in ("self", "cls"):
            return self._near(roots) and (loose or self._made(func.attr, roots, True))
        if isinstance(func, ast.Attribute) and (owners := self.lineage.owners(func.attr)) is not None:
            if (owners or plain) and not self._may_give(func.attr, roots):
                # an object of the project's, which has such a method, or a dict, a list, a text
                return [(func.value, reading, owners, loose)] if self._some_gives(func.attr, roots) else False
        root, attributes = _dotted(func)
        if root and not loose and self._bound(root, reading) and not reading.is_local(root):
            return self._imported(root, attributes, reading, roots, True)
        if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Call):  # of a chain: perhaps it gives itself
            return [(func.value, reading, roots, True)]
        return [(func, reading, roots, True)]

    def _some_gives(self, method: str, roots: frozenset[str]) -> bool:
        """Tell whether a method of this name, in whatever class of the project, may give such an object."""

        def ask() -> bool:
            return any(self.at(path)._made(method, roots, False) for path in self.lineage.places(method))

        return self._remembered((f".{method}()", roots), ask, for_all=True)

    def _may_give(self, method: str, roots: frozenset[str]) -> bool:
        """Tell whether a library's method of this name gives something of what is asked for."""
        return not self.giving.get(method, frozenset()).isdisjoint(_packages(roots))

    def _name(self, name: str, reading: Reading, roots: frozenset[str], loose: bool) -> bool | list[_Question]:
        if name in ("self", "cls"):
            if not self._near(roots):
                return False
            known = None if loose or not reading.owner else self.lineage.may_be(reading.owner, leaves_of(roots))
            return known is not False
        given = reading.given_to(name)
        if given is not None:
            key = (name, reading, roots, loose)
            if key in self._answers:  # it does not, or what else it may be is being looked at
                return False
            self._asking.deny(self._answers, key)
            if any(self._annotated(annotation, reading, roots, loose) for annotation in reading.notes_of(name)):
                return True
            return [(value, reading, roots, loose) for value in given]
        if self._bound(name, reading):
            return self._imported(name, (), reading, roots, None if loose else False)
        return self._near(roots) and self._remembered((f" {name}", roots), lambda: self._global(name, roots, True))

    def _attribute(self, node: ast.Attribute, reading: Reading, roots: frozenset[str]) -> bool | list[_Question]:
        if node.attr in leaves_of(roots):
            return True
        root, attributes = _dotted(node)
        if root and self._bound(root, reading) and self._imported(root, attributes, reading, roots, False):
            return True
        if self._some_holds(node.attr, roots) is False:
            return False
        if isinstance(node.value, ast.Name) and node.value.id in ("self", "cls"):
            return self._near(roots) and self._remembered((node.attr, roots), lambda: self._own(node.attr, roots))
        return [(node.value, reading, roots, True)]

    def _some_holds(self, attribute: str, roots: frozenset[str]) -> bool | None:
        """Tell whether an attribute of this name, of whatever object of the project, may be such an object."""
        places = self.lineage.assigned(attribute)
        if places is None:
            return None

        def ask() -> bool:
            near = self._files_near(roots)
            return any(self.at(path).holds(attribute, roots) for path in places if near is None or path in near)

        return self._remembered((f".{attribute}", roots), ask, for_all=True)

    def holds(self, attribute: str, roots: frozenset[str]) -> bool:
        """Tell whether an attribute that goes by a name in this file may be such an object."""
        return self._near(roots) and self._remembered((f"*.{attribute}", roots), lambda: self._holds(attribute, roots))

    def _holds(self, attribute: str, roots: frozenset[str]) -> bool:
        values, notes = self.anywhere.of_attribute(attribute)
        return self._any_of(values, notes, roots) or any(
            body is None or self._gives(body, roots) for body in self.texts.bodies_of(attribute)
        )

    def _any_of(self, values: Iterable[ast.expr], notes: Iterable[ast.expr], roots: frozenset[str]) -> bool:
        """Tell whether one of some values of this file may be such an object, or some annotations say so."""
        return any(self._annotated(note, self.anywhere, roots, False) for note in notes) or self._pursue(
            [(value, self.anywhere, roots, False) for value in values]
        )

    def _global(self, name: str, roots: frozenset[str], unassigned: bool) -> bool:
        """Tell whether what this module assigns to a variable may be such an object, or is another name for a type."""
        values, notes = self.anywhere.of_module(name)
        if any(
            isinstance(value, (ast.Subscript, ast.BinOp)) and self._annotated(value, self.anywhere, roots, False)
            for value in values
        ):
            return True
        return self._any_of(values, notes, roots) if values or notes else unassigned

    def _made(self, name: str, roots: frozenset[str], unknown: bool | None) -> bool:
        """Tell whether a function or class of this file may give such an object; `unknown` where there is none."""

        def ask() -> bool:
            bodies = self.texts.bodies_of(name)
            if bodies:
                return any(body is None or self._gives(body, roots) for body in bodies)
            if self._has_class(name.encode()):
                known = self.lineage.may_be(name, leaves_of(roots))
                if known is False:  # perhaps what entering, awaiting or calling the object gives
                    return any(self.texts.bodies_of(m) and self._made(m, roots, False) for m in _SPECIAL)
                return known or self._near(roots)
            return self._global(name, roots, True) if unknown is None else unknown

        return self._remembered((f"{name}()", roots), ask)

    def _has_class(self, name: bytes) -> bool:
        start = self.data.find(b"class " + name)
        while start >= 0:
            line = self.data.rfind(b"\n", 0, start) + 1
            if not continues(self.data, start + 6 + len(name)) and not self.data[line:start].strip():
                return True
            start = self.data.find(b"class " + name, start + 6)
        return False

    def _gives(self, body: Reading, roots: frozenset[str]) -> bool:
        """Tell whether a function may return or yield such an object."""
        function = body.tree
        assert isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef))
        if function.returns is not None and self._annotated(function.returns, body, roots, False):
            return True
        given = [value for value in body.returns if value is not None]
        if any(word == "yield" for word, _ in body.words):
            given += [n.value for n in all_below(function) if isinstance(n, ast.Yield) and n.value is not None]
        return self._pursue([(value, body, roots, False) for value in given])

    def _own(self, name: str, roots: frozenset[str]) -> bool:
        """Tell whether what this file assigns to `self.name` may be such an object; yes when it assigns nothing."""
        values, notes = self.anywhere.of_attribute(name)
        return self._any_of(values, notes, roots) if values or notes else True

    def _annotated(self, annotation: ast.expr, reading: Reading, roots: frozenset[str], loose: bool) -> bool:
        """Tell whether an annotation names one of the packages' types, or a class of the project near them."""
        for part in all_below(annotation):
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                try:
                    inner = ast.parse(part.value, mode="eval").body
                except (SyntaxError, ValueError):
                    continue
                if not isinstance(inner, ast.Constant) and self._annotated(inner, reading, roots, loose):
                    return True
            if isinstance(part, ast.Attribute) and part.attr in leaves_of(roots):
                return True
            if isinstance(part, ast.Name):
                if part.id in leaves_of(roots):
                    return True
                if self._bound(part.id, reading):
                    if self._imported(part.id, (), reading, roots, None if loose else True):
                        return True
                elif part.id not in _BUILTINS and self._near(roots) and (loose or self._made(part.id, roots, None)):
                    return True
        return False

    def _bound(self, name: str, reading: Reading) -> bool:
        return name in reading.inner or bool(list(self.imports(name)))

    def _imported(
        self, name: str, attributes: tuple[str, ...], reading: Reading, roots: frozenset[str], called: bool | None
    ) -> bool:
        """Tell whether an imported name, or what calling it gives, may be such an object; None: or is anywhere near."""
        fulls = [*reading.inner.get(name, ()), *(binding.full for binding in self.imports(name))]
        leaves = leaves_of(roots)
        for full in fulls:
            if not leaves.isdisjoint(full.split(".")):
                return True
            if called is None:
                if self.reaches(full, roots):
                    return True
                continue
            found = self.elsewhere(".".join([full, *attributes]))
            if found is not None and found[0].exported(found[1], roots, called):
                return True
        return False

    def exported(self, names: tuple[str, ...], roots: frozenset[str], called: bool) -> bool:
        """Tell whether what goes by some names here, or what calling it gives, may be such an object."""
        if not names or len(names) > 2 or not self._near(roots):
            return self._near(roots)
        name = names[-1]
        if len(names) == 2:
            return self._made(name, roots, True) if called else True
        if self._bound(name, _NOTHING):

            def ask() -> bool:
                return self._imported(name, (), _NOTHING, roots, called) or (called and self._made(name, roots, False))

            return self._remembered((f"from {name}", roots, called), ask)
        if called:
            return self._made(name, roots, None)
        return self._remembered((f" {name}", roots), lambda: self._global(name, roots, False))

    def _near(self, roots: frozenset[str]) -> bool:
        """Tell whether this file names one of the packages, or imports what does."""
        found = self._nearness.get(roots)
        if found is None:
            files = self._files_near(roots)
            found = is_near(roots, self.named) or (files is not None and self._path in files)
            if files is None:
                found = found or self._says(roots) or self.reaches("", roots)
            self._nearness[roots] = found
        return found


def _dotted(node: ast.expr) -> tuple[str, tuple[str, ...]]:
    """Return the first of the names of `a.b.c`, and the others; "" for anything else."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute):
        attributes.append(node.attr)
        node = node.value
    return (node.id if isinstance(node, ast.Name) else ""), tuple(reversed(attributes))


_SPECIAL = ("__enter__", "__aenter__", "__call__", "__await__", "__next__", "__anext__", "__iter__", "__aiter__")
_NOTHING = Reading()
