"""From what was sent to a Request: JSON bodies, query parameters, payloads of websocket messages."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from graph.errors.top_level import RequestRefused
from graph.limits import Limits, check_variables


@dataclass(slots=True)
class Request:
    """The parameters of one GraphQL request, of the right types and within the limits on variables."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any] | None
    document_id: str | None = None
    """Names a document of the manifest in place of `query`."""


def decoded(data: bytes | str) -> Any:
    """Raises RequestRefused for what is not JSON in UTF-8, is nested too deeply, or has numbers beyond a double."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(f"The request is not valid JSON: {error.msg}.") from None


def from_body(body: bytes, limits: Limits) -> Request:
    if not body:
        raise RequestRefused("The body is empty; it must be a JSON object with `query`.")
    return from_parameters(decoded(body), limits)


def from_query_string(query_string: bytes, limits: Limits) -> Request:
    """The GET form, where variables and extensions are JSON inside a parameter."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise RequestRefused("The query string is not percent-encoded UTF-8, or has too many parameters.") from None
    parameters: dict[str, Any] = dict(pairs)
    if len(parameters) != len(pairs):
        raise RequestRefused("A parameter stands in the query string twice.")
    for name in ("variables", "extensions"):
        if parameters.get(name):
            parameters[name] = decoded(parameters[name])
        else:
            parameters.pop(name, None)
    return from_parameters(parameters, limits)


def from_parameters(given: Any, limits: Limits) -> Request:
    """Raises RequestRefused unless this is an object with a text `query` and nothing of a wrong type."""
    if isinstance(given, list):
        raise RequestRefused("Send one operation at a time; batches are not supported.")
    if not isinstance(given, dict):
        raise RequestRefused("The request must be a JSON object with `query`.")
    query = given.get("query")
    document_id = _optional(given, "documentId", str, "a text") or None
    if not document_id and (not isinstance(query, str) or not query):
        raise RequestRefused("`query` must be the text of a GraphQL document.")
    request = Request(
        query if isinstance(query, str) else "",
        _optional(given, "variables", dict, "an object"),
        _optional(given, "operationName", str, "a text") or None,
        _optional(given, "extensions", dict, "an object"),
        document_id,
    )
    if request.variables:
        check_variables(request.variables, limits)
    return request


def _optional(given: dict[str, Any], name: str, kind: type, called: str) -> Any:
    value = given.get(name)
    if value is not None and not isinstance(value, kind):
        raise RequestRefused(f"`{name}` must be {called} or null.")
    return value
