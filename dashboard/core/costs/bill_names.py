"""What AWS calls things on a bill, and what asking for the bill costs. For those who read one and who write one."""

from decimal import Decimal
from enum import StrEnum

from dashboard.core.costs.receipt import Service

REQUEST_PRICE = Decimal("0.01")
"""USD for each request, each page of an answer counted (AWS's Cost Explorer pricing page)."""
NO_TAG = ""
"""The value under which Cost Explorer puts what carries no such tag."""


class BilledService(StrEnum):
    """The dimension SERVICE as Cost Explorer writes it, for what Kennel makes."""

    SAGEMAKER = "Amazon SageMaker"
    EC2 = "Amazon Elastic Compute Cloud - Compute"
    EC2_OTHER = "EC2 - Other"  # volumes among others
    VPC = "Amazon Virtual Private Cloud"  # public addresses
    LAMBDA = "AWS Lambda"
    S3 = "Amazon Simple Storage Service"
    COST_EXPLORER = "AWS Cost Explorer"

    @property
    def listed(self) -> tuple[Service, ...]:
        """The services whose receipts stand against it."""
        return _LISTED[self]


_LISTED = {
    BilledService.SAGEMAKER: (Service.TRAINING, Service.ENDPOINTS, Service.NOTEBOOKS),
    BilledService.EC2: (Service.EC2,),
    BilledService.EC2_OTHER: (Service.EC2,),
    BilledService.VPC: (Service.EC2,),
    BilledService.LAMBDA: (Service.LAMBDA,),
    BilledService.S3: (Service.S3,),
    BilledService.COST_EXPLORER: (Service.COST_EXPLORER,),
}
