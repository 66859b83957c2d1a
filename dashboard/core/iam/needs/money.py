"""Budgets, Cost Explorer and the price list. A budget has two actions, to look and to change, for all operations."""

from dashboard.core.iam.needs.request import Needs

_LOOKS = """
    DescribeBudget DescribeNotificationsForBudget DescribeSubscribersForNotification
    DescribeBudgetPerformanceHistory
"""
_LOOKS_AT_ALL = "DescribeBudgets DescribeBudgetNotificationsForAccount"
_CHANGES = """
    DeleteBudget CreateNotification UpdateNotification DeleteNotification CreateSubscriber UpdateSubscriber
    DeleteSubscriber
"""

BUDGETS = Needs(
    prefix="budgets",
    base="arn:{partition}:budgets::{account}:",
    resources={
        "budget/*": _LOOKS_AT_ALL,
        "budget/{BudgetName}": f"{_LOOKS} {_CHANGES}",
        "budget/{Budget.BudgetName}": "CreateBudget",
        "budget/{NewBudget.BudgetName}": "UpdateBudget",
        "budget/{ResourceARN}": "ListTagsForResource TagResource UntagResource",
    },
    actions={
        **dict.fromkeys(f"{_LOOKS} {_LOOKS_AT_ALL}".split(), "ViewBudget"),
        **dict.fromkeys(f"CreateBudget UpdateBudget {_CHANGES}".split(), "ModifyBudget"),
    },
    tags="ResourceTags",
    tagging="TagResource",
)

COST_EXPLORER = Needs(
    prefix="ce",
    base="arn:{partition}:billing::{account}:",
    resources={
        "?billingview/{BillingViewArn}": """
            GetCostAndUsage GetCostAndUsageWithResources GetCostCategories GetCostForecast GetDimensionValues GetTags
            GetUsageForecast
        """,
        "*": "ListCostAllocationTags UpdateCostAllocationTagsStatus",
    },
)

PRICING = Needs(
    prefix="pricing",
    base="",
    resources={"*": "DescribeServices GetAttributeValues GetProducts ListPriceLists GetPriceListFileUrl"},
)
