"""What a URL may look like, and which addresses are the open internet: a table of what attackers write."""

import random
from ipaddress import IPv4Address, ip_address

import pytest

from training.images import BadPhoto
from training.public_url import is_public, parse

PORTS = {"https": 443}


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://dogs.example.com/a.jpg", "dogs.example.com", "/a.jpg"),
        ("HTTPS://Dogs.Example.COM", "dogs.example.com", "/"),
        ("https://dogs.example.com.:443/a?b=1&c=%2F#d", "dogs.example.com", "/a?b=1&c=%2F"),
        ("https://xn--hnd-sna.example/ä b.jpg".replace(" ", "%20"), "xn--hnd-sna.example", "/%C3%A4%20b.jpg"),
        ("https://my_bucket.s3.amazonaws.com/k+1~(2).jpg", "my_bucket.s3.amazonaws.com", "/k+1~(2).jpg"),
        ("https://93.184.216.34/x", "93.184.216.34", "/x"),
        ("https://[2606:2800:220:1::1]/x", "2606:2800:220:1::1", "/x"),
    ],
)
def test_ordinary_addresses_are_taken_apart(url: str, host: str, path: str) -> None:
    target = parse(url, PORTS)
    assert (target.scheme, target.host, target.port, target.path) == ("https", host, 443, path)


HOSTILE = [
    # other schemes
    "http://dogs.example.com/a.jpg", "file:///etc/passwd", "ftp://dogs.example.com/a",
    "gopher://dogs.example.com:70/_",    "data:image/png;base64,AAAA", "jar:https://dogs.example.com!/a", "dict://dogs.example.com:11211/stat",
    "//dogs.example",
    "dogs.example.com/a.jpg", "", "https", "https:", "https:dogs.example.com", "javascript:alert(1)", "unix:///run/x",
    # no host, or something that is none
    "https://", "https:///a.jpg", "https://.", "https://..", "https://localhost/", "https://metadata/computeMetadata/v1/",
    "https://-a.example/", "https://a..example/", "https://%31%32%37.0.0.1/", "https://dogs%2eexample/", "https://a/b",
    "https://dogs.example.com%00.evil.example/", "https://" + "a" * 64 + ".example/",
    "https://" + "a." * 130 + "example/",
    "https://dogs.example.com|evil/", "https://dogs.example,com/", "https://*.example/", "https://dogs.example;/",
    # credentials
    "https://me:secret@dogs.example.com/", "https://@dogs.example.com/", "https://dogs.example.com@10.0.0.1/",
    "https://dogs.example.com:443@10.0.0.1/", "https://dogs.example.com%40evil/", "https://a@b@dogs.example.com/",
    # ports
    "https://dogs.example.com:22/", "https://dogs.example.com:80/", "https://dogs.example.com:0/",
    "https://dogs.example.com:65536/", "https://dogs.example.com:-1/", "https://dogs.example.com:443:443/",
    "https://dogs.example.com:0x1bb/", "https://dogs.example.com:４４３/", "https://dogs.example.com:+443/",
    # what programs read differently
    "https://dogs.example.com\\@10.0.0.1/", "https:\\\\dogs.example.com/", "https://dogs.example.com\t/",
    "https://dogs.exa\nmple.com/", " https://dogs.example.com/", "https://dogs.example.com/ HTTP/1.1\r\nX: y",
    "https://dogs.example.com/\ud800",
    "https://dogs.example.com/?\udfff", "https://dogs.example.com/\x00", "https://dogs.example.com/\x7f", "ht\ttps://dogs.example.com/",
    # numbers that are addresses
    "https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://0177.0.0.1/", "https://0x7f.1/",
    "https://127.1/", "https://127.0.1/", "https://0x7f.0x0.0x0.0x1/", "https://127.0.0.1.1/", "https://1e3.1/",
    "https://0/", "https://0x/", "https://00000000177.0.0.1/", "https://256.1.1.1/", "https://4294967296/",
    "https://127.0.0.0x1/", "https://dogs.example.0x7f/", "https://169.254.169.254.0x0/", "https://1.2.3.04/",
    # letters that become others
    "https://１２７.0.0.1/", "https://127。0。0。1/", "https://ⓛocalhost.example/", "https://dogs.example／@evil/",
    "https://\u212aennel.example/", "https://dogs\u00ad.example/", "https://dogs\u200b.example/", "https://①②⑦.0.0.1/",
    "https://ｅxample.com/", "https://exa\u0301mple.com/", "https://dogs.example\u2100/", "https://dogs.example？/@evil",
    # IPv6 spellings
    "https://[::1%25lo]/", "https://[fe80::1%eth0]/", "https://[::1/", "https://::1/", "https://[127.0.0.1]/",
    "https://[::1]evil/", "https://[]/", "https://[v1.a]/", "https://[2606:2800:220:1::1]@evil/", "https://[::1]]/",
    # length
    "https://dogs.example.com/" + "a" * 2048,
]  # fmt: skip


@pytest.mark.parametrize("url", HOSTILE)
def test_every_odd_url_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(BadPhoto) as caught:
        parse(url, PORTS)
    assert caught.value.reason.endswith(".")
    assert len(caught.value.reason) < 200


INSIDE = [
    str(IPv4Address(0)), "0.1.2.3",
    "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254",
    "168.63.129.16", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1",
    "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:93.184.216.34",
    "::ffff:0:10.0.0.1",
    "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254", "64:ff9b::7f00:1", "64:ff9b:1::10.0.0.1", "100::1", "2001::1",
    "2001:0:53aa:64c:0:fbff:f5ff:fffe", "2001:10::1", "2001:20::1", "2001:2::1", "2001:db8::1", "2002:7f00:1::",
    "2002:a9fe:a9fe::", "2002:5db8:d822::", "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fd00:ec2::23",
    "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2606:2800:220:1:0:5efe:10.0.0.1", "2606:2800::200:5efe:10.0.0.1",
    "4000::1", "e000::1",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_the_inside_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "93.184.216.34", "52.95.110.1", "2606:4700::1111", "2a00:1450::1", "64:ff9b::1.1.1.1"]
)
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(ip_address(address))


def test_no_damaged_url_leads_to_another_host_or_another_error() -> None:
    chance = random.Random(3)
    pieces = [
        "@",
        ":",
        "/",
        "\\",
        "#",
        "?",
        "[",
        "]",
        "%",
        ".",
        "..",
        "//",
        "\x00",
        "\t",
        "０",
        "ß",
        "\u202e",
        "\ud800",
        ":22",
        "x@",
    ]
    whole = refused = 0
    for _ in range(6000):
        url = "https://dogs.example.com/a/b.jpg?c=d"
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(url) + 1)
            url = url[:at] + chance.choice(pieces) + url[at + chance.randrange(2) :]
        try:
            target = parse(url, PORTS)
        except BadPhoto:
            refused += 1
            continue
        whole += 1
        # What was accepted means the same to a reader who knows only this: host, then the first slash.
        assert target.scheme == "https"
        assert url[len("https://") :].lower().startswith(target.host)
        assert target.path.startswith("/")
        assert target.path.isascii()
        assert not set(target.path) & set(" \r\n\t#\\")
    assert whole > 500
    assert refused > 500
