"""All that a person can do from the pages."""

from tests.faults import deeds_account, deeds_functions, deeds_runs, deeds_serving
from tests.faults.deed import Deed

DEEDS: list[Deed] = [*deeds_runs.DEEDS, *deeds_functions.DEEDS, *deeds_account.DEEDS, *deeds_serving.DEEDS]
ELSEWHERE: dict[str, str] = {}
