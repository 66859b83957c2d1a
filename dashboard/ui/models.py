"""The page Models: what was registered, how good each version is, where it came from, and whether it may be served."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.serving.model import Endpoint
from dashboard.core.serving.registry import Approval, Group, Version
from dashboard.core.tags import PACKAGE
from dashboard.ui import (
    chart,
    confirm,
    empty,
    endpoint_deploy,
    figures_models,
    markup,
    models_dialogs,
    models_import,
    models_words,
    page,
    problem,
    table,
    words,
)
from dashboard.ui.markup import badge, literal, note
from dashboard.ui.page import Place

PICKED, AGAINST, MODEL = "version", "against", "model"


def full(aws: Aws) -> None:
    """The page: one model of the registry with its versions, one of them in detail, two of them compared."""
    seen = state.groups(aws)
    _head(aws, seen.value, words.age(seen.at, state.now()))
    models_import.show(aws)
    if not seen.value:
        _none(aws)
        return
    group = state.versions(aws, _group(seen.value))
    with st.container(key="models-versions"):
        _versions(group)
    if not group.versions:
        st.html(note(f"{group.name} has no version any more."))
        return
    one, other = _picked(group)
    if other is not None:
        _compared(one, other)
        return
    _detail(aws, group, one)


def _head(aws: Aws, groups: Sequence[Group], age: str) -> None:
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="models-head"):
        page.title("Models", models_words.sentence(groups), age)
        st.space("stretch")
        if aws.account.writable:
            _ask("Import a model", "import-model", ":material/upload:", partial(models_import.question, aws))
            register = partial(models_dialogs.register_question, aws)
            _ask("Register a run", "register-run", ":material/add:", register, is_main=True)


def _ask(label: str, key: str, icon: str, question: confirm.Make, *, is_main: bool = False) -> None:
    look: Literal["primary", "secondary"] = "primary" if is_main else "secondary"
    st.button(label, key=key, icon=icon, type=look, on_click=confirm.ask, args=(question,))


def _none(aws: Aws) -> None:
    how = (
        "A registered model has numbered versions, each with its figures, the run and the data it came from, and the "
        "decision whether it may be served."
    )
    how += " Register a completed run, or import a model.tar.gz or a reference project's model.pth."
    if not aws.account.writable:
        how += " This tab only reads the account: Settings, under Account, allows changes."
    empty.show("models", "No model is registered.", how, Place.RUNS, "See the runs")


def _group(groups: Sequence[Group]) -> Group:
    """The model that is shown: the address names it, else the newest."""
    names = [group.name for group in groups]
    if len(names) == 1:
        page.section(names[0])
        return groups[0]
    chosen = st.selectbox("Model", names, key=MODEL, bind="query-params", width=320)
    return groups[names.index(chosen)]


def _versions(group: Group) -> None:
    """Accuracies above, every version below, and the file behind both."""
    is_dark = st.context.theme.type == "dark"
    chart.panel(
        "accuracies",
        models_words.finding(group),
        figures_models.accuracies(group, is_dark=is_dark),
        "A version shows its accuracy here once a card or a run tells it.",
        alone=True,
    )
    rows = models_words.rows(group)
    if not rows:
        return
    timezone = st.context.timezone
    shown = [{**row, "Registered": table.local(row["Registered"], timezone)} for row in rows]
    share = st.column_config.NumberColumn(format="percent")
    st.dataframe(
        shown,
        hide_index=True,
        placeholder="–",
        key="versions-table",
        alt=f"The versions of {group.name}",
        column_config={
            "Test accuracy": share,
            "Test macro F1": share,
            "Test loss": st.column_config.NumberColumn(format="%.3f"),
            "Registered": st.column_config.DatetimeColumn(format="D MMM, HH:mm", help=str(table.zone(timezone))),
        },
    )
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        chart.download(lambda: rows, f"{group.name}-versions.csv", "download-versions", is_quiet=True)
        if group.is_cut:
            st.html(note(f"The newest {len(group.versions)} versions; older ones are in SageMaker."))


def _picked(group: Group) -> tuple[Version, Version | None]:
    """The version in detail, and the one that it is held against, by the address."""
    numbers = [str(one.number) for one in group.versions]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small", key="models-pick"):
        picked = st.selectbox("Version", numbers, key=PICKED, bind="query-params", width=130)
        others = [number for number in numbers if number != picked]
        against = None
        if others:
            against = st.selectbox(
                "Compare with version",
                others,
                index=None,
                key=AGAINST,
                bind="query-params",
                width=180,
                placeholder="none",
            )
    one = group.version(int(picked))
    assert one is not None  # noqa: S101 - it was a choice of this group's
    return one, group.version(int(against)) if against else None


def _compared(one: Version, other: Version) -> None:
    """Two versions side by side."""
    page.section(f"Version {one.number} and version {other.number}")
    with st.container(border=True, key="panel-compared"):
        st.html(f'<p class="kn-finding">{markup.escape(models_words.verdict(other, one))}</p>')
        rows = models_words.compared(other, one)
        if rows:
            st.dataframe(rows, hide_index=True, key="compared-table", alt="Figures of both versions")
            chart.download(lambda: rows, f"{one.group}-compared.csv", "download-compared", is_quiet=True)
        left, right = st.columns(2, gap="medium")
        for place, version in ((left, other), (right, one)):
            with place:
                st.html(f"<p><strong>Version {version.number}</strong> {_mark(version)}</p>")
                _facts(version, with_figures=False)


def _detail(aws: Aws, group: Group, version: Version) -> None:
    """One version: what is known of it, where it came from, and what can be done with it."""
    page.section(f"Version {version.number}", _mark(version))
    serving, of_run = _serving(aws, version)
    st.html(note(models_words.lineage(version, [one.name for one in serving])))
    left, right = st.columns((11, 10), gap="medium")
    with left, st.container(border=True, key="panel-version"):
        _facts(version)
        _origin(version)
    with right, st.container(border=True, key="panel-decision"):
        _actions(aws, group, version)
        _linked(serving)
        if of_run:
            st.html(note(models_words.FROM_THE_RUN))
            _linked(of_run)


def _linked(endpoints: Sequence[Endpoint]) -> None:
    for one in endpoints:
        st.page_link(
            Place.ENDPOINT,
            label=f"Endpoint {literal(one.name)}",
            icon=":material/dns:",
            query_params={"endpoint": one.name},
        )


def _facts(version: Version, *, with_figures: bool = True) -> None:
    decided = table.local(version.decided, st.context.timezone) if version.decided else None
    st.html(markup.facts(models_words.facts(version, decided, with_figures=with_figures)))


def _mark(version: Version) -> markup.Markup:
    return markup.Markup(badge(version.approval.tone, version.approval.word, version.note))


def _origin(version: Version) -> None:
    if version.run_key:
        st.page_link(
            Place.RUN,
            label=f"The run {literal(version.run)}",
            icon=":material/monitoring:",
            query_params={"run": version.run_key},
        )


def _actions(aws: Aws, group: Group, version: Version) -> None:
    """Approve, reject, deploy, take out: each by its own dialog."""
    if not aws.account.writable:
        st.html(note("This account is connected read-only: nothing can be decided or deployed here."))
        return
    st.html(note(_may(version)))
    with st.container(horizontal=True, gap="small", key="version-actions"):
        if version.approval.may_deploy:
            source = replace(version.source, name=f"{version.group}-{version.number}")  # what the endpoint is called
            deploy = partial(endpoint_deploy.of_model, aws, source, f"registry-{version.arn}")
            _ask("Deploy", "deploy-version", ":material/rocket_launch:", deploy, is_main=True)
        else:
            approve = partial(models_dialogs.decide_question, aws, version, Approval.APPROVED)
            _ask("Approve", "approve-version", ":material/check:", approve, is_main=True)
        if version.approval is not Approval.REJECTED:
            reject = partial(models_dialogs.decide_question, aws, version, Approval.REJECTED)
            _ask("Reject", "reject-version", ":material/close:", reject)
        take_out = partial(models_dialogs.take_out_question, aws, group, version)
        _ask("Delete version", "delete-version", ":material/delete:", take_out)


def _may(version: Version) -> str:
    if version.approval.may_deploy:
        return "Approved: SageMaker makes endpoints of it."
    return "SageMaker makes no endpoint of a version that is not approved."


def _serving(aws: Aws, version: Version) -> tuple[list[Endpoint], list[Endpoint]]:
    """The endpoints that were made of this version, and those of its run directly; none where they cannot be read,
    which is said."""
    found: Sequence[Endpoint] = ()
    with problem.shown("served"):
        found = state.endpoints(aws).value
    of_run = [one for one in found if version.run and one.run == version.run and not one.tags.get(PACKAGE)]
    return [one for one in found if one.tags.get(PACKAGE) == version.arn], of_run
