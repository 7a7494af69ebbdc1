"""Functions and classes of the project; their bodies are parsed when somebody asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, TypeVar, overload

import libcst as cst

from pitfall_lint.semantic import glimpse
from pitfall_lint.semantic.outline import Block
from pitfall_lint.semantic.scopes import parameters
from pitfall_lint.semantic.walk import own_nodes

if TYPE_CHECKING:
    from pitfall_lint.semantic.call import Call
    from pitfall_lint.semantic.file import File
    from pitfall_lint.semantic.values import Value

N = TypeVar("N", bound=cst.CSTNode)


@dataclass(frozen=True, eq=False)
class Param:
    """One parameter of a function."""

    name: str
    node: cst.Param
    annotation: cst.BaseExpression | None
    default: cst.BaseExpression | None
    kind: str
    """positional, keyword, args or kwargs."""


_ORDER = itemgetter(0)
_FIRST_PARAM = re.compile(rb"[ \t]*(?:async[ \t]+)?def[ \t]+\w+[ \t]*\(\s*([A-Za-z_]\w*)[ \t]*[,):=]")


class Function:
    """A `def` or lambda of the project. Known by its block (outermost ones) or by its node."""

    def __init__(
        self, file: File, block: Block | None, node: cst.FunctionDef | cst.Lambda | None, class_: Class | None
    ) -> None:
        self.file = file
        self.block = block
        self._node = node
        self._nodes: dict[tuple[type[cst.CSTNode], ...], tuple[cst.CSTNode, ...]] = {}
        self.class_ = class_

    def __repr__(self) -> str:
        return f"<Function {self.qualified_name}>"

    @cached_property
    def node(self) -> cst.FunctionDef | cst.Lambda:
        """The LibCST node, parsed now if need be."""
        if self._node is not None:
            return self._node
        assert self.block is not None
        return self.file.function_node(self.block)

    @property
    def name(self) -> str:
        """The name after `def`; `<lambda>` for a lambda."""
        if self.block is not None:
            return self.block.name
        return self._node.name.value if isinstance(self._node, cst.FunctionDef) else "<lambda>"

    @cached_property
    def qualified_name(self) -> str:
        """Module, enclosing definitions and name, joined by dots."""
        if self.class_ is not None:
            return f"{self.class_.qualified_name}.{self.name}"
        if self.parent is not None:
            return f"{self.parent.qualified_name}.{self.name}"
        return f"{self.file.module_name}.{self.name}"

    @property
    def is_async(self) -> bool:
        """Tell whether it is an `async def`."""
        if self.block is not None:
            return self.block.is_async
        return isinstance(self._node, cst.FunctionDef) and self._node.asynchronous is not None

    @cached_property
    def is_generator(self) -> bool:
        """Tell whether its own body yields."""
        told = glimpse.yields(self)
        return told if told is not None else any(True for _ in self.nodes(cst.Yield))

    @property
    def is_coroutine_function(self) -> bool:
        """Tell whether calling it gives a coroutine."""
        return self.is_async and not self.is_generator

    @cached_property
    def parent(self) -> Function | None:
        """The function that encloses it."""
        return None if self.block is not None else self.file.function_of(self.node, outer=True)

    @cached_property
    def params(self) -> tuple[Param, ...]:
        """Its parameters, `self` too."""
        params = self.node.params
        found = []
        for param in parameters(params):
            kind = "positional"
            if param is params.star_arg:
                kind = "args"
            elif param is params.star_kwarg:
                kind = "kwargs"
            elif param in params.kwonly_params:
                kind = "keyword"
            annotation = param.annotation.annotation if param.annotation else None
            found.append(Param(param.name.value, param, annotation, param.default, kind))
        return tuple(found)

    @cached_property
    def decorators(self) -> tuple[cst.BaseExpression, ...]:
        """The expressions behind `@`, outermost first."""
        if self.block is not None and self.block.first == self.block.header:
            return ()
        return tuple(d.decorator for d in self.head.decorators) if isinstance(self.head, cst.FunctionDef) else ()

    @cached_property
    def head(self) -> cst.FunctionDef | cst.Lambda:
        """A node that has at least its decorators, parameters and what it is said to return."""
        if self._node is None and "node" not in self.__dict__ and self.block is not None:
            head = self.file.head(self.block)
            assert isinstance(head, cst.FunctionDef)
            return head
        return self.node

    @cached_property
    def decorator_names(self) -> tuple[str | None, ...]:
        """The qualified names of the decorators (of what is called, for `@deco(...)`)."""
        return tuple(self.file.qualified_name(d.func if isinstance(d, cst.Call) else d) for d in self.decorators)

    @property
    def is_method(self) -> bool:
        """Tell whether it stands directly in a class body and gets `self` or `cls`."""
        return self.class_ is not None and not self.is_static

    def _may_be_decorated(self, word: bytes) -> bool:
        """Rule out, in bytes, that a decorator mentions a word, so that few functions get parsed."""
        if self.block is None:
            return True
        lines = self.file.source.lines[self.block.first : self.block.header]
        return any(word in line for line in lines)

    @cached_property
    def is_static(self) -> bool:
        """Tell whether it is a `@staticmethod`."""
        return self._may_be_decorated(b"staticmethod") and any(
            name in {"staticmethod", "builtins.staticmethod"} for name in self.decorator_names
        )

    @cached_property
    def is_property(self) -> bool:
        """Tell whether reading the attribute calls it."""
        return self._may_be_decorated(b"property") and any(
            name is not None and name.rpartition(".")[2] in {"property", "cached_property"}
            for name in self.decorator_names
        )

    @property
    def self_name(self) -> str | None:
        """The name of the first parameter of a method."""
        if not self.is_method:
            return None
        if self.block is not None:
            head = b"".join(self.file.source.lines[self.block.header : self.block.header + 2])
            if match := _FIRST_PARAM.match(head):
                return match[1].decode("utf-8", "replace")
        first = next(parameters(self.head.params), None)
        return first.name.value if first is not None else None

    @overload
    def nodes(self, kind: type[N], /) -> Iterator[N]: ...
    @overload
    def nodes(self, *kinds: type[cst.CSTNode]) -> Iterator[cst.CSTNode]: ...
    def nodes(self, *kinds: type[cst.CSTNode]) -> Iterator[cst.CSTNode]:
        """Yield the nodes of these kinds in its own body, nested functions left out; without kinds all."""
        found = self._nodes.get(kinds)
        if found is None:
            if not kinds:
                found = tuple(own_nodes(self.node.body))
            else:
                lists = [nodes for kind, nodes in self._by_kind.items() if issubclass(kind, kinds)]
                found = tuple(node for _, node in (lists[0] if len(lists) == 1 else sorted(chain(*lists), key=_ORDER)))
            self._nodes[kinds] = found
        yield from found

    @cached_property
    def _by_kind(self) -> dict[type[cst.CSTNode], list[tuple[int, cst.CSTNode]]]:
        """The nodes of its own body, numbered in their order."""
        found: dict[type[cst.CSTNode], list[tuple[int, cst.CSTNode]]] = {}
        for number, node in enumerate(self.nodes()):
            found.setdefault(type(node), []).append((number, node))
        return found

    def may_use(self, names: frozenset[str]) -> bool:
        """Rule out, in bytes, that its text names a library's function by one of these leaf names."""
        return self.block is None or not self.file.words_for(names).isdisjoint(glimpse.words_in(self))

    def calls(self) -> Iterator[Call]:
        """Yield the calls in its own body."""
        for node in self.nodes(cst.Call):
            yield self.file.call(node)

    def returns(self) -> list[cst.BaseExpression]:
        """Return the returned expressions, bare `return` left out; a lambda's body is one."""
        if isinstance(self.node, cst.Lambda):
            return [self.node.body]
        return [node.value for node in self.nodes(cst.Return) if node.value is not None]

    def yields(self) -> list[cst.BaseExpression]:
        """Return the yielded expressions; `yield from` and bare yields left out."""
        return [
            node.value
            for node in self.nodes(cst.Yield)
            if node.value is not None and isinstance(node.value, cst.BaseExpression)
        ]


class Class:
    """A class of the project."""

    def __init__(self, file: File, block: Block | None, node: cst.ClassDef | None) -> None:
        self.file = file
        self.block = block
        self._node = node

    def __repr__(self) -> str:
        return f"<Class {self.qualified_name}>"

    @cached_property
    def node(self) -> cst.ClassDef:
        """The LibCST node; outside of functions its methods are `pass` here: ask `own_methods`."""
        if self._node is not None:
            return self._node
        assert self.block is not None
        return self.file.class_node(self.block)

    @property
    def name(self) -> str:
        """The name after `class`."""
        return self.block.name if self.block is not None else self.node.name.value

    @cached_property
    def qualified_name(self) -> str:
        """Module, enclosing definitions and name, joined by dots."""
        names = [self.name]
        if self.block is not None:
            outer = self.block.parent
            while outer is not None:
                names.append(outer.name)
                outer = outer.parent
        elif (function := self.file.function_of(self.node)) is not None:
            return f"{function.qualified_name}.{self.name}"
        return ".".join([self.file.module_name, *reversed(names)])

    @cached_property
    def own_methods(self) -> dict[str, Function]:
        """The functions that stand in its body, last definition first."""
        if self.block is not None:
            return {b.name: self.file.function_for(b) for b in self._method_blocks(self.block)}
        return {
            node.name.value: self.file.function(node)
            for node in own_nodes(self.node.body)
            if isinstance(node, cst.FunctionDef)
        }

    def _method_blocks(self, block: Block) -> Iterator[Block]:
        """Yield the functions of the body, without setters and overloads, which would hide the real one."""
        lines = self.file.source.lines
        for child in block.children:
            decorators = b"".join(lines[child.first : child.header])
            if not child.is_class and not any(word in decorators for word in (b".setter", b".deleter", b"overload")):
                yield child

    @cached_property
    def bases(self) -> tuple[Class | str | None, ...]:
        """Its bases: project classes, canonical library names, None for what cannot be told."""
        return tuple(self.file.class_or_name(arg.value) for arg in self._head.bases if not arg.star)

    @cached_property
    def _head(self) -> cst.ClassDef:
        """The node of the `class` line at least."""
        if self._node is None and "node" not in self.__dict__ and self.block is not None:
            head = self.file.head(self.block)
            assert isinstance(head, cst.ClassDef)
            return head
        return self.node

    @cached_property
    def _linear(self) -> tuple[tuple[Class | str, ...], bool]:
        """Its ancestors, breadth first (enough to look attributes up), and whether all are known."""
        order: list[Class | str] = [self]
        complete = not any(arg.star for arg in self._head.bases)
        for entry in order:
            if isinstance(entry, str):
                bases: tuple[Class | str | None, ...] = self.file.libraries.bases(entry)[1:]
            else:
                bases = entry.bases
            for base in bases:
                if base is None:
                    complete = False
                elif base not in order:
                    order.append(base)
        classes = [entry for entry in order if isinstance(entry, Class)]
        names = [entry for entry in order if isinstance(entry, str)]
        return (*classes, *names), complete

    def mro(self) -> tuple[Class | str, ...]:
        """Return itself and its ancestors, project classes first, then library classes by canonical name."""
        return self._linear[0]

    @property
    def mro_complete(self) -> bool:
        """Tell whether every base could be resolved (library classes count as resolved by name)."""
        return self._linear[1]

    def subclass_of(self, name: str) -> bool:
        """Tell whether a library or project class of this qualified name is an ancestor or itself."""
        return any((base if isinstance(base, str) else base.qualified_name) == name for base in self.mro())

    def method(self, name: str) -> Function | None:
        """Return a method, inherited ones too, as far as the project goes."""
        for base in self.mro():
            if isinstance(base, Class) and name in base.own_methods:
                return base.own_methods[name]
        return None

    def methods(self) -> Iterator[Function]:
        """Yield its own methods."""
        yield from self.own_methods.values()

    def attribute_assignments(self, name: str) -> list[tuple[Function | None, cst.CSTNode, cst.BaseExpression | None]]:
        """Return where this class gives an attribute its value: (method or None, node, value)."""
        return self.file.attribute_assignments(self, name)

    def attribute_values(self, name: str) -> tuple[Value, ...]:
        """Return what an attribute may hold, looked up along the project's part of the ancestors."""
        return self.file.attribute_values(self, name)
