#!/bin/bash
# Kennel: one training on this instance, which then ends itself, whatever happened.
RUN='{}'
#
# RUN says which run this is. Everything else about it lies in S3 (request.json), and so does how it goes (status.json).
# The instance was launched with InstanceInitiatedShutdownBehavior=terminate: a shutdown is its end.
set -uo pipefail
export RUN
trap 'shutdown -h now' EXIT

for python in /opt/pytorch/bin/python3 /opt/conda/envs/pytorch/bin/python3 "$(command -v python3)" "$(command -v python)"; do
  [ -x "$python" ] && break
done
export KENNEL_PYTHON="$python" KENNEL_CODE=/opt/ml/code
mkdir -p /opt/ml/input/code

# Whatever hangs, the instance does not outlive its time limit by more than the time to start, to save and to upload.
limit=$("$python" -c 'import json, os; print(int(json.loads(os.environ["RUN"])["seconds"]) + 1800)')
(trap - EXIT; sleep "$limit"; shutdown -h now) </dev/null >/dev/null 2>&1 &

"$python" -c 'import boto3' 2>/dev/null || "$python" -m pip install --quiet --disable-pip-version-check boto3

# Tell the run's page why nothing was trained, unless the training has said so itself.
fail() {
  echo "$1"
  "$python" - "$1" <<'REPORT'
import datetime, json, os, sys
import boto3

run, failure = json.loads(os.environ["RUN"]), sys.argv[1]
s3 = boto3.client("s3", region_name=run["region"])
key = f"ec2-runs/{run['name']}/status.json"
try:
    told = json.loads(s3.get_object(Bucket=run["bucket"], Key=key)["Body"].read())
except s3.exceptions.ClientError as error:  # AccessDenied: of what is not there, to a role that may not list it
    if error.response["Error"]["Code"] not in ("NoSuchKey", "AccessDenied"):
        raise
    told = {"schema": 1, "name": run["name"], "instance_id": "", "stages": [], "artifact_uri": "", "metrics": {}}
if not told.get("ended"):
    now = datetime.datetime.now(datetime.timezone.utc).isoformat()
    told |= {"status": "Failed", "stage": "Failed", "failure": failure, "ended": now, "updated": now}
    told.setdefault("started", now)
    s3.put_object(Bucket=run["bucket"], Key=key, Body=json.dumps(told))
REPORT
}

"$python" - <<'FETCH' || { fail "The training code could not be fetched from S3: the console output says why."; exit 1; }
import json, os
import boto3

run = json.loads(os.environ["RUN"])
s3 = boto3.client("s3", region_name=run["region"])
for name in ("training.tar.gz", "start.sh"):
    s3.download_file(run["bucket"], run["code"] + name, "/opt/ml/input/code/" + name)
FETCH

AWS_DEFAULT_REGION=$("$python" -c 'import json, os; print(json.loads(os.environ["RUN"])["region"])')
export AWS_DEFAULT_REGION
bash /opt/ml/input/code/start.sh training.instance ||
  fail "The training could not be started or did not end properly (exit code $?): the console output says why."
