"""Who may import whom, held over the source itself. DESIGN.md gives the reasons."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import krakenasync

RULES = {"errors", "clock", "protocol"}
LEAVES = {"_version"}  # any room may import these
ROOMS = {  # room -> the other rooms it may import; "" is the package's own __init__
    "_version": set(),
    "errors": set(),
    "clock": set(),
    "protocol": {"errors"},
    "spot": {"errors", "protocol"},
    "state": RULES,
    "client": RULES | {"spot", "state"},
    "sandbox": RULES | {"spot"},
    "testing": RULES | {"", "spot", "state", "client", "sandbox"},
    "archive": RULES | {"spot", "client"},
    "telemetry": RULES | {"client"},
    "plots": RULES | {"client"},
    "cli": RULES | {"", "spot", "state", "client", "sandbox", "testing", "archive", "plots", "telemetry"},
    "": RULES | {"spot", "state", "client"},
    "__main__": {"cli"},
}
HTTPX = {"client.over_httpx"}  # a successor of httpx must be a one-file change; sandbox and testing stand outside
IMPURE = {"time", "random", "secrets", "os", "uuid", "socket", "asyncio", "anyio", "threading", "pathlib", "logging"}
READS_CLOCK = {"now", "utcnow", "today"}


def sources() -> dict[str, str]:
    """Return module name (below the package, "" for its __init__) -> source."""
    root = Path(krakenasync.__file__ or "").parent if krakenasync.__file__ else Path(*krakenasync.__path__)
    found = {}
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text(encoding="utf-8")
    return found


def imports(source: str, known: Mapping[str, str]) -> Iterator[str]:
    """Yield each imported module's full name, also from inside functions and TYPE_CHECKING blocks."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            for alias in node.names:  # "from krakenasync.protocol import wire" means the module wire
                inner = f"{module}.{alias.name}"
                yield inner if inner.removeprefix("krakenasync.") in known else module


def violations(modules: Mapping[str, str]) -> list[str]:
    """Say what stands where it must not, and why."""
    found, graph = [], {}
    for name, source in modules.items():
        room = name.split(".")[0]
        used = set(imports(source, modules))
        ours = {each.removeprefix("krakenasync").lstrip(".") for each in used if each.split(".")[0] == "krakenasync"}
        graph[name] = ours & modules.keys()
        found += [f"{name} imports {each!r} relatively: write the full name" for each in used if each.startswith(".")]
        if room not in ROOMS:
            found.append(f"{name}: no room of that name is in DESIGN.md; put the module into one, or add the room")
            continue
        for target in sorted({each.split(".")[0] for each in ours} - ROOMS[room] - LEAVES - {room}):
            found.append(f"{name} imports krakenasync.{target}: imports point downward only, see DESIGN.md")
        if (
            room not in {"sandbox", "testing"}
            and name not in HTTPX
            and any(each.split(".")[0] == "httpx" for each in used)
        ):
            found.append(f"{name} imports httpx: only client/over_httpx.py may: httpx can be replaced in one file")
        if room == "protocol":
            found += impurities(name, source, used)
    return found + [f"import cycle: {' -> '.join(cycle)}: move what both need one room down" for cycle in cycles(graph)]


def impurities(name: str, source: str, used: set[str]) -> Iterator[str]:
    """Yield what makes a rule depend on more than its arguments."""
    for module in sorted({each.split(".")[0] for each in used} & IMPURE):
        yield f"{name} imports {module}: rules are pure, so time, chance and environment are arguments"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in READS_CLOCK:
            yield f"{name}:{node.lineno} reads the clock: rules are pure, so `now` is an argument"


def cycles(graph: Mapping[str, set[str]]) -> Iterator[list[str]]:
    """Yield each way back to a module that can reach itself, once: from its first name in the alphabet."""
    for start in graph:
        paths, seen = [[start]], set()
        while paths:
            path = paths.pop()
            for target in sorted(graph.get(path[-1], ())):
                if target == start == min(path):
                    yield [*path, start]
                elif target not in seen and target != start:
                    seen.add(target)
                    paths.append([*path, target])


def test_imports_point_downward():
    """The package as it stands breaks none of the rules."""
    assert not violations(sources()), "\n".join(violations(sources()))


def test_the_package_is_seen():
    """The rules are held over real modules, not over an empty folder."""
    assert {"errors", "clock", "protocol", "protocol.wire", "spot.market"} <= sources().keys()


@pytest.mark.parametrize(
    ("modules", "reason"),
    [
        ({"protocol.wire": "from krakenasync.client import client"}, "imports krakenasync.client: imports point down"),
        ({"sandbox.app": "import krakenasync.state.memory"}, "imports krakenasync.state: imports point downward"),
        ({"client.client": "def f():\n    from krakenasync.sandbox import app"}, "imports krakenasync.sandbox"),
        ({"client.client": "from krakenasync import sandbox", "sandbox": ""}, "imports krakenasync.sandbox"),
        ({"spot.market": "from krakenasync import Tier", "": ""}, "imports krakenasync.: imports point downward"),
        ({"client.client": "from .transport import x"}, "relatively"),
        ({"client.client": "import httpx"}, "imports httpx"),
        ({"cli.main": "from httpx import AsyncClient"}, "imports httpx"),
        ({"protocol.x": "from time import time"}, "imports time: rules are pure"),
        ({"protocol.x": "import random"}, "imports random: rules are pure"),
        ({"protocol.x": "import os.path"}, "imports os: rules are pure"),
        ({"protocol.x": "d = datetime.now(UTC)"}, "protocol.x:1 reads the clock"),
        ({"helpers": ""}, "no room of that name"),
        (
            {"spot.a": "from krakenasync.spot import b", "spot.b": "from krakenasync.spot.a import x"},
            "import cycle: spot.a -> spot.b -> spot.a",
        ),
    ],
)
def test_a_made_up_violation_is_found(modules, reason):
    """The check can fail: each rule, broken on purpose, is reported with its reason."""
    assert any(reason in violation for violation in violations(modules))


def test_what_is_allowed_is_not_reported():
    """Downward imports, httpx in the transport and in the sandbox, and clocks outside the rules pass."""
    assert not violations(
        {
            "errors": "import enum",
            "protocol.wire": "from krakenasync.errors import KrakenError",
            "client.over_httpx": "import httpx, time\nfrom krakenasync.protocol import wire",
            "sandbox.app": "import httpx\nfrom krakenasync.protocol.wire import form",
            "cli": "from krakenasync.sandbox import app",
        }
    )


def unlisted(modules: Mapping[str, str]) -> list[str]:
    """Name what one module takes from another that does not list it in its ``__all__``."""
    trees = {name: ast.parse(source) for name, source in modules.items()}
    listed = {
        name: set(ast.literal_eval(node.value))
        for name, tree in trees.items()
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and node.targets[0].id == "__all__"
    }
    return [
        f"{name} takes {alias.name} from {module}"
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (module := (node.module or "").removeprefix("krakenasync.")) in listed
        for alias in node.names
        if alias.name not in listed[module] and f"{module}.{alias.name}" not in modules
    ]


def test_what_a_module_lends_is_listed():
    """`__all__` says all that others may rely on."""
    assert unlisted(sources()) == []
    assert unlisted({"a": '__all__ = ["x"]', "b": "from krakenasync.a import x, _y"}) == ["b takes _y from a"]
