"""The modules a BigBlueButton host runs, put together as one file that Python 3.5 understands.

What is of a newer Python and can be had without is rewritten (annotations, f-strings); what cannot is refused by the
tests, which compile the file as 3.5. A name that two modules use is refused here, since all share one space.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from pathlib import Path

from rollcall import __version__

FILE_NAME = "rollcall_post_events.py"
# In the order of their imports.
MODULES = (
    "rollcall.bbb.recording",
    "rollcall.bbb.callback_body",
    "rollcall.bbb.post_events.host",
    "rollcall.bbb.post_events.configuration",
    "rollcall.bbb.post_events.posting",
    "rollcall.bbb.post_events.verdict",
    "rollcall.bbb.post_events.spool",
    "rollcall.bbb.post_events.journal",
    "rollcall.bbb.post_events.sending",
    "rollcall.bbb.post_events.divert",
    "rollcall.bbb.post_events.installing",
    "rollcall.bbb.post_events.checking",
    "rollcall.bbb.post_events.program",
)

_HEADER = '''\
#!/usr/bin/env python3
# rollcall_post_events.py {version} - made by `rollcall bbb-host --script`; not meant to be edited.
# Copyright the Rollcall authors. Licensed under the Apache License, Version 2.0:
# http://www.apache.org/licenses/LICENSE-2.0
"""What a BigBlueButton host (2.2 to 3.0) sends when a class has ended: to the LMS, to Rollcall, or to both.

To install it, as root on the host:

    python3 rollcall_post_events.py --install --rollcall-url https://rollcall.example.org/callbacks/...
    rollcall-bbb --check

Nothing beyond Python 3.5 is needed. `--help` tells the rest, `--uninstall` undoes it.
"""

__version__ = {version!r}
'''


class Ambiguous(Exception):
    """Two modules use one name for two things."""


def assemble() -> str:
    """The whole file."""
    body = [statement for name in MODULES for statement in _statements_of(name)]
    _refuse_double_names(body)
    module = ast.Module(body=[*_imports_once(body)], type_ignores=[])
    return f"{_HEADER.format(version=__version__)}\n{ast.unparse(ast.fix_missing_locations(module))}\n\n\n{_FOOTER}"


_FOOTER = """\
if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
"""


def source_of(name: str) -> str:
    """The text of one module, wherever Rollcall is installed; it is not imported."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:  # pragma: no cover - a broken installation
        raise FileNotFoundError(name)
    return Path(spec.origin).read_text(encoding="utf-8")


def _statements_of(name: str) -> Iterator[ast.stmt]:
    tree = _Older().visit(ast.parse(source_of(name)))
    docstring, *rest = tree.body
    words = str(docstring.value.value)
    # A sentence of each module stands where the module begins.
    yield ast.Expr(ast.Constant(words))
    yield from rest


class _Older(ast.NodeTransformer):
    """Takes away what Python 3.5 does not know and what one file does not need."""

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        is_inside = (node.module or "").partition(".")[0] in {"rollcall", "__future__"}
        return None if is_inside or node.module == "typing" else node

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt] | None:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.Assign | None:
        if node.value is None:
            return None
        return ast.Assign(targets=[node.target], value=self.visit(node.value), lineno=node.lineno)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(arg=node.arg)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        self.generic_visit(node)
        node.body = node.body or [ast.Pass()]
        return node

    def visit_JoinedStr(self, node: ast.JoinedStr) -> ast.AST:
        template = ""
        values: list[ast.expr] = []
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                template += "{" + _conversion(part) + _format_of(part) + "}"
                values.append(self.visit(part.value))
            else:
                template += _literal(part).replace("{", "{{").replace("}", "}}")
        return ast.Call(ast.Attribute(ast.Constant(template), "format", ast.Load()), values, [])


def _conversion(part: ast.FormattedValue) -> str:
    return "" if part.conversion == -1 else f"!{chr(part.conversion)}"


def _format_of(part: ast.FormattedValue) -> str:
    if part.format_spec is None:
        return ""
    if not isinstance(part.format_spec, ast.JoinedStr):  # pragma: no cover - the parser makes nothing else
        raise TypeError(part.format_spec)
    return ":" + "".join(map(_literal, part.format_spec.values))


def _literal(part: ast.expr) -> str:
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        return part.value
    raise TypeError(f"a format that is computed cannot be rewritten (line {part.lineno})")


def _imports_once(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """Every import first and once, sorted, then the rest in its order."""
    kept = list(body)
    imports = [one for one in kept if isinstance(one, (ast.Import, ast.ImportFrom))]
    yield from (ast.parse(line).body[0] for line in sorted({ast.unparse(one) for one in imports}))
    yield from (one for one in kept if one not in imports)


def _refuse_double_names(body: Iterable[ast.stmt]) -> None:
    seen: set[str] = set()
    for name in (name for statement in body for name in _names_of(statement)):
        if name in seen:
            raise Ambiguous(name)
        seen.add(name)


def _names_of(statement: ast.stmt) -> Iterator[str]:
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        yield statement.name
    elif isinstance(statement, ast.Assign):
        yield from (one.id for target in statement.targets for one in ast.walk(target) if isinstance(one, ast.Name))
