"""The dialog that deploys a model: which one, on instances or serverless, for how long, at what price."""

import secrets
from functools import partial
from zlib import crc32

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.costs.waste import expiry
from dashboard.core.costs.waste.expiry import Keep
from dashboard.core.errors import AlreadyExists, InvalidInput, KennelError, Refused
from dashboard.core.format import size
from dashboard.core.runs.instances import SERVING
from dashboard.core.runs.model import Run
from dashboard.core.runs.window import Window
from dashboard.core.serving import parts, sources, variant
from dashboard.core.serving.deploy import DeployPlan, check_free, deploy, free_name, plan_deploy
from dashboard.core.serving.model import Endpoint
from dashboard.core.serving.source import Source, SourceKind
from dashboard.core.serving.source import of as source_of
from dashboard.core.serving.sources import Offered
from dashboard.core.serving.variant import Serverless
from dashboard.ui import receipt
from dashboard.ui.confirm import Action, Question
from dashboard.ui.markup import note
from dashboard.ui.page import Place
from dashboard.ui.tones import Tone
from dashboard.ui.words import simulated

REAL_TIME, SERVERLESS = "instances", "serverless"
MODES = {REAL_TIME: "Instances, always ready", SERVERLESS: "Serverless, paid by use"}


def question(aws: Aws) -> Question:
    """Any model of the account. Raises the errors of `sources.offered`."""
    found = sources.offered(aws, state.runs(aws, Window.ALL).value)
    return Question("Deploy a model", partial(_draw, aws, found, _names(aws), secrets.token_hex(8)))


def of_model(aws: Aws, model: Run | Source, token: str) -> Question:
    """One model: a run's, or a registered version's. Each `token` is one order."""
    return Question("Deploy model", partial(_draw_one, aws, model, free_name(model.name, _names(aws)), token))


def _endpoints(aws: Aws) -> tuple[Endpoint, ...]:
    """Those that have their name already. Where they cannot be listed, deploying itself says what is taken."""
    try:
        return state.endpoints(aws).value
    except KennelError:
        return ()


def _names(aws: Aws) -> frozenset[str]:
    return frozenset(one.name for one in _endpoints(aws))


def _draw(aws: Aws, found: Offered, taken: frozenset[str], token: str) -> Action | None:
    chosen = choose(found, "deploy")
    if chosen is None:
        return None
    name = chosen.name.lower().replace(" ", "-").removesuffix(".tar.gz").replace(".", "-")
    plan = _form(aws, chosen, free_name(name, taken), token)
    return None if plan is None else _action(aws, plan, Place.ENDPOINT, {"endpoint": plan.name})


def choose(found: Offered, key: str) -> Source | None:
    """Which model; None while there is none. What could not be listed is said."""
    kinds = [kind for kind in SourceKind if kind is SourceKind.ARCHIVE or found.of(kind)]
    kind = st.segmented_control("Model from", kinds, default=kinds[0], required=True, key=f"{key}-from")
    if found.unread is not None:
        st.html(note(f"Registered versions are not offered: {found.unread}", Tone.WAITING))
    if kind is SourceKind.ARCHIVE:
        uri = st.text_input(
            "Address of the model.tar.gz",
            key=f"{key}-uri",
            live=True,
            placeholder="s3://bucket/models/dogs/model.tar.gz",
            autocomplete="off",
        )
        try:
            return source_of((uri or "").strip())
        except InvalidInput as wrong:
            st.html(
                note(
                    f"{wrong}" if uri else "An archive with model.onnx, labels.json, card.json and code/.", Tone.WAITING
                )
            )
            return None
    offered = found.of(kind)
    return st.selectbox("Model", offered, format_func=lambda one: one.name, key=f"{key}-model")


def _draw_one(aws: Aws, model: Run | Source, name: str, token: str) -> Action | None:
    plan = _form(aws, model, name, token)
    if plan is None:
        return None
    if isinstance(model, Run):
        return _action(aws, plan, Place.RUN, {"run": model.key}, f"deploy-token-{model.name}")
    return _action(aws, plan, Place.ENDPOINT, {"endpoint": plan.name})


def _form(aws: Aws, model: Run | Source, suggested: str, token: str) -> DeployPlan | None:
    """The fields of an endpoint and what it would cost; None while it cannot be made, which is said."""
    name = st.text_input("Endpoint name", value=suggested, key=f"deploy-name{_suffix(model)}", live=True, max_chars=63)
    slot = st.container()
    mode = st.segmented_control(
        "Serve on",
        list(MODES),
        format_func=MODES.__getitem__,
        default=REAL_TIME,
        required=True,
        key="deploy-mode",
        help="Serverless starts a process when a photo comes, and ends it after a quiet time: the first photo waits.",
    )
    instance, number, serverless = _machine(mode)
    keep = st.segmented_control(
        "Keep for",
        list(Keep),
        format_func=lambda keep: "until deleted" if keep == Keep.NEVER else Keep(keep).value,
        default=expiry.DEFAULT,
        required=True,
        key="deploy-keep",
        help="It is found as waste afterwards. Nothing deletes it by itself unless you schedule that.",
    )
    try:
        plan = plan_deploy(
            model,
            name or "",
            instance,
            account=aws.account,
            prices=state.prices(),
            token=token,
            count=number,
            serverless=serverless,
            keep=keep,
            now=state.now(),
        )
        check_free(plan, _endpoints(aws))
    except (InvalidInput, Refused, AlreadyExists) as wrong:
        slot.html(note(f"{wrong}", Tone.FAILED))
        return None
    return plan


def _suffix(model: Run | Source) -> str:
    """Another model suggests another name, and so has another field; a run's dialog has only one."""
    return "" if isinstance(model, Run) else f"-{crc32(model.uri.encode()):x}"


def _machine(mode: str | None) -> tuple[str, int, Serverless | None]:
    """Instance type and number, or what a serverless variant may use."""
    if mode != SERVERLESS:
        with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
            instance = st.selectbox("Instance type", SERVING, key="deploy-instance")
            number = st.number_input("Instances", *parts.COUNT, value=1, key="deploy-count", width=120)
        return instance, int(number), None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        memory = st.selectbox(
            "Memory",
            variant.MEMORY_MB,
            index=variant.MEMORY_MB.index(variant.SERVERLESS_PRICED_MB),
            format_func=lambda mb: size(mb * 1024**2),
            key="deploy-memory",
        )
        at_once = st.number_input(
            "At once, at most",
            *variant.CONCURRENCY,
            value=5,
            key="deploy-concurrency",
            width=150,
            help="A request more than that is refused with ThrottlingException (429).",
        )
        ready = st.number_input(
            "Kept ready", 0, int(at_once), value=0, key="deploy-provisioned", width=120, help="ProvisionedConcurrency"
        )
    return SERVING[0], 0, Serverless(memory, int(at_once), int(ready))


def _action(aws: Aws, plan: DeployPlan, then: Place, query: dict[str, str], token_key: str = "") -> Action:
    if plan.serverless:
        each = variant.answering(plan.serverless, state.prices(), aws.account.region)
        title = "Costs for 1,000 seconds of answering"
        st.html(str(receipt.sum_of(each, aws.account, title, each.source)))
    else:
        title = "Costs each hour until it is deleted"
        st.html(str(receipt.sum_of(plan.hourly, aws.account, title, plan.hourly.source)))
    for warning in plan.warnings:
        st.html(receipt.warning(warning, aws.account))
    with st.expander("Show as code"):
        st.code(plan.code, language="python")

    def do() -> str:
        name = deploy(aws, plan)
        if token_key:
            st.session_state.pop(token_key, None)
        return f"{name} is starting: it answers photos in a moment"

    cost = ", paid by use" if plan.serverless else f" for {receipt.amount(plan.hourly)}/h"
    return Action(f"Deploy{cost}{simulated(aws.account)}", do, then=then, query=query, about=plan.name)
