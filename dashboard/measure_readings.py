"""Load tests that go on in this server, and what is kept of those that are done. Pages use them through `state`."""

from pathlib import Path

import streamlit as st

from dashboard.core.aws import Aws
from dashboard.core.errors import Refused
from dashboard.core.serving.measure import kept, load
from dashboard.core.serving.measure.finish import finish
from dashboard.core.serving.measure.plan import Plan
from dashboard.core.serving.measure.result import Measurement
from dashboard.core.serving.measure.running import Progress, Running
from dashboard.readings import now, where


def measuring(aws: Aws, endpoint: str, variant: str) -> Progress | None:
    """How far the load test of a variant is, or how it ended; None when this server has made none."""
    return _running(where(aws)).look(endpoint, variant)


def measurements(aws: Aws, endpoint: str, variant: str) -> tuple[Measurement, ...]:
    """What is kept of a variant, the newest first."""
    folder = kept.place(aws.account)
    files = folder / endpoint / variant
    changed = files.stat().st_mtime_ns if files.is_dir() else 0
    return _kept(where(aws), str(folder), endpoint, variant, changed) if changed else ()


def measure(aws: Aws, plan: Plan) -> None:
    """Begin a load test; returns at once. Raises Refused while one of this variant goes on."""

    def keep(measured: Measurement) -> None:
        try:
            kept.keep(kept.place(aws.account), measured)
        except OSError as error:
            raise Refused(
                "it was measured, and could not be kept",
                f"{error.filename} cannot be written ({error.strerror})",
                "free some space or change the folder's rights, then measure again",
            ) from error

    _running(where(aws)).start(
        plan,
        load.asking(aws, plan.endpoint, plan.variant, _photos()),
        lambda plan, levels, ended: finish(aws, plan, levels, ended, now()),
        keep,
    )


def stop_measuring(aws: Aws, endpoint: str, variant: str) -> None:
    """End a load test after the requests that are under way."""
    _running(where(aws)).stop(endpoint, variant)


@st.cache_resource(show_spinner=False)  # of as many accounts as there are: it is more than a reading
def _running(where: str) -> Running:
    return Running()


@st.cache_resource(show_spinner=False, max_entries=1)
def _photos() -> tuple[bytes, ...]:
    return load.drawn_photos()


@st.cache_data(show_spinner=False, max_entries=64)
def _kept(where: str, folder: str, endpoint: str, variant: str, changed: int) -> tuple[Measurement, ...]:
    return kept.measurements(Path(folder), endpoint, variant)
