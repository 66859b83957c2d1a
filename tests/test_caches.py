"""Nothing that is remembered in this process is of one account and shown for another.

Read from the code, so that a cache which is written tomorrow is held to it too.
"""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.conftest import ROOT

DASHBOARD = ROOT / "dashboard"
OF_NO_ACCOUNT = {
    "activity_readings._deeds": "the trail of this machine, by its file and its last row",
    "activity_readings._known": "the same, and only what is over of it",
    "connections._connection": "connections: the key is the choice and its configuration",
    "connections._own_embedded_aws": "a process of this machine",
    "data_readings._jobs": "work by what lasts of its account: two of one account would do the same work at once",
    "measure_readings._photos": "drawn pictures",
    "model_readings.visitors": "photos of a minute by visitor, whatever endpoint answers",
    "price_readings._kept": "a file by its path and the moment it changed",
    "price_readings._merged": "prices by the files that they are of",
    "replay_readings._replayed": "a simulation by all that it is asked",
    "security_readings._forgotten": "a number that only grows",
    "state._warm_up": "nothing but that it was done",
    "tab._browsers": "choices of browsers, each under its cookie and person",
}
OF_THE_PROCESS = {"scribe.OPEN": "deeds that are not over, by names that are drawn by lot"}
"""What a module may change of its own."""
MUTABLE = {"dict", "list", "set", "defaultdict", "deque", "Counter", "OrderedDict", "WeakValueDictionary"}
CHANGING = {"append", "add", "update", "setdefault", "pop", "popitem", "clear", "extend", "insert", "remove", "discard"}


@cache
def modules(with_words: str = "") -> tuple[tuple[Path, ast.Module], ...]:
    """The dashboard's modules whose text has these words."""
    texts = {file: file.read_text() for file in sorted(DASHBOARD.rglob("*.py"))}
    return tuple((file, ast.parse(text)) for file, text in texts.items() if with_words in text)


def cached(tree: ast.Module) -> Iterator[ast.FunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any("cache_" in ast.unparse(one) for one in node.decorator_list):
            yield node


def parameters(function: ast.FunctionDef) -> list[ast.arg]:
    return [*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs]


def is_by_account(function: ast.FunctionDef) -> bool:
    """Whether it is a dictionary that is made once, whose keys are accounts."""
    return not parameters(function) and ast.unparse(function.returns or ast.Constant("")).startswith("dict[str, ")


def is_place(node: ast.AST, places: set[str]) -> bool:
    """Whether an expression is `where(aws)`, or a name that holds it."""
    if isinstance(node, ast.Name):
        return node.id in places
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "where"


def places(function: ast.AST) -> set[str]:
    """Names that hold `where(aws)` inside a function: a parameter `where`, and what is assigned from it."""
    found = (
        {"where"} if isinstance(function, ast.FunctionDef) and "where" in map(_name, parameters(function)) else set()
    )
    return found | {
        name for name, value in pairs(function) if isinstance(value, ast.Call) and ast.unparse(value.func) == "where"
    }


def pairs(function: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """The names that a function assigns, each with its value."""
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            targets, values = [node.targets[0]], [node.value]
            if isinstance(node.targets[0], ast.Tuple) and isinstance(node.value, ast.Tuple):
                targets, values = node.targets[0].elts, node.value.elts
            for target, value in zip(targets, values, strict=True):
                if isinstance(target, ast.Name):
                    yield target.id, value


def _name(argument: ast.arg) -> str:
    return argument.arg


def test_every_cache_is_of_one_account_or_says_why_it_is_of_none() -> None:
    wrong, seen = [], 0
    for file, tree in modules("st.cache_"):
        for function in cached(tree):
            seen += 1
            names = [_name(one) for one in parameters(function)]
            if names[:1] == ["where"]:
                continue
            told = [one for one in parameters(function) if "Aws" in ast.unparse(one.annotation or ast.Constant(""))]
            is_of_none = f"{file.stem}.{function.name}" in OF_NO_ACCOUNT or is_by_account(function)
            if told or not is_of_none:
                wrong.append(f"{file.relative_to(ROOT)} {function.name}{tuple(names)}")
    assert not wrong, "their key holds no account: " + "; ".join(wrong)
    assert seen > 50


def test_every_look_into_a_cache_names_the_account_that_is_asked() -> None:
    wrong, seen = [], 0
    for file, tree in modules("st.cache_"):
        kept = {one.name for one in cached(tree) if [_name(arg) for arg in parameters(one)][:1] == ["where"]}
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            known = places(function)
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                name = ast.unparse(call.func)
                if name not in kept and name.removesuffix(".clear") not in kept:
                    continue
                if name.endswith(".clear") and not call.args:
                    continue
                seen += 1
                if not call.args or not is_place(call.args[0], known):
                    wrong.append(f"{file.relative_to(ROOT)}:{call.lineno} {ast.unparse(call)[:80]}")
    assert not wrong, "; ".join(wrong)
    assert seen > 50


def test_dictionaries_that_are_made_once_are_looked_into_by_account() -> None:
    wrong, seen = [], 0
    for file, tree in modules("st.cache_"):
        once = {one.name for one in cached(tree) if is_by_account(one)}
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            known = places(function)
            # "kept, at = _kept(), where(aws)": the dictionary by a name of its own
            named = {target for target, value in pairs(function) if ast.unparse(value) in {f"{one}()" for one in once}}
            for node in ast.walk(function):
                if not isinstance(node, ast.Attribute | ast.Subscript):
                    continue
                held = ast.unparse(node.value)
                if held not in named and held.removesuffix("()") not in once:
                    continue
                if isinstance(node, ast.Subscript):
                    seen += 1
                    if not is_place(node.slice, known):
                        wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}")
                    continue
                if node.attr == "values":
                    continue
                seen += 1
                used = [one for one in ast.walk(function) if isinstance(one, ast.Call) and one.func is node]
                if not used or not used[0].args or not is_place(used[0].args[0], known):
                    wrong.append(f"{file.relative_to(ROOT)}:{node.lineno}")
    assert not wrong, "; ".join(wrong)
    assert seen >= 2


def test_no_function_keeps_what_an_account_said_by_itself() -> None:
    """functools' caches are of pure functions: none is given a connection, or an account."""
    wrong = []
    for file, tree in modules("cache"):
        for node in ast.walk(tree):
            if not isinstance(node, ast.FunctionDef):
                continue
            decorators = {ast.unparse(one).split("(")[0] for one in node.decorator_list}
            if not decorators & {"cache", "lru_cache", "functools.cache", "functools.lru_cache"}:
                continue
            told = [ast.unparse(one.annotation) for one in parameters(node) if one.annotation]
            if any(word in {"Aws", "Account"} for one in told for word in one.replace("|", " ").split()):
                wrong.append(f"{file.relative_to(ROOT)} {node.name}")
    assert not wrong, "; ".join(wrong)


def test_no_module_keeps_anything_that_changes() -> None:
    """What goes on in threads of their own is kept in caches too, by account; a module's own names stay as they are."""
    wrong = []
    for file, tree in modules():
        held = set()
        for node in tree.body:
            value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            is_mutable = isinstance(
                value, ast.Dict | ast.List | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
            ) or (isinstance(value, ast.Call) and ast.unparse(value.func).rpartition(".")[2] in MUTABLE)
            if value is not None and is_mutable:
                held |= {one.id for one in targets if isinstance(one, ast.Name)}
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for node in ast.walk(function) if held or " global " in file.read_text() else ():
                if isinstance(node, ast.Global):
                    wrong.append(f"{file.relative_to(ROOT)}:{node.lineno} global {', '.join(node.names)}")
                target = node.value if isinstance(node, ast.Subscript) and not isinstance(node.ctx, ast.Load) else None
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGING:
                    target = node.func.value
                is_held = isinstance(target, ast.Name) and target.id in held and target.id not in _own(function)
                if is_held and f"{file.stem}.{target.id}" not in OF_THE_PROCESS:
                    wrong.append(f"{file.relative_to(ROOT)}:{node.lineno} {target.id}")
    assert not wrong, "; ".join(wrong)


def _own(function: ast.FunctionDef) -> set[str]:
    """Names that a function gives values to, or is given."""
    return {
        node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    } | {_name(one) for one in parameters(function)}
