"""Which addresses are public, in every form in which one may be written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.outbound.address import is_public

PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "168.63.129.16",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.0.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::ffff:8.8.8.8",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.254",
    "2606:4700:4700::1111",
    "2a00:1450:4007::200e",
    "2001:4860:4860::8888",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_for_everybody_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_what_everybody_can_reach_is_public(address):
    assert is_public(address)


@pytest.mark.parametrize("text", ["", "localhost", "127.1", "0x7f.1", "2130706433", "1.2.3.4.5", "8.8.8.8/32"])
def test_what_is_no_plain_address_is_not_public(text):
    assert not is_public(text)


@given(st.ip_addresses(v=4))
def test_no_ipv4_address_becomes_public_by_being_wrapped(address):
    low = int(address)
    hextets = f"{low >> 16:x}:{low & 0xFFFF:x}"
    for wrapped in (
        f"::{hextets}",
        f"::ffff:{hextets}",
        f"64:ff9b::{hextets}",
        f"2002:{hextets}::1",
        f"2001:0:{hextets}::",
    ):
        assert not is_public(wrapped)


@given(st.ip_addresses())
def test_nothing_that_python_holds_to_be_special_is_public(address):
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast
