"""All that a person can do from the pages, in an order in which one makes what a later one needs."""

from tests.faults import deeds_account, deeds_data, deeds_functions, deeds_runs, deeds_serving
from tests.faults.deed import Deed

DEEDS: list[Deed] = [
    *deeds_runs.DEEDS,
    *deeds_functions.DEEDS,
    *deeds_account.DEEDS,
    *deeds_serving.DEEDS,
    *deeds_data.DEEDS,
]
OF_A_ROLE = "tests/core/iam/replace lets each step of it fail, and loses its answer"
NOT_IN_AWS = "it changes what this machine or this tab remembers, and nothing in an account"
SAME_WORK = "the same work as what is sent from this machine, with files that a browser brings"
ELSEWHERE = {
    "role_deed._draw": OF_A_ROLE,
    "role_prove._draw": OF_A_ROLE,
    "role_retire._draw_back": OF_A_ROLE,
    "role_steps._watch": NOT_IN_AWS,
    "account_chooser._draw_allowing": NOT_IN_AWS,
    "account_chooser._forbid": NOT_IN_AWS,
    "security_accept._draw": NOT_IN_AWS,
    "security_accept._draw_back": NOT_IN_AWS,
    "measure._draw": "a load test, which is about what fails: tests/core/serving/measure",
    "measure._watch": NOT_IN_AWS,
    "data_add._folder": SAME_WORK,
    "data_add._zip": SAME_WORK,
    "data_work._button": "goes on with the work of other deeds, which press it after every fault",
    "data_unfinished._draw_dismissal": "keeps or deletes as two other deeds do",
    "data_dialogs._draw_report": "reads every photo once, for a process of its own: tests/core/data/test_doing.py",
    "models_import._form": "sends one archive in the background: tests/test_model_imports.py",
}
"""Deeds that meet their faults in other tests, or none."""
