"""SageMaker's models, endpoint configurations and endpoints as far as serving needs them, over real HTTP."""

from typing import Any

from tests.core.conftest import FakeAws, Reply, refusal

ARN = "arn:aws:sagemaker:us-east-1:123456789012"
MADE = [{"Key": "kennel:made-by", "Value": "kennel"}]


class Serving:
    """Three tables by name; names are unique, what is missing is said as SageMaker says it."""

    def __init__(self, fake: FakeAws) -> None:
        self.models: dict[str, dict[str, Any]] = {}
        self.configs: dict[str, dict[str, Any]] = {}
        self.endpoints: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, list[dict[str, str]]] = {}
        for kind, table, name in (
            ("Model", self.models, "ModelName"),
            ("EndpointConfig", self.configs, "EndpointConfigName"),
            ("Endpoint", self.endpoints, "EndpointName"),
        ):
            fake.on(f"Create{kind}", self._create(kind, table, name))
            fake.on(f"Describe{kind}", self._describe(table, name))
            fake.on(f"Delete{kind}", self._delete(table, name))
            fake.on(f"List{kind}s", lambda _, kind=kind, table=table: {f"{kind}s": list(table.values())})
        for operation in ("GetSchedule", "DeleteSchedule"):
            fake.on(operation, lambda _: refusal("ResourceNotFoundException", "Schedule does not exist.", 404))
        # nothing hangs on an endpoint: no auto scaling, no Lambda function, no alarm
        fake.on("DescribeScalableTargets", {"ScalableTargets": []})
        fake.on("S3 GET", {"Functions": []})
        fake.on("DescribeAlarms", {"MetricAlarms": []})
        fake.on("ListTags", lambda asked: {"Tags": self.tags.get(asked["ResourceArn"], [])})

    def _create(self, kind: str, table: dict[str, dict[str, Any]], name: str) -> Any:
        def create(asked: dict[str, Any]) -> Any:
            if asked[name] in table:
                return refusal("ValidationException", f"Cannot create already existing {kind.lower()} {asked[name]}.")
            arn = f"{ARN}:{kind.lower()}/{asked[name]}"
            self.tags[arn] = asked.get("Tags", [])
            table[asked[name]] = asked | {f"{kind}Arn": arn, "CreationTime": 1_763_715_600 + len(table)}
            if kind == "Endpoint":
                table[asked[name]] |= {"EndpointStatus": "Creating", "LastModifiedTime": 1_763_715_600}
            return {f"{kind}Arn": arn}

        return create

    def _describe(self, table: dict[str, dict[str, Any]], name: str) -> Any:
        return lambda asked: table.get(asked[name]) or self._missing(asked[name])

    def _delete(self, table: dict[str, dict[str, Any]], name: str) -> Any:
        return lambda asked: {} if table.pop(asked[name], None) else self._missing(asked[name])

    def _missing(self, name: str) -> Reply:
        return refusal("ValidationException", f'Could not find "{ARN}/{name}".')

    def add(
        self,
        name: str,
        *,
        model: str = "",
        config: str = "",
        status: str = "InService",
        made: bool = True,
        count: int = 1,
    ) -> None:
        """An endpoint that is there already, with its configuration and model."""
        model, config = model or f"{name}-model", config or f"{name}-config"
        tags = MADE if made else []
        variant = {"VariantName": "main", "ModelName": model, "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        for table, key, field, more in (
            (self.models, model, "Model", {}),
            (self.configs, config, "EndpointConfig", {"ProductionVariants": [variant]}),
        ):
            arn = f"{ARN}:{field.lower()}/{key}"
            table.setdefault(key, {f"{field}Name": key, f"{field}Arn": arn, "CreationTime": 1} | more)
            self.tags.setdefault(arn, tags)
        self.endpoints[name] = {
            "EndpointName": name,
            "EndpointArn": f"{ARN}:endpoint/{name}",
            "EndpointConfigName": config,
            "EndpointStatus": status,
            "ProductionVariants": [{"VariantName": "main", "CurrentInstanceCount": count}],
            "CreationTime": 1_763_715_600,
            "LastModifiedTime": 1_763_715_600,
        }
        self.tags[f"{ARN}:endpoint/{name}"] = tags
