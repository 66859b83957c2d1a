"""From what was found around a launch to sentences that a person can act on. Pure."""

import json
from collections.abc import Iterator

from dashboard.core.aws import Account
from dashboard.core.format import rate
from dashboard.core.runs.checks import Check, CheckState
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.runs.surroundings import Permission, Quota, Surroundings

SERVICE = {False: "sagemaker.amazonaws.com", True: "ec2.amazonaws.com"}
"""Who acts as the role, by whether the training is on EC2."""


def checks_of(spec: TrainingSpec, account: Account, around: Surroundings) -> tuple[Check, ...]:
    """Every check, in the order in which a launch would meet them."""
    return tuple(_checks(spec, account, around))


def _checks(spec: TrainingSpec, account: Account, around: Surroundings) -> Iterator[Check]:
    if not account.writable:
        yield Check(
            "Connection",
            CheckState.STOP,
            f"This tab only reads the account {account.name}.",
            "Settings, under Account, allows changes.",
        )
    yield from _places(spec, account, around)
    yield _role(spec, account, around)
    if spec.kms_key and account.is_embedded:
        yield Check(
            "Encryption",
            CheckState.STOP,
            f"The embedded AWS has no KMS, and so no key {spec.kms_key}.",
            "Leave the KMS key empty here; on AWS it encrypts volume and model.",
        )
    yield from _chosen(spec, account, around)
    yield from _way_out(spec, around)
    if spec.is_on_ec2:
        yield from _machine(spec, around)
    if spec.is_spot:
        yield _spot(spec, around)
    for quota in around.quotas:
        yield _quota(spec, quota)
    yield from _permissions(around.permissions)


def _places(spec: TrainingSpec, account: Account, around: Surroundings) -> Iterator[Check]:
    if around.data.value is False:
        yield Check("Data", CheckState.STOP, f"There is nothing at {spec.dataset_uri}.", "Choose other data.")
    elif around.data.value is None and around.data.why:
        yield Check("Data", CheckState.UNKNOWN, f"Not checked: {around.data.why}.", "", around.data.statement)
    seen = {"bucket": (account.bucket, around.bucket_region), "data": (spec.dataset_uri[5:].split("/")[0],
                                                                        around.data_region)}  # fmt: skip
    wrong = False
    for what, (bucket, region) in seen.items():
        if region.value == "":
            wrong = True
            yield Check(
                "Bucket",
                CheckState.STOP,
                f"There is no bucket {bucket}.",
                f"Create it in {account.region}, or choose other data."
                if what == "data"
                else "Settings makes it, closed and encrypted, under Set up.",
                is_set_up=what == "bucket",
            )
        elif region.value and region.value != account.region:
            wrong = True
            yield Check(
                "Bucket",
                CheckState.STOP,
                f"The bucket {bucket} is in {region.value}, the training would be in {account.region}.",
                f"Copy the data to a bucket in {account.region}, or connect to {region.value}.",
            )
        elif region.value is None and region.why:
            wrong = True
            yield Check("Bucket", CheckState.UNKNOWN, f"{bucket} was not checked: {region.why}.", "", region.statement)
    if not wrong and around.bucket_region.value:
        yield Check("Bucket", CheckState.OK, f"Data and results are in {account.region}, like the training.")


def _role(spec: TrainingSpec, account: Account, around: Surroundings) -> Check:
    service, role = SERVICE[spec.is_on_ec2], around.role.value
    if role is None:
        why = around.role.why or "it was not looked at"
        return Check("Role", CheckState.UNKNOWN, f"Not checked: {why}.", "", around.role.statement)
    trust = json.dumps({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"})
    if role.missing:
        return Check(
            "Role",
            CheckState.STOP,
            f"The {role.missing} {role.name} is not in account {account.account_id}.",
            f"Settings makes it, under Set up. By hand it needs this trust: {trust}.",
            is_set_up=True,
        )
    if not role.trusts:
        return Check(
            "Role",
            CheckState.STOP,
            f"The role {role.name} does not let {service} act as it.",
            f"Add this statement to its trust policy: {trust}.",
        )
    return Check("Role", CheckState.OK, f"{role.name} is there, and {service} may act as it.")


def _chosen(spec: TrainingSpec, account: Account, around: Surroundings) -> Iterator[Check]:
    """What was chosen or typed must be in the account, and a network's parts must belong together."""
    networks = set()
    for called, asked, seen in (
        ("subnet", spec.subnets, around.subnets),
        ("security group", spec.security_groups, around.security_groups),
        ("key pair", (spec.key_name,) if spec.key_name else (), around.key_pairs),
    ):
        if asked and seen.value is None and seen.why:
            said = f"The {called} {', '.join(asked)} was not checked: {seen.why}."
            yield Check("Network", CheckState.UNKNOWN, said, "", seen.statement)
        if seen.value is None:
            continue
        there = {one.id: one.network for one in seen.value}
        for missing in (one for one in asked if one not in there):
            yield Check(
                "Network",
                CheckState.STOP,
                f"There is no {called} {missing} in account {account.account_id}, {account.region}.",
                "Choose one from the list, or leave it out.",
            )
        networks |= {there[one] for one in asked if there.get(one)}
    if len(networks) > 1:
        yield Check(
            "Network",
            CheckState.STOP,
            f"The subnets and security groups that were chosen lie in {len(networks)} networks: "
            f"{', '.join(sorted(networks))}.",
            "Choose all of them from one network.",
        )


def _way_out(spec: TrainingSpec, around: Surroundings) -> Iterator[Check]:
    """A chosen network: AWS's services have public addresses, and not every network reaches them."""
    private = [one.id for one in around.subnets.value or () if one.id in spec.subnets and not one.is_public]
    if spec.subnets and (private or not spec.is_on_ec2):
        who = f"Instances in {', '.join(private)}" if spec.is_on_ec2 else "SageMaker's instances in a network of yours"
        yield Check(
            "Network",
            CheckState.WARN,
            f"{who} get no public address: they reach S3 and the log only by endpoints or a NAT gateway there.",
            "See that the network has one, or leave the subnets out.",
        )


def _machine(spec: TrainingSpec, around: Surroundings) -> Iterator[Check]:
    image = around.image
    if image.value:
        yield Check("Image", CheckState.OK, f"{image.value.name or 'Deep Learning AMI'} ({image.value.id}).")
    else:
        sentence = f"No Deep Learning AMI was found: {image.why or 'it was not looked for'}."
        state = CheckState.STOP if image.why and not image.statement else CheckState.UNKNOWN
        yield Check("Image", state, sentence, "Choose another region.", image.statement)
    if spec.ssh_address:
        yield Check(
            "Network",
            CheckState.WARN,
            f"Port 22 is opened to {spec.ssh_address} alone, for the key pair {spec.key_name}.",
            "Session Manager opens a shell without any open port.",
        )
    elif spec.security_groups:
        yield Check("Network", CheckState.OK, "The security groups that were chosen decide which ports are open.")
    else:
        yield Check("Network", CheckState.OK, "No port is open to the instance; metadata only with a token (IMDSv2).")


def _spot(spec: TrainingSpec, around: Surroundings) -> Check:
    price = around.spot_price(spec.instance_type)
    if price:
        said = f"{spec.instance_type} costs {rate(price.amount)} in {price.zone} now; EC2 may take it back at any time."
        return Check("Spot", CheckState.OK, said, "Its checkpoints stay in S3: a run that ends so can be resumed.")
    if spec.is_on_ec2:
        why = around.spot_prices.why or "EC2 names none for this type"
        return Check(
            "Spot", CheckState.UNKNOWN, f"The spot price is not known: {why}.", "", around.spot_prices.statement
        )
    said = "SageMaker names its spot price only afterwards, as the seconds that it bills; it waits for capacity itself."
    return Check("Spot", CheckState.OK, said, "Checkpoints go to S3 while it trains, and a restart goes on from them.")


def _quota(spec: TrainingSpec, quota: Quota) -> Check:
    title = "Quota"
    if not quota.needed and quota.limit is not None:
        state = CheckState.OK if quota.limit else CheckState.WARN
        return Check(title, state, f"“{quota.name}” is {quota.limit:g}: what serves the model is counted apart.")
    if quota.limit is None:
        return Check(title, CheckState.UNKNOWN, f"“{quota.name}” was not checked: {quota.why or 'no such quota'}.")
    used = "an unknown number" if quota.used is None else f"{quota.used:g}"
    said = f"“{quota.name}” is {quota.limit:g} {quota.unit}; {used} in use, this needs {quota.needed:g}."
    if quota.needed > quota.limit:
        return Check(
            title, CheckState.STOP, said, "Ask for more in Service Quotas, or choose another type or fewer instances."
        )
    if quota.is_reached:
        return Check(
            title,
            CheckState.STOP,
            said,
            "Wait until something ends, stop something, or ask for more in Service Quotas.",
        )
    return Check(title, CheckState.OK if quota.used is not None else CheckState.WARN, said)


def _permissions(found: tuple[Permission, ...]) -> Iterator[Check]:
    if not found:
        return
    unknown = [one for one in found if one.allowed is None]
    for one in found:
        if one.allowed is False:
            statement = {"Effect": "Allow", "Action": one.action, "Resource": one.resource}
            if one.context:
                operator = "StringLike" if any("*" in value for value in one.context.values()) else "StringEquals"
                statement["Condition"] = {operator: dict(one.context)}  # type: ignore[assignment]
            yield Check(
                "Permission",
                CheckState.STOP,
                f"{one.who} may not {one.action} on {one.resource}.",
                f"Ask for this statement: {json.dumps(statement)}.",
                statement,
            )
    if unknown:
        whose = " and of ".join(dict.fromkeys(one.who for one in unknown))
        yield Check("Permission", CheckState.UNKNOWN, f"The permissions of {whose} were not checked: {unknown[0].why}.")
    allowed = [one for one in found if one.allowed]
    if allowed and len(allowed) == len(found):
        said = f"Everything this launch needs is allowed ({len(allowed)} actions looked at)."
        yield Check("Permission", CheckState.OK, said)
