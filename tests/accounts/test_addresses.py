import contextlib

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from editor.accounts.addresses import normal_address


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("Alice@Example.COM", "alice@example.com"),
        (" alice@example.com.. ", "alice@example.com"),
        ("ａｌｉｃｅ＠ｅｘａｍｐｌｅ．ｃｏｍ", "alice@example.com"),
        ("alice@bücher.example", "alice@xn--bcher-kva.example"),
        ("\u212aate@example.com", "kate@example.com"),  # the sign for Kelvin
    ],
)
def test_each_spelling_becomes_the_normal_one(written: str, normal: str) -> None:
    assert normal_address(written) == normal


@given(st.emails())
def test_normal_spelling_stays_as_it_is(address: str) -> None:
    try:
        once = normal_address(address)
    except ValidationError:
        return
    assert normal_address(once) == once


@given(st.text())
def test_any_text_is_answered(text: str) -> None:
    with contextlib.suppress(ValidationError):
        assert normal_address(text).isascii()
