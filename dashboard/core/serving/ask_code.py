"""The same question to an endpoint as a program asks it: boto3, the AWS command line, curl. Pure; no secret in it."""

from shlex import quote

from dashboard.core.aws import Account
from dashboard.core.serving.ask import Form
from dashboard.core.showcode import connection, literal

PHOTO = "dog.jpg"
BOTO3, CLI, CURL = "boto3", "AWS CLI", "curl"
LANGUAGES = {BOTO3: "python", CLI: "bash", CURL: "bash"}


def as_code(account: Account, endpoint: str, form: Form = Form.BREEDS, variant: str = "") -> dict[str, str]:
    """By way, the code that sends the photo `dog.jpg`; `variant` "": whichever the weights choose."""
    return {
        BOTO3: _boto3(account, endpoint, form, variant),
        CLI: _cli(account, endpoint, form, variant),
        CURL: _curl(account, endpoint, form, variant),
    }


def _boto3(account: Account, endpoint: str, form: Form, variant: str) -> str:
    target = f"    TargetVariant={literal(variant)},\n" if variant else ""
    return (
        f"{connection(account, 'sagemaker-runtime')}\n"
        f'with open("{PHOTO}", "rb") as photo:\n'
        "    answer = sagemaker_runtime.invoke_endpoint(\n"
        f"        EndpointName={literal(endpoint)},\n"
        '        ContentType="image/jpeg",\n'
        f"        Accept={literal(form.value)},\n"
        f"{'    ' + target if target else ''}"
        "        Body=photo,\n"
        "    )\n"
        'print(answer["Body"].read().decode())\n'
    )


def _cli(account: Account, endpoint: str, form: Form, variant: str) -> str:
    address = f" \\\n  --endpoint-url {quote(account.endpoint_url)}" if account.endpoint_url else ""
    profile = f" \\\n  --profile {quote(account.profile)}" if account.profile else ""
    target = f" \\\n  --target-variant {quote(variant)}" if variant else ""
    return (
        f"{_keys(account)}aws sagemaker-runtime invoke-endpoint \\\n"
        f"  --region {account.region}{address}{profile} \\\n"
        f"  --endpoint-name {quote(endpoint)}{target} \\\n"
        "  --content-type image/jpeg \\\n"
        f"  --accept {quote(form.value)} \\\n"
        f"  --body fileb://{PHOTO} \\\n"
        "  answer.json && cat answer.json\n"
    )


def _curl(account: Account, endpoint: str, form: Form, variant: str) -> str:
    """curl signs by itself since 7.75 (`--aws-sigv4`)."""
    host = account.endpoint_url or f"https://runtime.sagemaker.{account.region}.amazonaws.com"
    keys = _keys(account) or f'eval "$(aws configure export-credentials --profile {account.profile} --format env)"\n'
    token = "" if account.is_embedded else '  ${AWS_SESSION_TOKEN:+-H "X-Amz-Security-Token: $AWS_SESSION_TOKEN"} \\\n'
    target = f"  -H {quote(f'X-Amzn-SageMaker-Target-Variant: {variant}')} \\\n" if variant else ""
    return (
        f"{keys}curl --fail-with-body \\\n"
        f'  --aws-sigv4 "aws:amz:{account.region}:sagemaker" \\\n'
        '  --user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" \\\n'
        f"{token}"
        f"  -H 'Content-Type: image/jpeg' \\\n"
        f"  -H {quote(f'Accept: {form.value}')} \\\n"
        f"{target}"
        f"  --data-binary @{PHOTO} \\\n"
        f"  {quote(f'{host}/endpoints/{endpoint}/invocations')}\n"
    )


def _keys(account: Account) -> str:
    """The embedded AWS writes its keys to a file: they are read from there, and stay out of the code."""
    if not account.is_embedded:
        return ""
    read = (
        f'python3 -c "import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])" {quote(account.client_file)}'
    )
    return (
        f"export AWS_ACCESS_KEY_ID=$({read} access_key_id)\nexport AWS_SECRET_ACCESS_KEY=$({read} secret_access_key)\n"
    )
