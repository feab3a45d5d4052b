"""Passwords: which may be chosen, and how they are kept."""

import pytest

from crm.access import passwords
from crm.errors import ErrorCode, InputError


@pytest.mark.parametrize(
    ("password", "code"),
    [
        pytest.param("", ErrorCode.BLANK, id="none"),
        pytest.param("x" * 9, ErrorCode.INVALID, id="too short"),
        pytest.param("e\N{COMBINING ACUTE ACCENT}" * 9, ErrorCode.INVALID, id="counted composed"),
        pytest.param("x" * 201, ErrorCode.TOO_LONG, id="too long"),
    ],
)
def test_one_of_another_length_cannot_be_chosen(password, code):
    with pytest.raises(InputError) as refused:
        passwords.check_password(password, ("input", "password"))
    assert (refused.value.code, refused.value.path) == (code, ("input", "password"))


@pytest.mark.parametrize("password", ["x" * 10, "x" * 200, "mật khẩu của tôi", "🙂" * 10])
def test_any_text_of_that_length_can(password):
    passwords.check_password(password, ())


async def test_it_is_kept_as_a_hash_that_only_it_matches():
    stored = await passwords.hash_password("correct horse")
    assert stored.startswith("$argon2id$")
    assert "correct" not in stored
    assert await passwords.verify_password(stored, "correct horse")
    assert not await passwords.verify_password(stored, "correct horse ")


async def test_an_accent_matches_however_a_keyboard_sends_it():
    stored = await passwords.hash_password("caffè corretto")
    assert await passwords.verify_password(stored, "caffe\N{COMBINING GRAVE ACCENT} corretto")


async def test_where_there_is_none_one_is_verified_all_the_same(monkeypatch):
    verified = []
    monkeypatch.setattr(passwords, "_verify", lambda stored, password: verified.append(stored) or True)
    assert not await passwords.verify_password(None, "correct horse")
    assert verified == [passwords.UNKNOWN_ACCOUNT_HASH]


async def test_the_one_verified_in_its_place_takes_as_long_as_a_new_one():
    assert not passwords.needs_rehash(passwords.UNKNOWN_ACCOUNT_HASH)


async def test_a_hash_that_cannot_be_read_matches_nothing():
    assert not await passwords.verify_password("$argon2id$broken", "correct horse")


def test_a_hash_of_other_parameters_is_outdated():
    assert passwords.needs_rehash(passwords.UNKNOWN_ACCOUNT_HASH.replace("t=2", "t=1"))
