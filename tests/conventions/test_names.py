"""Names: public names say what a thing is or does, and no two classes outside the GraphQL types share a name."""

import ast
from collections import defaultdict
from collections.abc import Iterator

from tests.support.repository_files import LAYERS, ROOT, modules

BARE_WORDS = frozenset(
    [
        "told",
        "read",
        "keep",
        "kept",
        "of",
        "named",
        "found",
        "one",
        "some",
        "place",
        "made",
        "given",
        "done",
        "shown",
        "asked",
        "wanted",
        "held",
        "begun",
        "seen",
        "here",
        "among",
        "settled",
        "alike",
        "said",
        "taken",
        "things",
        "stuff",
        "most",
        "MOST",
        "LONGEST",
        "KEPT",
        "EVERY",
    ]
)
"""Words that name nothing by themselves."""

MIGRATIONS = "db/migrations/versions/"
"""Released migrations do not change."""

GRAPHQL_TYPES = "graph/"
"""GraphQL's types have the names that the schema gives them."""


def _top_level(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Module-level functions, classes and constants, and the methods of classes."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        if isinstance(node, ast.ClassDef):
            for member in node.body:
                if isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                    yield member.name, member.lineno
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        yield from ((target.id, target.lineno) for target in targets if isinstance(target, ast.Name))


def test_no_public_name_is_a_bare_word():
    bare = [
        f"{path}:{line}: {name}"
        for path in modules(*LAYERS)
        for name, line in _top_level(ast.parse((ROOT / path).read_text(encoding="utf-8")))
        if name in BARE_WORDS and MIGRATIONS not in str(path)
    ]
    assert not bare, f"name these for what they are or do: {bare}"


def test_no_two_classes_share_a_name():
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in modules(*LAYERS):
        if str(path).startswith(GRAPHQL_TYPES):
            continue
        for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path))
    shared = {name: paths for name, paths in places.items() if len(paths) > 1}
    assert not shared
