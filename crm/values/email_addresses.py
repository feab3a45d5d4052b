"""E-mail addresses, judged by email_validator: each domain once, and with it the plain addresses there."""

import re
from functools import lru_cache
from typing import Final

_PLAIN: Final = re.compile(r"[A-Za-z0-9_+-]{1,64}(?:\.[A-Za-z0-9_+-]{1,64})*", re.ASCII)
_LONGEST: Final = 64
_LONGEST_DOMAIN: Final = 180


def email_error(address: str) -> str | None:
    """What is wrong with the address; None where it can be one."""
    local, at, domain = address.rpartition("@")
    short = at and len(local) <= _LONGEST and len(domain) <= _LONGEST_DOMAIN and domain.isascii()
    if short and _PLAIN.fullmatch(local) and _is_domain(domain):
        return None
    return _judged(address)


@lru_cache(maxsize=10_000)
def _is_domain(domain: str) -> bool:
    return _judged(f"a@{domain}") is None


def _judged(address: str) -> str | None:
    # Imported late: a server that starts has no address to judge yet, and the library's patterns take their time.
    from email_validator import EmailNotValidError, validate_email

    try:
        # Names under .test are let through: servers are tried out with them, and no mail can go astray there.
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as reason:
        return str(reason)
    return None
