"""Stages, assignment and pool over GraphQL: every move, and what refuses it (SB2, SB3, SB18-SB23, EM6)."""

from db.tables.enums import CustomerStage, DepartmentAssignment, Role
from db.values import ids
from graph.types.ids import id_encoder
from tests.support import factories
from tests.support.bulk_calls import JOB, call, codes, ids_of, outcomes

ASSIGN = f"""mutation ($target: CustomerTarget!, $to: AssigneesInput!, $options: BulkOptions) {{
  customersAssign(target: $target, to: $to, options: $options) {JOB} }}"""
WHO = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { stage owner { name } department { name } } } }"
RULE = """mutation ($input: AssignmentRuleInput!) { assignmentRuleCreate(input: $input) {
  assignmentRule { id } errors { code } } }"""


def stage(job):
    """Of each row the stage it came to, or the transition that was refused, or the code."""
    found = []
    for row in job["rows"]["nodes"]:
        moved = [one["after"] for one in row["changed"] if one["field"] == "stage"]
        found.append(moved[0] if moved else row["errors"][0]["code"] if row["errors"] else row["outcome"])
    return found


async def test_every_move_there_is_and_no_other(bulk, save):
    """SB2, SB21-SB23: NEW, TO_BE_ASSIGNED, FOLLOW_UP and POOL, each asked for every move; already so is SKIPPED."""
    agent = factories.agent()
    await save(agent)
    each = [factories.customer(one.name, stage=one) for one in CustomerStage if one is not CustomerStage.FOLLOW_UP]
    each.insert(2, factories.customer("FOLLOW_UP", owner_id=agent.id))
    await save(*each)
    target, dry, no = ids_of(*each), {"dryRun": True}, "INVALID_TRANSITION"
    moves = {
        call("customersVerify", ", valid: true"): ["TO_BE_ASSIGNED", "SKIPPED", no, no],
        call("customersVerify", ", valid: false"): ["UPDATED", no, no, no],
        call("customersRelease"): [no, no, "POOL", "SKIPPED"],
        call("customersRelease", ", to: TO_BE_ASSIGNED"): [no, "SKIPPED", "TO_BE_ASSIGNED", no],
    }
    for document, expected in moves.items():
        assert stage(await bulk(document, target=target, options=dry)) == expected, document
    to = {"agents": [id_encoder("Agent")(agent.id)]}
    assert stage(await bulk(ASSIGN, target=target, to=to, options=dry)) == [no, "FOLLOW_UP", "SKIPPED", "FOLLOW_UP"]


async def test_archived_ones_refuse_all_but_coming_back_and_being_deleted(bulk, save, someone):
    """EM6, EM16-EM19: and archived is judged before blocked."""
    await save(agent := factories.agent(role=Role.ADMIN))
    await save(old := factories.customer(archived_at=1, stage=CustomerStage.TO_BE_ASSIGNED))
    await save(factories.block(old))
    arguments = {"target": ids_of(old), "options": {"dryRun": True}, "viewer": someone(Role.ADMIN, agent=agent)}
    for document in (
        call("customersRelease"), call("customersClaim"), call("customersVerify", ", valid: true"),
        call("customersBlock", ', reason: "x"'), call("customersUnblock"),
    ):  # fmt: skip
        assert codes(await bulk(document, **arguments)) == [["CUSTOMER_ARCHIVED"]], document
    to = {"agents": [id_encoder("Agent")(agent.id)]}
    assert codes(await bulk(ASSIGN, to=to, **arguments)) == [["CUSTOMER_ARCHIVED"]]
    for name, expected in (("customersArchive", "SKIPPED"), ("customersUnarchive", "UPDATED"),
                           ("customersDelete", "DELETED")):  # fmt: skip
        assert outcomes(await bulk(call(name), **arguments)) == [expected]


async def test_departments_expand_to_their_active_members_after_the_agents_named(bulk, save, ask):
    """SB18, SB19: each once, blocked ones lose nobody a turn, and an empty department refuses the whole."""
    names = [factories.agent(name) for name in ("A", "B", "C")]
    a, b, c = names
    off, home, empty = factories.agent("Off", active=False), factories.department(), factories.department("Empty")
    await save(*names, off, home, empty)
    await save(*(factories.works_in(one, home, place) for place, one in enumerate((off, b, a))))
    people = [factories.customer(str(number), stage=CustomerStage.POOL) for number in range(6)]
    await save(*people, factories.block(people[1]))
    to = {
        "agents": [id_encoder("Agent")(c.id), id_encoder("Agent")(a.id)],
        "departments": [id_encoder("Department")(home.id)],
    }
    job = await bulk(ASSIGN, target=ids_of(*people), to=to)
    assert codes(job)[1] == ["CUSTOMER_BLOCKED"]
    owners = [row["owner"] and row["owner"]["name"] for row in (await ask(WHO, **ids_of(*people)))["nodes"]]
    assert owners == ["C", None, "A", "B", "C", "A"]
    assert [(one["agent"]["name"], one["count"]) for one in job["perAgent"]] == [("C", 2), ("A", 2), ("B", 1)]
    nobody = {"departments": [id_encoder("Department")(empty.id)]}
    assert await bulk(ASSIGN, target=ids_of(*people), to=nobody) == [("DEPARTMENT_EMPTY", "to.departments.0")]
    assert await bulk(ASSIGN, target=ids_of(*people), to={}) == [("INVALID", "to")]


async def test_a_queue_is_claimed_by_its_own_and_pools_by_anybody_who_waited(bulk, save, ask, someone):
    """SB18, SB23: QUEUE; the daily limit counts both; only the pool has a cooldown; who sees nobody finds nobody."""
    a, b, home = factories.agent("A"), factories.agent("B"), factories.department("Home")
    await save(a, b, home, factories.works_in(a, home))
    people = [factories.customer(str(number), stage=CustomerStage.TO_BE_ASSIGNED) for number in range(2)]
    left = factories.customer("left", stage=CustomerStage.POOL, previous_owner_id=a.id, released_at=ids.current_time())
    await save(*people, left, other := factories.customer("pool", stage=CustomerStage.POOL))
    setting = "mutation ($input: WorkspaceInput!) { workspaceUpdate(input: $input) { errors { code } } }"
    pool = {"dailyClaimLimit": 2, "reclaimCooldownDays": 3}
    await ask(setting, input={"departmentAssignment": DepartmentAssignment.QUEUE.name, "pool": pool})
    to = {"departments": [id_encoder("Department")(home.id)]}
    assert outcomes(await bulk(ASSIGN, target=ids_of(*people), to=to)) == ["UPDATED"] * 2
    assert (await ask(WHO, **ids_of(people[0])))["nodes"] == [
        {"stage": "TO_BE_ASSIGNED", "owner": None, "department": {"name": "Home"}},
    ]  # fmt: skip
    hers, his = someone(agent=b), someone(agent=a, departments=(home,))
    assert codes(await bulk(call("customersClaim"), target=ids_of(people[0]), viewer=hers)) == [["NOT_FOUND"]]
    job = await bulk(call("customersClaim"), target=ids_of(left, *people, other), viewer=his)
    assert codes(job) == [["CLAIM_COOLDOWN"], [], [], ["CLAIM_LIMIT"]]
    assert outcomes(await bulk(call("customersClaim"), target=ids_of(left, other), viewer=hers)) == ["UPDATED"] * 2


async def test_rules_look_at_whoever_comes_to_wait(bulk, save, ask):
    """SB3: on verifying and on releasing, tried and done alike, and never back to the previous owner."""
    a, b = factories.agent("A"), factories.agent("B")
    await save(a, b)
    new = factories.customer("new", stage=CustomerStage.NEW, source="Web")
    await save(new, plain := factories.customer("plain", stage=CustomerStage.NEW))
    agents = [id_encoder("Agent")(one.id) for one in (a, b)]
    rule = {"name": "Web", "agents": agents, "filter": {"source": {"eq": "Web"}}}
    assert (await ask(RULE, input=rule))["assignmentRuleCreate"]["errors"] == []
    verify = call("customersVerify", ", valid: true")
    for options in ({"dryRun": True}, {}):
        assert stage(await bulk(verify, target=ids_of(new, plain), options=options)) == ["FOLLOW_UP", "TO_BE_ASSIGNED"]
    release = call("customersRelease", ", to: TO_BE_ASSIGNED")
    for name in ("B", "A"):
        await bulk(release, target=ids_of(new))
        (now,) = (await ask(WHO, **ids_of(new)))["nodes"]
        assert (now["stage"], now["owner"]) == ("FOLLOW_UP", {"name": name})
