"""Changes the settings of a workspace."""

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
"""Maximum number of follow-up stages and of sources."""

_STARTING_STAGES: Final = (CustomerStage.NEW, CustomerStage.TO_BE_ASSIGNED)


async def update_workspace(unit: UnitOfWork, data: InputData) -> Row:
    """Changes the given settings. Raises InputError and its subclasses."""
    stored_settings = await stored.lock_settings(unit.transaction)
    row, errors = copy_row(stored_settings, tables.Workspace), ErrorCollector()
    _read_input(errors, row, data)
    errors.raise_if_any()
    await record_writes.update_record(
        unit,
        "Workspace",
        row,
        vars(copy_row(stored_settings, tables.Workspace)),
        workspaces.log_snapshot(stored_settings),
        workspaces.log_snapshot,
    )
    unit.forget_settings()
    return row


def _read_input(errors: ErrorCollector, row: Row, data: InputData) -> None:
    for name, (column, check) in _SETTINGS.items():
        if name in data:
            value = errors.check(check, data[name], ("input", _camel_case(name)))
            setattr(row, column, value)
    automation, pool = data.get("status_automation", {}), data.get("pool", {})
    for name, part in (("statusAutomation", automation), ("pool", pool)):
        if part is None:
            errors.check(require_value, None, ("input", name))
    for group, part, settings in (
        ("statusAutomation", automation, _AUTOMATION_SETTINGS),
        ("pool", pool, _POOL_SETTINGS),
    ):
        for name, (column, check) in settings.items():
            if name in (part or {}):
                setattr(row, column, errors.check(check, part[name], ("input", group, _camel_case(name))))


def _check_name(value: str | None, path: Path) -> str:
    return workspaces.check_name(value or "", path)


def _check_timezone(value: str | None, path: Path) -> str:
    return workspaces.check_timezone(str(require_value(value, path)), path)


def _check_country(value: str | None, path: Path) -> str | None:
    return None if value is None else workspaces.check_country(value, path)


def _check_stage(value: Any, path: Path) -> int:
    """Checks the stage of new customers, who have no owner yet."""
    stage = CustomerStage(require_value(value, path))
    if stage not in _STARTING_STAGES:
        message = f"New customers cannot start in {stage.name}; choose NEW or TO_BE_ASSIGNED."
        raise InputError(ErrorCode.INVALID, message, path)
    return int(stage)


def _check_enum(value: Any, path: Path) -> int:
    return int(require_value(value, path))


def _check_switch(value: Any, path: Path) -> bool:
    return bool(require_value(value, path))


def _check_limit(value: int | None, path: Path) -> int | None:
    """Checks a limit; null means no limit."""
    return None if value is None else check_integer(value, path)


def _check_days(min_days: int) -> Callable[[int | None, Path], int]:
    return lambda value, path: check_integer(
        int(require_value(value, path)), path, minimum=min_days, maximum=MAX_POLICY_DAYS
    )


def _check_rules(value: Sequence[int] | None, path: Path) -> list[int]:
    return sorted({int(AutomationRule(rule)) for rule in require_value(value, path)})


def _check_names(value: Sequence[str] | None, path: Path) -> list[str]:
    """The distinct names in their order."""
    names: dict[str, str] = {}
    for index, text in enumerate(check_list_length(value, path, max_items=MAX_SETTING_ITEMS)):
        name = text_values.read_required_text(text, (*path, index), "a name", max_length=text_values.MAX_WORD_LENGTH)
        if name.casefold() in names:
            raise InputError(ErrorCode.INVALID, f"“{name}” is listed twice; remove one of them.", (*path, index))
        names[name.casefold()] = name
    return list(names.values())


# The input name, its column and its check.
_SETTINGS: Final[Mapping[str, tuple[str, Callable[[Any, Path], Any]]]] = {
    "name": ("name", _check_name),
    "timezone": ("timezone", _check_timezone),
    "default_country": ("default_country", _check_country),
    "bulk_delete": ("bulk_delete", _check_enum),
    "default_stage": ("default_stage", _check_stage),
    "department_assignment": ("department_assignment", _check_enum),
    "max_customers_per_agent": ("max_customers_per_agent", _check_limit),
    "allow_inline_tags": ("allow_inline_tags", _check_switch),
    "follow_up_stages": ("follow_up_stages", _check_names),
    "sources": ("sources", _check_names),
}
_AUTOMATION_SETTINGS: Final[Mapping[str, tuple[str, Callable[[Any, Path], Any]]]] = {
    "enabled": ("automation_enabled", _check_switch),
    "rules": ("automation_rules", _check_rules),
}
_POOL_SETTINGS: Final[Mapping[str, tuple[str, Callable[[Any, Path], Any]]]] = {
    "auto_reclaim": ("pool_auto_reclaim", _check_switch),
    "idle_days": ("pool_idle_days", _check_days(1)),
    "daily_claim_limit": ("pool_daily_claim_limit", _check_limit),
    "reclaim_cooldown_days": ("pool_reclaim_cooldown_days", _check_days(0)),
}


def _camel_case(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)
