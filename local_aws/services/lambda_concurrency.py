"""Reserved and provisioned concurrency, and what the account has of both."""

from local_aws.engine.lambda_pool import Pool, Ready
from local_aws.errors import ServiceError
from local_aws.protocol import Caller
from local_aws.quotas import CONCURRENCY, LAMBDA
from local_aws.services import lambda_limits, lambda_provisioned
from local_aws.services.lambda_base import LambdaBase, Params
from local_aws.services.lambda_limits import Account
from local_aws.services.lambda_names import Named, invalid, named, of
from local_aws.services.lambda_record import Document, by_qualifier

TOTAL_CODE = 80_530_636_800
UNZIPPED = 262_144_000
ZIPPED = 52_428_800


class ConcurrencyOperations(LambdaBase):
    """pool: the environments, which knows what of the provisioned is ready."""

    pool: Pool

    def account(self, region: str) -> Account:
        limit = self._quotas.value(LAMBDA, CONCURRENCY, region)
        return lambda_limits.account(limit, self.functions.of_region(region))

    def get_account_settings(self, params: Params, caller: Caller) -> Params:
        found, documents = self.account(caller.region), self.functions.of_region(caller.region)
        sizes = {
            one["CodeSha256"]: one["CodeSize"]
            for document in documents
            for one in (document["Latest"], *document["Versions"].values())
        }
        return {
            "AccountLimit": {
                "TotalCodeSize": TOTAL_CODE,
                "CodeSizeUnzipped": UNZIPPED,
                "CodeSizeZipped": ZIPPED,
                "ConcurrentExecutions": found.limit,
                "UnreservedConcurrentExecutions": found.unreserved,
            },
            "AccountUsage": {"TotalCodeSize": sum(sizes.values()), "FunctionCount": len(documents)},
        }

    def put_function_concurrency(self, params: Params, caller: Caller) -> Params:
        which, wanted = self._whole(params, caller), params["ReservedConcurrentExecutions"]
        with self.functions.holding():
            document = self.functions.find(which)
            kept = lambda_limits.provisioned(document)
            if wanted < kept:
                raise invalid(
                    f"Requested ReservedConcurrentExecutions ({wanted}) should not be lower than the function's "
                    f"provisioned concurrency ({kept})."
                )
            self.account(caller.region).check(which.key, wanted, "ReservedConcurrentExecutions")
            self.functions.change(which, lambda one: {**one, "Reserved": wanted})
        return {"ReservedConcurrentExecutions": wanted}

    def get_function_concurrency(self, params: Params, caller: Caller) -> Params:
        reserved = self.functions.find(self._whole(params, caller))["Reserved"]
        return {} if reserved is None else {"ReservedConcurrentExecutions": reserved}

    def delete_function_concurrency(self, params: Params, caller: Caller) -> Params:
        self.functions.change(self._whole(params, caller), lambda one: {**one, "Reserved": None})
        return {}

    # provisioned

    def put_provisioned_concurrency_config(self, params: Params, caller: Caller) -> Params:
        which, wanted = of(params, caller), params["ProvisionedConcurrentExecutions"]
        if wanted < 1:
            raise invalid("ProvisionedConcurrentExecutions must be at least 1. To have none, delete the configuration.")
        with self.functions.holding():
            document = self.functions.find(which)
            lambda_provisioned.check_settable(document, which)
            others = lambda_limits.provisioned(document, but=which.qualifier)
            if document["Reserved"] is not None:
                if others + wanted > document["Reserved"]:
                    raise invalid(
                        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution "
                        "for function"
                    )
            else:
                self.account(caller.region).check(which.key, others + wanted, "ConcurrentExecutions")
            self._check_machine(which, wanted)
            made = {"Count": wanted, "LastModified": self._stamp()}
            self.functions.change(
                which, lambda one: {**one, "Provisioned": {**one["Provisioned"], which.qualifier: made}}
            )
        return self._told(which)

    def get_provisioned_concurrency_config(self, params: Params, caller: Caller) -> Params:
        return self._told(of(params, caller))

    def list_provisioned_concurrency_configs(self, params: Params, caller: Caller) -> Params:
        which = named(params["FunctionName"], caller)
        kept = self.functions.find(which)["Provisioned"]
        shown, marker = by_qualifier(
            kept, which, lambda one: {"FunctionArn": one.qualified_arn, **self._told(one)}, params
        )
        return {"ProvisionedConcurrencyConfigs": shown, "NextMarker": marker}

    def delete_provisioned_concurrency_config(self, params: Params, caller: Caller) -> Params:
        which = of(params, caller)

        def change(document: Document) -> Document:
            lambda_provisioned.check_published(document, which)
            kept = {key: one for key, one in document["Provisioned"].items() if key != which.qualifier}
            return {**document, "Provisioned": kept}

        self.functions.change(which, change)
        return {}

    def _told(self, which: Named) -> Params:
        document = self.functions.find(which)
        found = document["Provisioned"].get(which.qualifier)
        if found is None:
            raise ServiceError(
                "ProvisionedConcurrencyConfigNotFoundException",
                f"No Provisioned Concurrency Config found for function: {which.qualified_arn}",
                404,
            )
        ready: Ready = self.pool.ready(which.key, which.qualifier)
        allocated = min(ready.count, found["Count"])
        told = {
            "RequestedProvisionedConcurrentExecutions": found["Count"],
            "AvailableProvisionedConcurrentExecutions": allocated,
            "AllocatedProvisionedConcurrentExecutions": allocated,
            "LastModified": found["LastModified"],
        }
        if allocated == found["Count"]:
            return {**told, "Status": "READY"}
        if ready.failure:
            return {**told, "Status": "FAILED", "StatusReason": ready.failure}
        return {**told, "Status": "IN_PROGRESS"}

    def _check_machine(self, which: Named, wanted: int) -> None:
        """Raises ServiceError when this machine cannot keep so many processes."""
        kept = sum(lambda_limits.provisioned(one) for one in self.functions.all())
        before = self.functions.find(which)["Provisioned"].get(which.qualifier, {"Count": 0})["Count"]
        if kept - before + wanted > self.pool.most:
            raise invalid(
                f"The embedded AWS keeps at most {self.pool.most} environments on this machine, of all functions "
                f"together; {kept - before} are provisioned beside these. Ask for fewer."
            )

    def _whole(self, params: Params, caller: Caller) -> Named:
        which = named(params["FunctionName"], caller)
        if which.qualifier:
            raise invalid(
                "This operation is permitted on Lambda functions only. Aliases and versions do not support it."
            )
        return which
