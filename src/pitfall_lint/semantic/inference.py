"""Which modelled thing an expression holds: names, attributes, calls, awaits and annotations resolved to values.

Effort is bounded: beyond a depth the answer is Unknown.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import libcst as cst

from pitfall_lint.libraries import Attribute, Function as FunctionRow, Type
from pitfall_lint.semantic import attributes, folding, names
from pitfall_lint.semantic.definitions import Class, Function
from pitfall_lint.semantic.outline import Block, Imported
from pitfall_lint.semantic.values import (
    NOT_CONSTANT,
    UNKNOWN,
    ClassValue,
    Collection,
    Const,
    Coroutine,
    FunctionValue,
    Generator,
    Instance,
    LibraryName,
    ModuleValue,
    Partial,
    Unknown,
    Value,
)
from pitfall_lint.semantic.walk import Binding

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

Values = tuple[Value, ...]
_DEPTH = 30
_WIDTH = 12
"""More alternatives than this and the rest is Unknown."""
_UNTOUCHED = 1 << 30


class _Query:
    """The question being answered: what is under way, and answers that hold only within it."""

    def __init__(self) -> None:
        self.under_way: dict[cst.CSTNode, int] = {}
        self.provisional: dict[cst.CSTNode, Values] = {}
        self.lowest = _UNTOUCHED
        """The depth of the outermost unfinished question that an answer leaned on."""


_query = _Query()


def values_of(file: File, node: cst.CSTNode) -> Values:
    """Return what an expression may hold; `()` when nothing at all is known."""
    known = file.values.get(node)
    if known is not None:
        return known
    handler = _HANDLERS.get(type(node))
    if handler is None:
        return ()
    query = _query
    if node in query.under_way:  # a cycle
        query.lowest = min(query.lowest, query.under_way[node])
        return (UNKNOWN,)
    if (provisional := query.provisional.get(node)) is not None:
        query.lowest = 0
        return provisional
    depth = len(query.under_way)
    if depth > _DEPTH:
        query.lowest = 0
        return (UNKNOWN,)
    outer, query.lowest = query.lowest, _UNTOUCHED
    query.under_way[node] = depth
    try:
        found = merged(handler(file, node))
    finally:
        del query.under_way[node]
    if query.lowest >= depth:  # leans on nothing unfinished: holds for good
        file.values[node] = found
    else:
        query.provisional[node] = found
    query.lowest = min(outer, query.lowest) if query.lowest < depth else outer
    if not query.under_way:
        query.provisional.clear()
        query.lowest = _UNTOUCHED
    return found


def remembered(file: File, key: object, compute: Callable[[], Values]) -> Values:
    """Return an answer kept in the file's memo; one that leans on an unfinished question is not kept."""
    if key in file.memo:
        known: Values | None = file.memo[key]
        if known is None:  # a cycle
            _query.lowest = 0
            return (UNKNOWN,)
        return known
    file.memo[key] = None
    outer, _query.lowest = _query.lowest, _UNTOUCHED
    try:
        found = compute()
    finally:
        del file.memo[key]
    if _query.lowest == _UNTOUCHED:
        file.memo[key] = found
    _query.lowest = min(outer, _query.lowest)
    if not _query.under_way:
        _query.lowest = _UNTOUCHED
    return found


def merged(values: Values) -> Values:
    """Return values without repetitions, Unknown last."""
    if len(values) < 2:
        return values
    found = tuple(dict.fromkeys(v for v in values if not isinstance(v, Unknown)))
    unknown = len(found) > _WIDTH or any(isinstance(v, Unknown) for v in values)
    return (*found[:_WIDTH], UNKNOWN) if unknown else found


def single_type(values: Values) -> str | Class | None:
    """Return the one type that all values are instances of; None constants do not count."""
    types = set()
    for value in values:
        if isinstance(value, Instance):
            types.add(value.type)
        elif not (isinstance(value, Const) and value.value is None):
            return None
    return types.pop() if len(types) == 1 else None


def qualified_name(file: File, node: cst.CSTNode) -> str | None:
    """Return the canonical qualified name that an expression refers to, if all branches agree."""
    found = {name_of_value(v) for v in values_of(file, node) if not (isinstance(v, Const) and v.value is None)}
    return found.pop() if len(found) == 1 else None


def name_of_value(value: Value) -> str | None:
    """Return the qualified name of a module, class or function value."""
    if isinstance(value, LibraryName):
        return value.name
    if isinstance(value, FunctionValue):
        return value.function.qualified_name
    if isinstance(value, ClassValue):
        return value.class_.qualified_name
    if isinstance(value, ModuleValue):
        return value.file.module_name
    if isinstance(value, Partial) and len(value.of) == 1:
        return name_of_value(value.of[0])
    return None


def definition(file: File, node: cst.CSTNode) -> Function | Class | None:
    """Return the one project function or class that an expression refers to."""
    found: set[Function | Class | None] = set()
    for value in values_of(file, node):
        if isinstance(value, Partial):
            value = value.of[0] if len(value.of) == 1 else UNKNOWN
        if isinstance(value, FunctionValue):
            found.add(value.function)
        elif isinstance(value, ClassValue):
            found.add(value.class_)
        elif not (isinstance(value, Const) and value.value is None):
            found.add(None)
    return found.pop() if len(found) == 1 else None


def class_or_name(file: File, node: cst.CSTNode) -> Class | str | None:
    """Return the class that an expression names; `Base[T]` counts as `Base`."""
    if isinstance(node, cst.Subscript):
        node = node.value
    values = [v for v in values_of(file, node) if not isinstance(v, Unknown)]
    if len(values) != 1:
        return None
    if isinstance(values[0], ClassValue):
        return values[0].class_
    return values[0].name if isinstance(values[0], LibraryName) else None


# Names


def _name(file: File, node: cst.Name) -> Values:
    return name_values(file, node.value, node)


def name_values(file: File, name: str, at: cst.CSTNode) -> Values:
    """Return what a name may hold as seen from a node."""
    found = names.lookup(file, name, at)
    if found is None:
        return (UNKNOWN,)
    if found.scope == "builtin":
        return (LibraryName(f"builtins.{name}"),) if name not in {"None", "True", "False"} else _CONSTANTS[name]
    return module_bindings_values(file, found)


def module_bindings_values(file: File, found: names.Found) -> Values:
    """Return the union of what some bindings give."""
    values: list[Value] = []
    for binding in found.bindings[:_WIDTH]:
        values.extend(binding_values(file, binding))
    if len(found.bindings) > _WIDTH:
        values.append(UNKNOWN)
    return merged(tuple(values))


def binding_values(file: File, binding: Binding | Block | Imported) -> Values:
    """Return what one binding gives its name."""
    if isinstance(binding, Block):
        if binding.is_class:
            return (ClassValue(file.class_for(binding)),)
        return (FunctionValue(file.function_for(binding)),)
    if isinstance(binding, Imported):
        return imported_values(file, binding)
    node = binding.node
    if binding.kind == "assign" and binding.value is not None:
        known = values_of(file, binding.value) or (UNKNOWN,)
        if binding.annotation is not None and all(isinstance(v, (Unknown, Const)) for v in known):
            return merged((*annotated(file, binding.annotation), *(v for v in known if isinstance(v, Const))))
        return known
    if binding.kind == "unpack" and binding.value is not None:
        return _unpacked(file, binding.value, binding.path)
    if binding.kind == "annotation" and binding.annotation is not None:
        return annotated(file, binding.annotation)
    if binding.kind == "param":
        return _param(file, binding)
    if binding.kind == "import":
        imported = names.imported_by(binding)
        return imported_values(file, imported) if imported is not None else (UNKNOWN,)
    if isinstance(node, cst.FunctionDef):
        return (FunctionValue(file.function(node)),)
    if isinstance(node, cst.ClassDef):
        return (ClassValue(file.class_(node)),)
    if binding.kind == "with" and binding.value is not None and not binding.path:
        return entered(file, values_of(file, binding.value))
    if binding.kind == "for" and binding.value is not None and not binding.path:
        return _elements(values_of(file, binding.value))
    if binding.kind == "except" and binding.value is not None:
        return _instances_of(values_of(file, binding.value))
    if binding.kind == "delete":
        return ()
    return (UNKNOWN,)


def imported_values(file: File, imported: Imported) -> Values:
    """Return what an import gives: a project's definition or value, or a library's name."""
    return remembered(file, ("import", imported), lambda: _imported(file, imported))


def _imported(file: File, imported: Imported) -> Values:
    module_name = names.absolute(file, imported)
    if imported.attribute is None:
        return module_values(file, module_name)
    if imported.attribute == "*":
        return (UNKNOWN,)
    module = file.project.module(module_name, file)
    if module is not None:
        if module is not file and (found := names.module_lookup(module, imported.attribute)) is not None:
            if found.scope == "module":
                values = module_bindings_values(module, found)
                if values != (UNKNOWN,):
                    return values
        submodule = file.project.module(f"{module_name}.{imported.attribute}", file)
        return (ModuleValue(submodule),) if submodule is not None else (UNKNOWN,)
    full = f"{module_name}.{imported.attribute}"
    submodule = file.project.module(full, file)
    if submodule is not None:
        return (ModuleValue(submodule),)
    return library_values(file, full)


def module_values(file: File, name: str) -> Values:
    """Return the value of a dotted module name."""
    module = file.project.module(name, file)
    return (ModuleValue(module),) if module is not None else (LibraryName(file.libraries.canonical(name)),)


def library_values(file: File, name: str) -> Values:
    """Return the value of a library's name: an instance where a row says what the variable holds."""
    canonical = file.libraries.canonical(name)
    row = file.libraries.find(Attribute, canonical)
    if row is not None and file.libraries.canonical(row.type) != canonical:
        return (Instance(file.libraries.canonical(row.type)),)
    return (LibraryName(canonical),)


def _param(file: File, binding: Binding) -> Values:
    node = binding.node
    assert isinstance(node, cst.Param)
    outer = file.parent(node)
    function_node = file.parent(outer) if outer is not None else None
    if not isinstance(function_node, (cst.FunctionDef, cst.Lambda)):
        return (UNKNOWN,)
    function = file.function(function_node)
    star = function_node.params.star_arg is node or function_node.params.star_kwarg is node
    if star:
        return (UNKNOWN,)
    if function.class_ is not None and not function.is_static and function.params and function.params[0].node is node:
        if "classmethod" in {name and name.rpartition(".")[2] for name in function.decorator_names}:
            return (ClassValue(function.class_),)
        return (Instance(function.class_),)
    if binding.annotation is not None:
        known = annotated(file, binding.annotation)
        return known if known else (UNKNOWN,)
    if binding.value is not None:
        return merged((*values_of(file, binding.value), UNKNOWN))
    return (UNKNOWN,)


def _unpacked(file: File, value: cst.BaseExpression, path: tuple[int, ...]) -> Values:
    current: cst.BaseExpression = value
    for depth, index in enumerate(path):
        if not isinstance(current, (cst.Tuple, cst.List)) or index >= len(current.elements):
            if depth == len(path) - 1:
                return _items_at(values_of(file, current), index)
            return (UNKNOWN,)
        element = current.elements[index]
        if isinstance(element, cst.StarredElement):
            return (UNKNOWN,)
        current = element.value
    return values_of(file, current) or (UNKNOWN,)


def _items_at(values: Values, index: int) -> Values:
    if len(values) == 1 and isinstance(values[0], Collection) and values[0].kind == "tuple":
        items = values[0].items
        return (items[index],) if index < len(items) else (UNKNOWN,)
    return (UNKNOWN,)


# Attributes


def _attribute(file: File, node: cst.Attribute) -> Values:
    receiver = values_of(file, node.value)
    if any(not isinstance(v, (Unknown, Const)) for v in receiver):
        # `x: Client | None`: reading an attribute says that it is not None
        receiver = tuple(v for v in receiver if not (isinstance(v, Const) and v.value is None))
    values: list[Value] = []
    for value in receiver or (UNKNOWN,):
        values.extend(attributes.of_value(file, value, node.attr.value) or (UNKNOWN,))
    return tuple(values)


# Calls


def _call(file: File, node: cst.Call) -> Values:
    values: list[Value] = []
    for value in values_of(file, node.func):
        values.extend(called(file, value, node))
    return tuple(values) or (UNKNOWN,)


def called(file: File, value: Value, node: cst.Call | None) -> Values:
    """Return what calling a value gives; `node` is the call, in `file`."""
    if isinstance(value, ClassValue):
        return (Instance(value.class_, node, file),)
    if isinstance(value, FunctionValue):
        return function_result(file, value.function, node)
    if isinstance(value, LibraryName):
        return _library_call(file, value.name, node)
    if isinstance(value, Partial):
        return tuple(v for of in value.of for v in called(file, of, node))
    if isinstance(value, Instance) and isinstance(value.type, Class):
        method = value.type.method("__call__")
        return function_result(file, method, node) if method is not None else (UNKNOWN,)
    return (UNKNOWN,)


def function_result(file: File, function: Function, node: cst.Call | None) -> Values:
    """Return what calling a project function gives."""
    if function.is_generator:
        return (Generator(function, node, file),)
    if function.is_async:
        return (Coroutine(function, node, file),)
    return returned(function)


def returned(function: Function) -> Values:
    """Return what the body of a function returns, by annotation or by its `return` statements."""
    return remembered(function.file, ("returned", function), lambda: _returned(function))


def _returned(function: Function) -> Values:
    node = function.node
    found: Values = ()
    if isinstance(node, cst.FunctionDef) and node.returns is not None:
        found = annotated(function.file, node.returns.annotation)
    if not found or all(isinstance(v, Unknown) for v in found) or any(isinstance(v, Coroutine) for v in found):
        values: list[Value] = []
        for expression in function.returns()[:_WIDTH]:
            values.extend(values_of(function.file, expression) or (UNKNOWN,))
        found = merged(tuple(values)) or (Const(None),)
    return found


def _library_call(file: File, name: str, node: cst.Call | None) -> Values:
    libraries = file.libraries
    if name == "functools.partial" and node is not None and node.args:
        return (Partial(values_of(file, node.args[0].value), node, file),)
    if name == "typing.cast" and node is not None and len(node.args) == 2:
        return annotated(file, node.args[0].value)
    if name == "builtins.super" and node is not None and not node.args:
        return _super(file, node)
    if node is not None and (made := _field_default(file, name, node)):
        return made
    row = libraries.find(FunctionRow, name)
    if row is not None:
        if row.coroutine:
            return (Coroutine(name, node, file),)
        return (Instance(libraries.canonical(row.returns), node, file),) if row.returns else (UNKNOWN,)
    leaf = name.rpartition(".")[2]
    if libraries.is_known_type(name) or (leaf[:1].isupper() and not leaf.isupper()) or name in _BUILTIN_TYPES:
        return (Instance(name, node, file),)
    return (UNKNOWN,)


def _super(file: File, node: cst.Call) -> Values:
    class_ = file.class_of(node)
    bases = class_.mro()[1:] if class_ is not None else ()
    return (Instance(bases[0]),) if bases else (UNKNOWN,)


def _field_default(file: File, name: str, node: cst.Call) -> Values:
    """Return what a dataclass-like field starts with, from `default_factory=`/`factory=` or `default=`."""
    if name.rpartition(".")[2] not in {"field", "Field", "ib", "attrib", "PrivateAttr"}:
        return ()
    for arg in node.args:
        keyword = arg.keyword.value if arg.keyword is not None else ""
        if keyword in {"default_factory", "factory"}:
            return tuple(v for of in values_of(file, arg.value) for v in called(file, of, None))
        if keyword == "default":
            return values_of(file, arg.value) or (UNKNOWN,)
    return (UNKNOWN,)


_BUILTIN_TYPES = frozenset(
    f"builtins.{name}" for name in "bool bytearray bytes complex dict float frozenset int list object set str tuple".split()
)


def _await(file: File, node: cst.Await) -> Values:
    values: list[Value] = []
    for value in values_of(file, node.expression):
        values.extend(awaited(file, value))
    return tuple(values) or (UNKNOWN,)


def awaited(file: File, value: Value) -> Values:
    """Return what awaiting a value gives."""
    if isinstance(value, Coroutine):
        if isinstance(value.of, Function):
            return returned(value.of)
        row = file.libraries.find(FunctionRow, value.of)
        if row is not None and row.returns:
            return (Instance(file.libraries.canonical(row.returns), value.call, value.file),)
        return (UNKNOWN,)
    if isinstance(value, Instance) and isinstance(value.type, str) and file.libraries.find(Type, value.type):
        return (value,)  # `await create_pool()`: a row that calls itself by its type
    return (UNKNOWN,)


def entered(file: File, values: Values) -> Values:
    """Return what `with`/`async with` binds for a context manager."""
    found: list[Value] = []
    for value in values or (UNKNOWN,):
        if isinstance(value, Instance) and isinstance(value.type, str):
            row = file.libraries.find(Type, value.type)
            if row is not None and row.enters:
                found.append(Instance(file.libraries.canonical(row.enters), value.origin, value.file))
            else:
                found.append(value)
        elif isinstance(value, Instance) and isinstance(value.type, Class):
            method = value.type.method("__aenter__") or value.type.method("__enter__")
            if method is None:
                found.append(value if not value.type.mro_complete or len(value.type.mro()) > 1 else UNKNOWN)
            else:
                result = returned(method)
                same = all(isinstance(v, Instance) and v.type is method.class_ for v in result)
                found.extend((value,) if same else result)
        elif isinstance(value, Generator):
            for expression in value.of.yields():
                found.extend(values_of(value.of.file, expression) or (UNKNOWN,))
        elif isinstance(value, Coroutine):
            found.extend(entered(file, awaited(file, value)))
        else:
            found.append(UNKNOWN)
    return tuple(found)


# Other expressions


def _elements(values: Values) -> Values:
    found: list[Value] = []
    for value in values or (UNKNOWN,):
        if isinstance(value, Collection) and value.kind != "dict":
            found.extend(value.items or (UNKNOWN,))
        elif isinstance(value, Generator) and (yields := value.of.yields()):
            for expression in yields:
                found.extend(values_of(value.of.file, expression) or (UNKNOWN,))
        else:
            found.append(UNKNOWN)
    return tuple(found)


def _subscript(file: File, node: cst.Subscript) -> Values:
    if qualified_name(file, node.value) in {"typing.Union", "typing.Optional", "typing.Annotated"}:
        return annotated(file, node)
    values: list[Value] = []
    for value in values_of(file, node.value) or (UNKNOWN,):
        if isinstance(value, Collection):
            values.extend(value.items or (UNKNOWN,))
        elif isinstance(value, (ClassValue, LibraryName)):
            values.append(value)  # `Queue[int]()`
        else:
            values.append(UNKNOWN)
    return tuple(values)


def _instances_of(values: Values) -> Values:
    found: list[Value] = []
    for value in values or (UNKNOWN,):
        if isinstance(value, ClassValue):
            found.append(Instance(value.class_))
        elif isinstance(value, LibraryName):
            found.append(Instance(value.name))
        elif isinstance(value, Collection):
            found.extend(_instances_of(value.items))
        else:
            found.append(UNKNOWN)
    return tuple(found)


def _display(kind: str) -> Callable[[File, Any], Values]:
    def values(file: File, node: cst.List | cst.Tuple | cst.Set) -> Values:
        items: list[Value] = []
        for element in node.elements[:200]:
            found = (UNKNOWN,) if isinstance(element, cst.StarredElement) else values_of(file, element.value)
            if kind == "tuple":
                items.append(found[0] if len(found) == 1 else UNKNOWN)
            else:
                items.extend(found or (UNKNOWN,))
        return (Collection(kind, tuple(items) if kind == "tuple" else merged(tuple(items))),)

    return values


def _dict(file: File, node: cst.Dict) -> Values:
    items: list[Value] = []
    for element in node.elements[:200]:
        items.extend(
            (UNKNOWN,)
            if isinstance(element, cst.StarredDictElement)
            else values_of(file, element.value) or (UNKNOWN,)
        )
    return (Collection("dict", merged(tuple(items))),)


def _comprehension(file: File, node: cst.ListComp | cst.SetComp | cst.GeneratorExp) -> Values:
    kind = {cst.ListComp: "list", cst.SetComp: "set"}.get(type(node), "generator")
    return (Collection(kind, values_of(file, node.elt) or (UNKNOWN,)),)


def _boolean(file: File, node: cst.BooleanOperation) -> Values:
    left, right = values_of(file, node.left) or (UNKNOWN,), values_of(file, node.right) or (UNKNOWN,)
    if isinstance(node.operator, cst.Or):  # what is falsy on the left does not come through
        left = tuple(v for v in left if not (isinstance(v, Const) and not v.value))
    else:
        left = tuple(v for v in left if isinstance(v, Unknown) or (isinstance(v, Const) and not v.value))
    return (*left, *right)


def _conditional(file: File, node: cst.IfExp) -> Values:
    return (*(values_of(file, node.body) or (UNKNOWN,)), *(values_of(file, node.orelse) or (UNKNOWN,)))


def _constant(file: File, node: cst.BaseExpression) -> Values:
    constant = folding.folded(file, node)
    return (UNKNOWN,) if constant is NOT_CONSTANT else (Const(constant),)


def _operation(file: File, node: cst.BaseExpression) -> Values:
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.BitOr):
        return annotated(file, node)  # an alias for a union of types
    constant = folding.folded(file, node)
    return (UNKNOWN,) if constant is NOT_CONSTANT else (Const(constant),)


def _walrus(file: File, node: cst.NamedExpr) -> Values:
    return values_of(file, node.value)


def _lambda(file: File, node: cst.Lambda) -> Values:
    return (FunctionValue(file.function(node)),)


_CONSTANTS: dict[str, Values] = {"None": (Const(None),), "True": (Const(True),), "False": (Const(False),)}


def annotated(file: File, annotation: cst.BaseExpression) -> Values:
    """Return what a variable with this annotation may hold: `Optional`, unions, strings and containers unwrapped."""
    if isinstance(annotation, (cst.SimpleString, cst.ConcatenatedString)):
        return _string_annotation(file, annotation)
    if isinstance(annotation, cst.BinaryOperation) and isinstance(annotation.operator, cst.BitOr):
        return merged((*annotated(file, annotation.left), *annotated(file, annotation.right)))
    if isinstance(annotation, cst.Subscript):
        return _generic(file, annotation)
    found: list[Value] = []
    for value in values_of(file, annotation):
        if isinstance(value, ClassValue):
            found.append(Instance(value.class_))
        elif isinstance(value, LibraryName):
            found.append(UNKNOWN if value.name in _NO_TYPES else Instance(value.name))
        elif isinstance(value, Const) and value.value is None:
            found.append(value)
        elif isinstance(value, (Instance, Coroutine)):
            found.append(value)  # an alias that was itself built from annotations
        else:
            found.append(UNKNOWN)
    return merged(tuple(found))


_NO_TYPES = frozenset({"typing.Any", "typing.Self", "typing_extensions.Self", "builtins.object", "typing.TypeVar"})
_WRAPPERS = frozenset({"Annotated", "ClassVar", "Final", "Required", "NotRequired", "Mapped", "ContextVar"})
_CONTAINERS = {
    "list": "list", "List": "list", "Sequence": "list", "Iterable": "list", "set": "set", "Set": "set",
    "frozenset": "set", "deque": "list", "tuple": "tuple", "Tuple": "tuple", "dict": "dict", "Dict": "dict",
    "Mapping": "dict", "MutableMapping": "dict", "defaultdict": "dict", "WeakSet": "set",
}  # fmt: skip


def _generic(file: File, annotation: cst.Subscript) -> Values:
    name = qualified_name(file, annotation.value) or ""
    leaf = name.rpartition(".")[2]
    arguments = [
        element.slice.value for element in annotation.slice if isinstance(element.slice, cst.Index)
    ]
    if leaf == "Optional" and arguments:
        return merged((*annotated(file, arguments[0]), Const(None)))
    if leaf == "Union":
        return merged(tuple(v for a in arguments for v in annotated(file, a)))
    if leaf in _WRAPPERS and arguments:
        return annotated(file, arguments[0])
    if leaf in {"AsyncIterator", "AsyncGenerator", "Generator", "Iterator"}:
        return (Instance(name),)
    if leaf in _CONTAINERS and arguments:
        kind = _CONTAINERS[leaf]
        if kind == "tuple":
            items = [annotated(file, a) for a in arguments if not isinstance(a, cst.Ellipsis)]
            return (Collection(kind, tuple(i[0] if len(i) == 1 else UNKNOWN for i in items)),)
        return (Collection(kind, annotated(file, arguments[-1])),)
    return annotated(file, annotation.value)


def _string_annotation(file: File, node: cst.SimpleString | cst.ConcatenatedString) -> Values:
    text = node.evaluated_value
    if not isinstance(text, str):
        return (UNKNOWN,)
    try:
        parsed = cst.parse_expression(text.strip())
    except Exception:  # LibCST raises more than syntax errors for prose
        return (UNKNOWN,)
    file.adopt(parsed, node)
    return annotated(file, parsed)


_HANDLERS: dict[type[cst.CSTNode], Callable[[File, Any], Values]] = {
    cst.Name: _name,
    cst.Attribute: _attribute,
    cst.Call: _call,
    cst.Await: _await,
    cst.Subscript: _subscript,
    cst.List: _display("list"),
    cst.Tuple: _display("tuple"),
    cst.Set: _display("set"),
    cst.Dict: _dict,
    cst.ListComp: _comprehension,
    cst.SetComp: _comprehension,
    cst.GeneratorExp: _comprehension,
    cst.BooleanOperation: _boolean,
    cst.IfExp: _conditional,
    cst.SimpleString: _constant,
    cst.ConcatenatedString: _constant,
    cst.Integer: _constant,
    cst.Float: _constant,
    cst.FormattedString: _operation,
    cst.BinaryOperation: _operation,
    cst.UnaryOperation: _operation,
    cst.NamedExpr: _walrus,
    cst.Lambda: _lambda,
}
