"""The account in use, whether this tab may change it, and the choice of another one."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

import streamlit as st

from dashboard import state, tab
from dashboard.core.accounts import holding
from dashboard.core.accounts.attempt import Attempt
from dashboard.core.accounts.choice import Choice
from dashboard.core.accounts.holding import Hold, Holding
from dashboard.core.accounts.profiles import Profile, profile, profiles
from dashboard.core.accounts.switch import IDLE
from dashboard.core.aws import Account, Aws
from dashboard.core.aws_models import partition_regions
from dashboard.core.errors import KennelError
from dashboard.core.format import duration
from dashboard.core.people import Role
from dashboard.ui import access, account, confirm, deed, page, problem
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, badge, facts, literal, note
from dashboard.ui.table import local
from dashboard.ui.tones import Tone

EMBEDDED, OWN = "Embedded AWS (this machine, simulated money)", "The profile's own"
WHICH, REGION, ATTEMPT = "account-which", "account-region", "account-attempt"
FAILED, TRIED = "account-failed", "account-tried"
LOOK = 0.5
"""Seconds between two looks at a connection that is being made."""


def sentence(aws: Aws | None) -> str:
    """The page's live sentence: "profile work, account 210987654321, eu-west-1: read-only"."""
    if aws is None:
        return f"{tab.chosen().name} cannot be used right now"
    one = aws.account
    what = "the embedded AWS" if one.is_embedded else f"profile {one.name}"
    access = "" if one.is_embedded else ": changes allowed" if one.writable else ": read-only"
    return f"{what}, account {one.account_id}, {one.region}{access}"


def show(aws: Aws | None, why_not: KennelError | None) -> None:
    """The account in use, or why it cannot be used; then the choice."""
    _arrive()
    page.section("In use by this tab")
    if why_not is not None:
        problem.card(why_not, "account")
    if aws is not None:
        _in_use(aws.account)
    page.section("Use another account")
    _choice()


def _in_use(one: Account) -> None:
    rows = {
        "Account": one.account_id,
        "Region": one.region,
        "Identity": one.identity or "unknown: STS did not say",
        "Connection": account.words(one),
    }
    if not one.is_embedded:
        with problem.shown("account-keys"):
            known = profile(one.name)
            rows |= {"Keys": keys_hold(holding.of(known), state.now(), st.context.timezone)} if known else {}
        rows["Access"] = _access(one)
    with st.container(border=True, key="panel-account"):
        st.html(facts(rows))
        if one.is_embedded:
            st.html(note(account.explanation(one)))
            return
        with st.container(horizontal=True, key="account-access"):
            if one.writable:
                st.button("Only read again", key="account-forbid", icon=":material/lock:", on_click=_forbid)
            else:
                ask = partial(confirm.ask, partial(_allowing, one))
                st.button("Allow changes in this tab", key="account-allow", icon=":material/lock_open:", on_click=ask)


def _access(one: Account) -> str:
    found = tab.switch(one)
    if found is None:
        return Markup(f"{badge(Tone.STOPPED, 'read-only')} Kennel sends nothing that changes this account.")
    idle = duration(IDLE.total_seconds())
    return Markup(
        f"{badge(Tone.WAITING, 'changes allowed')} In this tab alone, until it was left alone for {idle}: "
        f"{local(found.until, st.context.timezone):%H:%M} as things stand."
    )


def _allowing(one: Account) -> Question:
    return Question(f"Allow changes on account {one.account_id}?", partial(_draw_allowing, one), changes=False)


def _draw_allowing(one: Account) -> Action:
    st.html(
        facts(
            {
                "Account": one.account_id,
                "Region": one.region,
                "Identity": one.identity,
                "What changes": "In this tab, plans that you confirm are carried out: they start and remove what is "
                "real, and cost real money. Other tabs go on reading.",
                "Until": f"this tab was left alone for {duration(IDLE.total_seconds())}, is closed or reloaded, or "
                "you choose Only read again",
            }
        )
    )
    typed = (one.account_id, "Type the account's id, so that this is the account you mean.")

    def do() -> str:
        tab.allow(one)
        return f"Changes are allowed on account {one.account_id} in this tab"

    return Action("Allow changes", do, is_dangerous=True, typed=typed)


def _forbid() -> None:
    deed.carry_out("Only read again", tab.forbid, Role.MANAGER)


def _choice() -> None:
    if ATTEMPT in st.session_state:
        st.fragment(_connecting, run_every=LOOK, key="account-connecting")()
        return
    if (failed := st.session_state.get(FAILED)) is not None:
        problem.card(failed, "account-choice")
    found: Sequence[Profile] = ()
    with problem.shown("account-files"):
        found = profiles()
    _form(found)
    _table(found)


def _form(found: Sequence[Profile]) -> None:
    now: Choice = st.session_state.get(TRIED) or tab.chosen()
    known = {one.name: one for one in found}
    names = ["", *known]
    at = names.index(now.profile) if now.profile in names else 0
    which, where, go = st.columns([3, 2, 1.4], vertical_alignment="bottom")
    name = which.selectbox(
        "Account",
        names,
        index=at,
        key=WHICH,
        format_func=lambda one: f"Profile {one}" if one else EMBEDDED,
        help="The profiles of your AWS configuration, as the aws command knows them",
    )
    one = known.get(name or "")
    region = ""
    if one is not None:
        own = f"{OWN}: {one.region}" if one.region else f"{OWN}: it names none"
        options = [own, *partition_regions(one.region)]
        preset = options.index(now.region) if one.name == now.profile and now.region in options else 0
        picked = where.selectbox("Region", options, index=preset, key=f"{REGION}-{one.name}", accept_new_options=True)
        region = "" if picked in (None, own) else str(picked).strip()
    else:
        where.selectbox("Region", ["Its own"], disabled=True, key=f"{REGION}-embedded")
    choice = Choice(name or "", region)
    go.button("Use this account", key="account-use", type="primary", on_click=_begin, args=(choice,))
    if one is not None:
        told = " ".join(part for part in (one.how, one.asks) if part)
        mends = one.login and access.may(Role.ENGINEER)
        login = f" When its sign-in has ended: aws sso login --profile {one.login}" if mends else ""
        st.html(note(f"{told}{login} A real account begins read-only in every tab."))


def _table(found: Sequence[Profile]) -> None:
    if not found:
        how = (
            "aws configure --profile NAME makes one with keys, aws configure sso --profile NAME one that signs in; it "
            "is offered here at the next look."
            if access.may(Role.ENGINEER)
            else "Whoever runs this server can add one."
        )
        st.html(note(f"The AWS configuration of this machine has no profile. {how}"))
        return
    rows = [
        {
            "Profile": one.name,
            "Keys": str(one.kind),
            "Region": one.region or "–",
            "Keys hold": keys_hold(holding.of(one), state.now(), st.context.timezone),
            "How": " ".join(part for part in (one.how, one.asks) if part),
        }
        for one in found
    ]
    st.dataframe(
        rows,
        key="profiles",
        hide_index=True,
        width="stretch",
        column_config={"Profile": st.column_config.TextColumn(pinned=True)},
    )


def keys_hold(held: Holding, now: datetime, timezone: str | None) -> str:
    """How long keys hold, as people say it: "until 14:05, 3 h 20 min more", "ended 22 Nov, 14:05: sign in again"."""
    if held.by is Hold.NOTHING:
        return "not signed in"
    if held.until is None:
        return {
            Hold.THEMSELVES: "until they are taken away",
            Hold.RENEWAL: "renewed by themselves",
            Hold.MACHINE: "none of its own",
        }.get(held.by, "for a time that the file does not tell")
    at = local(held.until, timezone)
    if held.has_ended(now):
        mend = "sign in again" if held.by is Hold.SIGN_IN else "they have to be made anew"
        return f"ended {at:%-d %b, %H:%M}: {mend}"
    return f"until {at:%-d %b, %H:%M}, {duration((held.until - now).total_seconds())} more"


def _begin(choice: Choice) -> None:
    """Connect first, and choose once that has succeeded: until then the tab stays where it is."""
    for key in (FAILED, TRIED):
        st.session_state.pop(key, None)
    try:
        access.require(Role.MANAGER, "Use this account")
    except KennelError as error:
        st.session_state[FAILED] = error
        return
    st.session_state[ATTEMPT] = state.connecting(choice)


def _connecting() -> None:
    """How long it has taken so far, and the way to stay; once it is over the whole page is drawn."""
    attempt: Attempt[Account] | None = st.session_state.get(ATTEMPT)
    if attempt is None or attempt.is_over:
        st.rerun()
    with st.container(border=True, key="panel-connecting"):
        asked = "It is being started" if attempt.choice.is_embedded else "AWS is asked who this is"
        st.html(note(f"Connecting to {attempt.choice.name}. {asked}: {duration(attempt.seconds)} so far."))
        st.button("Stay where I am", key="account-cancel", on_click=_cancel)


def _arrive() -> None:
    """Choose what could be connected to; say why it could not be."""
    attempt: Attempt[Account] | None = st.session_state.get(ATTEMPT)
    if attempt is None or not attempt.is_over:
        return
    del st.session_state[ATTEMPT]
    try:
        found = attempt.wait(0)
    except KennelError as error:
        st.session_state[FAILED], st.session_state[TRIED] = error, attempt.choice
        return
    tab.choose(attempt.choice)
    which = "the embedded AWS" if found.is_embedded else f"account {found.account_id} to read, as {account.who(found)}"
    st.session_state[confirm.SAID] = literal(f"This tab uses {which}")
    st.rerun()


def _cancel() -> None:
    """The question goes on, and nobody waits for its answer."""
    st.session_state.pop(ATTEMPT, None)
    st.rerun()
