"""Documents as the server knows them: parsed, measured and validated once, then remembered by their text."""

import re
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from graphql import (
    ASTValidationRule,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    parse,
    specified_rules,
)
from strawberry.schema.schema import validate_document

from graph.errors.top_level import (
    BadUserInput,
    ParseFailed,
    RequestRefused,
    TopLevelError,
    Unauthenticated,
    ValidationFailed,
    limit_passed,
)
from graph.limits import Limits, check_document
from graph.limits.documents import SIGN_IN, TYPE_NAME

if TYPE_CHECKING:
    import strawberry

EVERY_KIND: Final = frozenset(OperationType)

_PARSER_LIMIT: Final = re.compile(r"contains more than (\d+) (tokens|comments|code points)")
_PARSER_LIMIT_NAMES: Final = {"tokens": "tokens", "comments": "comments", "code points": "source"}
_OPEN_TO_STRANGERS: Final = {
    OperationType.QUERY: {TYPE_NAME},
    OperationType.MUTATION: {TYPE_NAME, SIGN_IN},
    OperationType.SUBSCRIPTION: set[str](),
}


@dataclass(slots=True)
class Document:
    """One parsed document. `problems` is None until it was validated, then what validation found."""

    node: DocumentNode
    operations: list[OperationDefinitionNode]
    open_to_strangers: bool
    too_large: TopLevelError | None
    problems: list[GraphQLError] | None = None

    def kind_of(self, operation_name: str | None, kinds: Collection[OperationType]) -> OperationType:
        """What the named operation is; the only one where no name is given.

        Raises BadUserInput where that names none or several, RequestRefused where it is not of the kinds allowed.
        """
        operations = self.operations
        if operation_name is None:
            named = operations
        else:
            named = [each for each in operations if each.name is not None and each.name.value == operation_name]
        if not named:
            asked = f"named {operation_name!r}" if operation_name else "at all"
            raise BadUserInput(f"The document has no operation {asked}.", reason="OPERATION_UNKNOWN")
        if len(named) > 1 and operation_name is None:
            message = "The document has several operations; say which one in `operationName`."
            raise BadUserInput(message, reason="OPERATION_AMBIGUOUS")
        kind = named[0].operation
        if kind not in kinds:
            raise _not_here(kind)
        return kind

    def name_of(self, operation_name: str | None) -> str | None:
        """The name of the operation that runs, where it has one."""
        return operation_name or _name(self.operations[0])


class Documents:
    """The documents of one schema. What strangers send is kept apart, so that it pushes nothing else out."""

    def __init__(self, schema: "strawberry.Schema", limits: Limits, *, introspection: bool) -> None:
        self._schema = schema
        self._limits = limits
        closed = () if introspection else (NoSchemaIntrospectionCustomRule,)
        self._rules: tuple[type[ASTValidationRule], ...] = (*specified_rules, *closed)
        self._recent = _Recent(limits.cached_characters)
        self._recent_of_strangers = _Recent(limits.stranger_source * 10)

    def read(self, source: str, *, signed_in: bool) -> Document:
        """Raises ParseFailed or ValidationFailed (a limit of the parser); for a stranger only ever Unauthenticated."""
        return self._read(source) if signed_in else self._read_for_stranger(source)

    def validated(self, document: Document, *, signed_in: bool) -> list[GraphQLError]:
        """The reasons not to run the document; none when it is good. The same list each time: not to be changed."""
        if document.problems is None:
            document.problems = [document.too_large] if document.too_large else self._validate(document.node)
        if document.problems and not document.too_large and not signed_in:
            # Validation would tell a stranger, word by word, what the schema has.
            return [ValidationFailed(f"The {SIGN_IN} document does not fit the schema.")]
        return document.problems

    def _read(self, source: str) -> Document:
        document = self._recent.get(source)
        if document is None:
            document = self._parsed(source, self._limits.source, self._limits.tokens)
            self._recent.keep(source, document)
        return document

    def _read_for_stranger(self, source: str) -> Document:
        document = self._recent_of_strangers.get(source)
        if document is None:
            try:
                document = self._parsed(source, self._limits.stranger_source, self._limits.stranger_tokens)
            except GraphQLError:
                raise Unauthenticated from None
            if not document.open_to_strangers:
                raise Unauthenticated
            self._recent_of_strangers.keep(source, document)
        return document

    def _parsed(self, source: str, longest: int, tokens: int) -> Document:
        try:
            node = parse(
                source,
                max_source_length=longest,
                max_lexical_tokens=tokens,
                max_comments=self._limits.comments,
            )
        except GraphQLSyntaxError as error:
            raise _refusal(error) from None
        operations = [each for each in node.definitions if isinstance(each, OperationDefinitionNode)]
        return Document(node, operations, _open_to_strangers(operations), check_document(node, self._limits))

    def _validate(self, node: DocumentNode) -> list[GraphQLError]:
        errors = validate_document(self._schema._schema, node, self._rules)
        for error in errors:
            error.extensions = {"code": ValidationFailed.code}
            if error.message == "Validation aborted.":
                error.message = "The document repeats fields too often to check them against each other."
                error.extensions = {"code": ValidationFailed.code, "reason": "LIMIT_EXCEEDED"}
        return errors


class _Recent:
    """The documents used last, as many as there is room for, counted in characters of source."""

    def __init__(self, room: int) -> None:
        self._room = self._left = room
        self._documents: OrderedDict[str, Document] = OrderedDict()

    def get(self, source: str) -> Document | None:
        document = self._documents.get(source)
        if document is not None:
            self._documents.move_to_end(source)
        return document

    def keep(self, source: str, document: Document) -> None:
        if len(source) > self._room // 10:
            return
        self._documents[source] = document
        self._left -= len(source)
        while self._left < 0:
            oldest, _ = self._documents.popitem(last=False)
            self._left += len(oldest)


def _name(operation: OperationDefinitionNode) -> str | None:
    return operation.name.value if operation.name else None


def _open_to_strangers(operations: list[OperationDefinitionNode]) -> bool:
    """Only plain fields at every root, so that nothing has to be looked up to be sure."""
    return bool(operations) and all(
        isinstance(selection, FieldNode) and selection.name.value in _OPEN_TO_STRANGERS[operation.operation]
        for operation in operations
        for selection in operation.selection_set.selections
    )


def _refusal(error: GraphQLSyntaxError) -> TopLevelError:
    if passed := _PARSER_LIMIT.search(error.description):
        limit, what = int(passed[1]), passed[2]
        message = f"The document has more than {limit} {what.replace('code points', 'characters')}."
        return limit_passed(ValidationFailed, message, name=_PARSER_LIMIT_NAMES[what], limit=limit)
    refusal = ParseFailed(error.message)
    refusal.locations = error.locations
    return refusal


def _not_here(kind: OperationType) -> TopLevelError:
    if kind is OperationType.SUBSCRIPTION:
        message = "Subscriptions are served on a websocket (graphql-transport-ws) or with Accept: text/event-stream."
        return BadUserInput(message, reason="OPERATION_NOT_ALLOWED_HERE")
    message = "GET runs queries only; send a mutation by POST."
    return RequestRefused(message, status=405, allow="POST", reason="OPERATION_NOT_ALLOWED_HERE")
