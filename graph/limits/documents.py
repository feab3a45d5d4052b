"""Checks a parsed document against the limits in one pass. Each fragment is measured once, however often it is spread.

The check runs before validation, because the cost of validation grows faster than the document.
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

from graph.errors.top_level import TopLevelError, ValidationFailed, limit_error
from graph.limits.limits import Limits

SIGN_IN_FIELD: Final = "signIn"
TYPENAME_FIELD: Final = "__typename"

# graphql-core's setting for its one validation rule that is not linear. Its default lets a document of 2 000 characters
# take half a second. This budget takes some 15 ms and is far above what real documents need.
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = 10_000


@dataclass(slots=True)
class _Totals:
    """The totals of one definition: at first without the fragments that it spreads, in the end with them."""

    selections: int = 0
    aliases: int = 0
    depth: int = 0
    root_fields: Counter[str] = field(default_factory=Counter)
    spreads: list[tuple[str, int, bool]] = field(default_factory=list)
    """The name of each spread fragment, the depth of the spread, and whether it is at the root."""

    def add(self, fragment: "_Totals", *, depth: int, at_root: bool) -> None:
        self.selections += fragment.selections
        self.aliases += fragment.aliases
        self.depth = max(self.depth, depth + fragment.depth)
        if at_root:
            self.root_fields += fragment.root_fields


def check_document(document: DocumentNode, limits: Limits) -> TopLevelError | None:
    """The first limit that the document exceeds, or a fragment that spreads itself; None if it is within the limits."""
    try:
        _DocumentCheck(limits).check(document)
    except TopLevelError as error:
        return error.with_traceback(None)
    return None


class _DocumentCheck:
    """The check of one document. Raises ValidationFailed at the first limit that is exceeded."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._directive_count = 0

    def check(self, document: DocumentNode) -> None:
        operations = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
        fragments = [each for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
        if len(operations) + len(fragments) < len(document.definitions):
            raise ValidationFailed("A document may contain operations and fragments only.")
        _check_limit(self._limits.operations_per_document, len(operations), "operations", "operations")
        _check_limit(self._limits.fragments, len(fragments), "fragments", "fragments")
        fragment_totals = {fragment.name.value: self._measure(fragment) for fragment in fragments}
        for name in _sort_fragments(fragment_totals):
            self._add_fragments(fragment_totals[name], fragment_totals)
        for operation in operations:
            totals = self._measure(operation)
            self._add_fragments(totals, fragment_totals)
            self._check_root_fields(totals.root_fields)

    def _measure(self, definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Totals:
        """The totals without fragments."""
        variables = definition.variable_definitions or ()
        _check_limit(self._limits.variables, len(variables), "variables", "variables")
        for variable in variables:
            self._check_directives(variable.directives)
            self._check_values([variable.default_value] if variable.default_value else [])
        self._check_directives(definition.directives)
        totals = _Totals()
        for selection, depth, at_root in _selections(definition.selection_set):
            self._count_selection(selection, depth, at_root, totals)
        return totals

    def _count_selection(self, selection: Any, depth: int, at_root: bool, totals: _Totals) -> None:
        totals.selections += 1
        if totals.selections > self._limits.selections:
            self._check_totals(totals)
        totals.depth = max(totals.depth, depth)
        if selection.directives:
            self._check_directives(selection.directives)
        if isinstance(selection, FieldNode):
            totals.aliases += selection.alias is not None
            if at_root:
                totals.root_fields[selection.name.value] += 1
            if selection.arguments:
                self._check_values([each.value for each in selection.arguments])
        elif isinstance(selection, FragmentSpreadNode):
            totals.spreads.append((selection.name.value, depth, at_root))

    def _add_fragments(self, totals: _Totals, fragments: Mapping[str, _Totals]) -> None:
        for name, depth, at_root in totals.spreads:
            # Validation reports unknown fragments.
            if name in fragments:
                totals.add(fragments[name], depth=depth, at_root=at_root)
        self._check_totals(totals)

    def _check_totals(self, totals: _Totals) -> None:
        _check_limit(self._limits.depth, totals.depth, "depth", "levels of fields")
        _check_limit(self._limits.selections, totals.selections, "selections", "selections, fragments included")
        _check_limit(self._limits.aliases, totals.aliases, "aliases", "aliases")

    def _check_root_fields(self, root_fields: Counter[str]) -> None:
        if root_fields[SIGN_IN_FIELD]:
            count = root_fields.total() - root_fields[TYPENAME_FIELD]
            _check_limit(
                self._limits.root_fields_with_sign_in,
                count,
                "rootFields",
                f"root fields together with {SIGN_IN_FIELD}",
            )
        else:
            _check_limit(self._limits.root_fields, root_fields.total(), "rootFields", "root fields")

    def _check_directives(self, directives: Collection[DirectiveNode] | None) -> None:
        if not directives:
            return
        _check_limit(
            self._limits.directives_per_location, len(directives), "directivesAtOnePlace", "directives in one place"
        )
        self._directive_count += len(directives)
        _check_limit(self._limits.directives, self._directive_count, "directives", "directives")
        self._check_values([argument.value for directive in directives for argument in directive.arguments or ()])

    def _check_values(self, level: list[ValueNode]) -> None:
        for _ in range(self._limits.value_depth):
            if not level:
                return
            level = [inner for each in level for inner in self._inside(each)]
        _check_limit(
            self._limits.value_depth, self._limits.value_depth + 1, "valueDepth", "levels of lists and objects"
        )

    def _inside(self, value: ValueNode) -> Collection[ValueNode]:
        if isinstance(value, ListValueNode):
            _check_limit(self._limits.list_items, len(value.values), "listItems", "items in a list")
            return value.values
        if isinstance(value, StringValueNode) and "\0" in value.value:
            raise ValidationFailed("A string in the document contains the character NUL. Remove it.")
        return [each.value for each in value.fields] if isinstance(value, ObjectValueNode) else ()


def _selections(root: SelectionSetNode) -> Iterator[tuple[Node, int, bool]]:
    """Every selection without fragments, with the number of fields around it and whether it is at the root."""
    pending = [(root, 0, True)]
    while pending:
        selection_set, depth, at_root = pending.pop()
        for selection in selection_set.selections:
            yield selection, depth, at_root
            if isinstance(selection, FieldNode):
                if selection.selection_set is not None:
                    pending.append((selection.selection_set, depth + 1, False))
            elif isinstance(selection, InlineFragmentNode):
                pending.append((selection.selection_set, depth, at_root))


def _sort_fragments(fragments: Mapping[str, _Totals]) -> list[str]:
    """Sorts the names so that each fragment follows those that it spreads. Raises ValidationFailed for a cycle."""
    done: dict[str, None] = {}
    entered: set[str] = set()
    stack = list(fragments)
    while stack:
        name = stack[-1]
        if name in done or name not in fragments:
            stack.pop()
        elif name in entered:
            done[stack.pop()] = None
        else:
            entered.add(name)
            inner = {spread for spread, _, _ in fragments[name].spreads if spread not in done}
            if inner & entered:
                raise ValidationFailed(f"The fragment {min(inner & entered)} spreads itself.")
            stack.extend(inner)
    return list(done)


def _check_limit(limit: int, count: int, name: str, noun: str) -> None:
    if count > limit:
        message = f"The document has {count} {noun}; at most {limit} are allowed."
        raise limit_error(ValidationFailed, message, name=name, limit=limit)
