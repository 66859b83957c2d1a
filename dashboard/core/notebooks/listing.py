"""Read the notebook instances of an account: all of them, or one, with their tags and what they cost."""

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.costs import quote
from dashboard.core.costs.prices import Kind, PriceBook
from dashboard.core.errors import NotFound
from dashboard.core.notebooks.model import Notebook, notebook_of
from dashboard.core.parallel import gather


def notebooks(aws: Aws, prices: PriceBook) -> tuple[Notebook, ...]:
    """All of them, by name. Raises the errors of `Aws.call`."""
    names = [
        str(one["NotebookInstanceName"])
        for page in aws.pages("sagemaker", "ListNotebookInstances", MaxResults=100)
        for one in page["NotebookInstances"]
    ]

    def look(name: str) -> Notebook | None:
        try:
            return notebook(aws, prices, name)
        except NotFound:
            return None  # it was deleted meanwhile

    found = [one for one in gather(look, names) if one is not None]
    return tuple(sorted(found, key=lambda one: one.name))


def notebook(aws: Aws, prices: PriceBook, name: str) -> Notebook:
    """One of them as it is now. Raises NotFound and the errors of `Aws.call`."""
    told = aws.call("sagemaker", "DescribeNotebookInstance", NotebookInstanceName=name)
    cost = quote.hourly(prices, Kind.NOTEBOOK, told["InstanceType"], aws.account.region)
    return notebook_of(told, tags.of_run(aws, told["NotebookInstanceArn"]), cost)
