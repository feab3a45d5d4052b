"""Validates email addresses with email_validator. Each domain is validated once; plain addresses in a valid domain need
no further check."""

import re
from functools import lru_cache
from typing import Final

_PLAIN_LOCAL_PART: Final = re.compile(r"[A-Za-z0-9_+-]{1,64}(?:\.[A-Za-z0-9_+-]{1,64})*", re.ASCII)
_MAX_LOCAL_LENGTH: Final = 64
_MAX_DOMAIN_LENGTH: Final = 180


def email_error(address: str) -> str | None:
    """The reason why the address is invalid; None if it is valid."""
    local, separator, domain = address.rpartition("@")
    is_plain_length = (
        separator and len(local) <= _MAX_LOCAL_LENGTH and len(domain) <= _MAX_DOMAIN_LENGTH and domain.isascii()
    )
    if is_plain_length and _PLAIN_LOCAL_PART.fullmatch(local) and _is_domain(domain):
        return None
    return _validate(address)


@lru_cache(maxsize=10_000)
def _is_domain(domain: str) -> bool:
    return _validate(f"a@{domain}") is None


def _validate(address: str) -> str | None:
    # Imported late: the library's patterns take time to load, and a starting server does not need them.
    from email_validator import EmailNotValidError, validate_email

    try:
        # Accepts names under .test, which test servers use and which can receive no mail.
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as reason:
        return str(reason)
    return None
