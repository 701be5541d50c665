"""The house's style as functions over source text: each returns a sentence for every place that breaks it.

``test_tidy`` applies them to the project, and to planted faults, so that each is known to be able to fail.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator

FILE_LINES_MAX = 500
FUNCTION_LINES_MAX = 70


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CORE_BANNED_MODULES = _words(
    "asyncio time datetime random secrets uuid os socket threading logging decimal pathlib subprocess websockets msgpack rich"
)
VAGUE_NAMES = _words("util utils helper helpers common manager managers handler handlers processor processors misc")
MUTABLE_CALLS = _words("list dict set bytearray defaultdict deque Counter OrderedDict SortedList SortedDict")
CHANGING_METHODS = _words("append extend insert remove pop popitem clear update setdefault add discard sort reverse appendleft")
LOCK_FILES = _words(
    "uv.lock poetry.lock pdm.lock Pipfile.lock pixi.lock conda-lock.yml package-lock.json yarn.lock pnpm-lock.yaml"
)

_RULE_LINE = re.compile(r"^- \*\*([A-Z]+-[0-9]{3})\*\* ", re.MULTILINE)
# Spelled with brackets, so that this file does not hold what it looks for.
_REGISTRY = re.compile(r"py[p]i[.]org|python[h]osted[.]org|npm[j]s[.](org|com)|crates[.]io/api")
_INDEX_OPTION = re.compile(r"--(extra-)?index[-]url|--find[-]links|(extra_)?index[_]url")


def rules_of_spec(text: str) -> list[str]:
    """Return the rule ids that a specification states, in its order."""
    return _RULE_LINE.findall(text)


def rules_cited(source: str) -> set[str]:
    """Return the rule ids in ``pytest.mark.rule(...)`` calls of a test module."""
    cited: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "rule":
            cited.update(argument.value for argument in node.args if _is_text(argument))  # type: ignore[attr-defined]
    return cited


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def arithmetic_faults(source: str) -> Iterator[str]:
    """Yield each float, true division and Decimal of a module that must count in whole numbers."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=float() | complex()):
                yield f"line {node.lineno}: the float {node.value!r}"
            case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
                yield f"line {node.lineno}: a true division"
            case ast.Name(id="float" | "Decimal"):
                yield f"line {node.lineno}: {node.id}"
            case ast.Attribute(attr="Decimal"):
                yield f"line {node.lineno}: Decimal"


def import_faults(source: str, banned: frozenset[str] = CORE_BANNED_MODULES) -> Iterator[str]:
    """Yield each import of a banned module, wherever in the module it stands."""
    for node in ast.walk(ast.parse(source)):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names = [node.module]
        for name in names:
            if name.split(".")[0] in banned:
                yield f"imports {name}"


def state_faults(source: str) -> Iterator[str]:
    """Yield each piece of module state that can change: lower-case containers, changed constants, ``global``."""
    tree = ast.parse(source)
    names = set(_module_names(tree))
    for node in tree.body:
        for name, value in _assignments(node):
            if _is_mutable(value) and not name.strip("_").isupper():
                yield f"line {node.lineno}: {name} is a container that can change"
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for statement in node.body:
                for name, value in _assignments(statement):
                    if _is_mutable(value) and name != "__slots__":
                        yield f"line {statement.lineno}: {node.name}.{name} is shared by all instances"
        elif isinstance(node, ast.Global):
            yield f"line {node.lineno}: global {', '.join(node.names)}"
        else:
            yield from _changes(node, names)


def _changes(node: ast.AST, names: set[str]) -> Iterator[str]:
    targets: list[ast.expr] = []
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=attribute)):
            if name in names and attribute in CHANGING_METHODS:
                yield f"line {node.lineno}: {name}.{attribute}() changes module state"
        case ast.Assign():
            targets = node.targets
        case ast.AugAssign():
            targets = [node.target]
        case ast.Delete():
            targets = node.targets
    for target in targets:
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and target.value.id in names:
            yield f"line {target.lineno}: {target.value.id}[...] changes module state"


def _module_names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        yield from (name for name, _ in _assignments(node))


def _assignments(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        yield from ((target.id, node.value) for target in node.targets if isinstance(target, ast.Name))
    elif isinstance(node, ast.AnnAssign) and node.value is not None and isinstance(node.target, ast.Name):
        yield node.target.id, node.value


def _is_mutable(node: ast.expr) -> bool:
    if isinstance(node, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp):
        return True
    if not isinstance(node, ast.Call):
        return False
    called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    return called in MUTABLE_CALLS


def size_faults(source: str) -> Iterator[str]:
    """Yield the file and each function that is longer than a reader can hold."""
    lines = len(source.splitlines())
    if lines > FILE_LINES_MAX:
        yield f"{lines} lines; at most {FILE_LINES_MAX}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                yield f"{node.name} has {length} lines; at most {FUNCTION_LINES_MAX}"


def name_faults(paths: Iterable[str]) -> Iterator[str]:
    """Yield each module or package whose name says nothing of what is in it."""
    for path in paths:
        for part in path.removesuffix(".py").split("/"):
            vague = VAGUE_NAMES.intersection(part.lower().split("_"))
            if vague:
                yield f"{path}: {', '.join(sorted(vague))} is no name"


def lock_faults(paths: Iterable[str]) -> Iterator[str]:
    """Yield each lock file: the project pins nothing but what it states in pyproject.toml."""
    for path in paths:
        if path.rsplit("/", 1)[-1] in LOCK_FILES:
            yield path


def registry_faults(text: str) -> Iterator[str]:
    """Yield each line that names a package registry or an index option."""
    for number, line in enumerate(text.splitlines(), start=1):
        if _REGISTRY.search(line) or _INDEX_OPTION.search(line):
            yield f"line {number}: {line.strip()[:80]}"


def sleep_faults(source: str) -> Iterator[str]:
    """Yield each sleep of a test that waits for time to pass; handing over the loop (``sleep(0)``) is allowed."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called == "sleep" and not (node.args and isinstance(node.args[0], ast.Constant) and node.args[0].value == 0):
            yield f"line {node.lineno}: a sleep"
