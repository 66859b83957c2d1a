"""Every page under every fault: of everything it asks at once, and of single things it asks.

The page stays up, says what is missing, keeps the rest usable and what was typed; once the fault is over, all is back.
All operations of all pages, each in its turn, take minutes: FAULTS=all tries them.
"""

import os
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.ui import data_page, security, settings
from dashboard.ui.page import Place
from tests.faults.conftest import Open, forget
from tests.faults.seam import Fault, Hits, Seam, every
from tests.faults.views import VIEWS, View
from tests.faults.world import DONE
from tests.views.conftest import text

READERS, READING = ("glance", "runs", "curves", "costs"), 5.0
"""The threads that read for a page while it is shown, and the seconds that each is waited for at most."""
LOOKS = 3
"""How often a page is looked at, at most, until all that is read while it is shown has been read."""
SINGLE = None if os.environ.get("FAULTS") == "all" else 2
"""How many operations of one view fail alone, of those that no view before has tried; None: all of them."""
QUIET = {
    ("sts", "GetCallerIdentity"): "the badge then names the account alone",
    ("logs", "DescribeLogStreams"): "the curve in a table's cell; the run's own page says why its log is missing",
    ("s3", "GetObjectTagging"): "a badge beside a sample",
    ("sagemaker", "ListTags"): "without the right to read marks a thing is shown without them",
    ("lambda", "ListTags"): "the same",
}
"""What is asked for something that nobody misses, and why."""
OF_A_BUCKET = ("GetBucketAcl", "GetBucketEncryption", "GetBucketLocation", "GetBucketPolicy", "GetBucketPolicyStatus",
               "GetBucketVersioning", "GetPublicAccessBlock", "ListBuckets", "ListObjectsV2")  # fmt: skip
QUIET_AT = {
    f"data {data_page.Part.SETS}": OF_A_BUCKET,  # a figure; what is not known is said beside the buckets
    f"data {data_page.Part.CORRECTIONS}": OF_A_BUCKET,
    f"settings {settings.Part.SETUP}": (  # its row says: not known, and why
        *OF_A_BUCKET,
        "DescribeLogGroups",
        "GetAccountAuthorizationDetails",
        "GetInstanceProfile",
    ),
    "choices": ("DescribeSpotPriceHistory",),  # each option's row says why it has no price
    f"receipt run:{DONE}": ("ListSchedules",),  # of what deletes itself later: nothing that was paid for
}
"""The same where a page asks it for something small."""
OWN = {"activity", "settings Account", f"security {security.Part.FILE}", f"security {security.Part.OWN}"}
"""What stands on Kennel's own records and code, or on what a person gives, whatever AWS says."""
SUBJECT = {
    Place.OVERVIEW: {"ListEndpoints", "DescribeEndpoint", "DescribeEndpointConfig"},
    Place.TRAIN: {"ListObjectsV2"},
    Place.RUN: {"DescribeTrainingJob", "GetObject", "DescribeHyperParameterTuningJob",
                "ListTrainingJobsForHyperParameterTuningJob"},
    Place.MODELS: {"ListModelPackageGroups", "ListModelPackages", "DescribeModelPackage"},
    Place.ENDPOINTS: {"ListEndpoints", "DescribeEndpoint", "DescribeEndpointConfig"},
    Place.ENDPOINT: {"DescribeEndpoint", "DescribeEndpointConfig"},
    Place.SCALING: {"DescribeEndpoint", "DescribeEndpointConfig"},
    Place.FUNCTIONS: {"ListFunctions", "GetFunction"},
    Place.FUNCTION: {"GetFunction"},
    Place.CLASSIFY: {"ListEndpoints", "DescribeEndpoint", "DescribeEndpointConfig"},
    Place.ROLE: {"GetAccountAuthorizationDetails"},
    Place.DATA: {"ListObjectsV2"},
    Place.NOTEBOOKS: {"ListNotebookInstances", "DescribeNotebookInstance"},
    Place.RECEIPT: {"Search"},
}  # fmt: skip
"""What a page is about: without it there is a card in the page's place."""
MARKS = "ListTags"
"""Marks that fail for another reason than a missing right are waited for: they tell which money is simulated."""
WIDGETS = ("button", "selectbox", "text_input", "number_input", "toggle", "button_group", "dataframe", "multiselect",
           "checkbox")  # fmt: skip
ALONE = (Fault.THROTTLED, Fault.DENIED, Fault.FAILED, Fault.TIMED_OUT, Fault.MALFORMED)
"""What happens to one operation while others work."""


TRIED_BY: dict[Place | None, set[tuple[str, str]]] = {}


@dataclass(frozen=True)
class Case:
    fault: Fault
    hits: Hits
    name: str
    is_single: bool


def cases(view: View, asked: list[tuple[str, str]]) -> Iterator[Case]:
    """Every fault of everything, and one fault of an operation alone, taken in turn.

    The parts of one page have their head in common: what one of them has tried, the next leaves out.
    """
    is_first = view is next(one for one in VIEWS if one.place is view.place)
    number = VIEWS.index(view)
    for fault in Fault if is_first else (ALONE[number % len(ALONE)],):
        yield Case(fault, every, f"{fault} of everything", False)
    done = TRIED_BY.setdefault(view.place if SINGLE is None else None, set())
    fresh = [one for one in asked if one not in done and (SINGLE is None or one not in QUIET)]
    for one in fresh[:SINGLE]:
        fault = ALONE[(number + len(done)) % len(ALONE)]
        done.add(one)
        yield Case(fault, lambda service, operation, one=one: (service, operation) == one, f"{fault} of {one}", True)


def widgets(page: AppTest) -> set[tuple[str, str]]:
    """What can be used; a form that is filled anew has fields of new numbers."""
    found = ((kind, one.key) for kind in WIDGETS for one in page.get(kind) if getattr(one, "key", None))
    return {(kind, re.sub(r"-\d+$", "", key)) for kind, key in found}


def wrong(page: AppTest, said: str) -> list[str]:
    """What no page ever shows."""
    found = [f"stack trace: {one.value}" for one in page.exception]
    if "a fault in kennel" in said or "could not be drawn" in said:
        found.append("a fault in Kennel")
    if (titles := said.count('class="kn-title"')) != 1:
        found.append(f"{titles} titles")
    return found


def look(page: AppTest) -> str:
    """The page in small letters, once what it reads while it is shown has been read."""
    for _ in range(LOOKS):
        page.run()
        reading = [one for one in threading.enumerate() if one.name.startswith(READERS)]
        for thread in reading:
            thread.join(READING)
        if not reading:
            break
    return text(page).lower()


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
def test_a_page_under_every_fault(view: View, visit: Open, seam: Seam, record_property) -> None:
    page = visit(view.place, **dict(view.query))
    forget()
    seam.forget()
    said = look(page)
    asked, healthy, problems, tried = sorted(set(seam.calls)), widgets(page), wrong(page, said), 0
    if view.typed:
        page.text_input(key=view.typed[0]).set_value(view.typed[1]).run()
    for case in cases(view, asked):
        forget()
        tried += 1
        with seam.failing(case.fault, case.hits):
            said = look(page)
        problems += [f"{case.name}: {one}" for one in missed(page, view, case, said, seam.met)]
    forget()
    said = look(page)
    problems += [f"afterwards: still {fault}" for fault in Fault if fault.is_told(said)]
    problems += [f"afterwards: {one}" for one in wrong(page, said)]
    if lost := healthy - widgets(page):
        problems.append(f"never came back: {sorted(lost)}")
    if view.typed and page.text_input(key=view.typed[0]).value != view.typed[1]:
        problems.append(f"what was typed is gone: {view.typed}")
    record_property("faults: pages", 1)
    record_property("faults: pages × faults", tried)
    if problems:
        pytest.fail("\n".join(problems), pytrace=False)


def missed(page: AppTest, view: View, case: Case, said: str, met: list[tuple[str, str]]) -> list[str]:
    """What the page does not do under this fault."""
    found = wrong(page, said)
    small = QUIET_AT.get(view.name, ()) if case.is_single else ()
    is_missed = view.name not in OWN and any(one not in QUIET and one[1] not in small for one in met)
    if is_missed and case.fault.fails and not case.fault.is_told(said):
        found.append("silent")
    is_about = {operation for _, operation in met} <= SUBJECT.get(view.place, set()) | {MARKS}
    if case.is_single and "cannot be shown right now" in said and not is_about:
        found.append("whole page gone")
    return found
