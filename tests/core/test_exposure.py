import pytest

from dashboard.core.errors import InvalidInput, Refused
from dashboard.core.exposure import Share, check, hosts, is_loopback, shared


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.1", "::1", "[::1]", "localhost"])
def test_this_machine_alone_needs_no_sign_in(address):
    assert is_loopback(address)
    check(address, {}, has_sign_in=False)


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "kennel.example.com", "fe80::1"])  # noqa: S104
def test_an_address_that_others_reach_does(address):
    with pytest.raises(Refused, match="without sign-in") as caught:
        check(address, {}, has_sign_in=False)
    assert "KENNEL_PUBLIC=everybody" in caught.value.next_step
    with pytest.raises(Refused):
        check(address, {"KENNEL_PUBLIC": "1"}, has_sign_in=False)
    check(address, {}, has_sign_in=True)
    check(address, {"KENNEL_SHARE": "1"}, has_sign_in=False)
    check(address, {"KENNEL_PUBLIC": "everybody"}, has_sign_in=False)


def test_behind_a_proxy_others_reach_it_too():
    with pytest.raises(Refused, match=r"kennel\.example\.com without sign-in"):
        check("127.0.0.1", {"KENNEL_HOSTS": "localhost,kennel.example.com"}, has_sign_in=False)
    check("127.0.0.1", {"KENNEL_HOSTS": "kennel.example.com"}, has_sign_in=True)
    check("127.0.0.1", {"KENNEL_HOSTS": "kennel.example.com", "KENNEL_SHARE": "1"}, has_sign_in=False)
    check("127.0.0.1", {"KENNEL_HOSTS": "localhost"}, has_sign_in=False)


def test_what_is_shared():
    assert shared({}) is None
    assert shared({"KENNEL_SHARE": "0"}) is None
    assert shared({"KENNEL_SHARE": "1"}) == Share()
    assert shared({"KENNEL_SHARE": "dogs-7"}) == Share("dogs-7")
    for told in ("yes please", "yes", "True"):
        with pytest.raises(InvalidInput, match="names no endpoint"):
            shared({"KENNEL_SHARE": told})


def test_the_names_of_this_server():
    assert hosts({}) == ()
    assert hosts({"KENNEL_HOSTS": "Kennel.Example.com, *.ml.example.com,10.0.0.5,[::1]"}) == (
        "kennel.example.com",
        "*.ml.example.com",
        "10.0.0.5",
        "::1",
    )


@pytest.mark.parametrize("told", ["https://kennel.example.com", "kennel.example.com:8443", "a b", "kennel/x"])
def test_what_is_no_name_is_refused(told):
    with pytest.raises(InvalidInput, match="no host name"):
        hosts({"KENNEL_HOSTS": told})
