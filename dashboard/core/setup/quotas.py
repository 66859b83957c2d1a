"""The quotas of an account that are zero for what Kennel launches: nothing of that kind starts until they are raised.

New accounts have many: AWS raises them on request, in the console or by Service Quotas' own API.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from dashboard.core.aws import Account, Aws
from dashboard.core.costs.ledger.ledger import Unread
from dashboard.core.errors import CredentialsProblem, KennelError, NotFound, Unreachable
from dashboard.core.parallel import gather
from dashboard.core.runs.as_code_cli import connection
from dashboard.core.runs.instances import EC2_TRAINING, SERVING, TRAINING, family
from dashboard.core.runs.quota import EC2_CODES

SAGEMAKER, EC2, LAMBDA = "sagemaker", "ec2", "lambda"
SAID = {SAGEMAKER: "SageMaker's", EC2: "EC2's", LAMBDA: "Lambda's"}
NOTEBOOK = "ml.t3.medium"
CONCURRENCY = ("Concurrent executions", "L-B99A9384")
SMALL = 1
"""Of instances: what is asked for first."""
VCPUS = 8
"""Of EC2's quotas, which are in vCPUs: two of the middle size."""


@dataclass(frozen=True)
class Zero:
    """A quota that is zero. stops: what cannot be done then. wish: what to ask for."""

    service: str
    name: str
    code: str
    stops: str
    wish: int
    is_adjustable: bool = True

    def link(self, account: Account) -> str:
        """Where the console raises it."""
        host = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}.get(
            account.partition, "console.aws.amazon.com"
        )
        return (
            f"https://{account.region}.{host}/servicequotas/home/services/{quote(self.service)}/quotas/"
            f"{quote(self.code)}"
        )

    @property
    def command(self) -> str:
        """The same from a shell."""
        return (
            "aws service-quotas request-service-quota-increase \\\n"
            f"  --service-code {self.service} --quota-code {self.code} --desired-value {self.wish}"
        )


@dataclass(frozen=True)
class Quotas:
    """zero: by what they stop. looked: how many were. unread: what could not be read, and why."""

    zero: tuple[Zero, ...]
    looked: int
    unread: tuple[Unread, ...] = ()


def read(aws: Aws) -> Quotas:
    """Look at every quota that what Kennel launches counts against; what cannot be read is named.

    SageMaker's are some thousand in pages, which takes seconds on AWS. Raises Unreachable and CredentialsProblem.
    """
    looks = (_sagemaker, _ec2, _lambda)
    found = gather(lambda look: look(aws), looks)
    zero = [one for part in found for one in part.zero]
    return Quotas(
        tuple(sorted(zero, key=lambda one: (one.service, one.stops, one.name))),
        sum(part.looked for part in found),
        tuple(why for part in found for why in part.unread),
    )


def as_code(zero: Iterable[Zero], account: Account) -> str:
    """Ask AWS to raise all of them, from a shell."""
    return "\n".join([connection(account), *(f"{one.command}\n" for one in zero)])


def asked_of_sagemaker() -> dict[str, str]:
    """The names of SageMaker's quotas that count, each with what it stops."""
    found = {}
    for kind in TRAINING:
        found[f"{kind} for training job usage"] = f"training on {kind}"
        found[f"{kind} for spot training job usage"] = f"spot training on {kind}"
    for kind in SERVING:
        found[f"{kind} for endpoint usage"] = f"endpoints on {kind}"
    found[f"{NOTEBOOK} for notebook instance usage"] = f"notebooks on {NOTEBOOK}"
    return found


def zeros(service: str, told: Iterable[Mapping[str, object]], asked: Mapping[str, str], wish: int) -> tuple[Zero, ...]:
    """Of quotas as Service Quotas tells them, those that are asked for and zero. Pure."""
    return tuple(
        Zero(
            service,
            str(one["QuotaName"]),
            str(one["QuotaCode"]),
            asked[str(one["QuotaName"])],
            wish,
            bool(one.get("Adjustable", True)),
        )
        for one in told
        if one["QuotaName"] in asked and one["Value"] == 0
    )


def _sagemaker(aws: Aws) -> Quotas:
    asked = asked_of_sagemaker()
    try:
        pages = aws.pages("service-quotas", "ListServiceQuotas", ServiceCode=SAGEMAKER)
        told = [one for page in pages for one in page["Quotas"] if one["QuotaName"] in asked]
    except (Unreachable, CredentialsProblem):
        raise
    except KennelError as error:
        return Quotas((), 0, (Unread("SageMaker's quotas", error),))
    return Quotas(zeros(SAGEMAKER, told, asked, SMALL), len(told))


def _ec2(aws: Aws) -> Quotas:
    families = {family(kind) for kind in EC2_TRAINING}
    codes = {(name, code): spot for (of, spot), (name, code) in EC2_CODES.items() if of in families}
    asked = {name: f"EC2 trainings{' on spot' if spot else ''}" for (name, _), spot in codes.items()}
    return _each(aws, EC2, [code for _, code in codes], asked, VCPUS)


def _lambda(aws: Aws) -> Quotas:
    return _each(aws, LAMBDA, [CONCURRENCY[1]], {CONCURRENCY[0]: "Lambda functions"}, 1000)


def _each(aws: Aws, service: str, codes: Iterable[str], asked: Mapping[str, str], wish: int) -> Quotas:
    def one(code: str) -> Mapping[str, object] | KennelError | None:
        try:
            found: Mapping[str, object] = aws.call(
                "service-quotas", "GetServiceQuota", ServiceCode=service, QuotaCode=code
            )["Quota"]
        except (Unreachable, CredentialsProblem):
            raise
        except NotFound:
            return None  # the account has none of this kind in this region
        except KennelError as error:
            return error
        return found

    told = gather(one, codes)
    known = [each for each in told if isinstance(each, Mapping)]
    wrong = [each for each in told if isinstance(each, KennelError)][:1]
    unread = tuple(Unread(f"{SAID[service]} quotas", each) for each in wrong)
    return Quotas(zeros(service, known, asked, wish), len(known), unread)
