"""What a role's page says: its sentence, its figures and its tables."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Finding, Kind, Severity
from dashboard.core.iam.policy_text import text_of
from dashboard.core.iam.proposal import Basis, Evidence, Proposal
from dashboard.core.iam.recorded import Recorded, RecordedCall
from dashboard.core.iam.rights import Right
from dashboard.core.iam.seen.role_seen import RoleSeen
from dashboard.core.iam.usage import Duty, Usage, Use
from dashboard.ui import role_findings, role_words
from dashboard.ui.tones import Tone

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ARN = "arn:aws:iam::123456789012:role/Dog"
ALL = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
FULL = text_of("AmazonS3FullAccess", {"Version": "2012-10-17", "Statement": [ALL]}, "arn:aws:iam::aws:policy/A")
INLINE = text_of("own", {"Version": "2012-10-17", "Statement": ALL})
ROLE = Role("Dog", ARN, policies=(FULL, INLINE))


def finding(severity: Severity, kind: Kind = Kind.FULL_ACCESS, place: int | None = 0) -> Finding:
    return Finding("Dog", kind, severity, "all of S3", "reads it all", "name the bucket", FULL.name, place, ALL, ARN)


def use(duty: Duty, name: str = "a", hours: float | None = 1) -> Use:
    last = None if hours is None else NOW - timedelta(hours=hours)
    return Use(duty, name, f"arn:aws:x:::{duty}/{name}", last)


def seen(*findings: Finding, uses: tuple[Use, ...] = (), role: Role = ROLE) -> RoleSeen:
    return RoleSeen(role, findings, Usage({ARN: uses}))


def test_the_sentence_says_the_worst_the_duties_and_the_last_use() -> None:
    told = seen(
        finding(Severity.LOW), finding(Severity.HIGH), uses=(use(Duty.FUNCTION, hours=5), use(Duty.TRAINING, hours=3))
    )
    assert role_words.sentence(told, NOW) == (
        "2 findings, the worst high; works for training and functions; last used 3 h ago"
    )


def test_a_good_role_is_said_to_be_one() -> None:
    told = seen(uses=(use(Duty.FUNCTION),))
    assert role_words.sentence(told, NOW) == "nothing was found; works for functions; last used 1 h ago"


def test_never_is_not_claimed_of_what_aws_does_not_know() -> None:
    assert role_words.sentence(seen(finding(Severity.LOW)), NOW) == (
        "1 finding, low; nothing was seen to work as it; no use on record"
    )
    assert next(one for one in role_words.figures(seen(), NOW) if one.name == "Last used").value == "unknown"


def test_the_strip_has_five_figures_in_the_tone_of_the_worst() -> None:
    figures = role_words.figures(seen(finding(Severity.CRITICAL), uses=(use(Duty.TRAINING), use(Duty.INSTANCE))), NOW)
    by_name = {one.name: one for one in figures}
    assert len(figures) == 5
    assert (by_name["Findings"].value, by_name["Findings"].tone) == ("1", Tone.FAILED)
    assert by_name["Policies"].note == "2 statements, 1 inline"
    assert (by_name["Works for"].value, by_name["Works for"].note) == ("2 duties", "training and EC2 instances")
    assert by_name["Boundary"].value == "none"


def test_only_statements_with_a_place_stand_out_the_worst_first() -> None:
    found = role_words.marks(
        [
            finding(Severity.MEDIUM, Kind.WILDCARD),
            finding(Severity.CRITICAL),
            finding(Severity.HIGH, Kind.SHARED_ROLE, None),
        ],
        FULL.name,
    )
    assert {place: [mark.word for mark in marks] for place, marks in found.items()} == {
        0: ["critical, full access", "medium, wildcard"]
    }
    assert role_words.marks([finding(Severity.HIGH)], "another") == {}


def test_a_service_linked_role_says_why_it_stays() -> None:
    linked = Role("AWSServiceRoleForX", ARN, "/aws-service-role/x.amazonaws.com/")
    assert "AWS refuses every change" in role_words.unchangeable(linked)
    assert "Identity Center" in role_words.unchangeable(Role("AWSReservedSSO_x", ARN, "/aws-reserved/sso/"))
    assert role_words.unchangeable(ROLE) == ""


def test_what_works_as_it_comes_latest_first_and_unknown_last() -> None:
    rows = role_words.use_rows([use(Duty.NOTEBOOK, "c", None), use(Duty.TRAINING, "b", 5), use(Duty.ENDPOINT, "a", 1)])
    assert [row["Name"] for row in rows] == ["a", "b", "c"]


def test_recorded_calls_say_how_often_and_how_often_denied() -> None:
    call = RecordedCall(Right("s3:GetObject", "arn:aws:s3:::dogs/a"), 12, NOW - timedelta(days=1), NOW, denied=2)
    (row,) = role_words.recorded_rows(Recorded(ARN, (call,), NOW, "the trail dogs"))
    assert (row["Action"], row["Calls"], row["Denied"]) == ("s3:GetObject", 12, 2)


def test_a_proposal_says_what_stays_for_which_reason_and_what_goes() -> None:
    evidence = (
        Evidence("s3:PutObject", Basis.DROPPED, "not seen in 90 d"),
        Evidence("ec2:*", Basis.DROPPED, "not seen in 90 d", stands_for=222),
        Evidence("s3:ListBucket", Basis.NEEDED, "lists its data"),
        Evidence("s3:GetObject", Basis.RECORDED, "12 calls"),
        Evidence("logs:PutLogEvents", Basis.NEEDED, "writes its log"),
    )
    made = Proposal("Dog", Duty.TRAINING, "p", {}, {}, evidence)
    assert role_words.proposal_sentence(made) == (
        "3 actions: 1 used as recorded and 2 needed by the code path; 223 not seen, dropped, 1 whole service among them"
    )
    assert [row["Basis"] for row in role_words.evidence_rows(evidence)] == [
        "used, as recorded",
        "needed by the code path",
        "needed by the code path",
        "not seen, dropped",
        "not seen, dropped",
    ]


def test_the_kind_of_a_policy() -> None:
    own = text_of("b", {"Statement": []}, "arn:aws:iam::123456789012:policy/b")
    assert [role_words.kind_of(one) for one in (FULL, INLINE, own)] == ["AWS managed", "inline", "customer managed"]


def test_a_finding_of_many_ways_tells_each_on_a_line() -> None:
    many = replace(finding(Severity.HIGH), reason="the policy opens 2 ways: iam:PassRole + a; iam:PassRole + b")
    shown = role_findings.listed([many])
    assert "<li>iam:PassRole + a</li><li>iam:PassRole + b</li>" in shown
    assert "The policy opens 2 ways:" in shown and "Reads it all" in shown and "Name the bucket" in shown


def test_a_finding_is_shown_as_text() -> None:
    evil = replace(finding(Severity.HIGH), reason="<b>: <i>; <u>", attack="<a>", fix="<s>", mitigated_by="<p1>")
    shown = role_findings.listed([evil])
    assert not any(tag in shown for tag in ("<b>", "<i>", "<u>", "<a>", "<s>", "<p1>"))
