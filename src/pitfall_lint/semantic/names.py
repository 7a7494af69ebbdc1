"""Where a name gets its value: function scopes from the tree, module scope from the outline."""

from __future__ import annotations

import builtins
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import libcst as cst

from pitfall_lint.semantic.outline import Block, Imported
from pitfall_lint.semantic.scopes import Binding, Scope

if TYPE_CHECKING:
    from pitfall_lint.semantic.file import File

_BUILTINS = frozenset(dir(builtins))


@dataclass(frozen=True)
class Found:
    """What a name means at one place: every binding of the scope that owns it."""

    scope: str
    """function, class, comprehension, module or builtin."""
    bindings: tuple[Binding | Block | Imported, ...]


def lookup(file: File, name: str, at: cst.CSTNode) -> Found | None:
    """Find the bindings of a name as seen from a node; None when nothing binds it."""
    scope: Scope | None = file.scope_of(at)
    first = True
    while scope is not None and scope.kind != "module":
        if scope.declared.get(name) == "global":
            break
        if scope.kind != "class" or first:
            if (bindings := scope.bindings.get(name)) is not None and scope.declared.get(name) is None:
                return Found(scope.kind, tuple(bindings))
        first = first and scope.kind == "comprehension"
        scope = scope.parent
    return module_lookup(file, name)


def module_lookup(file: File, name: str) -> Found | None:
    """Find the bindings of a name in the file's module scope."""
    if name in file.module_names:
        return file.module_names[name]
    bindings: list[Binding | Block | Imported] = []
    outline = file.outline
    bindings.extend(_definitions(file).get(name, ()))
    imported = outline.imports.get(name, ())
    if imported:
        bindings.extend(imported)
    known = {"import", "function", "class"}
    bindings.extend(b for b in file.module_bindings(name) if b.kind not in known)
    bindings.extend(_global_assignments(file, name))
    found: Found | None
    if bindings:
        found = Found("module", tuple(bindings))
    else:
        found = _star_import(file, name) or (Found("builtin", ()) if name in _BUILTINS else None)
    file.module_names[name] = found
    return found


def _definitions(file: File) -> dict[str, list[Block]]:
    """Return the functions and classes of the module itself, by name."""
    found: dict[str, list[Block]] | None = file.memo.get("definitions")
    if found is None:
        found = file.memo["definitions"] = {}
        for block in file.outline.blocks:
            if block.parent is None:
                found.setdefault(block.name, []).append(block)
    return found


def _global_assignments(file: File, name: str) -> list[Binding]:
    """Return the bindings that functions make behind `global name`."""
    found: list[Binding] = []
    for block in file.outline.globals.get(name, ()):
        if (tree := file.tree(block)) is not None:
            found.extend(b for b in tree.root.bindings.get(name, ()) if b.kind != "function")
    return found


def _star_import(file: File, name: str) -> Found | None:
    for star in file.outline.imports.get("*", ()):
        module = file.project.module(absolute(file, star), file)
        if module is not None and module is not file and (found := module_lookup(module, name)):
            if found.scope == "module":
                return Found("module", (Imported(name, star.module, name, star.level),))
    return None


def absolute(file: File, imported: Imported) -> str:
    """Return the dotted name of the module that an import names, relative dots resolved."""
    if imported.level == 0:
        return imported.module
    package = file.module_name if file.is_package else file.module_name.rpartition(".")[0]
    if imported.level > package.count(".") + 1 and imported.level > 1:
        package = _by_folder(file, imported.level)
    else:
        for _ in range(imported.level - 1):
            package = package.rpartition(".")[0]
    return f"{package}.{imported.module}".strip(".") if imported.module else package


def _by_folder(file: File, level: int) -> str:
    """Return what some dots stand for where folders have no `__init__.py`: the folder's place in the project."""
    folder, root = file.path, file.project.root
    for _ in range(level):
        folder = os.path.dirname(folder)
    if root is None or not folder.startswith(root + os.sep):
        return ""
    return os.path.relpath(folder, root).replace(os.sep, ".")


def imported_by(binding: Binding) -> Imported | None:
    """Return what an import binding inside a function imports."""
    node = binding.node
    if isinstance(node, cst.ImportFrom) and not isinstance(node.names, cst.ImportStar):
        module = dotted(node.module) if node.module is not None else ""
        attribute = dotted(binding.value) if binding.value is not None else None
        return Imported(binding.name, module or "", attribute, len(node.relative))
    if isinstance(node, cst.Import) and binding.value is not None:
        return Imported(binding.name, dotted(binding.value) or "", None, 0)
    return None


def dotted(node: cst.CSTNode | None) -> str | None:
    """Return `a.b.c` for a chain of plain names."""
    parts: list[str] = []
    while isinstance(node, cst.Attribute):
        parts.append(node.attr.value)
        node = node.value
    if not isinstance(node, cst.Name):
        return None
    return ".".join([node.value, *reversed(parts)])
