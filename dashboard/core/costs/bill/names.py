"""What AWS calls things on a bill, and what asking for the bill costs. For those who read one and who write one."""

from decimal import Decimal
from enum import StrEnum

REQUEST_PRICE = Decimal("0.01")
"""USD for each request, each page of an answer counted (AWS's Cost Explorer pricing page)."""


class BilledService(StrEnum):
    """The dimension SERVICE as Cost Explorer writes it, for what Kennel makes."""

    SAGEMAKER = "Amazon SageMaker"
    EC2 = "Amazon Elastic Compute Cloud - Compute"
    EC2_OTHER = "EC2 - Other"  # volumes among others
    VPC = "Amazon Virtual Private Cloud"  # public addresses
    LAMBDA = "AWS Lambda"
    S3 = "Amazon Simple Storage Service"
    COST_EXPLORER = "AWS Cost Explorer"
