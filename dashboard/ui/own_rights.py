"""The roles that Kennel itself works as on a real account: their policies, what bounds them, and what an audit says."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.calls import code
from dashboard.core.format import count
from dashboard.core.iam.entities import Role
from dashboard.core.iam.finding import Severity
from dashboard.core.iam.judge.audited import Audited, by_subject
from dashboard.core.iam.least import sizes
from dashboard.core.iam.own import own_roles, work_boundary
from dashboard.core.iam.own.mended import Mended
from dashboard.core.iam.own.own_check import findings_of
from dashboard.core.iam.own.own_grants import trail_bucket
from dashboard.core.iam.own.own_roles import BOUNDARY, OwnRole
from dashboard.core.iam.replace.refusals import OWN_ROLES
from dashboard.ui import address, document_text, page, role_words
from dashboard.ui.markup import badge, escape, note
from dashboard.ui.tones import Tone

ROLE, VIEW = "own", "own-view"
MOST = 20
"""Roles that one remediator is for: its policies name each of them."""


class Kind(StrEnum):
    """What Kennel is to do with the role, as the address names it."""

    READER = "Read"
    OPERATOR = "Operate"
    REMEDIATOR = "Mend roles"


class View(StrEnum):
    POLICIES = "Policies"
    BOUNDARY = "Boundary"
    WORK = "Boundary of the roles"
    TRUST = "Trust"
    CODE = "As code"


_WORDS = {
    Kind.READER: "Shows every page. Enough for a tab that only reads.",
    Kind.OPERATOR: "Also launches, deploys, scales, stops and deletes: only what carries the tag kennel:made-by, and "
    "it passes no roles but Kennel's four. A new function has a role of its own: somebody who may make roles deploys "
    "it.",
    Kind.REMEDIATOR: "Also replaces the policies of the roles chosen here and of no other. It can attach only what "
    "these roles have today and what Kennel makes below /kennel/: so whatever it takes it can give back. It can write "
    "and make only roles that a permissions boundary holds: those chosen here that have none get one with it.",
}


def section(aws: Aws, audited: Audited) -> None:
    """Choose one of the three, see what it may and why that is little, and take it along as JSON or as a program."""
    page.section("Kennel's own roles")
    with st.container(border=True, key="panel-own-rights"):
        st.html(
            note(
                "On a real account Kennel works as whoever its profile is. These are the least rights it can do with, "
                "made from the calls in its code. On the embedded AWS it is the root user, whom nothing limits."
            )
        )
        kind = _kind()
        st.html(note(_WORDS[kind]))
        buckets = _buckets(aws)
        made = _made(aws, kind, buckets, audited)
        if made is None:
            return
        st.html(f'<div class="kn-heading"><h3 class="kn-finding">{escape(_size(made))}</h3>{_judged(made)}</div>')
        _show(aws, made)


def _kind() -> Kind:
    known = {one.value: one for one in Kind}
    address.known(ROLE, "what Kennel is to do", known)
    chosen = st.segmented_control(
        "Kennel is to",
        list(known),
        default=Kind.READER.value,
        required=True,
        key=ROLE,
        bind="query-params",
    )
    return known.get(chosen or "", Kind.READER)


def _buckets(aws: Aws) -> tuple[str, ...]:
    told = st.text_input(
        "More buckets to read",
        key="own-buckets",
        placeholder="team-datasets, cloudtrail-logs",
        help=f"Beside {aws.account.bucket} and {trail_bucket(aws.account)}: those of datasets that lie elsewhere, and "
        "of other trails, whose files tell what a role did. Names, with commas between them.",
    )
    return tuple(dict.fromkeys(one.strip() for one in told.split(",") if one.strip()))


def _made(aws: Aws, kind: Kind, buckets: Sequence[str], audited: Audited) -> OwnRole | None:
    match kind:
        case Kind.READER:
            return own_roles.reader(aws.account, buckets)
        case Kind.OPERATOR:
            return own_roles.operator(aws.account, buckets)
    chosen = _roles(audited)
    if not chosen:
        st.html(note("Choose the roles that are to be mended.", Tone.WAITING))
        return None
    return own_roles.remediator(aws.account, [Mended.of(one, audited.usage.of(one.arn)) for one in chosen], buckets)


def _roles(audited: Audited) -> list[Role]:
    """The roles to be mended; the worst, as many as there may be, unless others are chosen."""
    found = {one.name: one for one in audited.roles if _may_be_mended(one)}
    grave = [one for one in audited.findings if one.severity in (Severity.CRITICAL, Severity.HIGH)]
    worst = [name for name in by_subject(grave) if name in found][:MOST]
    names = st.multiselect("Roles to mend", sorted(found), default=worst, key="own-roles", max_selections=MOST)
    return [found[name] for name in names]


def _may_be_mended(role: Role) -> bool:
    """One that may do everything is for an administrator: whoever mends it could become one."""
    names = {one.name for one in role.policies}
    kept = role.is_service_linked or role.is_reserved or role.name in OWN_ROLES
    return not kept and not names & {"AdministratorAccess", "PowerUserAccess", "IAMFullAccess"}


def _size(made: OwnRole) -> str:
    actions = sum(_actions(one) for document in made.policies.values() for one in document["Statement"])
    largest = max(sizes.size(one) for one in made.policies.values())
    return (
        f"{made.name}: {count(actions, 'action')} in {count(len(made.policies), 'policy', 'policies')}, the largest of "
        f"{largest:,} characters of the {sizes.MANAGED:,} that IAM takes"
    )


def _actions(statement: Mapping[str, Any]) -> int:
    given = statement["Action"]
    return len(given) if isinstance(given, list) else 1


def _judged(made: OwnRole) -> str:
    """What the same audit says of it as of every other role."""
    found = findings_of(made, state.now())
    if not found:
        return badge(Tone.DONE, "audited: nothing found")
    return badge(Tone.FAILED, f"audited: {count(len(found), 'finding')}", "; ".join(one.reason for one in found))


def _show(aws: Aws, made: OwnRole) -> None:
    chosen = st.segmented_control(
        "Show", [one.value for one in View], default=View.POLICIES.value, required=True, key=VIEW,
        label_visibility="collapsed",
    )  # fmt: skip
    match View(chosen or View.POLICIES):
        case View.POLICIES:
            for name, document in made.policies.items():
                st.html(note(f"{name}: {sizes.size(document):,} characters"))
                st.html(document_text.html(document, f"The policy {name}"))
        case View.BOUNDARY:
            st.html(
                note(
                    f"{BOUNDARY} is the permissions boundary of all three: whatever is attached to them, they may do "
                    "no more, and can change neither themselves nor it."
                )
            )
            st.html(document_text.html(own_roles.boundary(aws.account), f"The policy {BOUNDARY}"))
        case View.WORK:
            _show_work(made)
        case View.TRUST:
            st.html(note("Any user or role of this account that is given sts:AssumeRole on it may work as it."))
            st.html(document_text.html(made.trust, f"The trust policy of {made.name}"))
        case View.CODE:
            st.html(note("Run it once, as somebody who may make roles; then name the role in a profile of Kennel's."))
            st.code(code(own_roles.calls(aws.account, made), aws.account), language="python", wrap_lines=True)


def _show_work(made: OwnRole) -> None:
    """What bounds the roles that it changes and makes."""
    if made.work is None:
        st.html(note("It changes no roles and makes none."))
        return
    said = (
        f"{work_boundary.NAME} is the most that the roles it changes or makes may do: the services in which they have "
        "rights today, no IAM beyond reading it and passing these roles, and no new way to work as another."
    )
    if made.bounded:
        said += (
            f" Without a boundary today, and given this one by the program: {role_words.joined(made.bounded)}. What is "
            "outside of it they lose at that moment: look before you run it."
        )
    st.html(note(said))
    st.html(document_text.html(made.work, f"The policy {work_boundary.NAME}"))
