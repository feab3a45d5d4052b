"""Trusted documents: a manifest of all that may be asked; with one, nothing else runs."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from graph.errors.top_level import BadUserInput
from graph.transport.request_parsing import Request


class Manifest:
    """Documents by the ids that a build gave them. A request names one by `documentId`, or sends its exact text."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        self._documents = documents
        self._texts = frozenset(documents.values())

    def named(self, request: Request) -> Request:
        """The request with its document's text. Raises BadUserInput, reason DOCUMENT_UNTRUSTED, for any other."""
        text = self._documents.get(request.document_id) if request.document_id else request.query
        if text not in self._texts:
            raise BadUserInput(
                "This server runs only the documents that it was given beforehand.", reason="DOCUMENT_UNTRUSTED"
            )
        return replace(request, query=text)


def read(path: Path) -> Manifest:
    """The manifest in a file: `{"id": "document", …}`, or Apollo's `{"operations": [{"id": …, "body": …}, …]}`.

    Raises ValueError, with what is wrong, when it is neither.
    """
    try:
        found: Any = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None
    if isinstance(found, dict) and isinstance(found.get("operations"), list):
        found = {str(one.get("id")): one.get("body") for one in found["operations"] if isinstance(one, dict)}
    if not isinstance(found, dict) or not all(isinstance(text, str) for text in found.values()):
        raise ValueError(f"{path} does not map ids to the texts of documents")
    return Manifest(found)
