"""Where a request may go, and where it does not."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollcall.outgoing import addresses
from rollcall.outgoing.addresses import NoSuchHost, NotAllowed, destination_of, is_public, trusted_hosts

NOBODY: frozenset[str] = frozenset()


def refusal(url: str, trusted: frozenset[str] = NOBODY) -> str:
    with pytest.raises(NotAllowed) as refused:
        asyncio.run(destination_of(url, trusted))
    return refused.value.code


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "[::1]",
        "[::]",
        "[fe80::1]",
        "[fc00::1]",
        "[::ffff:10.0.0.1]",
        "[2002:7f00:1::]",
        "[64:ff9b::a00:1]",
        "[ff0e::1]",
        "[fec0::1]",
        "[64:ff9b:1::7f00:1]",
        "[::127.0.0.1]",
        "[::ffff:0:127.0.0.1]",
        "[2001:0:7f00:1::]",
        "[2001:db8::1]",
        "[3fff::1]",
        "[4000::1]",
        "192.0.0.8",
        "192.0.0.170",
        "192.88.99.1",
        "localhost",
    ],
)
def test_nothing_goes_into_a_private_network(host: str) -> None:
    assert refusal(f"https://{host}/mod/bigbluebuttonbn/bbb_broker.php") == "private-address"


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f::1", "64:ff9b::5db8:d70e", "2002:5db8:d70e::"])
def test_what_everybody_reaches_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example.org/",
        "https://",
        "https://u:p@1.1.1.1/",
        "https://[/",
        "x",
        "https://a:b/",
        "https://a..ü/",
        "https://ü\u200b/",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    assert refusal(url) == "not-an-address"


def test_nothing_goes_unprotected() -> None:
    assert refusal("http://93.184.215.14/") == "not-https"


def test_the_operators_word_opens_the_way() -> None:
    destination = asyncio.run(destination_of("http://Moodle.School.LAN:8080/x", frozenset({"moodle.school.lan"})))
    assert (destination.host, destination.addresses) == ("moodle.school.lan", ())
    assert refusal("http://other.school.lan/", frozenset({"moodle.school.lan"})) == "not-https"


def test_a_name_of_any_script_is_asked_for_in_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "ΣΧΟΛΕΊΟ.example, a..ü")
    trusted = trusted_hosts()
    asked = asyncio.run(destination_of("https://σχολείο.example:8443/x?a=1", trusted))
    assert asked.host == "xn--kxalrpdt2a.example"
    assert asked.url == f"https://{asked.host}:8443/x?a=1"
    assert asyncio.run(destination_of(asked.url, trusted)) == asked


def test_the_setting_holds_several_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROLLCALL_LMS_HOSTS", "Moodle.School.lan, 10.1.2.3  other")
    assert trusted_hosts() == {"moodle.school.lan", "10.1.2.3", "other"}


def test_a_name_without_an_address_is_told_from_a_forbidden_one() -> None:
    with pytest.raises(NoSuchHost):
        asyncio.run(destination_of("https://moodle.invalid/", NOBODY))


def test_one_private_address_among_public_ones_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [ip_address("93.184.215.14"), ip_address("10.0.0.1")]

    async def looked_up(host: str, port: int) -> list[Any]:
        return found

    monkeypatch.setattr(addresses, "_look_up", looked_up)
    assert refusal("https://moodle.example.org/") == "private-address"


@given(st.ip_addresses(v=4))
def test_packing_an_address_into_another_hides_nothing(address: Any) -> None:
    packed = [ip_address(f"::ffff:{address}"), ip_address(int(ip_address("64:ff9b::")) + int(address))]
    assert {is_public(one) for one in packed} == {is_public(address)}
