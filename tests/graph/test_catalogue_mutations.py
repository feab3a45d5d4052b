"""The catalogues' mutations over GraphQL: who may, how inputs arrive, what the answer shows. The rules are tested
where they are."""

import pytest
from sqlmodel import select

from crm.access import accounts
from db import tables
from db.statements import in_workspace, prepare
from db.tables.enums import Permission, Role
from graph.types.ids import id_encoder
from tests.support import factories

NEEDED = {
    "departmentCreate(input: {})": Permission.AGENT_MANAGE,
    'departmentUpdate(id: "x", input: {})': Permission.AGENT_MANAGE,
    'departmentDelete(id: "x")': Permission.AGENT_MANAGE,
    "agentCreate(input: {})": Permission.AGENT_MANAGE,
    'agentUpdate(id: "x", input: {})': Permission.AGENT_MANAGE,
    'agentDeactivate(id: "x")': Permission.AGENT_MANAGE,
    'customFieldCreate(input: {entity: CUSTOMER, key: "", label: "", type: TEXT})': Permission.FIELD_MANAGE,
    'customFieldUpdate(id: "x", input: {})': Permission.FIELD_MANAGE,
    'customFieldDelete(id: "x")': Permission.FIELD_MANAGE,
    "savedViewCreate(input: {})": Permission.CUSTOMER_VIEW,
    'savedViewUpdate(id: "x", input: {})': Permission.CUSTOMER_VIEW,
    'savedViewDelete(id: "x")': Permission.CUSTOMER_VIEW,
    "assignmentRuleCreate(input: {})": Permission.RULE_MANAGE,
    'assignmentRuleUpdate(id: "x", input: {})': Permission.RULE_MANAGE,
    'assignmentRuleDelete(id: "x")': Permission.RULE_MANAGE,
    'workspaceUpdate(input: {name: ""})': Permission.SETTINGS_MANAGE,
    'apiKeyCreate(input: {name: "", permissions: []})': Permission.KEY_MANAGE,
    'apiKeyRevoke(id: "x")': Permission.KEY_MANAGE,
}


@pytest.fixture
def holding(viewer):
    """A viewer who holds these permissions alone."""
    return lambda held: type(viewer)(viewer.workspace_id, viewer.actor_kind, viewer.actor_id, frozenset(held))


@pytest.mark.parametrize(("field", "permission"), NEEDED.items())
async def test_each_needs_its_permission_and_no_other(ask, refused, holding, field, permission):
    """SM2, SB8."""
    document = f"mutation {{ answer: {field} {{ errors {{ code path }} }} }}"
    error = await refused(document, viewer=holding(set(Permission) - {permission}))
    assert error["code"] == "FORBIDDEN"
    assert (await ask(document, viewer=holding({permission})))["answer"]["errors"] != []


@pytest.mark.parametrize(
    ("query", "permission"),
    [
        ("apiKeys", Permission.KEY_MANAGE),
        ("savedViews", Permission.CUSTOMER_VIEW),
        ("assignmentRules", Permission.CUSTOMER_VIEW),
    ],
)
async def test_so_do_their_lists(ask, refused, holding, query, permission):
    document = f"{{ {query} {{ id }} }}"
    assert (await refused(document, viewer=holding(set(Permission) - {permission})))["code"] == "FORBIDDEN"
    assert await ask(document, viewer=holding({permission})) == {query: []}


async def test_a_department_is_made_and_changed(ask, save):
    await save(an := factories.agent("An"), top := factories.department("Top"))
    made = await ask(
        """mutation ($parent: ID, $agents: [ID!]) {
          departmentCreate(input: {name: "Sales", parent: $parent, agents: $agents}) {
            department { id name parent { name } agents { name departments { name } } }
            errors { code }
          }
        }""",
        parent=id_encoder("Department")(top.id),
        agents=[id_encoder("Agent")(an.id)],
    )
    department = made["departmentCreate"]["department"]
    assert department | {"id": 0} == {
        "id": 0,
        "name": "Sales",
        "parent": {"name": "Top"},
        "agents": [{"name": "An", "departments": [{"name": "Sales"}]}],
    }
    changed = await ask(
        "mutation ($id: ID!) { departmentUpdate(id: $id, input: {parent: null}) { department { name parent { name }"
        " agents { name } } } }",
        id=department["id"],
    )
    assert changed["departmentUpdate"]["department"] == {"name": "Sales", "parent": None, "agents": [{"name": "An"}]}


AGENT_UPDATE = """mutation ($id: ID!, $input: AgentInput!, $version: Int) {
  agentUpdate(id: $id, input: $input, ifVersion: $version) {
    agent { name role active maxCustomers permissions version }
    errors { code path ... on ConflictError { record { id version } } }
  }
}"""


async def test_an_agent_is_changed_in_what_is_given(ask, save):
    await save(agent := factories.agent("An", max_customers=5))
    given = {"role": "MANAGER", "maxCustomers": None, "revoke": ["CUSTOMER_VIEW_ALL"]}
    answer = (await ask(AGENT_UPDATE, id=id_encoder("Agent")(agent.id), input=given, version=1))["agentUpdate"]
    shown = answer["agent"]
    assert (shown["name"], shown["role"], shown["maxCustomers"], shown["version"]) == ("An", "MANAGER", None, 2)
    assert "CUSTOMER_ASSIGN" in shown["permissions"]
    assert "CUSTOMER_VIEW_ALL" not in shown["permissions"]
    refused = (await ask(AGENT_UPDATE, id=id_encoder("Agent")(agent.id), input={"name": "B"}, version=1))["agentUpdate"]
    assert refused["agent"] is None
    assert refused["errors"] == [
        {"code": "CONFLICT", "path": ["ifVersion"], "record": {"id": id_encoder("Agent")(agent.id), "version": 2}}
    ]


@pytest.mark.parametrize(
    ("customers", "stage"), [("release: POOL", "POOL"), ("release: TO_BE_ASSIGNED", "TO_BE_ASSIGNED")]
)
async def test_a_leaving_agents_customers_are_released(ask, save, customers, stage):
    """SB19."""
    await save(agent := factories.agent("An"), customer := factories.customer(owner_id=agent.id))
    document = f"""mutation ($id: ID!) {{
      agentDeactivate(id: $id, customers: {{{customers}}}) {{ agent {{ active customerCount }} errors {{ code }} }}
    }}"""
    answer = await ask(document, id=id_encoder("Agent")(agent.id))
    assert answer["agentDeactivate"] == {"agent": {"active": False, "customerCount": 0}, "errors": []}
    found = await ask(
        "query ($id: ID!) { customer(by: {id: $id}) { stage owner { name } } }", id=id_encoder("Customer")(customer.id)
    )
    assert found["customer"] == {"stage": stage, "owner": None}


async def test_a_leaving_agents_customers_are_assigned(ask, save):
    """SB19."""
    one, two = factories.agent("One"), factories.agent("Two")
    await save(one, two, factories.customer(owner_id=one.id))
    document = """mutation ($id: ID!, $customers: OffboardInput) {
      agentDeactivate(id: $id, customers: $customers) { agent { active } errors { code path } }
    }"""
    refused = await ask(document, id=id_encoder("Agent")(one.id))
    assert refused["agentDeactivate"]["errors"] == [{"code": "AGENT_HAS_CUSTOMERS", "path": ["customers"]}]
    await ask(document, id=id_encoder("Agent")(one.id), customers={"assign": {"agents": [id_encoder("Agent")(two.id)]}})
    answer = await ask("query ($id: ID!) { agent(id: $id) { customerCount } }", id=id_encoder("Agent")(two.id))
    assert answer["agent"] == {"customerCount": 1}


async def test_a_custom_field_is_made_changed_and_deleted(ask):
    """EM8, SB5, SB24."""
    made = await ask(
        """mutation { customFieldCreate(
          input: {entity: COMPANY, key: "size", label: "Size", type: SELECT, options: ["S", "L"], required: true}
        ) { customField { id entity key type options required unique active position } errors { code } } }"""
    )
    field = made["customFieldCreate"]["customField"]
    identifier = field.pop("id")
    assert field == {
        "entity": "COMPANY",
        "key": "size",
        "type": "SELECT",
        "options": ["S", "L"],
        "required": True,
        "unique": False,
        "active": True,
        "position": 0,
    }
    changed = await ask(
        'mutation ($id: ID!) { customFieldUpdate(id: $id, input: {options: ["L", "M"], active: false})'
        " { customField { options active required } } }",
        id=identifier,
    )
    assert changed["customFieldUpdate"]["customField"] == {"options": ["L", "M"], "active": False, "required": True}
    document = "mutation ($id: ID!) { customFieldDelete(id: $id) { customField { key } errors { code path } } }"
    assert (await ask(document, id=identifier))["customFieldDelete"] == {"customField": {"key": "size"}, "errors": []}
    again = (await ask(document, id=identifier))["customFieldDelete"]
    assert again == {"customField": None, "errors": [{"code": "NOT_FOUND", "path": ["id"]}]}


async def test_a_view_is_saved_found_by_name_and_seen_by_its_owner_alone(ask, save, viewer, holding):
    """SM3, SM4, SM5, SM7, SM11."""
    await save(factories.agent("Admin", id=viewer.actor_id))
    made = await ask(
        """mutation {
          savedViewCreate(
            input: {name: "Vàng", search: "gold", columns: [{field: "name", width: 90}, {field: "tags"}]}
          ) {
            savedView { id owner { name } shared position filter search sort columns { field width } }
            errors { code }
          }
        }"""
    )
    view = made["savedViewCreate"]["savedView"]
    identifier = view.pop("id")
    assert view == {
        "owner": {"name": "Admin"},
        "shared": False,
        "position": 0,
        "filter": None,
        "search": "gold",
        "sort": None,
        "columns": [{"field": "name", "width": 90}, {"field": "tags", "width": None}],
    }
    document = "query ($search: String) { savedViews(search: $search) { id } }"
    assert (await ask(document, search="VANG"))["savedViews"] == [{"id": identifier}]
    assert (await ask(document, search="bạc"))["savedViews"] == []
    node = "query ($id: ID!) { node(id: $id) { __typename id } }"
    assert (await ask(node, id=identifier))["node"] == {"__typename": "SavedView", "id": identifier}
    other = type(viewer)(viewer.workspace_id, viewer.actor_kind, factories.agent().id, viewer.permissions)
    assert (await ask(node, id=identifier, viewer=other))["node"] is None
    assert (await ask(document, viewer=other))["savedViews"] == []


STORED = {
    "and": [{"stage": {"in": ["POOL", "FOLLOW_UP"]}}, {"not": {"value": {"gt": "12.5"}}}],
    "createdAt": {"gte": "2026-01-01T00:00:00.000Z"},
    "tags": {"any": {"name": {"startsWith": "vi"}}},
}
SORT = [{"owner": {"name": "DESC"}}, {"createdAt": "ASC"}]


@pytest.mark.parametrize(
    ("kind", "given"),
    [("savedView", {"filter": STORED, "sort": SORT}), ("assignmentRule", {"filter": STORED})],
)
async def test_a_filter_is_read_as_it_was_given_and_taken_back(ask, save, viewer, kind, given):
    await save(factories.agent("Admin", id=viewer.actor_id))
    shown = f"{kind} {{ id {' '.join(given)} }} errors {{ code path }}"
    name = kind[0].upper() + kind[1:]
    create = f"mutation ($input: {name}Input!) {{ answer: {kind}Create(input: $input) {{ {shown} }} }}"
    update = (
        f"mutation ($id: ID!, $input: {name}Input!) {{ answer: {kind}Update(id: $id, input: $input) {{ {shown} }} }}"
    )
    made = (await ask(create, input={"name": "A", **given}))["answer"]
    assert made["errors"] == []
    identifier = made[kind].pop("id")
    assert made[kind] == given
    assert (await ask(update, id=identifier, input=made[kind]))["answer"][kind] == {"id": identifier, **given}
    cleared = (await ask(update, id=identifier, input=dict.fromkeys(given)))["answer"]
    assert cleared[kind] == {"id": identifier, **dict.fromkeys(given)}


async def test_a_view_shows_the_customers_of_its_filter(ask, save, viewer):
    """SM6."""
    await save(
        factories.agent("Admin", id=viewer.actor_id),
        factories.customer("An", country="VN"),
        factories.customer("Bo", country="IT"),
    )
    answer = await ask(
        """mutation { savedViewCreate(input: {name: "A", filter: {country: {eq: "VN"}}}) {
          savedView { customers { totalCount nodes { name } } } } }"""
    )
    assert answer["savedViewCreate"]["savedView"]["customers"] == {"totalCount": 1, "nodes": [{"name": "An"}]}


async def test_a_rule_shows_its_agents_and_departments_in_a_few_statements(ask, save, sent):
    an, sales = factories.agent("An"), factories.department("Sales")
    await save(an, sales)
    for name in ("One", "Two", "Three"):
        await ask(
            """mutation ($name: String, $agents: [ID!], $departments: [ID!]) {
              assignmentRuleCreate(input: {name: $name, agents: $agents, departments: $departments})
              { assignmentRule { id } errors { code } }
            }""",
            name=name,
            agents=[id_encoder("Agent")(an.id)],
            departments=[id_encoder("Department")(sales.id)],
        )
    sent.clear()
    answer = await ask("{ assignmentRules { name strategy filter agents { name } departments { name } } }")
    assert answer["assignmentRules"] == [
        {
            "name": name,
            "strategy": "ROUND_ROBIN",
            "filter": None,
            "agents": [{"name": "An"}],
            "departments": [{"name": "Sales"}],
        }
        for name in ("One", "Two", "Three")
    ]
    assert len(sent) == 3


async def test_the_workspace_is_changed_in_what_is_given(ask):
    answer = await ask(
        """mutation {
          workspaceUpdate(
            input: {defaultCountry: "VN", statusAutomation: {rules: [EVENT]}, pool: {idleDays: 9}}
          ) { workspace { name defaultCountry statusAutomation { enabled rules } pool { idleDays autoReclaim } }
            errors { code path } } }"""
    )
    assert answer["workspaceUpdate"] == {
        "workspace": {
            "name": "Test",
            "defaultCountry": "VN",
            "statusAutomation": {"enabled": True, "rules": ["EVENT"]},
            "pool": {"idleDays": 9, "autoReclaim": False},
        },
        "errors": [],
    }
    refused = await ask(
        "mutation { workspaceUpdate(input: {pool: {idleDays: 0}}) { workspace { name } errors { path } } }"
    )
    assert refused["workspaceUpdate"] == {"workspace": None, "errors": [{"path": ["input", "pool", "idleDays"]}]}


KEY = """mutation ($key: String!) {
  apiKeyCreate(input: {name: "Shop", permissions: [CUSTOMER_VIEW]}) @idempotent(key: $key) {
    apiKey { id permissions revokedAt } secret errors { code }
  }
}"""


async def test_a_keys_secret_is_shown_in_its_answer_and_kept_nowhere(ask, database, viewer, session):
    made = (await ask(KEY, key="k"))["apiKeyCreate"]
    assert (await accounts.viewer_of_token(database, made["secret"])).workspace_id == viewer.workspace_id
    assert (await ask(KEY, key="k"))["apiKeyCreate"] == made
    listed = await ask("{ apiKeys { id name hint permissions lastUsedAt } }")
    assert [one["id"] for one in listed["apiKeys"]] == [made["apiKey"]["id"]]
    for table in (tables.Idempotency, tables.Change, tables.ApiKey):
        assert made["secret"][-43:] not in str(await _dump(session, table))
    revoked = await ask(
        "mutation ($id: ID!) { apiKeyRevoke(id: $id) { apiKey { revokedAt } } }", id=made["apiKey"]["id"]
    )
    assert revoked["apiKeyRevoke"]["apiKey"]["revokedAt"]


async def test_a_key_is_a_node_for_who_manages_keys(ask, holding):
    made = (await ask(KEY, key="k"))["apiKeyCreate"]
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await ask(node, id=made["apiKey"]["id"]))["node"]
    assert (await ask(node, id=made["apiKey"]["id"], viewer=holding({Permission.CUSTOMER_VIEW})))["node"] is None


async def test_a_password_is_kept_nowhere(ask, database, session):
    password = "correct horse battery staple"
    await ask(
        """mutation ($password: String!) {
          agentCreate(input: {name: "An", email: "an@kept.example", password: $password}) @idempotent(key: "k") {
            agent { id }
          }
        }""",
        password=password,
    )
    for table in (tables.Idempotency, tables.Change, tables.Agent, tables.Account):
        assert password not in str(await _dump(session, table))


async def test_several_things_are_refused_at_once(ask, save):
    await save(factories.agent("An", role=Role.ADMIN))
    answer = await ask(
        'mutation { agentCreate(input: {name: "", email: "x", maxCustomers: -1})'
        " { agent { id } errors { __typename code path } } }"
    )
    assert answer["agentCreate"]["errors"] == [
        {"__typename": "InputError", "code": "BLANK", "path": ["input", "name"]},
        {"__typename": "InputError", "code": "INVALID", "path": ["input", "email"]},
        {"__typename": "InputError", "code": "INVALID", "path": ["input", "maxCustomers"]},
    ]


async def _dump(session, table):
    return [tuple(row) for row in await session.fetch_all(prepare(select(table).where(in_workspace(table))))]
