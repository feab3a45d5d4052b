"""The schema as a whole: everything described, everything guarded, nothing that surprises a client."""

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    parse,
    validate,
)

from tests.support import schemas

BUILT = schemas.published()
# Strawberry's own; the project cannot describe them.
FOREIGN = {"JSON", "Query", "Mutation", "Subscription"}
TYPES = [kind for name, kind in BUILT.type_map.items() if not name.startswith("__") and name not in FOREIGN]
# Asked before or without any permission.
OPEN = {"viewer", "signIn", "signOut"}


@pytest.mark.parametrize("kind", TYPES, ids=lambda kind: kind.name)
def test_every_type_field_argument_and_value_is_described(kind):
    if kind.name in ("String", "Int", "Float", "Boolean", "ID"):
        return
    missing = [] if kind.description else [kind.name]
    if isinstance(kind, GraphQLEnumType):
        missing += [f"{kind.name}.{name}" for name, value in kind.values.items() if not value.description]
    if isinstance(kind, GraphQLInputObjectType):
        missing += [f"{kind.name}.{name}" for name, field in kind.fields.items() if not field.description]
    if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
        missing += _undescribed(kind)
    assert missing == []


@pytest.mark.parametrize("root", [BUILT.query_type, BUILT.mutation_type], ids=lambda root: root.name)
def test_every_root_field_is_described(root):
    assert root.description
    assert _undescribed(root) == []


@pytest.mark.parametrize("root", [BUILT.query_type, BUILT.mutation_type], ids=lambda root: root.name)
def test_every_root_field_shows_a_valid_example_of_itself(root):
    for name, field in root.fields.items():
        _, _, example = field.description.partition("```graphql\n")
        document = parse(example.removesuffix("```"))
        assert validate(BUILT, document) == []
        assert name in {node.name.value for node in document.definitions[0].selection_set.selections}


def test_every_root_field_names_the_permission_it_needs():
    for root in (BUILT.query_type, BUILT.mutation_type):
        for name, field in root.fields.items():
            directives = {directive.name.value for directive in field.ast_node.directives or ()}
            assert ("requires" in directives) is (name not in OPEN), name
    assert "directive @requires(permission: Permission!) on FIELD_DEFINITION" in schemas.text()


def _undescribed(kind):
    missing = [f"{kind.name}.{name}" for name, field in kind.fields.items() if not field.description]
    for name, field in kind.fields.items():
        missing += [f"{kind.name}.{name}({one}:)" for one, each in field.args.items() if not each.description]
    return missing
