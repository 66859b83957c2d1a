"""The account's buckets: how they are set, what is not safe about them, and the plans that make them so."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.data import bucket_plan
from dashboard.core.data.bucket_plan import MENDED, BucketPlan
from dashboard.core.data.buckets import Bucket, Flaw
from dashboard.core.errors import InvalidInput
from dashboard.ui import address, as_code, chart, confirm, data_words, empty, page, table, unread
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import Markup, badge, facts, literal, note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

OPEN, SHOWN, CHOSEN = "buckets-open", "buckets-shown", "bucket"


def show(aws: Aws, buckets: Sequence[Bucket]) -> None:
    """The table, and below it one bucket with its flaws."""
    if not buckets:
        empty.show(
            "buckets",
            "No bucket in this account yet.",
            f"Kennel keeps data, runs and models in {aws.account.bucket}. A new bucket is made with public access "
            "blocked, encryption, and a policy that refuses requests without TLS.",
        )
        return
    names = [one.name for one in buckets]
    chosen = address.known(CHOSEN, "the bucket", names)
    st.session_state[SHOWN] = names
    rows = data_words.bucket_rows(buckets)
    looks = [(_tone(one), row["State"][0]) for one, row in zip(buckets, rows, strict=True)]
    st.dataframe(
        rows,
        hide_index=True,
        key="buckets-table",
        alt="The buckets of this account",
        column_config={
            "Bucket": table.opening("Bucket", OPEN, _open, 260),
            "State": table.states("State", looks, 190),
        },
    )
    chart.download(lambda: table.plain(rows), "kennel-buckets.csv", "download-buckets", is_quiet=True)
    _one(aws, next((one for one in buckets if one.name == chosen), buckets[0]))


def _tone(one: Bucket) -> Tone:
    if one.grave:
        return data_words.TONES[one.grave[0].severity]
    if one.unread:
        return Tone.AHEAD
    return Tone.STOPPED if one.is_unsafe else Tone.DONE


def _open() -> None:
    if name := table.opened(OPEN, st.session_state.get(SHOWN, ())):
        st.query_params[CHOSEN] = name


def _one(aws: Aws, one: Bucket) -> None:
    mark = badge(_tone(one), data_words.bucket_state(one), shape="")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="bucket-head"):
        page.section(one.name, Markup(mark))
        st.space("stretch")
        if aws.account.writable and one.flaws:
            st.button(
                "Make it safe" if set(one.flaws) & set(MENDED) else "Keep versions",
                key="bucket-safe",
                type="primary" if one.grave else "secondary",
                icon=":material/lock:",
                on_click=confirm.ask,
                args=(partial(safe_question, aws, one),),
            )
    with st.container(border=True, key="panel-bucket"):
        if not one.flaws and not one.unread:
            st.html(note("Public access is blocked, what is put there is encrypted, and only TLS is answered."))
        for flaw in one.flaws:
            tone = data_words.TONES[flaw.severity]
            st.html(f'<div class="kn-row"><p>{badge(tone, flaw.value)}</p>{note(f"{flaw.why}.")}</div>')
        if one.is_own:
            st.html(note("Kennel's own: data sets, runs and models lie here."))
        unread.show("Not checked", [Unread(what, why) for what, why in one.unread.items()], "bucket")


def new_question(aws: Aws) -> Question:
    """A new bucket: its name, and what it is given."""
    return Question("New bucket", partial(_draw_new, aws, secrets.token_hex(8), state.now()))


def _draw_new(aws: Aws, token: str, since: datetime) -> Action | None:
    account = aws.account
    suggested = f"kennel-data-{account.account_id}-{account.region}"
    name = st.text_input(
        "Name", value=suggested, key="bucket-name", live=True, max_chars=63, help="One of a kind in all of AWS"
    )
    versions = st.toggle("Keep what is deleted or overwritten", key="bucket-versions", help="S3 charges for it")
    try:
        plan = bucket_plan.plan_create(account, (name or "").strip(), token, since, is_versioned=versions)
    except InvalidInput as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    as_code.below(plan.calls, plan.as_code(account))
    st.html(note("An empty bucket costs nothing. S3 charges for what lies in it, and for requests."))
    return Action(f"Make {plan.bucket}", partial(bucket_plan.carry_out, aws, plan), then=Place.DATA, query=_at(plan))


def safe_question(aws: Aws, bucket: Bucket) -> Question:
    """What takes a bucket's flaws away. Raises Refused where its policy cannot be read."""
    bucket_plan.plan_safe(aws.account, bucket, "")
    return Question(f"Make {literal(bucket.name)} safe", partial(_draw_safe, aws, bucket, secrets.token_hex(8)))


def _draw_safe(aws: Aws, bucket: Bucket, token: str) -> Action | None:
    versions = False
    if Flaw.UNVERSIONED in bucket.flaws:
        versions = st.toggle("Keep what is deleted or overwritten", key="safe-versions", help="S3 charges for it")
    plan = bucket_plan.plan_safe(aws.account, bucket, token, is_versioned=versions)
    if not plan.calls:
        st.html(note("Nothing is chosen that would change it."))
        return None
    gone = [flaw.value for flaw in bucket.flaws if flaw in MENDED or (versions and flaw is Flaw.UNVERSIONED)]
    st.html(facts({"Bucket": bucket.name, "Taken away": ", ".join(gone), "Costs": "nothing by itself"}))
    for text in plan.warnings:
        st.html(note(text, Tone.WAITING))
    as_code.below(plan.calls, plan.as_code(aws.account))
    is_public = Flaw.PUBLIC in bucket.flaws
    return Action(
        "Make it safe",
        partial(bucket_plan.carry_out, aws, plan),
        is_dangerous=is_public,
        typed=(bucket.name, "Somebody may rely on it being public.") if is_public else None,
        then=Place.DATA,
        query=_at(plan),
    )


def _at(plan: BucketPlan) -> dict[str, str]:
    return {"part": "Buckets", CHOSEN: plan.bucket}
