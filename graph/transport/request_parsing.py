"""Parses JSON bodies, query parameters and WebSocket payloads to GraphQL requests."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import orjson

from graph.errors.top_level import RequestRefused
from graph.limits import Limits, check_variables


@dataclass(slots=True)
class GraphQLRequest:
    """The parameters of one GraphQL request. Their types are right and the variables are within the limits."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any] | None
    document_id: str | None = None
    """Names a trusted document in place of `query`."""


def decode_json(data: bytes | str) -> Any:
    """Raises RequestRefused if this is not JSON in UTF-8, is nested too deeply, or has numbers beyond a double."""
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise RequestRefused(f"The request is not valid JSON: {error.msg}.") from None


def parse_body(body: bytes, limits: Limits) -> GraphQLRequest:
    """Parses the body of a POST. Raises RequestRefused."""
    if not body:
        raise RequestRefused("The body is empty. Send a JSON object with `query`.")
    return parse_parameters(decode_json(body), limits)


def parse_query_string(query_string: bytes, limits: Limits) -> GraphQLRequest:
    """Parses the parameters of a GET, whose variables and extensions are JSON. Raises RequestRefused."""
    try:
        pairs = parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise RequestRefused("The query string is not percent-encoded UTF-8, or has too many parameters.") from None
    parameters: dict[str, Any] = dict(pairs)
    if len(parameters) != len(pairs):
        raise RequestRefused("The query string contains a parameter twice.")
    for name in ("variables", "extensions"):
        if parameters.get(name):
            parameters[name] = decode_json(parameters[name])
        else:
            parameters.pop(name, None)
    return parse_parameters(parameters, limits)


def parse_parameters(parameters: Any, limits: Limits) -> GraphQLRequest:
    """Raises RequestRefused unless this is an object with a string `query` and parameters of the right types."""
    if isinstance(parameters, list):
        raise RequestRefused("Batches are not supported. Send one operation at a time.")
    if not isinstance(parameters, dict):
        raise RequestRefused("The request must be a JSON object with `query`.")
    query = parameters.get("query")
    document_id = _optional_parameter(parameters, "documentId", str, "a string") or None
    if not document_id and (not isinstance(query, str) or not query):
        raise RequestRefused("`query` must be the text of a GraphQL document.")
    request = GraphQLRequest(
        query if isinstance(query, str) else "",
        _optional_parameter(parameters, "variables", dict, "an object"),
        _optional_parameter(parameters, "operationName", str, "a string") or None,
        _optional_parameter(parameters, "extensions", dict, "an object"),
        document_id,
    )
    if request.variables:
        check_variables(request.variables, limits)
    return request


def _optional_parameter(parameters: dict[str, Any], name: str, type_: type, type_name: str) -> Any:
    value = parameters.get(name)
    if value is not None and not isinstance(value, type_):
        raise RequestRefused(f"`{name}` must be {type_name} or null.")
    return value
