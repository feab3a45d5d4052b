"""Telephone numbers and addresses that are judged by what is known of their kind are judged as by the libraries."""

import phonenumbers
import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm.values import email_addresses, phone_numbers

CODES = sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)


def at_length(given: str) -> str | None:
    try:
        parsed = phonenumbers.parse(given, None)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(parsed):
        return None
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


# An example costs next to nothing.
MANY = settings(max_examples=settings.default.max_examples * 40)


@MANY
@given(st.sampled_from(CODES), st.text("0123456789", min_size=1, max_size=15))
@example(54, "91155551234")
@example(39, "0612345678")
@example(1, "1234567890")
@example(7, "89161234567")
def test_a_number_with_its_country(code, digits):
    assert phone_numbers.to_e164(f"+{code}{digits}", None) == at_length(f"+{code}{digits}")


@pytest.mark.parametrize("code", CODES)
def test_the_numbers_of_every_country(code):
    region = phonenumbers.region_code_for_country_code(code)
    for kind in phonenumbers.PhoneNumberType.values():
        found = phonenumbers.example_number_for_type(region, kind)
        if found is not None and phonenumbers.is_possible_number(found):
            shown = phonenumbers.format_number(found, phonenumbers.PhoneNumberFormat.E164)
            assert phone_numbers.to_e164(shown, None) == at_length(shown)


@pytest.mark.parametrize(
    "text", ["+84 901 234 567", "+0123456789", "+999123456789", "+", "", "090", "+84９01234567", "+8490123456a"]
)
def test_what_is_no_plain_number(text):
    assert phone_numbers.to_e164(text, None) == at_length(text)


def by_the_library(address: str) -> bool:
    try:
        validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return False
    return True


DOMAINS = st.sampled_from(
    [
        "x.example",
        "mail.test",
        "localhost",
        "a.b.c.d.vn",
        "-x.com",
        "x..com",
        "x.com.",
        "đ.vn",
        "xn--.com",
        "1.2.3.4",
        "a" * 64 + ".com",
        "",
        "x",
        "exa_mple.com",
    ]
)


@MANY
@given(st.text("abAB09._+-'!@ đ\"", max_size=70), DOMAINS)
@example("a" * 65, "x.example")
@example("a" * 64, ("a" * 60 + ".") * 3 + "example")
@example(".a", "x.example")
@example("a.", "x.example")
def test_an_address(local, domain):
    address = f"{local}@{domain}"
    assert (email_addresses.email_error(address) is None) == by_the_library(address)
