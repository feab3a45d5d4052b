"""The watch over the tests' SQL can tell a statement that stays inside its workspace from one that does not."""

import pytest

from tests.support.sql_inspection import unbound


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        pytest.param("SELECT id FROM tag WHERE workspace_id = ?", [], id="one table"),
        pytest.param("SELECT id FROM tag WHERE id = ?", ["tag"], id="one table unbound"),
        pytest.param("SELECT id FROM tag WHERE workspace_id = 7", ["tag"], id="a constant is no parameter"),
        pytest.param(
            "SELECT t.id FROM tag t JOIN customer_tag l ON l.tag_id = t.id WHERE t.workspace_id = ?", ["l"], id="a join"
        ),
        pytest.param(
            "SELECT t.id FROM tag t JOIN customer_tag l ON l.workspace_id = t.workspace_id AND l.tag_id = t.id"
            " WHERE t.workspace_id = ?",
            ["l"],
            id="a join on the key alone",
        ),
        pytest.param(
            "SELECT c.id FROM customer c WHERE c.workspace_id = ? AND EXISTS"
            " (SELECT 1 FROM note n WHERE n.customer_id = c.id)",
            ["n"],
            id="a subquery",
        ),
        pytest.param(
            "SELECT c.id FROM customer c WHERE c.workspace_id = ? AND EXISTS"
            " (SELECT 1 FROM note n WHERE n.workspace_id = ? AND n.customer_id = c.id)",
            [],
            id="a bound subquery",
        ),
        pytest.param("SELECT id FROM account WHERE id = ?", [], id="a table beside the workspaces"),
        pytest.param("UPDATE tag SET name = ? WHERE id = ?", ["tag"], id="an update"),
        pytest.param("DELETE FROM tag WHERE workspace_id = ? AND id = ?", [], id="a delete"),
        pytest.param("INSERT INTO tag (id, name) VALUES (?, ?)", ["tag"], id="an insert without it"),
        pytest.param("INSERT INTO tag (workspace_id, id) VALUES (?, ?)", [], id="an insert"),
        pytest.param(
            "INSERT INTO customer_tag (workspace_id, tag_id) SELECT c.workspace_id, ? FROM customer c",
            ["c"],
            id="an insert from a query",
        ),
    ],
)
def test_tables_that_are_not_bound_to_their_workspace_are_named(statement, names):
    assert unbound(statement, "sqlite") == names


def test_postgresqls_own_words_are_read():
    text = "SELECT tag.id FROM tag WHERE tag.workspace_id = $1::BIGINT AND tag.id = ANY ($2::BYTEA[])"
    assert unbound(text, "postgres") == []
    assert unbound(text.replace("tag.workspace_id = $1::BIGINT AND ", ""), "postgres") == ["tag"]
