"""The workspace's settings: changing them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from crm import record_writes
from crm.errors import ErrorCode, InputError, Path
from crm.unit_of_work import UnitOfWork
from crm.validation import ErrorCollector, InputData, check_integer, check_list_length, require_value
from crm.values import text_values
from crm.workspace import workspaces
from db import tables
from db.queries import workspaces as stored
from db.rows import Row, copy_row
from db.tables.enums import AutomationRule, CustomerStage

MAX_POLICY_DAYS: Final = 3_650
MAX_SETTING_ITEMS: Final = 200
"""Of the stages of follow-up, and of the sources."""

_STARTING: Final = (CustomerStage.NEW, CustomerStage.TO_BE_ASSIGNED)


async def update_workspace(unit: UnitOfWork, given: InputData) -> Row:
    """What is given holds from now on. Raises InputError and its like."""
    found = await stored.lock_settings(unit.transaction)
    row, checks = copy_row(found, tables.Workspace), ErrorCollector()
    _read(checks, row, given)
    checks.raise_if_any()
    await record_writes.update_record(
        unit,
        "Workspace",
        row,
        vars(copy_row(found, tables.Workspace)),
        workspaces.log_snapshot(found),
        workspaces.log_snapshot,
    )
    unit.forget_settings()
    return row


def _read(checks: ErrorCollector, row: Row, given: InputData) -> None:
    for name, (column, check) in _CHECKED.items():
        if name in given:
            read = checks.check(check, given[name], ("input", _camel(name)))
            setattr(row, column, read)
    automation, pool = given.get("status_automation", {}), given.get("pool", {})
    for name, part in (("statusAutomation", automation), ("pool", pool)):
        if part is None:
            checks.check(require_value, None, ("input", name))
    for where, part, each in (("statusAutomation", automation, _AUTOMATION), ("pool", pool, _POOL)):
        for name, (column, check) in each.items():
            if name in (part or {}):
                setattr(row, column, checks.check(check, part[name], ("input", where, _camel(name))))


def _name(given: str | None, path: Path) -> str:
    return workspaces.check_name(given or "", path)


def _timezone(given: str | None, path: Path) -> str:
    return workspaces.check_timezone(str(require_value(given, path)), path)


def _country(given: str | None, path: Path) -> str | None:
    return None if given is None else workspaces.check_country(given, path)


def _stage(given: Any, path: Path) -> int:
    """Nobody looks after a new customer yet."""
    stage = CustomerStage(require_value(given, path))
    if stage not in _STARTING:
        message = f"Customers cannot start in {stage.name}; choose NEW or TO_BE_ASSIGNED."
        raise InputError(ErrorCode.INVALID, message, path)
    return int(stage)


def _code(given: Any, path: Path) -> int:
    return int(require_value(given, path))


def _switch(given: Any, path: Path) -> bool:
    return bool(require_value(given, path))


def _any_number(given: int | None, path: Path) -> int | None:
    """null is any number."""
    return None if given is None else check_integer(given, path)


def _days(least: int) -> Callable[[int | None, Path], int]:
    return lambda given, path: check_integer(int(require_value(given, path)), path, least=least, most=MAX_POLICY_DAYS)


def _rules(given: Sequence[int] | None, path: Path) -> list[int]:
    return sorted({int(AutomationRule(one)) for one in require_value(given, path)})


def _names(given: Sequence[str] | None, path: Path) -> list[str]:
    """Each once, in the order given."""
    kept: dict[str, str] = {}
    for place, one in enumerate(check_list_length(given, path, most=MAX_SETTING_ITEMS)):
        name = text_values.read_required_text(one, (*path, place), "a name", longest=text_values.MAX_WORD_LENGTH)
        if name.casefold() in kept:
            raise InputError(ErrorCode.INVALID, f"“{name}” is there already.", (*path, place))
        kept[name.casefold()] = name
    return list(kept.values())


# What is given, the column that keeps it, and what it must be.
_CHECKED: Final[Mapping[str, tuple[str, Callable[[Any, Path], Any]]]] = {
    "name": ("name", _name),
    "timezone": ("timezone", _timezone),
    "default_country": ("default_country", _country),
    "bulk_delete": ("bulk_delete", _code),
    "default_stage": ("default_stage", _stage),
    "department_assignment": ("department_assignment", _code),
    "max_customers_per_agent": ("max_customers_per_agent", _any_number),
    "allow_inline_tags": ("allow_inline_tags", _switch),
    "follow_up_stages": ("follow_up_stages", _names),
    "sources": ("sources", _names),
}
_AUTOMATION: Final[Mapping[str, tuple[str, Callable[[Any, Path], Any]]]] = {
    "enabled": ("automation_enabled", _switch),
    "rules": ("automation_rules", _rules),
}
_POOL: Final[Mapping[str, tuple[str, Callable[[Any, Path], Any]]]] = {
    "auto_reclaim": ("pool_auto_reclaim", _switch),
    "idle_days": ("pool_idle_days", _days(1)),
    "daily_claim_limit": ("pool_daily_claim_limit", _any_number),
    "reclaim_cooldown_days": ("pool_reclaim_cooldown_days", _days(0)),
}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
