"""The dialogs that deploy and update a function."""

import secrets
from dataclasses import replace
from functools import partial

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.errors import InvalidInput
from dashboard.core.serving.functions.deploy import plan_deploy, plan_update
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.model import Architecture
from dashboard.core.serving.functions.package import package
from dashboard.core.serving.functions.role import PREFIX, photos_in
from dashboard.core.serving.functions.wanted import MEMORIES, Wanted, like, parse_variables
from dashboard.core.serving.model import Endpoint
from dashboard.ui import function_plan, role_making
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone

FORM = "function.form"
ABOUT = (
    "The function takes a photo's address, the photo itself, or its place in S3, asks the endpoint, and answers what "
    "the reference projects' callers expect, with the breeds beside it. It gets a role of its own, which may ask that "
    "one endpoint and write its own log."
)


def deploy_question(aws: Aws, endpoint: str = "") -> Question:
    """A new function; `endpoint` is the one that is chosen first."""
    token = st.session_state.setdefault(FORM, secrets.token_hex(8))
    return Question("Deploy a Lambda function", partial(_draw_deploy, aws, token, endpoint))


def update_question(aws: Aws, name: str) -> Question:
    """A function's settings, and the code of this version of Kennel."""
    details = state.function(aws, name).value
    granted = state.function_rights(aws, name)
    return Question("Update the function", partial(_draw_update, aws, details, granted))


def _draw_deploy(aws: Aws, token: str, first: str) -> Action | None:
    endpoints = [one for one in state.endpoints(aws).value if not one.status.is_going]
    if not endpoints:
        st.html(note("There is no endpoint that it could ask: deploy a model first, on Endpoints.", Tone.WAITING))
        return None
    st.html(note(ABOUT))
    names = [one.name for one in sorted(endpoints, key=lambda one: not one.status.is_serving)]
    chosen = st.selectbox("Endpoint that it asks", names, index=_place(names, first), key="function-endpoint")
    taken = {one.name for one in state.functions(aws).value}
    name = st.text_input("Function name", value=_free(f"{chosen}-photos", taken), key="function-name", max_chars=50)
    asked = next(one for one in endpoints if one.name == chosen)
    wanted = _fields(Wanted(name, chosen, asked.arn))
    if wanted is None:
        return None
    try:
        plan = plan_deploy(wanted, package(), account=aws.account, token=token, serves=asked.status.is_serving)
    except InvalidInput as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    st.html(note("It costs nothing while nobody calls it: requests and duration are billed, by the millisecond."))
    role_making.told(aws, PREFIX, "lambda.amazonaws.com", "a function")
    action = function_plan.draw(aws, plan, then=Place.FUNCTION, query={"function": name})
    return None if action is None else replace(action, do=partial(_deployed, action))


def _deployed(action: Action) -> str:
    said = action.do()
    st.session_state.pop(FORM, None)  # the next one is another
    return said


def _draw_update(aws: Aws, details: Details, granted: dict[str, object] | None) -> Action | None:
    one = details.function
    endpoints = [each for each in state.endpoints(aws).value if not each.status.is_going]
    names = [each.name for each in endpoints]
    if one.endpoint and one.endpoint not in names:
        names.insert(0, one.endpoint)
    if not names:
        st.html(note("There is no endpoint that it could ask: deploy a model first, on Endpoints.", Tone.WAITING))
        return None
    chosen = st.selectbox("Endpoint that it asks", names, index=_place(names, one.endpoint), key="function-endpoint")
    asked: Endpoint | None = next((each for each in endpoints if each.name == chosen), None)
    account = aws.account
    arn = asked.arn if asked else f"arn:aws:sagemaker:{account.region}:{account.account_id}:endpoint/{chosen}"
    wanted = _fields(replace(like(one, arn, photos_in(granted)), endpoint=chosen), is_new=False)
    if wanted is None:
        return None
    made = package()
    fresh = made.sha != one.code_sha
    send = st.toggle(
        "Send the code of this version of Kennel" if fresh else "Its code is that of this version of Kennel",
        value=True,
        disabled=not fresh,
        key="function-code",
    )
    try:
        plan = plan_update(
            details,
            wanted,
            made if send else None,
            account=account,
            granted=granted,
            serves=asked is not None and asked.status.is_serving,
        )
    except InvalidInput as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    return function_plan.draw(aws, plan)


def _fields(start: Wanted, *, is_new: bool = True) -> Wanted | None:
    """The settings that both dialogs have; None while a line of them cannot be read."""
    left, middle, right = st.columns(3)
    memories = sorted({*MEMORIES, start.memory_mb})
    memory = left.selectbox(
        "Memory",
        memories,
        index=memories.index(start.memory_mb),
        format_func=lambda mb: f"{mb:,} MB",
        key="function-memory",
        help="The processor's share grows with it: 1,769 MB are one core",
    )
    timeout = middle.number_input("Time-out (s)", 1, 900, start.timeout, key="function-timeout")
    processor = right.selectbox(
        "Processor",
        list(Architecture),
        index=list(Architecture).index(start.architecture),
        format_func=lambda one: Architecture(one).word,
        key="function-processor",
        help="ARM costs a fifth less by the second; what keeping it ready costs is not in the price book",
    )
    with st.expander("More", expanded=False):
        photos = st.text_input(
            "S3 folder that it may read",
            value=start.photos,
            placeholder="s3://bucket/photos/",
            key="function-photos",
            help='For calls such as {"s3": "s3://bucket/photos/a.jpg"}',
        )
        written = "\n".join(f"{name}={value}" for name, value in start.more)
        more = st.text_area("Environment, a line each: NAME=value", value=written, key="function-more", height=80)
    try:
        variables = parse_variables(more)
    except InvalidInput as wrong:
        st.html(note(f"{wrong}", Tone.FAILED))
        return None
    return replace(
        start,
        memory_mb=memory,
        timeout=int(timeout),
        architecture=Architecture(processor or start.architecture),
        photos=photos.strip(),
        more=variables,
    )


def _place(names: list[str], chosen: str) -> int:
    return names.index(chosen) if chosen in names else 0


def _free(name: str, taken: set[str]) -> str:
    """A name that no function has: the wish, else with a number."""
    name = name[:46]
    return next(
        each
        for number in range(len(taken) + 1)
        if (each := name if not number else f"{name}-{number + 1}") not in taken
    )
