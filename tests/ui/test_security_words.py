"""What the Security page says, without a page."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import AccessDenied
from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.judge.audited import Audited, by_subject
from dashboard.core.iam.judge.risks import Accepted, Point
from dashboard.core.iam.judge.score import score
from dashboard.ui import chart, security_words
from dashboard.ui.security_words import Asked

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROLE = "arn:aws:iam::111122223333:role/"


def finding(role: str, severity: Severity = Severity.HIGH, kind: Kind = Kind.TRUST, **more: object) -> Finding:
    given = {"reason": "it trusts *", "attack": "", "fix": "", "policy": "trust", "arn": f"{ROLE}{role}", **more}
    return Finding(role, kind, severity, **given)  # type: ignore[arg-type]


LOOSE = Finding("", Kind.UNUSED_POLICY, Severity.LOW, "loose", "", "", "left", arn="arn:aws:iam::1:policy/left")
CALLED = Finding("", Kind.FUNCTION_URL, Severity.HIGH, "open", "", "", arn="arn:aws:lambda:us-east-1:1:function:f")


def audited(*findings: Finding, roles: int = 3, unread: tuple[Unread, ...] = ()) -> Audited:
    there = tuple(Role(name, f"{ROLE}{name}") for name in "abc"[:roles])
    return Audited(NOW, there, (), findings, unread=unread)


@pytest.mark.parametrize(
    ("findings", "says"),
    [
        ((), "3 roles looked at, nothing was found"),
        ((finding("a"),), "1 of 3 roles has findings, the worst is a: high"),
        ((finding("a"), finding("b", Severity.CRITICAL)), "2 of 3 roles have findings, the worst is b: critical"),
        ((finding("a"), LOOSE), "1 of 3 roles and 1 policy have findings, the worst is a: high"),
        ((CALLED,), "1 function has findings, the worst is f: high"),
        ((LOOSE, CALLED), "2 other things have findings, the worst is f: high"),
    ],
)
def test_the_live_sentence(findings: tuple[Finding, ...], says: str) -> None:
    assert security_words.sentence(audited(*findings), findings) == says


def test_what_could_not_be_read_is_never_called_clean() -> None:
    denied = (Unread("roles and their policies", AccessDenied("no")),)
    assert "could not be read" in security_words.sentence(audited(roles=0, unread=denied), ())
    assert "as far as could be looked" in security_words.sentence(audited(unread=denied), ())


def test_the_filter_reads_all_that_is_said_of_a_finding() -> None:
    one = finding("DogPartner", reason="it trusts the account 444455556666 without sts:ExternalId")
    for text in ("partner", "EXTERNALID 4444", "trust", ""):
        assert Asked(text).fits(one)
    assert not Asked("partner cats").fits(one)
    assert Asked(severities=("high",), kinds=("who may become it",)).fits(one)
    assert not Asked(severities=("low",)).fits(one)
    assert not Asked(kinds=("unused",)).fits(one)


def test_files_hold_what_was_accepted_and_why_and_no_formula() -> None:
    one = finding("=cmd()", statement={"Effect": "Allow"})
    held = Accepted(one.key, "the contract ends", "Kim", NOW, NOW + timedelta(days=30), "x", "y")
    (row,) = security_words.plain([one], {one.key: held})
    assert (row["accepted_by"], row["accepted_why"], row["kind"]) == ("Kim", "the contract ends", "trust")
    assert "\n'=cmd()," in chart.to_csv([row])
    assert json.loads(row["statement"]) == {"Effect": "Allow"}
    (record,) = json.loads(json.dumps(security_words.records([one], {})))
    assert record["statement"] == {"Effect": "Allow"}
    assert {"role", "kind", "severity", "policy", "statement", "reason", "accepted_until"} <= set(record)


@pytest.mark.parametrize(
    ("reason", "policy", "what"),
    [
        ("AWS's policy S3Full gives every action of s3 on *", "S3Full", "gives every action of s3 on *"),
        ("the policy own lets it pass any role", "own", "lets it pass any role"),
        ("the inline policy own gives s3", "own", "gives s3"),
        ("it trusts *", "trust", "it trusts *"),
    ],
)
def test_a_row_says_the_policy_once(reason: str, policy: str, what: str) -> None:
    (row,) = security_words.rows([finding("a", reason=reason, policy=policy)])
    assert (row["What"], row["Policy"]) == (what, policy)


def test_of_equals_the_worst_role_comes_first() -> None:
    found = [finding("a"), finding("b", Severity.CRITICAL), finding("b"), finding("a", Severity.LOW)]
    assert [(one.role, one.severity.value) for one in security_words.ordered(found)] == [
        ("b", "critical"), ("b", "high"), ("a", "high"), ("a", "low"),
    ]  # fmt: skip


def test_names_lead_to_the_page_of_what_they_name() -> None:
    assert security_words.way(finding("a")) == ("views/role.py", {"role": "a"})
    assert security_words.way(CALLED) == ("views/function.py", {"function": "f"})
    assert security_words.way(LOOSE) is None


def point(score: int, days: float) -> Point:
    return Point(NOW - timedelta(days=days), score, {}, 3)


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ((), "counted for the first time"),
        ((point(40, 0),), "counted for the first time"),
        ((point(40, 3), point(52, 0)), "+12 since 19 Nov"),
        ((point(90, 30), point(60, 10), point(52, 0)), "-8 since 12 Nov"),  # a week ago it was what it was before
        ((point(52, 0.01), point(52, 0)), "as it was since 11:45 UTC"),
        ((point(52, 0.01), point(60, 0.005), point(52, 0)), "as it was at 11:45 UTC; 60 in between"),
    ],
)
def test_what_the_score_is_compared_to(points: tuple[Point, ...], says: str) -> None:
    assert security_words.change(points) == says


def test_the_strip_has_five_figures_and_no_score_without_roles() -> None:
    found = (finding("a", Severity.CRITICAL), finding("b"))
    figures = security_words.figures(audited(*found), score(found, 3), found, (LOOSE,), ())
    assert [one.value for one in figures][1:] == ["1", "1", "0", "3"]
    assert "1 risk accepted" in figures[-1].note
    assert security_words.figures(audited(), None, (), (), ())[0].value == "unknown"


def test_the_worst_role_comes_first_and_one_without_findings_last() -> None:
    found = (finding("b"), finding("a", Severity.LOW), finding("a", Severity.LOW, Kind.UNUSED_ROLE))
    rows = security_words.role_rows(audited(*found), found, (), NOW)
    assert [row["Role"] for row in rows] == ["b", "a", "c"]
    assert rows[1]["Low"] == 2
    assert rows[2]["Worst"] == ["✓ nothing found"]
    held = security_words.role_rows(audited(*found), found, (finding("c"),), NOW)[2]
    assert (held["Worst"], held["Accepted"]) == (["○ accepted"], 1)
    assert list(by_subject([*found, LOOSE])) == ["b", "a", "left"]


def test_a_role_that_is_switched_off_says_when_it_may_go() -> None:
    month = timedelta(days=30)
    assert "from 2026-12-20" in security_words.switched_off("2026-11-20T00:00:00+00:00", month, NOW)
    assert "may be deleted now" in security_words.switched_off("2026-01-01T00:00:00", month, NOW)
    assert "does not say since when" in security_words.switched_off("soon", month, NOW)
