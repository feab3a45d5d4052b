"""Creates all tables."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

ID = sa.LargeBinary(16)
KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def where(condition: str) -> dict[str, Any]:
    return {"postgresql_where": sa.text(condition), "sqlite_where": sa.text(condition)}


def create_search() -> None:
    """The search documents. The index contains trigrams, so parts of words are found."""
    keys: list[Any] = [
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("text", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_customer_search_customer_id",
            ondelete="CASCADE",
        ),
    ]
    if op.get_bind().dialect.name == "sqlite":
        # The number identifies the row permanently. A rowid without its own column changes on VACUUM.
        op.create_table(
            "customer_search",
            sa.Column("number", sa.Integer(), primary_key=True),
            *keys,
            sa.UniqueConstraint("workspace_id", "customer_id", name="uq_customer_search_customer_id"),
        )
        for statement in SEARCH_ON_SQLITE:
            op.execute(statement)
    else:
        op.create_table(
            "customer_search",
            *keys,
            sa.PrimaryKeyConstraint("workspace_id", "customer_id", name="pk_customer_search"),
        )
        op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
        op.execute("CREATE EXTENSION IF NOT EXISTS btree_gin")
        op.create_index(
            "ix_customer_search_text",
            "customer_search",
            ["workspace_id", "text"],
            postgresql_using="gin",
            postgresql_ops={"text": "gin_trgm_ops"},
        )


# The index stores neither the text nor positions: candidates are compared with the document. The workspace is a token
# between marks, so the documents of other workspaces are not read.
SEARCH_ON_SQLITE = [
    """CREATE VIRTUAL TABLE customer_text USING fts5(
        workspace, text, content='', columnsize=0, detail=column, tokenize='trigram case_sensitive 1')""",
    """CREATE TRIGGER customer_search_added AFTER INSERT ON customer_search BEGIN
        INSERT INTO customer_text(rowid, workspace, text)
        VALUES (new.number, printf('<%x>', new.workspace_id), new.text); END""",
    """CREATE TRIGGER customer_search_removed AFTER DELETE ON customer_search BEGIN
        INSERT INTO customer_text(customer_text, rowid, workspace, text)
        VALUES ('delete', old.number, printf('<%x>', old.workspace_id), old.text); END""",
    """CREATE TRIGGER customer_search_changed AFTER UPDATE OF text ON customer_search BEGIN
        INSERT INTO customer_text(customer_text, rowid, workspace, text)
        VALUES ('delete', old.number, printf('<%x>', old.workspace_id), old.text);
        INSERT INTO customer_text(rowid, workspace, text)
        VALUES (new.number, printf('<%x>', new.workspace_id), new.text); END""",
]


# Fixed planner statistics for SQLite. Without statistics it treats a whole workspace like ten rows, so any index seems
# as good as the right one. Sampled statistics have the same effect, because every key starts with the workspace. These
# describe a large workspace, and their plans suit small ones too.
ROWS = {
    "agent": 200,
    "department": 50,
    "tag": 500,
    "segment": 100,
    "custom_field": 50,
    "saved_view": 100,
    "company": 50_000,
}
MANY_ROWS = 1_000_000
ALIKE = {
    "workspace_id": MANY_ROWS,
    **dict.fromkeys(["archived_at", "stage", "verification", "gender", "boolean", "kind", "status", "entity"], 200_000),
    **dict.fromkeys(["relationship_status", "subscription_status", "follow_up_stage_key", "tag_count"], 100_000),
    **dict.fromkeys(["field_id", "option", "first_tag_key", "tag_id", "segment_id", "country_key"], 50_000),
    **dict.fromkeys(["source_key", "channel_key", "owner_id", "agent_id", "department_id"], 20_000),
    **dict.fromkeys(["city_key", "region_key", "system", "number"], 5_000),
    **dict.fromkeys(["company_id", "date", "birth_date"], 100),
}
"""The number of rows with the same value in a column; a few for all other columns."""


def describe_to_sqlite() -> None:
    connection = op.get_bind()
    # Creates the empty table of statistics.
    connection.exec_driver_sql("ANALYZE sqlite_schema")
    tables = connection.exec_driver_sql(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%workspace_id%'"
    )
    for (table,) in tables.fetchall():
        for index in connection.exec_driver_sql(f"PRAGMA index_list('{table}')").fetchall():
            columns = connection.exec_driver_sql(f"PRAGMA index_info('{index[1]}')").fetchall()
            # The key of a table without rowids has the table's name.
            name = (
                table
                if index[3] == "pk" and not connection.exec_driver_sql(IS_PLAIN.format(table)).scalar()
                else index[1]
            )
            stat = _statistics(table, [column[2] for column in columns], unique=bool(index[2]))
            connection.exec_driver_sql("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (table, name, stat))
    connection.exec_driver_sql("ANALYZE sqlite_schema")


IS_PLAIN = "SELECT sql NOT LIKE '%WITHOUT ROWID%' FROM sqlite_schema WHERE name = '{}'"


def _statistics(table: str, columns: list[str], *, unique: bool) -> str:
    """The number of rows of the table, and how many remain for each further known column."""
    left = rows = ROWS.get(table, MANY_ROWS)
    numbers = [rows]
    for column in columns:
        left = min(left, ALIKE.get(column, 3))
        numbers.append(left)
    if unique or columns[-1] in ("id", "customer_id"):
        numbers[-1] = 1
    return " ".join(map(str, numbers))


# A field has values of one type. Without these statistics PostgreSQL assumes that field and value are independent and
# estimates a tenth of the rows.
STATISTICS = [
    f"CREATE STATISTICS st_{table} (ndistinct, dependencies, mcv) "
    f"ON workspace_id, field_id, option, boolean FROM {table}"
    for table in ("company_value", "customer_value")
]


def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("email_key", KEY, nullable=False),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("email_key", name="uq_account_email_key"),
    )
    op.create_table(
        "agent",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", KEY, nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("max_customers", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_agent"),
    )
    op.create_index("ix_agent_email_key", "agent", ["workspace_id", "email_key"], unique=True)
    op.create_index("ix_agent_name_key_id", "agent", ["workspace_id", "name_key", "id"])
    op.create_table(
        "api_key",
        sa.Column("id", ID, nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("permissions", JSON, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("created_by", ID, nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_key"),
    )
    op.create_index("ix_api_key_id", "api_key", ["workspace_id", "id"])
    op.create_table(
        "assignment_rule",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("filter", JSON, nullable=True),
        sa.Column("strategy", sa.SmallInteger(), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_assignment_rule"),
    )
    op.create_index("ix_assignment_rule_position_id", "assignment_rule", ["workspace_id", "position", "id"])
    op.create_table(
        "change",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.SmallInteger(), nullable=False),
        sa.Column("entity", KEY, nullable=False),
        sa.Column("node_id", ID, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("fields", JSON, nullable=False),
        sa.Column("actor_kind", sa.SmallInteger(), nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("job_id", ID, nullable=True),
        sa.Column("row", sa.BigInteger(), nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("audience", JSON, nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "seq", name="pk_change"),
    )
    op.create_index("ix_change_at_seq", "change", ["workspace_id", "at", "seq"])
    op.create_index("ix_change_job_id_row", "change", ["workspace_id", "job_id", "row"], **where("job_id IS NOT NULL"))
    op.create_index("ix_change_node_id_seq", "change", ["workspace_id", "node_id", "seq"])
    op.create_table(
        "counter",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("change", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_counter"),
    )
    op.create_table(
        "custom_field",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("entity", sa.SmallInteger(), nullable=False),
        sa.Column("key", KEY, nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("type", sa.SmallInteger(), nullable=False),
        sa.Column("options", JSON, nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("unique", sa.Boolean(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_custom_field"),
    )
    op.create_index("ix_custom_field_entity_key", "custom_field", ["workspace_id", "entity", "key"], unique=True)
    op.create_table(
        "department",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("parent_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "parent_id"], ["department.workspace_id", "department.id"], name="fk_department_parent_id"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_department"),
    )
    op.create_index("ix_department_name_key_id", "department", ["workspace_id", "name_key", "id"])
    op.create_index("ix_department_parent_id_id", "department", ["workspace_id", "parent_id", "id"])
    op.create_table(
        "directory",
        sa.Column("workspace_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name="pk_directory"),
        sa.UniqueConstraint("id", name="uq_directory_id"),
    )
    op.create_table(
        "idempotency",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("caller_id", ID, nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("mutation", sa.String(), nullable=False),
        sa.Column("arguments", sa.LargeBinary(), nullable=False),
        sa.Column("answer", JSON, nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "caller_id", "key", name="pk_idempotency"),
    )
    op.create_index("ix_idempotency_created_at", "idempotency", ["workspace_id", "created_at"])
    op.create_table(
        "job",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("label", sa.String(), nullable=True),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("on_error", sa.SmallInteger(), nullable=False),
        sa.Column("arguments", JSON, nullable=False),
        sa.Column("target", JSON, nullable=True),
        sa.Column("actor_kind", sa.SmallInteger(), nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("request_id", sa.String(), nullable=True),
        sa.Column("matched", sa.BigInteger(), nullable=False),
        sa.Column("processed", sa.BigInteger(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("state", JSON, nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("finished_at", sa.BigInteger(), nullable=True),
        sa.Column("leased_by", sa.String(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("undo_of", ID, nullable=True),
        sa.Column("retry_of", ID, nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_job"),
    )
    op.create_index("ix_job_actor_id_id", "job", ["workspace_id", "actor_id", "id"])
    op.create_index("ix_job_open", "job", ["id"], **where("finished_at IS NULL"))
    op.create_index("ix_job_status_id", "job", ["workspace_id", "status", "id"])
    op.create_index("ix_job_undo_of", "job", ["workspace_id", "undo_of"], **where("undo_of IS NOT NULL"))
    op.create_table(
        "segment",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("filter", JSON, nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_segment"),
    )
    op.create_index("ix_segment_name_key_id", "segment", ["workspace_id", "name_key", "id"])
    op.create_table(
        "sign_in",
        sa.Column("id", ID, nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in"),
    )
    op.create_index("ix_sign_in_agent_id", "sign_in", ["agent_id"])
    op.create_table(
        "sign_in_failure",
        sa.Column("id", ID, nullable=False),
        sa.Column("subject", KEY, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_failure"),
    )
    op.create_index("ix_sign_in_failure_subject_at", "sign_in_failure", ["subject", "at"])
    op.create_table(
        "tag",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("color", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_tag"),
    )
    op.create_index("ix_tag_kind_name_key", "tag", ["workspace_id", "kind", "name_key"], unique=True)
    op.create_index("ix_tag_name_key_id", "tag", ["workspace_id", "name_key", "id"])
    op.create_table(
        "upload",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("actor_kind", sa.SmallInteger(), nullable=False),
        sa.Column("actor_id", ID, nullable=False),
        sa.Column("name", sa.String(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_upload"),
    )
    op.create_index("ix_upload_created_at", "upload", ["workspace_id", "created_at"])
    op.create_table(
        "webhook",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("filter", JSON, nullable=True),
        sa.Column("query", sa.String(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("secret", sa.String(), nullable=False),
        sa.Column("cursor", sa.BigInteger(), nullable=False),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_webhook"),
    )
    op.create_table(
        "workspace",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("timezone", sa.String(), nullable=False),
        sa.Column("default_country", sa.String(), nullable=True),
        sa.Column("automation_enabled", sa.Boolean(), nullable=False),
        sa.Column("automation_rules", JSON, nullable=False),
        sa.Column("bulk_delete", sa.SmallInteger(), nullable=False),
        sa.Column("default_stage", sa.SmallInteger(), nullable=False),
        sa.Column("department_assignment", sa.SmallInteger(), nullable=False),
        sa.Column("max_customers_per_agent", sa.Integer(), nullable=True),
        sa.Column("pool_auto_reclaim", sa.Boolean(), nullable=False),
        sa.Column("pool_idle_days", sa.Integer(), nullable=False),
        sa.Column("pool_daily_claim_limit", sa.Integer(), nullable=True),
        sa.Column("pool_reclaim_cooldown_days", sa.Integer(), nullable=False),
        sa.Column("allow_inline_tags", sa.Boolean(), nullable=False),
        sa.Column("follow_up_stages", JSON, nullable=False),
        sa.Column("sources", JSON, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_workspace"),
    )
    op.create_table(
        "agent_department",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("department_id", ID, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "agent_id"],
            ["agent.workspace_id", "agent.id"],
            name="fk_agent_department_agent_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "department_id"],
            ["department.workspace_id", "department.id"],
            name="fk_agent_department_department_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "agent_id", "department_id", name="pk_agent_department"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_agent_department_department_id_agent_id", "agent_department", ["workspace_id", "department_id", "agent_id"]
    )
    op.create_table(
        "agent_permission",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("permission", sa.SmallInteger(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "agent_id"],
            ["agent.workspace_id", "agent.id"],
            name="fk_agent_permission_agent_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "agent_id", "permission", name="pk_agent_permission"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "assignment_rule_member",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("rule_id", ID, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("agent_id", ID, nullable=True),
        sa.Column("department_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "agent_id"], ["agent.workspace_id", "agent.id"], name="fk_assignment_rule_member_agent_id"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "department_id"],
            ["department.workspace_id", "department.id"],
            name="fk_assignment_rule_member_department_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "rule_id"],
            ["assignment_rule.workspace_id", "assignment_rule.id"],
            name="fk_assignment_rule_member_rule_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "rule_id", "position", name="pk_assignment_rule_member"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_assignment_rule_member_agent_id", "assignment_rule_member", ["workspace_id", "agent_id"])
    op.create_index(
        "ix_assignment_rule_member_department_id", "assignment_rule_member", ["workspace_id", "department_id"]
    )
    op.create_table(
        "claim",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "agent_id"], ["agent.workspace_id", "agent.id"], name="fk_claim_agent_id"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_claim"),
    )
    op.create_index("ix_claim_agent_id_at", "claim", ["workspace_id", "agent_id", "at"])
    op.create_table(
        "company",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("domain", sa.String(), nullable=True),
        sa.Column("domain_key", KEY, nullable=True),
        sa.Column("phone", KEY, nullable=True),
        sa.Column("address_line1", sa.String(), nullable=True),
        sa.Column("address_line2", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("postal_code", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("owner_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "owner_id"], ["agent.workspace_id", "agent.id"], name="fk_company_owner_id"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_company"),
    )
    op.create_index(
        "ix_company_domain_key",
        "company",
        ["workspace_id", "domain_key"],
        unique=True,
        **where("domain_key IS NOT NULL"),
    )
    op.create_index("ix_company_name_key_id", "company", ["workspace_id", "name_key", "id"])
    op.create_index("ix_company_owner_id_id", "company", ["workspace_id", "owner_id", "id"])
    op.create_table(
        "delivery",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("webhook_id", ID, nullable=False),
        sa.Column("change_seq", sa.BigInteger(), nullable=True),
        sa.Column("payload", JSON, nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "webhook_id"],
            ["webhook.workspace_id", "webhook.id"],
            name="fk_delivery_webhook_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_delivery"),
    )
    op.create_index(
        "ix_delivery_next_attempt_at",
        "delivery",
        ["workspace_id", "next_attempt_at"],
        **where("next_attempt_at IS NOT NULL"),
    )
    op.create_index("ix_delivery_webhook_id_id", "delivery", ["workspace_id", "webhook_id", "id"])
    op.create_table(
        "job_file",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("format", sa.SmallInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "job_id"], ["job.workspace_id", "job.id"], name="fk_job_file_job_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_job_file"),
    )
    op.create_index("ix_job_file_job_id", "job_file", ["workspace_id", "job_id"])
    op.create_table(
        "job_row",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("node_id", ID, nullable=True),
        sa.Column("outcome", sa.SmallInteger(), nullable=False),
        sa.Column("fields", JSON, nullable=True),
        sa.Column("errors", JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "job_id"], ["job.workspace_id", "job.id"], name="fk_job_row_job_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "job_id", "row", name="pk_job_row"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_job_row_job_id_outcome_row", "job_row", ["workspace_id", "job_id", "outcome", "row"])
    op.create_table(
        "job_target",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", ID, nullable=False),
        sa.Column("row", sa.BigInteger(), nullable=False),
        sa.Column("node_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "job_id"], ["job.workspace_id", "job.id"], name="fk_job_target_job_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "job_id", "row", name="pk_job_target"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "saved_view",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("shared", sa.Boolean(), nullable=False),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("filter", JSON, nullable=True),
        sa.Column("search", sa.String(), nullable=True),
        sa.Column("sort", JSON, nullable=True),
        sa.Column("columns", JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "owner_id"], ["agent.workspace_id", "agent.id"], name="fk_saved_view_owner_id"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_saved_view"),
    )
    op.create_index("ix_saved_view_owner_id_position_id", "saved_view", ["workspace_id", "owner_id", "position", "id"])
    op.create_table(
        "company_external_id",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("system", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.Column("value_key", KEY, nullable=True),
        sa.Column("company_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "company_id"],
            ["company.workspace_id", "company.id"],
            name="fk_company_external_id_company_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "system", "value", name="pk_company_external_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_company_external_id_company_id_system", "company_external_id", ["workspace_id", "company_id", "system"]
    )
    op.create_table(
        "company_value",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("field_id", ID, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("text_key", KEY, nullable=True),
        sa.Column("text_folded", KEY, nullable=True),
        sa.Column("number", sa.Double(), nullable=True),
        sa.Column("boolean", sa.Boolean(), nullable=True),
        sa.Column("date", KEY, nullable=True),
        sa.Column("date_time", sa.BigInteger(), nullable=True),
        sa.Column("option", KEY, nullable=True),
        sa.Column("unique_key", KEY, nullable=True),
        sa.Column("company_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "company_id"],
            ["company.workspace_id", "company.id"],
            name="fk_company_value_company_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "field_id"],
            ["custom_field.workspace_id", "custom_field.id"],
            name="fk_company_value_field_id",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "company_id", "field_id", "position", name="pk_company_value"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_company_value_field_id_boolean_company_id",
        "company_value",
        ["workspace_id", "field_id", "boolean", "company_id"],
        **where("boolean IS NOT NULL"),
    )
    op.create_index(
        "ix_company_value_field_id_date_company_id",
        "company_value",
        ["workspace_id", "field_id", "date", "company_id"],
        **where("date IS NOT NULL"),
    )
    op.create_index(
        "ix_company_value_field_id_date_time_company_id",
        "company_value",
        ["workspace_id", "field_id", "date_time", "company_id"],
        **where("date_time IS NOT NULL"),
    )
    op.create_index(
        "ix_company_value_field_id_number_company_id",
        "company_value",
        ["workspace_id", "field_id", "number", "company_id"],
        **where("number IS NOT NULL"),
    )
    op.create_index(
        "ix_company_value_field_id_option_company_id",
        "company_value",
        ["workspace_id", "field_id", "option", "company_id"],
        **where("option IS NOT NULL"),
    )
    op.create_index(
        "ix_company_value_field_id_text_key_company_id",
        "company_value",
        ["workspace_id", "field_id", "text_key", "company_id"],
        **where("text_key IS NOT NULL"),
    )
    op.create_index(
        "ix_company_value_field_id_unique_key",
        "company_value",
        ["workspace_id", "field_id", "unique_key"],
        unique=True,
        **where("unique_key IS NOT NULL"),
    )
    op.create_table(
        "customer",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", KEY, nullable=False),
        sa.Column("nickname", sa.String(), nullable=True),
        sa.Column("nickname_key", KEY, nullable=True),
        sa.Column("real_name", sa.String(), nullable=True),
        sa.Column("real_name_key", KEY, nullable=True),
        sa.Column("avatar_url", sa.String(), nullable=True),
        sa.Column("phone", KEY, nullable=True),
        sa.Column("phone_count", sa.SmallInteger(), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("email_key", KEY, nullable=True),
        sa.Column("email_count", sa.SmallInteger(), nullable=False),
        sa.Column("gender", sa.SmallInteger(), nullable=True),
        sa.Column("birth_date", KEY, nullable=True),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("address_line1", sa.String(), nullable=True),
        sa.Column("address_line2", sa.String(), nullable=True),
        sa.Column("city", sa.String(), nullable=True),
        sa.Column("city_key", KEY, nullable=True),
        sa.Column("region", sa.String(), nullable=True),
        sa.Column("region_key", KEY, nullable=True),
        sa.Column("postal_code", sa.String(), nullable=True),
        sa.Column("country", sa.String(), nullable=True),
        sa.Column("country_key", KEY, nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("source_key", KEY, nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("channel_key", KEY, nullable=True),
        sa.Column("relationship_status", sa.SmallInteger(), nullable=False),
        sa.Column("subscription_status", sa.SmallInteger(), nullable=False),
        sa.Column("stage", sa.SmallInteger(), nullable=False),
        sa.Column("verification", sa.SmallInteger(), nullable=False),
        sa.Column("follow_up_stage", sa.String(), nullable=True),
        sa.Column("follow_up_stage_key", KEY, nullable=True),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("owned_since", sa.BigInteger(), nullable=True),
        sa.Column("previous_owner_id", ID, nullable=True),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.Column("department_id", ID, nullable=True),
        sa.Column("company_id", ID, nullable=True),
        sa.Column("reseller_relationship", sa.Boolean(), nullable=False),
        sa.Column("archived_at", sa.BigInteger(), nullable=True),
        sa.Column("last_interaction_at", sa.BigInteger(), nullable=True),
        sa.Column("tag_count", sa.SmallInteger(), nullable=False),
        sa.Column("first_tag_key", KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "company_id"], ["company.workspace_id", "company.id"], name="fk_customer_company_id"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "department_id"],
            ["department.workspace_id", "department.id"],
            name="fk_customer_department_id",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "owner_id"], ["agent.workspace_id", "agent.id"], name="fk_customer_owner_id"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "previous_owner_id"],
            ["agent.workspace_id", "agent.id"],
            name="fk_customer_previous_owner_id",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_customer"),
    )
    op.create_index("ix_customer_archived_at_id", "customer", ["workspace_id", "archived_at", "id"])
    op.create_index("ix_customer_birth_date_id", "customer", ["workspace_id", "birth_date", "id"])
    op.create_index("ix_customer_channel_key_id", "customer", ["workspace_id", "channel_key", "id"])
    op.create_index("ix_customer_city_key_id", "customer", ["workspace_id", "city_key", "id"])
    op.create_index("ix_customer_company_id_id", "customer", ["workspace_id", "company_id", "id"])
    op.create_index("ix_customer_country_key_id", "customer", ["workspace_id", "country_key", "id"])
    op.create_index("ix_customer_department_id_id", "customer", ["workspace_id", "department_id", "id"])
    op.create_index("ix_customer_email_key_id", "customer", ["workspace_id", "email_key", "id"])
    op.create_index("ix_customer_first_tag_key_id", "customer", ["workspace_id", "first_tag_key", "id"])
    op.create_index("ix_customer_follow_up_stage_key_id", "customer", ["workspace_id", "follow_up_stage_key", "id"])
    op.create_index("ix_customer_gender_id", "customer", ["workspace_id", "gender", "id"])
    op.create_index("ix_customer_last_interaction_at_id", "customer", ["workspace_id", "last_interaction_at", "id"])
    op.create_index("ix_customer_name_key_id", "customer", ["workspace_id", "name_key", "id"])
    op.create_index("ix_customer_nickname_key_id", "customer", ["workspace_id", "nickname_key", "id"])
    op.create_index("ix_customer_owner_id_id", "customer", ["workspace_id", "owner_id", "id"])
    op.create_index("ix_customer_phone_id", "customer", ["workspace_id", "phone", "id"])
    op.create_index("ix_customer_real_name_key_id", "customer", ["workspace_id", "real_name_key", "id"])
    op.create_index("ix_customer_region_key_id", "customer", ["workspace_id", "region_key", "id"])
    op.create_index("ix_customer_relationship_status_id", "customer", ["workspace_id", "relationship_status", "id"])
    op.create_index("ix_customer_source_key_id", "customer", ["workspace_id", "source_key", "id"])
    op.create_index("ix_customer_stage_id", "customer", ["workspace_id", "stage", "id"])
    op.create_index("ix_customer_subscription_status_id", "customer", ["workspace_id", "subscription_status", "id"])
    op.create_index("ix_customer_tag_count_id", "customer", ["workspace_id", "tag_count", "id"])
    op.create_index("ix_customer_updated_at_id", "customer", ["workspace_id", "updated_at", "id"])
    op.create_index("ix_customer_value_id", "customer", ["workspace_id", "value", "id"])
    op.create_index("ix_customer_verification_id", "customer", ["workspace_id", "verification", "id"])
    op.create_table(
        "customer_alias",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_customer_alias_customer_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_customer_alias"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_customer_alias_customer_id_id", "customer_alias", ["workspace_id", "customer_id", "id"])
    op.create_table(
        "customer_block",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("actor_kind", sa.SmallInteger(), nullable=False),
        sa.Column("actor_id", ID, nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_customer_block_customer_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "customer_id", name="pk_customer_block"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "customer_email",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("email_key", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_customer_email_customer_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "customer_id", "position", name="pk_customer_email"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_customer_email_email_key_customer_id", "customer_email", ["workspace_id", "email_key", "customer_id"]
    )
    op.create_table(
        "customer_external_id",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("system", KEY, nullable=False),
        sa.Column("value", KEY, nullable=False),
        sa.Column("value_key", KEY, nullable=True),
        sa.Column("customer_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_customer_external_id_customer_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "system", "value", name="pk_customer_external_id"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_customer_external_id_customer_id_system", "customer_external_id", ["workspace_id", "customer_id", "system"]
    )
    op.create_table(
        "customer_order",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("source", KEY, nullable=False),
        sa.Column("source_key", KEY, nullable=True),
        sa.Column("number", KEY, nullable=False),
        sa.Column("number_key", KEY, nullable=True),
        sa.Column("status", sa.String(), nullable=True),
        sa.Column("status_key", KEY, nullable=True),
        sa.Column("total", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("placed_at", sa.BigInteger(), nullable=False),
        sa.Column("lines", JSON, nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_customer_order_customer_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_customer_order"),
    )
    op.create_index(
        "ix_customer_order_customer_id_placed_at_id",
        "customer_order",
        ["workspace_id", "customer_id", "placed_at", "id"],
    )
    op.create_index(
        "ix_customer_order_placed_at_customer_id", "customer_order", ["workspace_id", "placed_at", "customer_id"]
    )
    op.create_index(
        "ix_customer_order_source_number", "customer_order", ["workspace_id", "source", "number"], unique=True
    )
    op.create_table(
        "customer_phone",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("phone", KEY, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_customer_phone_customer_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "customer_id", "position", name="pk_customer_phone"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_customer_phone_phone_customer_id", "customer_phone", ["workspace_id", "phone", "customer_id"])
    create_search()
    op.create_table(
        "customer_tag",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("tag_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_customer_tag_customer_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "tag_id"], ["tag.workspace_id", "tag.id"], name="fk_customer_tag_tag_id"
        ),
        sa.PrimaryKeyConstraint("workspace_id", "customer_id", "tag_id", name="pk_customer_tag"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_customer_tag_tag_id_customer_id", "customer_tag", ["workspace_id", "tag_id", "customer_id"])
    op.create_table(
        "customer_value",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("field_id", ID, nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("text_key", KEY, nullable=True),
        sa.Column("text_folded", KEY, nullable=True),
        sa.Column("number", sa.Double(), nullable=True),
        sa.Column("boolean", sa.Boolean(), nullable=True),
        sa.Column("date", KEY, nullable=True),
        sa.Column("date_time", sa.BigInteger(), nullable=True),
        sa.Column("option", KEY, nullable=True),
        sa.Column("unique_key", KEY, nullable=True),
        sa.Column("customer_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_customer_value_customer_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "field_id"],
            ["custom_field.workspace_id", "custom_field.id"],
            name="fk_customer_value_field_id",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "customer_id", "field_id", "position", name="pk_customer_value"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_customer_value_field_id_boolean_customer_id",
        "customer_value",
        ["workspace_id", "field_id", "boolean", "customer_id"],
        **where("boolean IS NOT NULL"),
    )
    op.create_index(
        "ix_customer_value_field_id_date_customer_id",
        "customer_value",
        ["workspace_id", "field_id", "date", "customer_id"],
        **where("date IS NOT NULL"),
    )
    op.create_index(
        "ix_customer_value_field_id_date_time_customer_id",
        "customer_value",
        ["workspace_id", "field_id", "date_time", "customer_id"],
        **where("date_time IS NOT NULL"),
    )
    op.create_index(
        "ix_customer_value_field_id_number_customer_id",
        "customer_value",
        ["workspace_id", "field_id", "number", "customer_id"],
        **where("number IS NOT NULL"),
    )
    op.create_index(
        "ix_customer_value_field_id_option_customer_id",
        "customer_value",
        ["workspace_id", "field_id", "option", "customer_id"],
        **where("option IS NOT NULL"),
    )
    op.create_index(
        "ix_customer_value_field_id_text_key_customer_id",
        "customer_value",
        ["workspace_id", "field_id", "text_key", "customer_id"],
        **where("text_key IS NOT NULL"),
    )
    op.create_index(
        "ix_customer_value_field_id_unique_key",
        "customer_value",
        ["workspace_id", "field_id", "unique_key"],
        unique=True,
        **where("unique_key IS NOT NULL"),
    )
    op.create_table(
        "duplicate_dismissal",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("first_id", ID, nullable=False),
        sa.Column("second_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "first_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_duplicate_dismissal_first_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "second_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_duplicate_dismissal_second_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "first_id", "second_id", name="pk_duplicate_dismissal"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_duplicate_dismissal_second_id", "duplicate_dismissal", ["workspace_id", "second_id"])
    op.create_table(
        "interaction",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("direction", sa.SmallInteger(), nullable=True),
        sa.Column("channel", sa.String(), nullable=True),
        sa.Column("channel_key", KEY, nullable=True),
        sa.Column("outcome", sa.SmallInteger(), nullable=True),
        sa.Column("subject", sa.String(), nullable=True),
        sa.Column("body", sa.String(), nullable=True),
        sa.Column("campaign", sa.String(), nullable=True),
        sa.Column("campaign_key", KEY, nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("occurred_at", sa.BigInteger(), nullable=False),
        sa.Column("agent_id", ID, nullable=True),
        sa.Column("external_system", KEY, nullable=True),
        sa.Column("external_value", KEY, nullable=True),
        sa.Column("pending", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "agent_id"], ["agent.workspace_id", "agent.id"], name="fk_interaction_agent_id"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_interaction_customer_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_interaction"),
    )
    op.create_index(
        "ix_interaction_customer_id_occurred_at_id", "interaction", ["workspace_id", "customer_id", "occurred_at", "id"]
    )
    op.create_index(
        "ix_interaction_external_system_external_value",
        "interaction",
        ["workspace_id", "external_system", "external_value"],
        unique=True,
        **where("external_value IS NOT NULL"),
    )
    op.create_index(
        "ix_interaction_kind_occurred_at_customer_id",
        "interaction",
        ["workspace_id", "kind", "occurred_at", "customer_id"],
    )
    op.create_table(
        "note",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("body_key", KEY, nullable=False),
        sa.Column("author_kind", sa.SmallInteger(), nullable=False),
        sa.Column("author_id", ID, nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_note_customer_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "id", name="pk_note"),
    )
    op.create_index("ix_note_customer_id_id", "note", ["workspace_id", "customer_id", "id"])
    op.create_table(
        "segment_member",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("segment_id", ID, nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_segment_member_customer_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "segment_id"],
            ["segment.workspace_id", "segment.id"],
            name="fk_segment_member_segment_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "segment_id", "customer_id", name="pk_segment_member"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_segment_member_customer_id_segment_id", "segment_member", ["workspace_id", "customer_id", "segment_id"]
    )
    op.create_table(
        "wechat_friend",
        sa.Column("workspace_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", ID, nullable=False),
        sa.Column("agent_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id", "agent_id"], ["agent.workspace_id", "agent.id"], name="fk_wechat_friend_agent_id"
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "customer_id"],
            ["customer.workspace_id", "customer.id"],
            name="fk_wechat_friend_customer_id",
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", "customer_id", "agent_id", name="pk_wechat_friend"),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_wechat_friend_agent_id_customer_id", "wechat_friend", ["workspace_id", "agent_id", "customer_id"]
    )
    if op.get_bind().dialect.name == "sqlite":
        describe_to_sqlite()
    else:
        for statement in STATISTICS:
            op.execute(statement)
