"""The document cache: each document is parsed, checked against the limits and validated once."""

import re
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

from graph.engine.lru_cache import WeightedLruCache
from graph.errors.top_level import (
    BadUserInput,
    ParseFailed,
    RequestRefused,
    TopLevelError,
    Unauthenticated,
    ValidationFailed,
    limit_error,
)
from graph.limits import Limits, check_document
from graph.limits.documents import SIGN_IN_FIELD, TYPENAME_FIELD

if TYPE_CHECKING:
    import strawberry

ALL_OPERATION_TYPES: Final = frozenset(OperationType)

_PARSER_LIMIT: Final = re.compile(r"contains more than (\d+) (tokens|comments|code points)")
_PARSER_LIMIT_NAMES: Final = {"tokens": "tokens", "comments": "comments", "code points": "source"}
_PUBLIC_FIELDS: Final = {
    OperationType.QUERY: {TYPENAME_FIELD},
    OperationType.MUTATION: {TYPENAME_FIELD, SIGN_IN_FIELD},
    OperationType.SUBSCRIPTION: set[str](),
}

# The capacity for documents of anonymous callers, in documents of the maximum length.
_ANONYMOUS_DOCUMENTS: Final = 10


@dataclass(slots=True)
class ParsedDocument:
    """A parsed document. `validation_errors` is None until it is validated."""

    node: DocumentNode
    operations: list[OperationDefinitionNode]
    is_public: bool
    """Whether anonymous callers may run all of its operations."""
    limit_error: TopLevelError | None
    validation_errors: list[GraphQLError] | None = None

    def operation_type(self, operation_name: str | None, allowed_types: Collection[OperationType]) -> OperationType:
        """The type of the named operation, or of the only one if there is no name.

        Raises BadUserInput if no operation or several operations qualify, RequestRefused if the type is not allowed.
        """
        operations = self.operations
        if operation_name is not None:
            operations = [each for each in operations if _name(each) == operation_name]
        if not operations:
            named = f" named {operation_name!r}" if operation_name else ""
            raise BadUserInput(f"The document has no operation{named}.", reason="OPERATION_UNKNOWN")
        if len(operations) > 1 and operation_name is None:
            message = "The document has several operations. Name one of them in `operationName`."
            raise BadUserInput(message, reason="OPERATION_AMBIGUOUS")
        type_ = operations[0].operation
        if type_ not in allowed_types:
            raise _type_not_allowed(type_)
        return type_

    def operation_name(self, operation_name: str | None) -> str | None:
        """The name of the operation that runs; None if it is anonymous."""
        return operation_name or _name(self.operations[0])


class DocumentCache:
    """The documents of one schema.

    Documents of anonymous callers have a cache of their own, so that they cannot displace the others.
    """

    def __init__(self, schema: "strawberry.Schema", limits: Limits, *, introspection: bool) -> None:
        self._schema = schema
        self._limits = limits
        closed = () if introspection else (NoSchemaIntrospectionCustomRule,)
        self._rules: tuple[type[ASTValidationRule], ...] = (*specified_rules, *closed)
        self._max_cached_characters = limits.cached_characters // 10
        self._documents: WeightedLruCache[ParsedDocument] = WeightedLruCache(limits.cached_characters)
        self._anonymous_documents: WeightedLruCache[ParsedDocument] = WeightedLruCache(
            limits.anonymous_source_characters * _ANONYMOUS_DOCUMENTS
        )

    def get_or_parse(self, source: str, *, signed_in: bool) -> ParsedDocument:
        """The parsed document.

        Raises ParseFailed, or ValidationFailed for a limit of the parser. For anonymous callers it raises nothing but
        Unauthenticated, so that they learn nothing about the schema.
        """
        return self._get_or_parse(source) if signed_in else self._get_or_parse_anonymous(source)

    def validation_errors(self, document: ParsedDocument, *, signed_in: bool) -> list[GraphQLError]:
        """Why the document must not run; empty if it may. Do not change the list, which is cached."""
        if document.validation_errors is None:
            document.validation_errors = (
                [document.limit_error] if document.limit_error else self._validate(document.node)
            )
        if document.validation_errors and not document.limit_error and not signed_in:
            # The messages of validation would reveal the schema to an anonymous caller.
            return [ValidationFailed(f"The {SIGN_IN_FIELD} document does not fit the schema.")]
        return document.validation_errors

    def _get_or_parse(self, source: str) -> ParsedDocument:
        document = self._documents.get(source)
        if document is None:
            document = self._parse(source, self._limits.source_characters, self._limits.tokens)
            if len(source) <= self._max_cached_characters:
                self._documents.put(source, document, len(source))
        return document

    def _get_or_parse_anonymous(self, source: str) -> ParsedDocument:
        document = self._anonymous_documents.get(source)
        if document is None:
            try:
                document = self._parse(source, self._limits.anonymous_source_characters, self._limits.anonymous_tokens)
            except GraphQLError:
                raise Unauthenticated from None
            if not document.is_public:
                raise Unauthenticated
            self._anonymous_documents.put(source, document, len(source))
        return document

    def _parse(self, source: str, max_characters: int, max_tokens: int) -> ParsedDocument:
        try:
            node = parse(
                source,
                max_source_length=max_characters,
                max_lexical_tokens=max_tokens,
                max_comments=self._limits.comments,
            )
        except GraphQLSyntaxError as error:
            raise _parse_error(error) from None
        operations = [each for each in node.definitions if isinstance(each, OperationDefinitionNode)]
        return ParsedDocument(node, operations, _is_public(operations), check_document(node, self._limits))

    def _validate(self, node: DocumentNode) -> list[GraphQLError]:
        errors = validate_document(self._schema._schema, node, self._rules)
        for error in errors:
            error.extensions = {"code": ValidationFailed.code}
            if error.message == "Validation aborted.":
                error.message = "The document repeats fields too often to validate it."
                error.extensions = {"code": ValidationFailed.code, "reason": "LIMIT_EXCEEDED"}
        return errors


def _name(operation: OperationDefinitionNode) -> str | None:
    return operation.name.value if operation.name else None


def _is_public(operations: list[OperationDefinitionNode]) -> bool:
    """Whether every root selection is a public field. Fragments are not resolved, so they are never public."""
    return bool(operations) and all(
        isinstance(selection, FieldNode) and selection.name.value in _PUBLIC_FIELDS[operation.operation]
        for operation in operations
        for selection in operation.selection_set.selections
    )


def _parse_error(error: GraphQLSyntaxError) -> TopLevelError:
    if match := _PARSER_LIMIT.search(error.description):
        limit, unit = int(match[1]), match[2]
        message = f"The document has more than {limit} {unit.replace('code points', 'characters')}."
        return limit_error(ValidationFailed, message, name=_PARSER_LIMIT_NAMES[unit], limit=limit)
    parse_failed = ParseFailed(error.message)
    parse_failed.locations = error.locations
    return parse_failed


def _type_not_allowed(type_: OperationType) -> TopLevelError:
    if type_ is OperationType.SUBSCRIPTION:
        message = "Subscriptions need a WebSocket (graphql-transport-ws) or `Accept: text/event-stream`."
        return BadUserInput(message, reason="OPERATION_NOT_ALLOWED_HERE")
    message = "GET runs queries only. Send a mutation by POST."
    return RequestRefused(message, status=405, allow="POST", reason="OPERATION_NOT_ALLOWED_HERE")
