"""A planned launch as boto3 code."""

from collections.abc import Sequence

from botocore import xform_name

from dashboard.core.aws import Account
from dashboard.core.runs import as_code_package as package
from dashboard.core.runs.requests import Call
from dashboard.core.runs.requests_ec2 import RUNS
from dashboard.core.runs.security_group import group_request, ingress
from dashboard.core.runs.spec import TrainingSpec
from dashboard.core.showcode import connection, literal


def boto3_text(spec: TrainingSpec, name: str, calls: Sequence[Call], account: Account) -> str:
    """Python that sends the plan's calls, `name` being the run's."""
    if spec.is_on_ec2:
        return _ec2(spec, name, calls, account)
    call = calls[-1]
    return "\n".join(
        [
            connection(account, "s3", "sagemaker"),
            package.in_python(account),
            f"request = {literal(dict(call.parameters))}\n",
            f"answer = sagemaker.{xform_name(call.operation)}(**request)",
            'print(next(value for name, value in answer.items() if name.endswith("Arn")))\n',
        ]
    )


def _ec2(spec: TrainingSpec, name: str, calls: Sequence[Call], account: Account) -> str:
    """As `launch_ec2` does it: the run's document first, which makes the name its own, then the instance."""
    document, index, run = (dict(call.parameters) for call in calls)
    script = run.pop("UserData")
    parts = [
        connection(account, "s3", "ec2"),
        package.in_python(account),
        f"run = {literal(document['Body'])}\n",
        f'bucket, folder = "{account.bucket}", "{RUNS}{name}/"',
        's3.put_object(Bucket=bucket, Key=folder + "request.json", Body=json.dumps(run), IfNoneMatch="*")',
        f's3.put_object(Bucket=bucket, Key="{index["Key"]}", Body=b"")\n',
    ]
    if "SecurityGroupIds" not in run:
        parts.append(_group(spec))
        run["SecurityGroupIds"] = ["…"]
    request = literal(run).replace('["…"]', "[group]")
    parts += [
        f"user_data = {_script(script)}\n",
        f"request = {request}",
        'instance = ec2.run_instances(UserData=user_data, **request)["Instances"][0]\n',
        'launched = {"instance_id": instance["InstanceId"], "launched": instance["LaunchTime"].isoformat()}',
        's3.put_object(Bucket=bucket, Key=folder + "instance.json", Body=json.dumps(launched))',
        'print(instance["InstanceId"])\n',
    ]
    text = "\n".join(parts)
    return text if text.startswith("import json") else f"import json\n\n{text}"


def _group(spec: TrainingSpec) -> str:
    """Find or make the security group, and open it when SSH was asked for."""
    network = (
        f'ec2.describe_subnets(SubnetIds=["{spec.subnets[0]}"])["Subnets"][0]["VpcId"]'
        if spec.subnets
        else 'ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"]'
    )
    asked = group_request(spec, "…")
    made = literal(asked, 4).replace('"…"', "network")
    lines = [
        f"network = {network}",
        f'named = [{{"Name": "group-name", "Values": ["{asked["GroupName"]}"]}}, '
        '{"Name": "vpc-id", "Values": [network]}]',
        'found = ec2.describe_security_groups(Filters=named)["SecurityGroups"]',
        "if found:",
        '    group = found[0]["GroupId"]',
        "else:",
        f'    group = ec2.create_security_group(**{made})["GroupId"]',
    ]
    if spec.ssh_address:
        lines.append(
            f"    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions={literal(ingress(spec), 4)})"
        )
    return "\n".join(lines) + "\n"


def _script(script: str) -> str:
    """A script as a raw string that reads as it is, or escaped where it cannot."""
    return f"r'''{script}'''" if "'''" not in script and not script.endswith(("'", "\\")) else literal(script)
