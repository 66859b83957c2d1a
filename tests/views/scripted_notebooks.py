"""A scripted account that has notebook instances too."""

from datetime import timedelta
from typing import Any

from dashboard.core.errors import NotFound
from tests.views import scripted
from tests.views.scripted import ARN, EMBEDDED, ScriptedAws

LINK = "https://kennel-notes.notebook.us-east-1.sagemaker.aws?authToken=secret"


class WithNotebooks(ScriptedAws):
    """Notebook instances by name, as DescribeNotebookInstance tells them."""

    def __init__(self, account: Any = EMBEDDED) -> None:
        super().__init__(account)
        self.notebooks: dict[str, dict[str, Any]] = {}
        self.last_line: dict[str, float] = {}  # hours ago, by notebook

    def add(self, name: str, status: str = "InService", *, hours: float = 1, ours: bool = True, **told: Any) -> None:
        moment = scripted.NOW - timedelta(hours=hours)
        arn = f"{ARN}:notebook-instance/{name}"
        self.notebooks[name] = {
            "NotebookInstanceName": name,
            "NotebookInstanceArn": arn,
            "NotebookInstanceStatus": status,
            "InstanceType": "ml.t3.medium",
            "RoleArn": f"arn:aws:iam::123456789012:role/kennel-notebook-{name}",
            "CreationTime": moment,
            "LastModifiedTime": moment,
            "VolumeSizeInGB": 5,
            "RootAccess": "Disabled",
            "DirectInternetAccess": "Enabled",
            "PlatformIdentifier": "notebook-al2023-v1",
        } | told
        self.tags[arn] = {"kennel:made-by": "kennel"} if ours else {}

    def _ListNotebookInstances(self, asked: dict[str, Any]) -> dict[str, Any]:
        wanted = asked.get("StatusEquals")
        found = [one for one in self.notebooks.values() if wanted in (None, one["NotebookInstanceStatus"])]
        return {"NotebookInstances": found}

    def _DescribeNotebookInstance(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._found(self.notebooks, asked["NotebookInstanceName"])

    def _CreateNotebookInstance(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["NotebookInstanceName"]
        self.add(name, "Pending", hours=0, **{key: asked[key] for key in ("InstanceType", "VolumeSizeInGB", "RoleArn")})
        told = self.notebooks[name]
        told["NotebookInstanceLifecycleConfigName"] = asked.get("LifecycleConfigName", "")
        self.tags[told["NotebookInstanceArn"]] = {one["Key"]: one["Value"] for one in asked["Tags"]}
        return {"NotebookInstanceArn": told["NotebookInstanceArn"]}

    def _CreateNotebookInstanceLifecycleConfig(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _StopNotebookInstance(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.notebooks[asked["NotebookInstanceName"]]["NotebookInstanceStatus"] = "Stopping"
        return {}

    def _StartNotebookInstance(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.notebooks[asked["NotebookInstanceName"]]["NotebookInstanceStatus"] = "Pending"
        return {}

    def _UpdateNotebookInstance(self, asked: dict[str, Any]) -> dict[str, Any]:
        told = self.notebooks[asked["NotebookInstanceName"]]
        told |= {name: asked[name] for name in ("InstanceType", "VolumeSizeInGB") if name in asked}
        told["NotebookInstanceStatus"] = "Updating"
        return {}

    def _DeleteNotebookInstance(self, asked: dict[str, Any]) -> dict[str, Any]:
        del self.notebooks[asked["NotebookInstanceName"]]
        return {}

    def _CreatePresignedNotebookInstanceUrl(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {"AuthorizedUrl": LINK}

    def _CreateRole(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _PutRolePolicy(self, asked: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _GetRole(self, asked: dict[str, Any]) -> dict[str, Any]:
        raise NotFound("there is no such role")

    def _DescribeLogStreams(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["logGroupName"] != "/aws/sagemaker/NotebookInstances":
            return super()._DescribeLogStreams(asked)
        hours = self.last_line.get(asked["logStreamNamePrefix"].split("/")[0])
        if hours is None:
            return {"logStreams": []}
        at = scripted.NOW - timedelta(hours=hours)
        return {"logStreams": [{"lastEventTimestamp": int(at.timestamp() * 1000)}]}
