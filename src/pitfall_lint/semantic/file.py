"""File: the questions that checks ask."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import Any, TypeVar

import libcst as cst

from pitfall_lint.finding import Finding, Fix, Related, Span
from pitfall_lint.libraries import Libraries, Row
from pitfall_lint.semantic import annotation, attributes, folding, inference, names, query
from pitfall_lint.semantic.call import Call
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.flow.graph import Graph
from pitfall_lint.semantic.flow.resolved import flow_of
from pitfall_lint.semantic.mending import Mending
from pitfall_lint.semantic.outline import Block, Slice
from pitfall_lint.semantic.project import Project
from pitfall_lint.semantic.syntax import FUNCTIONS
from pitfall_lint.semantic.tree import Tree
from pitfall_lint.semantic.values import ClassValue, FunctionValue, Instance, Value
from pitfall_lint.source import Source

N = TypeVar("N", bound=cst.CSTNode)
R = TypeVar("R", bound=Row)


class File(Mending):
    """One module. Iterators yield what is being looked at; questions may look anywhere.

    `lines` (0-based) say which definitions are looked at: those that hold such a line; None means all.
    """

    def __init__(self, source: Source, project: Project, path: str, lines: Iterable[int] | None) -> None:
        super().__init__(source, lines, project.shelf, path)
        self.project = project
        self.path = path
        self.strict_too = True
        """Whether findings are wanted that are shown only to those who selected the rule in so many words."""
        self.used: set[str] = set()
        """Absolute paths of the other modules that this one asked for, found or not; see `dependencies`."""
        self.module_names: dict[str, names.Found | None] = {}
        self.values: dict[cst.CSTNode, tuple[Value, ...]] = {}
        self._words: dict[frozenset[str], frozenset[bytes]] = {}
        self._functions: dict[cst.CSTNode | Block, Function] = {}
        self._classes: dict[cst.CSTNode | Block, Class] = {}

    def __repr__(self) -> str:
        return f"<File {self.source.path}>"

    # What is being looked at

    def calls(self) -> Iterator[Call]:
        """Yield every call."""
        for node in self.nodes(cst.Call):
            yield self.call(node)

    def calls_to(self, kind: type[R]) -> Iterator[tuple[Call, R]]:
        """Yield the calls of functions, classes and methods that have such a row, with their rows."""
        leaves = self.libraries.leaves(kind)
        for call in self.calls():
            for row in self.rows_of_call(call, kind, leaves):
                yield call, row

    def rows_of_call(self, call: Call, kind: type[R], leaves: frozenset[str] | None = None) -> tuple[R, ...]:
        """Return the rows of a kind for what a call calls."""
        if leaves is not None and call.method is not None and call.method not in leaves:
            return ()  # an attribute keeps the leaf that it was defined by: no need to resolve it
        return self.libraries.find_all(kind, call.name) if call.name is not None else ()

    def functions(self) -> Iterator[Function]:
        """Yield every function and lambda, nested ones too."""
        for node in self.nodes(*FUNCTIONS):
            assert isinstance(node, FUNCTIONS)
            yield self.function(node)

    def classes(self) -> Iterator[Class]:
        """Yield the classes that are looked at: those with a method or a line that is looked at."""
        for block in self.outline.classes:
            if self._lines is None or any(block.first <= line < block.end for line in self._lines):
                yield self.class_for(block)
        for tree in self.trees:
            if tree.slice is not self.outline.skeleton:
                for node in tree.by_kind.get(cst.ClassDef, ()):
                    assert isinstance(node, cst.ClassDef)
                    yield self.class_(node)

    def dependencies(self) -> set[str]:
        """Return the absolute paths whose content or absence the answers given so far depended on."""
        found: set[str] = set()
        waiting = [self.path]
        while waiting:
            path = waiting.pop()
            asked = self.project.opened(path)
            for other in asked.used if asked is not None else ():
                if other not in found:
                    found.add(other)
                    waiting.append(other)
        return found - {self.path}

    def release(self) -> None:
        """Let go of everything that was read, definitions too, which hold each other."""
        for known in (*self._functions.values(), *self._classes.values()):
            vars(known).clear()
        super().release()

    def _know(self, tree: Tree) -> None:
        super()._know(tree)
        self.project.lines_held += len(tree.slice.lines)

    def function_node(self, block: Block) -> cst.FunctionDef:
        """Return the LibCST node of an outermost function; an empty one if its text does not parse."""
        tree = self.tree(block)
        if tree is not None:
            for node in tree.by_kind.get(cst.FunctionDef, ()):
                if isinstance(node, cst.FunctionDef) and node.name.value == block.name:
                    self._functions.setdefault(node, self.function_for(block))
                    return node
        empty = Tree(_empty_slice(block.name))
        self._parents.update(empty.parents)
        self._scope_of.update(empty.scope_of)
        self._tree_of[empty.module] = empty
        node = empty.by_kind[cst.FunctionDef][0]
        assert isinstance(node, cst.FunctionDef)
        return node

    def class_node(self, block: Block) -> cst.ClassDef:
        """Return the LibCST node of a class outside of functions, as it stands in the skeleton."""
        slice_ = None if self.reads_whole_module or self.has_read(None) else self.outline.class_slice(block)
        tree = self.piece(slice_) if slice_ is not None else None
        for node in tree.by_kind.get(cst.ClassDef, ()) if tree is not None else ():
            if isinstance(node, cst.ClassDef) and node.name.value == block.name:
                self._classes[node] = self.class_for(block)
                return node
        nodes = self.skeleton.by_kind.get(cst.ClassDef, [])
        index = self.outline.classes.index(block)
        if index < len(nodes):
            node = nodes[index]
            if isinstance(node, cst.ClassDef) and node.name.value == block.name:
                return node
        for node in nodes:
            if isinstance(node, cst.ClassDef) and node.name.value == block.name:
                return node
        return cst.ClassDef(cst.Name(block.name), cst.IndentedBlock([]))

    def words_for(self, names: frozenset[str]) -> frozenset[bytes]:
        """Return the words by which this file's code may call functions with these leaf names: aliases, too."""
        known = self._words.get(names)
        if known is None:
            imported = self.outline.imports.items()
            words = {*names, *(name for name, bound in imported if any(one.attribute in names for one in bound))}
            words |= self.outline.given_for(names)
            known = self._words[names] = frozenset(word.encode() for word in words)
        return known

    def head(self, block: Block) -> cst.FunctionDef | cst.ClassDef:
        """Return a node of a definition that has at least its head: no more is read for it."""
        known = self.has_read(None if block.is_class else block)
        slice_ = None if known else self.outline.header(block)
        tree = self.piece(slice_) if slice_ is not None else None
        for node in (
            tree.by_kind.get(cst.ClassDef if block.is_class else cst.FunctionDef, ()) if tree is not None else ()
        ):
            if isinstance(node, (cst.ClassDef, cst.FunctionDef)):
                return node
        return self.class_node(block) if block.is_class else self.function_node(block)

    # Where a node stands

    @property
    def libraries(self) -> Libraries:
        """The library rows."""
        return self.project.libraries

    @cached_property
    def module_name(self) -> str:
        """The dotted name by which other modules import this one."""
        return self.project.module_name(self.path)

    @property
    def is_package(self) -> bool:
        """Tell whether it is an `__init__.py`."""
        return os.path.basename(self.path) == "__init__.py"

    def function_of(self, node: cst.CSTNode, *, outer: bool = False) -> Function | None:
        """Return the innermost function whose body a node stands in; decorators and defaults are outside."""
        child = node
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, FUNCTIONS) and child is ancestor.body:
                return self.function(ancestor)
            child = ancestor
        return None

    def class_of(self, node: cst.CSTNode) -> Class | None:
        """Return the class whose body or method a node stands in."""
        function = self.function_of(node)
        while function is not None:
            if function.class_ is not None:
                return function.class_
            function = function.parent
        for ancestor in self.ancestors(node):
            if isinstance(ancestor, cst.ClassDef):
                return self.class_(ancestor)
        return None

    # Definitions by node or block

    def function(self, node: cst.FunctionDef | cst.Lambda) -> Function:
        """Return the Function of a node of this file."""
        found = self._functions.get(node)
        if found is None:
            tree = self.tree_of(node)
            block = self.outline.function_at(tree.slice.lines[-1]) if tree is not None and tree.slice.lines else None
            if block is not None and self._trees.get(block) is tree and self._is_outermost(node, block):
                found = self.function_for(block)
            if found is None:
                outer = self._parents.get(node)
                outer = self._parents.get(outer) if isinstance(outer, cst.IndentedBlock) else outer
                class_ = self.class_(outer) if isinstance(outer, cst.ClassDef) else None
                found = Function(self, None, node, class_)
            self._functions[node] = found
        return found

    def _is_outermost(self, node: cst.CSTNode, block: Block) -> bool:
        return (
            isinstance(node, cst.FunctionDef)
            and node.name.value == block.name
            and not any(isinstance(ancestor, (*FUNCTIONS, cst.ClassDef)) for ancestor in self.ancestors(node))
        )

    def function_for(self, block: Block) -> Function:
        """Return the Function of an outermost function's block."""
        found = self._functions.get(block)
        if found is None:
            class_ = self.class_for(block.parent) if block.parent is not None else None
            found = self._functions[block] = Function(self, block, None, class_)
        return found

    def class_(self, node: cst.ClassDef) -> Class:
        """Return the Class of a node of this file."""
        found = self._classes.get(node)
        if found is None:
            if node in self.skeleton.order:
                nodes = self.skeleton.by_kind[cst.ClassDef]
                index = nodes.index(node)
                if index < len(self.outline.classes) and self.outline.classes[index].name == node.name.value:
                    found = self.class_for(self.outline.classes[index])
            found = self._classes[node] = found or Class(self, None, node)
        return found

    def class_for(self, block: Block) -> Class:
        """Return the Class of a block that stands in no function."""
        found = self._classes.get(block)
        if found is None:
            found = self._classes[block] = Class(self, block, None)
        return found

    def call(self, node: cst.Call) -> Call:
        """Return the Call of a node of this file."""
        found = self.memo.get(node)
        if found is None:
            found = self.memo[node] = Call(self, node)
        assert isinstance(found, Call)
        return found

    # What things mean

    def qualified_name(self, expression: cst.BaseExpression) -> str | None:
        """Return the canonical qualified name of what an expression refers to, if all branches agree."""
        return inference.qualified_name(self, expression)

    def values_of(self, expression: cst.BaseExpression) -> tuple[Value, ...]:
        """Return what an expression may hold; `()` when nothing is known, with Unknown when only part is."""
        return query.values_of(self, expression)

    def type_of(self, expression: cst.BaseExpression) -> str | Class | None:
        """Return the one type that an expression holds an instance of, None constants aside."""
        return inference.single_type(self.values_of(expression))

    def is_instance(self, expression: cst.BaseExpression, name: str) -> bool:
        """Tell whether an expression surely holds an instance of a library type or of a subclass."""
        type_ = self.type_of(expression)
        if isinstance(type_, Class):
            return type_.subclass_of(name)
        return type_ is not None and name in self.libraries.bases(type_)

    def row_of(self, expression: cst.BaseExpression, kind: type[R]) -> R | None:
        """Return the row of the type that an expression holds an instance of, inherited ones too."""
        return self.row_of_type(self.type_of(expression), kind)

    def row_of_type(self, type_: str | Class | None, kind: type[R]) -> R | None:
        """Return the row of a type, inherited ones too."""
        if isinstance(type_, Class):
            for base in type_.mro():
                if isinstance(base, str) and (row := self.libraries.find(kind, base)) is not None:
                    return row
            return None
        return self.libraries.find(kind, type_) if type_ is not None else None

    def folded(self, expression: cst.BaseExpression) -> Any:
        """Return the constant that an expression always has, or NOT_CONSTANT."""
        return folding.folded(self, expression)

    def definition(self, expression: cst.BaseExpression) -> Function | Class | None:
        """Return the one project function or class that an expression refers to; partials are unwrapped."""
        return inference.definition(self, expression)

    def callee(self, call: Call | cst.BaseExpression) -> Function | Class | str | None:
        """Return what a call (or a called expression) runs: a project definition or a library name."""
        expression = call.node.func if isinstance(call, Call) else call
        return self.definition(expression) or self.qualified_name(expression)

    def class_or_name(self, expression: cst.BaseExpression) -> Class | str | None:
        """Return the class that an expression names: of the project, or a library's canonical name."""
        return inference.class_or_name(self, expression)

    def annotated(self, expression: cst.BaseExpression) -> tuple[Value, ...]:
        """Return what a variable with this annotation may hold."""
        return annotation.annotated(self, expression)

    def attribute_assignments(
        self, class_: Class, name: str
    ) -> list[tuple[Function | None, cst.CSTNode, cst.BaseExpression | None]]:
        """Return where a class of this file gives an attribute its value."""
        return attributes.assignments(class_, name)

    def attribute_values(self, class_: Class, name: str) -> tuple[Value, ...]:
        """Return what an attribute of a class may hold."""
        return attributes.values(class_, name)

    def module(self, name: str) -> File | None:
        """Return another module of the project; this file then depends on it."""
        return self.project.module(name, self)

    def flow(self, function: Function) -> Graph:
        """Return the control flow of a function."""
        return flow_of(self, function)

    def lookup(self, name: str, at: cst.CSTNode) -> names.Found | None:
        """Return the bindings of a name as seen from a node."""
        return names.lookup(self, name, at)

    def version_allows(self, row: Row) -> bool | None:
        """Tell whether the versions that this project uses lie inside a row's range; None when unknown."""
        if not row.versions:
            return True
        if self.project.allows is None:
            return None
        return self.project.allows(row.distribution or row.library, row.versions, self.path)

    # Text, findings and fixes

    def finding(
        self,
        node: cst.CSTNode,
        message: str,
        *,
        fixes: Sequence[Fix | None] = (),
        fix: Fix | None = None,
        related: Sequence[Related] = (),
        consequence: str = "",
        until: cst.CSTNode | None = None,
        strict: bool = False,
    ) -> Finding:
        """Return a finding that underlines `node` (up to `until`); fixes that are None are left out.

        `strict` findings are shown only to those who selected the rule in so many words.
        """
        span = self.span(node)
        if until is not None:
            span = Span(span.start, self.span(until).end)
        function = self.function_of(node) or (self.function(node) if isinstance(node, cst.FunctionDef) else None)
        where = function.qualified_name if function is not None else self.module_name
        return Finding(
            self.source.path,
            span,
            message,
            consequence=consequence,
            fixes=tuple(f for f in (fix, *fixes) if f is not None),
            related=tuple(related),
            definition=where,
            strict=strict,
        )

    def related(self, node: cst.CSTNode, message: str) -> Related:
        """Return a second place, in this file, that explains a finding."""
        span = self.span(node)
        line, column = self.source.position(span.start)
        return Related(self.source.path, span, message, line, column)


def _empty_slice(name: str) -> Slice:
    return Slice(f"def {name}(): ...\n", (-1,))


__all__ = ["Call", "Class", "ClassValue", "File", "Function", "FunctionValue", "Instance"]
