"""A planned launch as commands of the AWS CLI, for bash."""

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from botocore import xform_name

from dashboard.core.aws import Account
from dashboard.core.runs import as_code_package as package
from dashboard.core.runs.requests import Call
from dashboard.core.runs.requests_ec2 import RUNS
from dashboard.core.runs.security_group import group_name, group_request, ingress
from dashboard.core.runs.spec import TrainingSpec

_KEYS = {
    "AWS_ENDPOINT_URL": "endpoint_url",
    "AWS_DEFAULT_REGION": "region",
    "AWS_ACCESS_KEY_ID": "access_key_id",
    "AWS_SECRET_ACCESS_KEY": "secret_access_key",
}


def cli_text(spec: TrainingSpec, name: str, calls: Sequence[Call], account: Account) -> str:
    """A bash script that sends the plan's calls, `name` being the run's."""
    parts = ["#!/usr/bin/env bash\nset -euo pipefail\n", connection(account), package.in_shell(account)]
    if spec.is_on_ec2:
        parts += _ec2(spec, name, calls, account)
    else:
        call = calls[-1]
        command = xform_name(call.operation, "-")
        parts.append(f"aws {call.service} {command} --cli-input-json {_json(call.parameters)}")
    return "\n".join(parts)


def connection(account: Account) -> str:
    """The variables by which the CLI knows the account; no secret is in the text."""
    if not account.is_embedded:
        return f"export AWS_PROFILE={shlex.quote(account.name)} AWS_REGION={account.region}\n"
    reads = "; ".join(
        [
            f"import json, shlex; told = json.load(open({account.client_file!r}))",
            f"[print(f'export {{name}}={{shlex.quote(told[key])}}') for name, key in {_KEYS!r}.items()]",
        ]
    )
    return f'# The embedded AWS writes its address and keys to this file.\neval "$(python -c {shlex.quote(reads)})"\n'


def _ec2(spec: TrainingSpec, name: str, calls: Sequence[Call], account: Account) -> list[str]:
    document, index, run = (dict(call.parameters) for call in calls)
    put = f"aws s3api put-object --bucket {account.bucket}"
    parts = [
        f"cat > \"$folder/request.json\" <<'JSON'\n{json.dumps(document['Body'], indent=2)}\nJSON",
        f"{put} --key {RUNS}{name}/request.json --body \"$folder/request.json\" --if-none-match '*'",
        f"{put} --key {index['Key']}\n",
    ]
    script = run.pop("UserData")
    chosen = run.pop("SecurityGroupIds", None)
    parts.append(f"group={' '.join(chosen)}\n" if chosen and len(chosen) == 1 else "" if chosen else _group(spec))
    groups = " ".join(chosen) if chosen and len(chosen) > 1 else '"$group"'
    parts += [
        f"cat > \"$folder/user_data.sh\" <<'USER_DATA'\n{script.rstrip()}\nUSER_DATA",
        f"aws ec2 run-instances --cli-input-json {_json(run)} \\\n"
        f'  --user-data "file://$folder/user_data.sh" --security-group-ids {groups} > "$folder/launched.json"\n',
        "python - \"$folder\" <<'LAUNCHED'\n"
        "import json, pathlib, sys\n\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        'instance = json.loads((folder / "launched.json").read_text())["Instances"][0]\n'
        'launched = {"instance_id": instance["InstanceId"], "launched": instance["LaunchTime"]}\n'
        '(folder / "instance.json").write_text(json.dumps(launched))\n'
        "LAUNCHED",
        f'{put} --key {RUNS}{name}/instance.json --body "$folder/instance.json"',
        'cat "$folder/instance.json"\n',
    ]
    return [part for part in parts if part]


def _group(spec: TrainingSpec) -> str:
    """Find or make the security group, and open it when SSH was asked for."""
    network = (
        f"aws ec2 describe-subnets --subnet-ids {spec.subnets[0]} --query 'Subnets[0].VpcId' --output text"
        if spec.subnets
        else "aws ec2 describe-vpcs --filters Name=is-default,Values=true --query 'Vpcs[0].VpcId' --output text"
    )
    asked = {key: value for key, value in group_request(spec, "").items() if key != "VpcId"}
    found = (
        f"aws ec2 describe-security-groups --filters Name=group-name,Values={group_name(spec)} "
        "Name=vpc-id,Values=\"$network\" --query 'SecurityGroups[0].GroupId' --output text"
    )
    lines = [
        f"network=$({network})",
        f"group=$({found})",
        'if [ "$group" = None ]; then',
        f'  group=$(aws ec2 create-security-group --vpc-id "$network" --query GroupId --output text \\\n'
        f"    --cli-input-json {shlex.quote(json.dumps(asked))})",
    ]
    if spec.ssh_address:
        rule = shlex.quote(json.dumps(ingress(spec)))
        lines.append(f'  aws ec2 authorize-security-group-ingress --group-id "$group" --ip-permissions {rule}')
    return "\n".join([*lines, "fi\n"])


def _json(value: Mapping[str, Any]) -> str:
    """A JSON argument as a quoted here-document, in which bash changes nothing."""
    return f"\"$(cat <<'JSON'\n{json.dumps(dict(value), indent=2)}\nJSON\n)\""
