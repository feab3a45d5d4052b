"""Adds a tag to many customers in bare SQL: the same rows as the job writes, one statement per table in one
transaction, without any rules."""

import secrets
from typing import Any

from db import tables
from db.engine import Database, Transaction
from db.rows import new_row
from db.values import ids

# The customers that can be tagged; rules reject the others.
_WHOM = "workspace_id = :workspace AND archived_at IS NULL AND reseller_relationship"

_POSTGRESQL = (
    f"""
    CREATE TEMPORARY TABLE whom ON COMMIT DROP AS
    SELECT id, row_number() OVER (ORDER BY id DESC) AS row FROM customer WHERE {_WHOM}
    """,
    "INSERT INTO customer_tag (workspace_id, customer_id, tag_id) SELECT :workspace, id, :tag FROM whom",
    """
    UPDATE customer SET tag_count = tag_count + 1, first_tag_key = least(first_tag_key, :name),
      version = version + 1, updated_at = :now
    FROM whom WHERE customer.workspace_id = :workspace AND customer.id = whom.id
    """,
    """
    UPDATE customer_search SET text = replace(text, chr(133), chr(10) || :name || chr(133))
    FROM whom WHERE customer_search.workspace_id = :workspace AND customer_search.customer_id = whom.id
    """,
    """
    INSERT INTO change (workspace_id, seq, at, action, entity, node_id, version, fields, actor_kind, actor_id, job_id,
      row, request_id)
    SELECT :workspace, counter.change + whom.row, :now, 1, 'Customer', whom.id, customer.version,
      jsonb_build_array(jsonb_build_object('field', 'tags', 'before', coalesce(worn.before, '[]'),
        'after', coalesce(worn.before, '[]') || to_jsonb('tag_' || encode(:tag, 'hex')))),
      0, :tag, :job, whom.row, 'request'
    FROM whom
    JOIN customer ON customer.workspace_id = :workspace AND customer.id = whom.id
    JOIN counter ON counter.workspace_id = :workspace
    LEFT JOIN (
      SELECT customer_id, jsonb_agg('tag_' || encode(tag_id, 'hex')) AS before FROM customer_tag
      WHERE workspace_id = :workspace AND tag_id <> :tag GROUP BY customer_id
    ) AS worn ON worn.customer_id = whom.id
    """,
    "UPDATE counter SET change = change + (SELECT count(*) FROM whom) WHERE workspace_id = :workspace",
)
_SQLITE = (
    f"""
    CREATE TEMPORARY TABLE whom AS
    SELECT id, row_number() OVER (ORDER BY id DESC) AS row FROM customer WHERE {_WHOM}
    """,
    _POSTGRESQL[1],
    """
    UPDATE customer SET tag_count = tag_count + 1, first_tag_key = min(coalesce(first_tag_key, :name), :name),
      version = version + 1, updated_at = :now
    WHERE workspace_id = :workspace AND id IN (SELECT id FROM whom)
    """,
    """
    UPDATE customer_search SET text = replace(text, char(133), char(10) || :name || char(133))
    WHERE workspace_id = :workspace AND customer_id IN (SELECT id FROM whom)
    """,
    """
    INSERT INTO change (workspace_id, seq, at, action, entity, node_id, version, fields, actor_kind, actor_id, job_id,
      row, request_id)
    SELECT :workspace, counter.change + whom.row, :now, 1, 'Customer', whom.id, customer.version,
      json_array(json_object('field', 'tags', 'before', json(coalesce(worn.before, '[]')),
        'after', json_insert(coalesce(worn.before, '[]'), '$[#]', 'tag_' || lower(hex(:tag))))),
      0, :tag, :job, whom.row, 'request'
    FROM whom
    JOIN customer ON customer.workspace_id = :workspace AND customer.id = whom.id
    JOIN counter ON counter.workspace_id = :workspace
    LEFT JOIN (
      SELECT customer_id, json_group_array('tag_' || lower(hex(tag_id))) AS before FROM customer_tag
      WHERE workspace_id = :workspace AND tag_id <> :tag GROUP BY customer_id
    ) AS worn ON worn.customer_id = whom.id
    """,
    _POSTGRESQL[5],
    "DROP TABLE whom",
)


async def tag_customers(database: Database, workspace_id: int, tag: Any) -> None:
    """Adds the tag to all customers that the job would tag."""
    given = {
        "workspace": workspace_id,
        "tag": tag.id,
        "name": tag.name_key,
        "now": ids.current_time(),
        "job": secrets.token_bytes(16),
    }

    async def all_of_it(work: Transaction) -> None:
        for statement in _POSTGRESQL if work.dialect.name == "postgresql" else _SQLITE:
            # Values are literals, so nothing depends on inferred parameter types.
            await work._held.script(_filled(statement, given, work.dialect.name))

    await database.write(workspace_id, all_of_it)


def _filled(statement: str, given: dict[str, Any], dialect: str) -> str:
    shown = {name: _shown(value, dialect) for name, value in given.items()}
    for name in sorted(shown, key=len, reverse=True):
        statement = statement.replace(f":{name}", shown[name])
    return statement


def _shown(value: Any, dialect: str) -> str:
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'::bytea" if dialect == "postgresql" else f"x'{value.hex()}'"
    return str(value) if isinstance(value, int) else f"'{value}'"


async def insert_tag(database: Database, workspace_id: int) -> Any:
    """Inserts a tag without customers."""
    name = f"zz {ids.current_time()}"
    tag = new_row(tables.Tag, workspace_id=workspace_id, name=name, name_key=name, unique_key=name, kind=0)
    await database.write(workspace_id, lambda work: work.insert(tag))
    return tag


async def vacuum(database: Database) -> None:
    """Cleans up after earlier rounds, so that no round pays for another."""
    if database.dialect.name != "postgresql":
        return
    async with database.pool.writing() as connection:
        for table in ("customer", "customer_search", "customer_tag", "change", "job_target", "job"):
            await connection.script(f"VACUUM {table}")
        await connection.script("CHECKPOINT")
