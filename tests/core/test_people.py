import pytest

from dashboard.core.errors import InvalidInput
from dashboard.core.people import OWNER, Role, Rule, called, person, rule

ANN = {"iss": "https://id.example.com", "sub": "7", "email": "Ann@Example.com", "email_verified": True}


def test_each_role_may_do_what_those_before_it_may():
    assert Role.ENGINEER.includes(Role.MANAGER)
    assert Role.MANAGER.includes(Role.VISITOR)
    assert Role.MANAGER.includes(Role.MANAGER)
    assert not Role.MANAGER.includes(Role.ENGINEER)
    assert not Role.VISITOR.includes(Role.MANAGER)
    assert all(OWNER.may(role) for role in Role)


def test_an_address_a_domain_and_a_claim_give_a_role():
    for text in ("ann@example.com", "ANN@EXAMPLE.COM", "@example.com", "sub=7", "iss=https://id.example.com"):
        found = person(ANN, [(Role.MANAGER, rule(text))])
        assert found is not None, text
        assert (found.name, found.role) == ("ann@example.com", Role.MANAGER)


@pytest.mark.parametrize("verified", [False, None, "false", "yes", 1.5, "True "])
def test_an_address_that_is_not_verified_is_nobodys(verified):
    claims = ANN | {"email_verified": verified}
    assert person(claims, [(Role.ENGINEER, rule("ann@example.com")), (Role.ENGINEER, rule("@example.com"))]) is None
    assert person(claims, [(Role.VISITOR, rule("sub=7"))]) is not None


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.com.evil.org",
        "ann@sub.example.com",
        "ann@notexample.com",
        "example.com",
        "ann@example.com@evil.org",
        "ann@example.co\u217f",  # a letter that other programs fold into m
        "ann@example.\u212aom",  # the Kelvin sign, whose small letter is k
    ],
)
def test_an_address_that_only_resembles_it_is_another(address):
    claims = ANN | {"email": address}
    rules = ["ann@example.com", "@example.com", "ann@example.kom", "@example.kom"]
    assert person(claims, [(Role.ENGINEER, rule(text)) for text in rules]) is None


def test_the_highest_role_counts():
    rules = [(Role.VISITOR, rule("@example.com")), (Role.ENGINEER, rule("groups=ml")), (Role.MANAGER, rule("sub=7"))]
    assert person(ANN | {"groups": ["staff", "ml"]}, rules).role is Role.ENGINEER
    assert person(ANN | {"groups": "ml"}, rules).role is Role.ENGINEER
    assert person(ANN | {"groups": ["mlx"]}, rules).role is Role.MANAGER
    assert person(ANN | {"sub": "8"}, rules).role is Role.VISITOR
    assert person({"sub": "9"}, rules) is None


def test_a_claim_is_compared_as_it_is_written():
    assert Rule("true", "admin").covers({"admin": True})
    assert Rule("3", "level").covers({"level": 3})
    assert not Rule("ml", "groups").covers({"groups": {"ml": 1}})
    assert not Rule("", "groups").covers({"groups": "x"})
    assert rule("https://kennel.example.com/roles=CN=ml,OU=x") == Rule("CN=ml,OU=x", "https://kennel.example.com/roles")


@pytest.mark.parametrize("text", ["", "ann", "@", "@example", "ann@", "a b@example.com", "=x", "groups=", "a@b@c.de"])
def test_what_names_nobody_is_refused(text):
    with pytest.raises(InvalidInput, match="says of nobody who they are"):
        rule(text)


def test_an_address_as_a_claim_would_need_no_verification_and_is_refused():
    with pytest.raises(InvalidInput, match=r'verified it .*: "ann@example\.com"'):
        rule("email=ann@example.com")


def test_who_somebody_is_does_not_hang_on_what_they_are_called():
    first = person(ANN, [(Role.VISITOR, rule("sub=7"))])
    second = person(ANN | {"email": "new@example.com"}, [(Role.VISITOR, rule("sub=7"))])
    other = person(ANN | {"iss": "https://other.example.com"}, [(Role.VISITOR, rule("sub=7"))])
    assert first.key == second.key
    assert first.key != other.key
    assert person({"email": "ann@example.com", "email_verified": True}, [(Role.VISITOR, rule("@example.com"))]) is None


def test_a_name_is_the_verified_address_or_what_the_provider_has():
    assert called(ANN) == "ann@example.com"
    assert called(ANN | {"email_verified": False, "name": "Ann"}) == "Ann"
    assert called({"sub": "7"}) == "7"
