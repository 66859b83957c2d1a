"""What a link into the Train page fills its form with.

?data=NAME chooses the data set. ?like=KEY takes over all that an earlier run was asked for; with resume=1 the new run
goes on from its checkpoints, and instance=TYPE or volume=GB takes another instance type or volume, as a suggestion
after a run does; platform=, capacity= and count= take another way of training, as an answer to a what-if does.
"""

from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from dashboard import state
from dashboard.core.aws import Aws
from dashboard.core.data.datasets import Dataset
from dashboard.core.runs.clone import spec_of
from dashboard.core.runs.instances import counterpart
from dashboard.core.runs.model import Capacity, Platform, Run
from dashboard.ui import say, train_form
from dashboard.ui import train_fields as fields

LIKE, RESUME, INSTANCE, VOLUME = "like", "resume", "instance", "volume"
DATA = "data"
PLATFORM, CAPACITY, COUNT = "platform", "capacity", "count"
NAMES = (LIKE, RESUME, INSTANCE, VOLUME, PLATFORM, CAPACITY, COUNT)


def follow(aws: Aws, datasets: Sequence[Dataset], past_runs: Sequence[Run]) -> None:
    """Fill the form once and take the wish off the address. Raises NotFound when there is no such run.

    A resumed run is named after the one it goes on from, and not as one of `past_runs` is.
    """
    chosen = st.query_params.pop(DATA, "")
    if chosen in {one.name for one in datasets}:
        st.session_state[fields.DATA] = chosen
    elif chosen:
        say.say(f"There is no data set {chosen} to train on")
    asked = {name: st.query_params.pop(name, "") for name in NAMES}
    if not asked[LIKE]:
        return
    names = {run.name for run in past_runs}
    spec = spec_of(state.run(aws, asked[LIKE]).value, resume=bool(asked[RESUME]), names=names)
    if asked[RESUME] and not spec.resume_from:
        say.say(f"{asked[LIKE]} has no checkpoint to go on from: this would start anew")
    if asked[INSTANCE]:
        spec = replace(spec, instance_type=asked[INSTANCE])
    if asked[PLATFORM] in Platform._value2member_map_:
        spec = replace(spec, platform=Platform(asked[PLATFORM]))
        spec = replace(spec, instance_type=counterpart(spec.instance_type, spec.platform))
    if asked[CAPACITY] in Capacity._value2member_map_:
        spec = replace(spec, capacity=Capacity(asked[CAPACITY]))
    if asked[COUNT].isdecimal() and int(asked[COUNT]):
        spec = replace(spec, instance_count=int(asked[COUNT]))
    if asked[VOLUME].isdecimal():
        spec = replace(spec, volume_gb=int(asked[VOLUME]))
    train_form.take_over(spec, datasets)
