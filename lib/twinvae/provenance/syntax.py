"""Python read without running it: the definitions and imports of a file, and what each definition says."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

BODY = "<body>"  # what a module does when it is imported, beside defining
ELSEWHERE = "elsewhere:"  # before the name of what is not the project's
ANY, METHODS = "any:", "methods:"  # before a name: all definitions of that name, or all methods
SKIPPED = ("annotation", "returns", "ctx", "kind", "type_comment")


@lru_cache(maxsize=None)
class Module:
    """One file, or the cells of a notebook: its definitions by name, and what its imports bind.

    `with_it` has what may be modules that come with it, not only when one of its functions is called.
    """

    def __init__(self, name: str, package: str, text: str):
        self.name, self.package, tree = name, package, ast.parse(text)
        self.definitions: dict[str, list[ast.AST]] = defaultdict(list)
        for statement in tree.body:
            for defined, node in self.defined(statement):
                self.definitions[defined].append(node)
        self.imports = {name: target for node in ast.walk(tree) for name, target in self.bound(node).items()}
        pairs = [pair for statement in tree.body for pair in self.bound(statement).values()]
        self.with_it = {owner for owner, _ in pairs} | {f"{owner}.{name}" for owner, name in pairs}

    def defined(self, statement: ast.stmt) -> Iterator[tuple[str, ast.AST]]:
        """Yield the names that a statement defines with their nodes; for a class C also `C()`, its bases, and `C.m`."""
        match statement:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name, statement
            case ast.ClassDef(name=name, bases=bases, keywords=keywords, body=body, decorator_list=decorators):
                methods = [node for node in body if isinstance(node, ast.FunctionDef)]
                yield name, ast.ClassDef(name, [], keywords, [n for n in body if n not in methods], decorators)
                yield f"{name}()", ast.Tuple(bases)
                yield from ((f"{name}.{method.name}", method) for method in methods)
            case ast.Assign(targets=targets) if names := stored(*targets):
                yield from ((name, statement) for name in names)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.AugAssign(target=ast.Name(id=name)):
                yield name, statement
            case ast.If(test=ast.Compare(left=ast.Name(id="__name__"))) | ast.Expr(value=ast.Constant()):
                pass
            case _ if not self.bound(statement):
                yield BODY, statement

    def bound(self, node: ast.AST) -> dict[str, tuple[str, str]]:
        """Return what an import binds: name -> (module, the name in it or '' for the module itself)."""
        if isinstance(node, ast.Import):
            parts = [(alias.asname, alias.name, alias.name.split(".")[0]) for alias in node.names]
            return {asname or top: (name if asname else top, "") for asname, name, top in parts}
        if isinstance(node, ast.ImportFrom):
            above = self.package.split(".")[: 1 - node.level or None] if node.level else []
            module = ".".join([*above, node.module] if node.module else above)
            return {alias.asname or alias.name: (module, alias.name) for alias in node.names}
        return {}


class Meaning:
    """A definition as `text` without layout, comments, docstrings and annotations, and the `keys` that it leads to.

    A name is written as what it stands for, wherever that lies, and imports are left out. Empty fields are left out
    too and the parts of f-strings joined: Python 3.11, 3.12 and 3.13 then give the same text.
    """

    def __init__(self, nodes: list[ast.AST], module: Module, library: Any):
        self.module, self.library, self.local = module, library, stored(*nodes)
        self.keys: set[str] = set()
        self.strings: set[str] = set()
        self.text = self.dump(nodes)

    def dump(self, node: object) -> str:
        """Return a node as text, and remember where it leads."""
        match node:
            case list():
                return f"[{' '.join(self.dump(item) for item in node if not is_silent(item))}]"
            case ast.Constant(value=value):
                return repr(self.quote(value))
            case ast.JoinedStr(values=parts):
                said = [self.quote(p.value) if isinstance(p, ast.Constant) else f"\0{self.dump(p)}\0" for p in parts]
                return repr("".join(said))
            case ast.Name() | ast.Attribute() if target := self.target(node):
                self.keys |= {target, f"{target}()"}  # whatever names a class may make instances of it
                return target.partition(":")[2] or target.rpartition(".")[2]
            case ast.Attribute(value=value, attr=name):
                self.keys.add(ANY + name)
                return f"{self.dump(value)}.{name}"
            case ast.AST():
                if isinstance(node, ast.Call):
                    handed = [*node.args, *(keyword.value for keyword in node.keywords)]
                    self.keys |= {f"{METHODS}{value.value}" for value in handed if isinstance(value, ast.Constant)}
                fields = [(name, getattr(node, name, None)) for name in node._fields if name not in SKIPPED]
                inside = [f"{name}={self.dump(value)}" for name, value in fields if value is not None and value != []]
                return f"{type(node).__name__}({' '.join(inside)})"
        return repr(node)

    def quote(self, value: object) -> object:
        """Return a constant, and remember a string, which may be the name of a data file or of a 'module:function'."""
        if isinstance(value, str):
            self.strings.add(value)
            self.keys |= {ANY + name for name in re.findall(r":(\w+)$", value)}
        return value

    def target(self, node: ast.AST) -> str | None:
        """Return the definition or module that a name or attribute stands for; None where only a run can tell."""
        if isinstance(node, ast.Name) and node.id not in self.local:
            return self.library.lookup(self.module.name, node.id)
        owner = self.target(node.value) if isinstance(node, ast.Attribute) else None
        if owner is None or owner.startswith(ELSEWHERE):
            return owner and f"{owner}.{node.attr}"
        if owner in self.library.modules:
            return self.library.lookup(owner, node.attr) or ANY + node.attr
        method = f"{owner}.{node.attr}"
        return method if method in self.library.definitions else None


def is_silent(node: object) -> bool:
    """Return whether a statement says nothing: a docstring, or an import."""
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return is_text or isinstance(node, (ast.Import, ast.ImportFrom))


def stored(*nodes: ast.AST) -> set[str]:
    """Return the variables and arguments that are bound inside nodes."""
    inside = [node for outer in nodes for node in ast.walk(outer)]
    names = {n.id for n in inside if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return names | {n.arg for n in inside if isinstance(n, ast.arg)}
