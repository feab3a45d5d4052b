"""Trusted documents: with a manifest nothing else runs, for strangers neither."""

import orjson
import pytest

from graph.server import create_app
from graph.transport import trusted_documents
from tests.graph.transport.conftest import asking, client_of
from tests.support import transport_server

ME, DOUBLE = "{ me { name } }", "query ($n: Int!) { double(number: $n) }"


@pytest.fixture(params=["plain", "apollo"])
def manifest(request, tmp_path):
    documents = {"me": ME, "double": DOUBLE}
    operations = [{"id": name, "body": text, "type": "query"} for name, text in documents.items()]
    written = documents if request.param == "plain" else {"version": 1, "operations": operations}
    file = tmp_path / "manifest.json"
    file.write_bytes(orjson.dumps(written))
    return trusted_documents.load_manifest(file)


async def test_a_document_of_the_manifest_runs_by_its_text_and_by_its_id(doors, manifest):
    async with client_of(
        create_app(schema=transport_server.build_schema(), backend=doors, trusted_documents=manifest)
    ) as client:
        ask = asking(client)
        assert "data" in (await ask(ME)).json()
        answer = await client.post(
            "/graphql",
            json={"documentId": "double", "variables": {"n": 4}},
            headers={"authorization": f"Bearer {transport_server.VALID_TOKEN}"},
        )
        assert answer.json()["data"] == {"double": 8}


@pytest.mark.parametrize("body", [{"query": "{ me { name }}"}, {"documentId": "other"}, {"query": "{ __typename }"}])
async def test_nothing_else_runs(doors, manifest, body):
    async with client_of(
        create_app(schema=transport_server.build_schema(), backend=doors, trusted_documents=manifest)
    ) as client:
        answer = await client.post(
            "/graphql", json=body, headers={"authorization": f"Bearer {transport_server.VALID_TOKEN}"}
        )
        (error,) = answer.json()["errors"]
        assert (error["extensions"]["code"], error["extensions"]["reason"]) == ("BAD_USER_INPUT", "DOCUMENT_UNTRUSTED")


async def test_without_a_manifest_there_are_no_documents_by_id(ask):
    answer = await ask("", documentId="me")
    assert answer.json()["errors"][0]["extensions"]["reason"] == "DOCUMENT_UNKNOWN"


@pytest.mark.parametrize("text", ["", "[]", '{"a": 1}', '{"operations": [{"id": "x"}]}'])
def test_what_is_no_manifest_is_refused(tmp_path, text):
    file = tmp_path / "manifest.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"manifest\.json"):
        trusted_documents.load_manifest(file)
