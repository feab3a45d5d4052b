"""Trusted documents: if there is a manifest, the server runs the documents in it and no others."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson

from graph.errors.top_level import BadUserInput
from graph.transport.request_parsing import GraphQLRequest


class TrustedDocuments:
    """Documents by id. A request names one by `documentId`, or sends its exact text."""

    def __init__(self, documents: Mapping[str, str]) -> None:
        self._documents = documents
        self._texts = frozenset(documents.values())

    def resolve(self, request: GraphQLRequest) -> GraphQLRequest:
        """The request with its document's text. Raises BadUserInput, reason DOCUMENT_UNTRUSTED, for other documents."""
        text = self._documents.get(request.document_id) if request.document_id else request.query
        if text not in self._texts:
            raise BadUserInput("This server runs trusted documents only.", reason="DOCUMENT_UNTRUSTED")
        return replace(request, query=text)


def load_manifest(path: Path) -> TrustedDocuments:
    """Reads a manifest: `{"id": "document", …}`, or Apollo's `{"operations": [{"id": …, "body": …}, …]}`.

    Raises ValueError if the file is neither, and OSError if it cannot be read.
    """
    try:
        manifest: Any = orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{path} is not valid JSON: {error}") from None
    if isinstance(manifest, dict) and isinstance(manifest.get("operations"), list):
        operations = [each for each in manifest["operations"] if isinstance(each, dict)]
        manifest = {str(operation.get("id")): operation.get("body") for operation in operations}
    if not isinstance(manifest, dict) or not all(isinstance(text, str) for text in manifest.values()):
        raise ValueError(f"{path} does not map ids to the texts of documents")
    return TrustedDocuments(manifest)
