"""The dialog that makes a notebook: how large, for which bucket, in which network, and when it stops itself."""

import secrets
from dataclasses import replace
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs import quote
from dashboard.core.costs.prices import Extra, Kind
from dashboard.core.errors import InvalidInput, KennelError
from dashboard.core.notebooks import role
from dashboard.core.notebooks.plan import plan_create
from dashboard.core.notebooks.wanted import IDLE_MINUTES, LONGEST_NAME, TYPES, VOLUMES, Wanted
from dashboard.core.serving.deploy import free_name
from dashboard.ui import notebook_plan, notebook_words, receipt, role_making
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import facts, note, sentence
from dashboard.ui.tones import Tone

FORM = "notebook.form"
NAME = "kennel-notes"
NO_VPC = "none: SageMaker's own network"


def question(aws: Aws) -> Question:
    """A new notebook instance."""
    token = st.session_state.setdefault(FORM, secrets.token_hex(8))
    return Question("Create a notebook", partial(_draw, aws, token))


def _draw(aws: Aws, token: str) -> Action | None:
    st.html(note(notebook_words.ABOUT))
    if aws.account.is_embedded:
        st.html(note(notebook_words.A_RECORD, Tone.SIMULATED))
    wanted = _more(aws, _fields(aws))
    prices = state.prices()
    try:
        plan = plan_create(wanted, prices, account=aws.account, token=token)
    except InvalidInput as wrong:
        st.html(note(f"{sentence(str(wrong))}.", Tone.WAITING))
        return None
    hourly = quote.hourly(prices, Kind.NOTEBOOK, wanted.instance_type, aws.account.region)
    storage = prices.beside(Extra.ML_STORAGE, aws.account.region)
    rows = notebook_words.costs(hourly, wanted.volume_gb, storage, aws.account)
    st.html(facts({**rows, "Its role": f"{role.name_of(wanted.name)}: {'; '.join(role.words(wanted))}"}))
    role_making.told(aws, role.PREFIX, "sagemaker.amazonaws.com", "a notebook")
    action = notebook_plan.draw(aws, plan)
    return replace(action, do=partial(_made, action))


def _made(action: Action) -> str:
    said = action.do()
    st.session_state.pop(FORM, None)  # the next one is another
    return said


def _fields(aws: Aws) -> Wanted:
    first, second, third = st.columns(2), st.columns(2), st.columns(2)  # on a phone they stand in this order
    taken = {one.name for one in state.notebooks(aws).value}
    name = first[0].text_input(
        "Notebook name", free_name(NAME, taken), key="notebook-name", live=True, max_chars=LONGEST_NAME
    )
    kind = first[1].selectbox("Instance", TYPES, format_func=partial(priced, aws), key="notebook-type")
    volume = second[0].number_input("Volume (GB)", *VOLUMES, VOLUMES[0], key="notebook-volume")
    idle = second[1].selectbox(
        "Stops itself when idle for",
        (*IDLE_MINUTES, 0),
        index=IDLE_MINUTES.index(60),
        format_func=notebook_words.idle,
        key="notebook-idle",
        help="A script on it asks Jupyter every five minutes: no kernel computes and nothing was used for so long. "
        "When Jupyter cannot be asked it stops nothing.",
    )
    bucket = third[0].selectbox("Bucket that it may use", _buckets(aws), key="notebook-bucket", accept_new_options=True)
    folder = third[1].text_input(
        "Only this folder of it", "", placeholder="all of the bucket", key="notebook-folder", live=True
    )
    prefix = (folder or "").strip().rstrip("/")
    return Wanted(
        (name or "").strip(),
        (bucket or "").strip(),
        f"{prefix}/" if prefix else "",
        str(kind),
        int(volume),
        int(idle or 0),
    )


def priced(aws: Aws, kind: str) -> str:
    """A kind of instance with what an hour of it costs: "ml.t3.medium · $0.05/h"."""
    told = quote.hourly(state.prices(), Kind.NOTEBOOK, kind, aws.account.region)
    return f"{kind} · {receipt.price(told) if told.is_known else 'price unknown'}"


def _buckets(aws: Aws) -> list[str]:
    """Kennel's own first; where they may not be listed, another one's name can be typed all the same."""
    own = aws.account.bucket
    try:
        return [own, *(one.name for one in state.buckets(aws).value if one.name != own)]
    except KennelError:
        return [own]


def _more(aws: Aws, wanted: Wanted) -> Wanted:
    """The network, and what a notebook does better without."""
    with st.expander("Network and rights", expanded=False):
        subnet, groups, is_private = _network(aws)
        trains = st.toggle(
            f"May start trainings named {wanted.name or 'its name'}-…",
            key="notebook-trains",
            help=f"Adds the right to start, watch and stop those, and to hand them the role {role.TRAINING}",
        )
        has_root = st.toggle(
            "Its users are root",
            key="notebook-root",
            help="AWS gives root unless told otherwise. Without it packages are installed into a kernel's own folder.",
        )
    return replace(
        wanted, subnet=subnet, groups=groups, is_private=is_private, trains=bool(trains), has_root=bool(has_root)
    )


def _network(aws: Aws) -> tuple[str, tuple[str, ...], bool]:
    """Subnet, security groups, and whether SageMaker's own way to the internet is closed."""
    try:
        told = state.function_networks(aws)
    except KennelError as wrong:
        st.html(note(f"Networks are not offered: {wrong}", Tone.WAITING))
        return "", (), False
    by_id = {one.id: one for one in told.subnets}
    subnet = st.selectbox(
        "Subnet",
        ("", *by_id),
        format_func=lambda each: f"{each} {by_id[each].name} · {by_id[each].zone}" if each else NO_VPC,
        key="notebook-subnet",
        help="To reach private things of a VPC. Only traffic from the notebook goes there; nobody gets in from it "
        "unless a security group lets them.",
    )
    if not subnet:
        return "", (), False
    here = {one.id: one.name for one in told.groups if one.network == by_id[subnet].network}
    groups = st.multiselect(
        "Security groups",
        here,
        default=list(here) if len(here) == 1 else None,
        format_func=lambda each: f"{each} {here[each]}",
        key="notebook-groups",
        max_selections=5,
    )
    closed = st.toggle(
        "No direct way to the internet",
        key="notebook-private",
        help="Everything goes through the subnet then: S3 and SageMaker need its NAT gateway or interface endpoints.",
    )
    return subnet, tuple(groups), bool(closed)
