"""The workspace's settings: what they can be."""

import pytest

from crm.workspace import policies
from db.queries import workspaces
from db.tables.enums import AutomationRule, BulkDeletePolicy, CustomerStage, DepartmentAssignment


async def test_everything_can_be_changed_at_once(does, session, log):
    given = {
        "name": " Phở 24 ",
        "timezone": "Asia/Ho_Chi_Minh",
        "default_country": "vn",
        "status_automation": {"enabled": False, "rules": [AutomationRule.MESSAGE, AutomationRule.PAYMENT] * 2},
        "bulk_delete": BulkDeletePolicy.ANY,
        "default_stage": CustomerStage.NEW,
        "department_assignment": DepartmentAssignment.QUEUE,
        "max_customers_per_agent": 0,
        "pool": {"auto_reclaim": True, "idle_days": 14, "daily_claim_limit": 5, "reclaim_cooldown_days": 3},
        "allow_inline_tags": False,
        "follow_up_stages": [" Called ", "Won"],
        "sources": [],
    }
    changed = await does(policies.update_workspace, given)
    stored = await workspaces.workspace_settings(session)
    assert {name: getattr(stored, name) for name in vars(changed)} == vars(changed)
    assert (stored.name, stored.timezone, stored.default_country) == ("Phở 24", "Asia/Ho_Chi_Minh", "VN")
    assert (stored.automation_enabled, stored.automation_rules) == (
        False,
        [AutomationRule.PAYMENT, AutomationRule.MESSAGE],
    )
    assert (stored.bulk_delete, stored.default_stage, stored.department_assignment) == (1, 0, 1)
    assert (stored.max_customers_per_agent, stored.allow_inline_tags) == (0, False)
    assert (stored.pool_auto_reclaim, stored.pool_idle_days) == (True, 14)
    assert (stored.pool_daily_claim_limit, stored.pool_reclaim_cooldown_days) == (5, 3)
    assert (stored.follow_up_stages, stored.sources, stored.version) == (["Called", "Won"], [], 2)
    (line,) = await log()
    assert (line.entity, len(line.fields)) == ("Workspace", len(given))


async def test_what_is_not_given_stays(does, session, log):
    before = await workspaces.workspace_settings(session)
    await does(policies.update_workspace, {"pool": {"idle_days": 7}, "status_automation": {}})
    after = await workspaces.workspace_settings(session)
    assert (after.pool_idle_days, after.pool_auto_reclaim, after.name) == (7, before.pool_auto_reclaim, before.name)
    assert [one["field"] for one in (await log())[0].fields] == ["pool"]
    await does(policies.update_workspace, {"pool": {"idle_days": 7}})
    assert len(await log()) == 1


async def test_null_clears_what_can_be_empty(does, session):
    await does(
        policies.update_workspace,
        {"default_country": "IT", "max_customers_per_agent": 9, "pool": {"daily_claim_limit": 1}},
    )
    cleared = {"default_country": None, "max_customers_per_agent": None, "pool": {"daily_claim_limit": None}}
    await does(policies.update_workspace, {**cleared, "follow_up_stages": None, "sources": None})
    stored = await workspaces.workspace_settings(session)
    assert (stored.default_country, stored.max_customers_per_agent, stored.pool_daily_claim_limit) == (None, None, None)
    assert (stored.follow_up_stages, stored.sources) == ([], [])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": " "}, ("BLANK", "name")),
        ({"name": "x" * 201}, ("TOO_LONG", "name")),
        ({"timezone": "Mars/Olympus"}, ("INVALID", "timezone")),
        ({"timezone": None}, ("INVALID", "timezone")),
        ({"default_country": "Vietnam"}, ("INVALID", "defaultCountry")),
        ({"status_automation": None}, ("INVALID", "statusAutomation")),
        ({"status_automation": {"enabled": None}}, ("INVALID", "statusAutomation.enabled")),
        ({"status_automation": {"rules": None}}, ("INVALID", "statusAutomation.rules")),
        ({"bulk_delete": None}, ("INVALID", "bulkDelete")),
        ({"default_stage": CustomerStage.POOL}, ("INVALID", "defaultStage")),
        ({"default_stage": CustomerStage.FOLLOW_UP}, ("INVALID", "defaultStage")),
        ({"department_assignment": None}, ("INVALID", "departmentAssignment")),
        ({"max_customers_per_agent": -1}, ("INVALID", "maxCustomersPerAgent")),
        ({"allow_inline_tags": None}, ("INVALID", "allowInlineTags")),
        ({"pool": None}, ("INVALID", "pool")),
        ({"pool": {"idle_days": 0}}, ("INVALID", "pool.idleDays")),
        ({"pool": {"idle_days": 3651}}, ("INVALID", "pool.idleDays")),
        ({"pool": {"idle_days": None}}, ("INVALID", "pool.idleDays")),
        ({"pool": {"daily_claim_limit": -1}}, ("INVALID", "pool.dailyClaimLimit")),
        ({"pool": {"reclaim_cooldown_days": -1}}, ("INVALID", "pool.reclaimCooldownDays")),
        ({"pool": {"auto_reclaim": None}}, ("INVALID", "pool.autoReclaim")),
        ({"follow_up_stages": ["a", " "]}, ("BLANK", "followUpStages.1")),
        ({"follow_up_stages": ["a", "A"]}, ("INVALID", "followUpStages.1")),
        ({"sources": ["x" * 101]}, ("TOO_LONG", "sources.0")),
        ({"sources": [str(one) for one in range(201)]}, ("LIMIT_EXCEEDED", "sources")),
    ],
    ids=str,
)
async def test_what_cannot_be_taken_is_refused_where_it_stands(refuses, session, given, expected):
    before = await workspaces.workspace_settings(session)
    code, path = expected
    assert await refuses(policies.update_workspace, given) == (code, f"input.{path}")
    assert await workspaces.workspace_settings(session) == before
