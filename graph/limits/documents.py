"""Measuring a parsed document in one pass: every definition once, fragments by their remembered sums.

Validation comes after this, because its own cost grows faster than the document.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
)
from graphql.validation.rules import overlapping_fields_can_be_merged

from graph.errors.top_level import TopLevelError, ValidationFailed, limit_passed
from graph.limits.limits import Limits

SIGN_IN_FIELD: Final = "signIn"
TYPENAME_FIELD: Final = "__typename"

# graphql-core's knob for its one rule whose work is not linear; its own default lets a document of
# 2 000 characters take half a second. This is some 15 ms, and far above what real documents need.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 10_000


@dataclass(slots=True)
class _Sums:
    """Of one definition: first without the fragments it spreads, in the end with them."""

    selections: int = 0
    aliases: int = 0
    depth: int = 0
    roots: Counter[str] = field(default_factory=Counter)
    spreads: list[tuple[str, int, bool]] = field(default_factory=list)
    """Name of the fragment, the depth it is spread at, and whether that is at the root."""

    def add(self, fragment: "_Sums", *, depth: int, at_root: bool) -> None:
        self.selections += fragment.selections
        self.aliases += fragment.aliases
        self.depth = max(self.depth, depth + fragment.depth)
        if at_root:
            self.roots += fragment.roots


def check_document(document: DocumentNode, limits: Limits) -> TopLevelError | None:
    """What the document has too much of, if anything; fragments that spread themselves are refused here too."""
    try:
        _Measuring(limits).document(document)
    except TopLevelError as error:
        return error.with_traceback(None)
    return None


class _Measuring:
    """Of one document. Raises ValidationFailed as soon as something is too much, so that it ends early."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._directives = 0

    def document(self, document: DocumentNode) -> None:
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        fragments = [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
        if len(operations) + len(fragments) < len(document.definitions):
            raise ValidationFailed("A document holds operations and fragments, nothing else.")
        _refuse_over(self._limits.operations_per_document, len(operations), "operations", "operations")
        _refuse_over(self._limits.fragments, len(fragments), "fragments", "fragments")
        sums = {each.name.value: self._alone(each) for each in fragments}
        for name in _inner_first(sums):
            self._with_fragments(sums[name], sums)
        for operation in operations:
            of_operation = self._alone(operation)
            self._with_fragments(of_operation, sums)
            self._check_roots(of_operation.roots)

    def _alone(self, definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Sums:
        variables = definition.variable_definitions or ()
        _refuse_over(self._limits.variables, len(variables), "variables", "variables")
        for variable in variables:
            self._check_directives(variable.directives)
            self._check_values([variable.default_value] if variable.default_value else [])
        self._check_directives(definition.directives)
        sums = _Sums()
        for selection, depth, at_root in _selections(definition.selection_set):
            self._count(selection, depth, at_root, sums)
        return sums

    def _count(self, selection: Any, depth: int, at_root: bool, sums: _Sums) -> None:
        sums.selections += 1
        if sums.selections > self._limits.selections:
            self._check_sums(sums)
        sums.depth = max(sums.depth, depth)
        if selection.directives:
            self._check_directives(selection.directives)
        if isinstance(selection, FieldNode):
            sums.aliases += selection.alias is not None
            if at_root:
                sums.roots[selection.name.value] += 1
            if selection.arguments:
                self._check_values([each.value for each in selection.arguments])
        elif isinstance(selection, FragmentSpreadNode):
            sums.spreads.append((selection.name.value, depth, at_root))

    def _with_fragments(self, sums: _Sums, fragments: Mapping[str, _Sums]) -> None:
        for name, depth, at_root in sums.spreads:
            # A fragment that is not there is for validation to report.
            if name in fragments:
                sums.add(fragments[name], depth=depth, at_root=at_root)
        self._check_sums(sums)

    def _check_sums(self, sums: _Sums) -> None:
        _refuse_over(self._limits.depth, sums.depth, "depth", "levels of fields")
        _refuse_over(self._limits.selections, sums.selections, "selections", "selections, fragments included")
        _refuse_over(self._limits.aliases, sums.aliases, "aliases", "aliases")

    def _check_roots(self, roots: Counter[str]) -> None:
        if roots[SIGN_IN_FIELD]:
            others = roots.total() - roots[TYPENAME_FIELD]
            _refuse_over(
                self._limits.root_fields_with_sign_in,
                others,
                "rootFields",
                f"root fields together with {SIGN_IN_FIELD}",
            )
        else:
            _refuse_over(self._limits.root_fields, roots.total(), "rootFields", "fields at the root")

    def _check_directives(self, here: Collection[DirectiveNode] | None) -> None:
        if not here:
            return
        _refuse_over(self._limits.directives_per_location, len(here), "directivesAtOnePlace", "directives in one place")
        self._directives += len(here)
        _refuse_over(self._limits.directives, self._directives, "directives", "directives")
        self._check_values([argument.value for each in here for argument in each.arguments or ()])

    def _check_values(self, level: list[ValueNode]) -> None:
        for _ in range(self._limits.value_depth):
            if not level:
                return
            level = [inner for each in level for inner in self._inside(each)]
        _refuse_over(
            self._limits.value_depth, self._limits.value_depth + 1, "valueDepth", "levels of lists and objects"
        )

    def _inside(self, value: ValueNode) -> Collection[ValueNode]:
        if isinstance(value, ListValueNode):
            _refuse_over(self._limits.list_items, len(value.values), "listItems", "items in a list")
            return value.values
        if isinstance(value, StringValueNode) and "\0" in value.value:
            raise ValidationFailed("A text in the document holds the character NUL; leave it out.")
        return [each.value for each in value.fields] if isinstance(value, ObjectValueNode) else ()


def _selections(root: SelectionSetNode) -> Iterator[tuple[Node, int, bool]]:
    """Every selection as it is written, with the number of fields around it and whether it is at the root."""
    waiting = [(root, 0, True)]
    while waiting:
        selection_set, depth, at_root = waiting.pop()
        for selection in selection_set.selections:
            yield selection, depth, at_root
            if isinstance(selection, FieldNode):
                if selection.selection_set is not None:
                    waiting.append((selection.selection_set, depth + 1, False))
            elif isinstance(selection, InlineFragmentNode):
                waiting.append((selection.selection_set, depth, at_root))


def _inner_first(fragments: Mapping[str, _Sums]) -> list[str]:
    """The names in an order that has each fragment after all that it spreads. Raises ValidationFailed for a circle."""
    found: dict[str, None] = {}
    entered: set[str] = set()
    waiting = list(fragments)
    while waiting:
        name = waiting[-1]
        if name in found or name not in fragments:
            waiting.pop()
        elif name in entered:
            found[waiting.pop()] = None
        else:
            entered.add(name)
            inner = {spread for spread, _, _ in fragments[name].spreads if spread not in found}
            if inner & entered:
                raise ValidationFailed(f"The fragment {min(inner & entered)} spreads itself.")
            waiting.extend(inner)
    return list(found)


def _refuse_over(limit: int, found: int, name: str, what: str) -> None:
    if found > limit:
        message = f"The document has {found} {what}; at most {limit} are allowed."
        raise limit_passed(ValidationFailed, message, name=name, limit=limit)
