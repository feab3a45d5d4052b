"""What a viewer is told that he can do is what he can do: for every action, customer and viewer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.files import storage
from tests.support import generated_workspaces

# Each example makes a workspace of its own.
DEAR = settings(max_examples=settings.default.max_examples // 6)


def _one(name, arguments):
    return f"mutation ($id: ID!) {{ {name}({arguments}) {{ errors {{ code }} }} }}"


def _many(name, more=""):
    return f"""mutation ($id: ID!) {{ {name}(target: {{ids: [$id]}}{more}) {{
      job {{ rows {{ nodes {{ outcome }} }} }} errors {{ code }} }} }}"""


def _update(input):
    return _one("customerUpdate", f"by: {{id: $id}}, input: {{{input}}}")


# For each action the mutation that does it.
ACTIONS = {
    "UPDATE": _update('nickname: "another"'),
    "TAG": _update('tags: {add: [{name: "vip"}]}'),
    "CHANGE_STATUS": """mutation ($id: ID!, $to: RelationshipStatus!) {
        customerUpdate(by: {id: $id}, input: {relationshipStatus: $to}) { errors { code } } }""",
    "ASSIGN": _many("customersAssign", ', to: {agents: ["@Dee"]}'),
    "CLAIM": _many("customersClaim"),
    "RELEASE": _many("customersRelease"),
    "VERIFY": _many("customersVerify", ", valid: true"),
    "ARCHIVE": _many("customersArchive"),
    "UNARCHIVE": _many("customersUnarchive"),
    "BLOCK": _many("customersBlock", ', reason: "Bad debts"'),
    "UNBLOCK": _many("customersUnblock"),
    "MERGE": 'mutation ($id: ID!) { customerMerge(into: $id, from: ["@other"], dryRun: true) { errors { code } } }',
    "DELETE": _one("customerDelete", "by: {id: $id}"),
    "NOTE": _one("noteCreate", 'customer: {id: $id}, input: {body: "x"}'),
    "EXPORT": _many("customersExport"),
}
ASKED = """query ($id: ID!) {
  customer(by: {id: $id}) { viewerCan relationshipStatus subscriptionStatus allowedSubscriptionTransitions }
}"""
STATUSES = ["NOT_SUBSCRIBED", "SUBSCRIBED", "UNSUBSCRIBED", "DELETED"]


@pytest.fixture(autouse=True)
def _room_for_files(database, tmp_path):
    storage.attach_storage(database, storage.Storage(tmp_path, b"a secret that nobody guesses"))


def _done(answer):
    """Whether something was done: no error, and no row that failed or was so already."""
    if isinstance(answer, str) or answer["errors"]:
        return False
    rows = answer["job"]["rows"]["nodes"] if "job" in answer else []
    return all(row["outcome"] in ("UPDATED", "SKIPPED") for row in rows)


def _changed(answer):
    return _done(answer) and all(row["outcome"] == "UPDATED" for row in answer["job"]["rows"]["nodes"])


# Who is asked for what is so already is not refused, and has nothing to do either.
_CHANGING = {"CLAIM", "RELEASE", "VERIFY", "ARCHIVE", "UNARCHIVE", "UNBLOCK"}


async def _agrees(database, action, crowd, who):
    world = await generated_workspaces.populated(database, crowd)
    viewer = generated_workspaces.viewer(world, who)
    document = ACTIONS[action]
    for name in ("@Dee", "@other"):
        if name in document:
            document = document.replace(name, await _helper(world, viewer, name))
    for place in range(generated_workspaces.CROWD):
        known = await world.ask(ASKED, viewer, id=f"@{place}")
        given = {"to": "VIP" if known and known["relationshipStatus"] == "LEAD" else "LEAD"}
        answer = await world.ask(document, viewer, id=f"@{place}", **given if action == "CHANGE_STATUS" else {})
        can = known is not None and action in known["viewerCan"]
        done = _changed(answer) if action in _CHANGING else _done(answer)
        assert can is done, (place, crowd[place], known, answer)


async def _helper(world, viewer, name):
    """Another agent to assign to, or another customer to merge, who hinders nobody."""
    if name == "@Dee":
        given = {"name": "Dee", "email": f"{world.number}@x.example", "role": "AGENT"}
        made = await world.ask("mutation ($i: AgentInput!) { agentCreate(input: $i) { agent { id } } }", i=given)
        return made["agent"]["id"]
    own = f"agt_{viewer.agent_id.hex()}"
    given = {"name": "Other", "owner": {"id": own}}
    await world.ask("mutation ($i: ID!) { agentUpdate(id: $i, input: {maxCustomers: 99}) { errors { code } } }", i=own)
    made = await world.ask("mutation ($i: CustomerInput!) { customerCreate(input: $i) { customer { id } } }", i=given)
    return made["customer"]["id"]


@pytest.mark.parametrize("action", ACTIONS)
@DEAR
@given(crowd=generated_workspaces.crowds, who=generated_workspaces.viewers())
async def test_a_viewer_can_what_he_is_told(database, action, crowd, who):
    await _agrees(database, action, crowd, who)


@DEAR
@given(crowd=generated_workspaces.crowds, to=st.sampled_from(STATUSES))
async def test_a_menu_of_subscriptions_offers_what_an_update_does(database, crowd, to):
    """EM9-EM13."""
    world = await generated_workspaces.populated(database, crowd)
    for place in range(generated_workspaces.CROWD):
        known = await world.ask(ASKED, id=f"@{place}")
        if known["subscriptionStatus"] == to:
            assert to not in known["allowedSubscriptionTransitions"]
            continue
        answer = await world.ask(_update(f"subscriptionStatus: {to}"), id=f"@{place}")
        assert (answer["errors"] == []) is (to in known["allowedSubscriptionTransitions"]), (known, answer)
