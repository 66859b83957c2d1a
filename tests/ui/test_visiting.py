"""Who a visitor is: the tab, and the address that it comes from, also behind a proxy of this machine."""

from types import SimpleNamespace

import pytest

from dashboard.ui import visiting


@pytest.mark.parametrize(
    ("address", "forwarded", "name"),
    [
        ("192.0.2.1", "", "address 192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", "address 192.0.2.1"),  # from elsewhere nobody is believed
        ("2001:db8:1:2:aaaa::1", "", "address 2001:db8:1:2::/64"),  # whoever has one address has all of these
        ("2001:db8:1:2:bbbb::9", "", "address 2001:db8:1:2::/64"),
        ("fe80::1%eth0", "", "address fe80::/64"),
        ("::ffff:192.0.2.1", "", "address 192.0.2.1"),
        (None, "", "address this machine"),
        (None, "unknown", "address unknown"),
        (None, "203.0.113.9", "address 203.0.113.9"),
        (None, "10.0.0.1, 203.0.113.9", "address 203.0.113.9"),  # the last is what the proxy itself saw
    ],
)
def test_a_proxy_on_this_machine_says_for_whom_it_asks(
    monkeypatch: pytest.MonkeyPatch, address: str | None, forwarded: str, name: str
) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    monkeypatch.setattr(visiting.st, "context", SimpleNamespace(ip_address=address, headers=headers))
    monkeypatch.setattr(visiting, "get_script_run_ctx", lambda: SimpleNamespace(session_id="7"))
    assert visiting._names() == ("tab 7", name)
