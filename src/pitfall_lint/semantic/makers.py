"""Makes LibCST's nodes from the fields that say something: white space, commas and parentheses stay unset."""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

import libcst as cst

from pitfall_lint.semantic.walk import fields_of

_new = object.__new__


def _maker(kind: type[cst.CSTNode], *names: str) -> Callable[..., Any]:
    """Return what makes a node of a kind from some of its fields; what else is walked is None."""
    setters = [getattr(kind, name).__set__ for name in names]
    absent = [getattr(kind, name).__set__ for name in fields_of(kind) if name not in names]
    if absent:

        def make_whole(*values: Any) -> Any:
            node = _new(kind)
            for setter, value in zip(setters, values, strict=True):
                setter(node, value)
            for setter in absent:
                setter(node, None)
            return node

        return make_whole
    if len(setters) == 1:
        (only,) = setters

        def make_of_one(value: Any) -> Any:
            node = _new(kind)
            only(node, value)
            return node

        return make_of_one
    if len(setters) == 2:
        first, second = setters

        def make_of_two(one: Any, other: Any) -> Any:
            node = _new(kind)
            first(node, one)
            second(node, other)
            return node

        return make_of_two

    def make(*values: Any) -> Any:
        node = _new(kind)
        for setter, value in zip(setters, values, strict=True):
            setter(node, value)
        return node

    return make


module = _maker(cst.Module, "body")
name = _maker(cst.Name, "value")
attribute = _maker(cst.Attribute, "value", "attr")
call = _maker(cst.Call, "func", "args")
arg = _maker(cst.Arg, "value", "keyword", "star")
integer = _maker(cst.Integer, "value")
float_ = _maker(cst.Float, "value")
imaginary = _maker(cst.Imaginary, "value")
string = _maker(cst.SimpleString, "value")
ellipsis = _maker(cst.Ellipsis)
tuple_ = _maker(cst.Tuple, "elements")
list_ = _maker(cst.List, "elements")
set_ = _maker(cst.Set, "elements")
dict_ = _maker(cst.Dict, "elements")
element = _maker(cst.Element, "value")
starred = _maker(cst.StarredElement, "value")
pair = _maker(cst.DictElement, "key", "value")
starred_pair = _maker(cst.StarredDictElement, "value")
subscript = _maker(cst.Subscript, "value", "slice")
subscript_element = _maker(cst.SubscriptElement, "slice")
index = _maker(cst.Index, "value", "star")
slice_ = _maker(cst.Slice, "lower", "upper", "step")
boolean = _maker(cst.BooleanOperation, "left", "operator", "right")
binary = _maker(cst.BinaryOperation, "left", "operator", "right")
unary = _maker(cst.UnaryOperation, "operator", "expression")
comparison = _maker(cst.Comparison, "left", "comparisons")
compared = _maker(cst.ComparisonTarget, "operator", "comparator")
choice = _maker(cst.IfExp, "test", "body", "orelse")
await_ = _maker(cst.Await, "expression")
yield_ = _maker(cst.Yield, "value")
from_ = _maker(cst.From, "item")
walrus = _maker(cst.NamedExpr, "target", "value")
lambda_ = _maker(cst.Lambda, "params", "body")
generator = _maker(cst.GeneratorExp, "elt", "for_in")
list_comprehension = _maker(cst.ListComp, "elt", "for_in")
set_comprehension = _maker(cst.SetComp, "elt", "for_in")
dict_comprehension = _maker(cst.DictComp, "key", "value", "for_in")
comp_for = _maker(cst.CompFor, "target", "iter", "ifs", "inner_for_in", "asynchronous")
comp_if = _maker(cst.CompIf, "test")
asynchronous = _maker(cst.Asynchronous)
parameters = _maker(
    cst.Parameters, "params", "star_arg", "kwonly_params", "star_kwarg", "posonly_params", "posonly_ind"
)
param = _maker(cst.Param, "name", "annotation", "default", "star")
param_star = _maker(cst.ParamStar)
param_slash = _maker(cst.ParamSlash)
annotation = _maker(cst.Annotation, "annotation")
line = _maker(cst.SimpleStatementLine, "body")
suite = _maker(cst.SimpleStatementSuite, "body")
block = _maker(cst.IndentedBlock, "body")
expression = _maker(cst.Expr, "value")
assign = _maker(cst.Assign, "targets", "value")
target = _maker(cst.AssignTarget, "target")
annotated = _maker(cst.AnnAssign, "target", "annotation", "value")
augmented = _maker(cst.AugAssign, "target", "operator", "value")
return_ = _maker(cst.Return, "value")
raise_ = _maker(cst.Raise, "exc", "cause")
del_ = _maker(cst.Del, "target")
global_ = _maker(cst.Global, "names")
nonlocal_ = _maker(cst.Nonlocal, "names")
name_item = _maker(cst.NameItem, "name")
pass_ = _maker(cst.Pass)
break_ = _maker(cst.Break)
continue_ = _maker(cst.Continue)
assertion = _maker(cst.Assert, "test", "msg")
import_ = _maker(cst.Import, "names")
import_from = _maker(cst.ImportFrom, "module", "names", "relative")
import_star = _maker(cst.ImportStar)
alias = _maker(cst.ImportAlias, "name", "asname")
as_name = _maker(cst.AsName, "name")
if_ = _maker(cst.If, "test", "body", "orelse")
else_ = _maker(cst.Else, "body")
while_ = _maker(cst.While, "test", "body", "orelse")
for_ = _maker(cst.For, "target", "iter", "body", "orelse", "asynchronous")
with_ = _maker(cst.With, "items", "body", "asynchronous")
with_item = _maker(cst.WithItem, "item", "asname")
try_ = _maker(cst.Try, "body", "handlers", "orelse", "finalbody")
try_star = _maker(cst.TryStar, "body", "handlers", "orelse", "finalbody")
except_ = _maker(cst.ExceptHandler, "body", "type", "name")
except_star = _maker(cst.ExceptStarHandler, "body", "type", "name")
finally_ = _maker(cst.Finally, "body")
function = _maker(cst.FunctionDef, "name", "params", "body", "decorators", "returns", "asynchronous")
class_ = _maker(cst.ClassDef, "name", "body", "bases", "keywords", "decorators")
decorator = _maker(cst.Decorator, "decorator")

DOT = cst.Dot()
DEFAULT = cst.MaybeSentinel.DEFAULT
OPERATORS: dict[type[ast.AST], cst.CSTNode] = {
    getattr(ast, of_ast): getattr(cst, of_cst)()
    for of_ast, of_cst in (
        *(("Add", "Add"), ("Sub", "Subtract"), ("Mult", "Multiply"), ("Div", "Divide"), ("Mod", "Modulo")),
        *(("Pow", "Power"), ("LShift", "LeftShift"), ("RShift", "RightShift"), ("BitOr", "BitOr")),
        *(("BitXor", "BitXor"), ("BitAnd", "BitAnd"), ("FloorDiv", "FloorDivide"), ("MatMult", "MatrixMultiply")),
        *(("And", "And"), ("Or", "Or"), ("Not", "Not"), ("USub", "Minus"), ("UAdd", "Plus"), ("Invert", "BitInvert")),
        *(("Eq", "Equal"), ("NotEq", "NotEqual"), ("Lt", "LessThan"), ("LtE", "LessThanEqual"), ("Gt", "GreaterThan")),
        *(("GtE", "GreaterThanEqual"), ("Is", "Is"), ("IsNot", "IsNot"), ("In", "In"), ("NotIn", "NotIn")),
    )
}
AUGMENTED = {
    operation: getattr(cst, f"{type(operator).__name__}Assign")()
    for operation, operator in OPERATORS.items()
    if hasattr(cst, f"{type(operator).__name__}Assign")
}
"""What stands for each operation of `ast` in LibCST, where a name is given what comes of it, too."""
