"""Generated documents for any schema: fragments, aliases, merged selections, conditions, variables, arguments."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
    is_required_argument,
)

# Values of scalars by name; the argument's name may be more specific.
ScalarValues = Callable[[random.Random, str, str], Any]


@dataclass
class GeneratedDocument:
    text: str
    variables: dict[str, Any]


@dataclass
class _Document:
    fragments: list[str] = field(default_factory=list)
    declarations: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)
    number: int = 0
    left: int = 60

    def next(self) -> int:
        self.number += 1
        return self.number


def generate_document(
    schema: GraphQLSchema, seed: str, values: ScalarValues, *, roots: Sequence[str] = ()
) -> GeneratedDocument:
    """Generates the same document for the same seed. It is rarely invalid."""
    return _Making(schema, random.Random(seed), values).generate(roots)


class _Making:
    def __init__(self, schema: GraphQLSchema, dice: random.Random, values: ScalarValues) -> None:
        self._schema = schema
        self._dice = dice
        self._values = values
        self._made = _Document()
        self._depth = 0

    def generate(self, roots: Sequence[str]) -> GeneratedDocument:
        query = self._schema.query_type
        assert query is not None
        names = list(roots or query.fields)
        chosen = self._dice.choices(names, k=self._dice.choice([1, 1, 2, 3]))
        parts = [self._field(query, name, depth=0) for name in chosen]
        if self._dice.random() < 0.1:
            parts.append("__typename")
        if self._dice.random() < 0.1:
            parts.append(f"... on {query.name} {{ {parts.pop()} }}")
        made = self._made
        declared = f"({', '.join(made.declarations)})" if made.declarations else ""
        text = f"query Made{declared} {{ {' '.join(parts)} }} {' '.join(made.fragments)}"
        return GeneratedDocument(text, made.variables)

    def _field(self, parent: Any, name: str, depth: int) -> str:
        self._made.left -= 1
        definition = parent.fields[name]
        arguments = [
            f"{key}: {self._value(argument.type, key, variable=True)}"
            for key, argument in definition.args.items()
            if is_required_argument(argument) or self._dice.random() < 0.3
        ]
        # Fields with arguments get an alias, so that they need not agree.
        alias = f"a{self._made.next()}: " if arguments or depth == 0 or self._dice.random() < 0.15 else ""
        given = f"({', '.join(arguments)})" if arguments else ""
        below = get_named_type(definition.type)
        selection = "" if is_leaf_type(below) else " " + self._selection(below, depth + 1)
        return f"{alias}{name}{given}{self._condition()}{selection}"

    def _selection(self, type_: Any, depth: int) -> str:
        parts = self._of_abstract(type_, depth) if is_abstract_type(type_) else self._of_object(type_, depth)
        if self._dice.random() < 0.2 or not parts:
            parts.insert(self._dice.randrange(len(parts) + 1), self._typename())
        return "{ " + " ".join(parts) + " }"

    def _typename(self) -> str:
        return self._dice.choice(["__typename", f"t{self._made.next()}: __typename"])

    def _of_abstract(self, type_: Any, depth: int) -> list[str]:
        types = list(self._schema.get_possible_types(type_))
        parts = self._of_object(type_, depth) if hasattr(type_, "fields") else []
        for each in self._dice.sample(types, min(len(types), self._dice.randint(1, 3))):
            parts.append(self._fragment(each, depth))
        return parts

    def _of_object(self, type_: Any, depth: int) -> list[str]:
        names = list(type_.fields)
        deep = depth >= 6 or self._made.left <= 0
        if deep:
            names = [name for name in names if is_leaf_type(get_named_type(type_.fields[name].type))]
            names = [name for name in names if not any(map(is_required_argument, type_.fields[name].args.values()))]
        if not names:
            return []
        chosen = self._dice.sample(names, min(len(names), self._dice.randint(1, 5)))
        parts = [self._field(type_, name, depth) for name in chosen]
        if not deep and self._dice.random() < 0.25:
            parts.insert(self._dice.randrange(len(parts) + 1), self._fragment(type_, depth))
        if not deep and self._dice.random() < 0.15:
            # The same field again, to be merged with the first.
            parts.append(self._field(type_, self._dice.choice(chosen), depth))
        return parts

    def _fragment(self, type_: Any, depth: int) -> str:
        condition = type_
        if isinstance(type_, GraphQLObjectType) and type_.interfaces and self._dice.random() < 0.3:
            condition = self._dice.choice(type_.interfaces)
        parts = self._of_object(condition, depth) or [self._typename()]
        inside = "{ " + " ".join(parts) + " }"
        if self._dice.random() < 0.5:
            return f"... on {condition.name}{self._condition()} {inside}"
        name = f"F{self._made.next()}"
        self._made.fragments.append(f"fragment {name} on {condition.name} {inside}")
        return f"...{name}{self._condition()}"

    def _condition(self) -> str:
        if self._dice.random() > 0.08:
            return ""
        directive = self._dice.choice(["skip", "include"])
        value = self._dice.random() < 0.5
        if self._dice.random() < 0.5:
            return f" @{directive}(if: {str(value).lower()})"
        return f" @{directive}(if: ${self._variable('Boolean!', value, str(value).lower())})"

    def _variable(self, type_: str, value: Any, literal: str) -> str:
        name = f"v{self._made.next()}"
        if self._dice.random() < 0.3:
            self._made.declarations.append(f"${name}: {type_} = {literal}")
            if self._dice.random() < 0.5:
                return name
        else:
            self._made.declarations.append(f"${name}: {type_}")
        self._made.variables[name] = value
        return name

    def _value(self, type_: Any, name: str, *, variable: bool) -> str:
        value = self._plain(type_, name)
        literal = _literal(type_, value)
        if variable and self._dice.random() < 0.4:
            return "$" + self._variable(str(type_), value, literal)
        return literal

    def _plain(self, type_: Any, name: str) -> Any:
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        elif self._dice.random() < 0.1:
            return None
        if isinstance(type_, GraphQLList):
            return [self._plain(type_.of_type, name) for _ in range(self._dice.randint(0, 3))]
        if isinstance(type_, GraphQLEnumType):
            return self._dice.choice(list(type_.values))
        if isinstance(type_, GraphQLInputObjectType):
            return self._nested(type_)
        value = self._values(self._dice, type_.name, name)
        return value

    def _nested(self, type_: GraphQLInputObjectType) -> Mapping[str, Any]:
        """Inputs may contain themselves; deeper than two levels only required fields are set."""
        self._depth += 1
        try:
            return self._object(type_)
        finally:
            self._depth -= 1

    def _object(self, type_: GraphQLInputObjectType) -> Mapping[str, Any]:
        if type_.is_one_of:
            name = self._dice.choice(list(type_.fields)[: None if self._depth < 3 else 1])
            return {name: self._plain(GraphQLNonNull(type_.fields[name].type), name)}
        return {
            name: self._plain(each.type, name)
            for name, each in type_.fields.items()
            if isinstance(each.type, GraphQLNonNull) or (self._depth < 3 and self._dice.random() < 0.4)
        }


def _literal(type_: Any, value: Any) -> str:
    if isinstance(type_, GraphQLNonNull):
        type_ = type_.of_type
    if value is None:
        return "null"
    if isinstance(type_, GraphQLList):
        return "[" + ", ".join(_literal(type_.of_type, each) for each in value) + "]"
    if isinstance(type_, GraphQLEnumType):
        return str(value)
    if isinstance(type_, GraphQLInputObjectType):
        return "{" + ", ".join(f"{key}: {_literal(type_.fields[key].type, each)}" for key, each in value.items()) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)
