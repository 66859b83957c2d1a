"""Models: what is registered, compared, decided about, and brought from elsewhere."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import state
from dashboard.core.errors import AccessDenied
from dashboard.core.serving.importing import Kind, Stage
from dashboard.model_imports import Imports
from tests.core.serving.test_archive import FILES, pack
from tests.test_model_imports import Registry
from tests.views import scripted
from tests.views.conftest import Open, links, text
from tests.views.scripted import ARN, REAL, ScriptedAws

RUN = "drawn-dogs-5d20e9f1"


class Account(Registry):
    """An account with a registry whose versions a test adds."""

    def __init__(self) -> None:
        super().__init__()
        self.groups: list[str] = []

    def add_version(
        self, group: str, accuracy: float | None, status: str = "PendingManualApproval", data: str = "drawn-dogs"
    ) -> str:
        if group not in self.groups:
            self.groups.append(group)
        number = 1 + sum(one["ModelPackageGroupName"] == group for one in self.packages.values())
        arn = f"arn:package/{group}/{number}"
        marks = {"run": RUN, "data": f"s3://bucket/datasets/{data}/", "labels": "12", "test:loss": "0.3"}
        if accuracy is not None:
            marks["test:accuracy"] = str(accuracy)
        self.packages[arn] = {
            "ModelPackageGroupName": group,
            "ModelPackageVersion": number,
            "ModelPackageArn": arn,
            "ModelApprovalStatus": status,
            "CreationTime": scripted.NOW,
            "CustomerMetadataProperties": marks,
            "InferenceSpecification": {"Containers": [{"ModelDataUrl": "s3://bucket/runs/x/output/model.tar.gz"}]},
        }
        return arn

    def _CreateModelPackageGroup(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.groups.append(asked["ModelPackageGroupName"])
        return {"ModelPackageGroupArn": "group"}

    def _ListModelPackageGroups(self, asked: dict[str, Any]) -> dict[str, Any]:
        told = [
            {"ModelPackageGroupName": name, "ModelPackageGroupArn": name, "CreationTime": scripted.NOW}
            for name in self.groups
        ]
        return {"ModelPackageGroupSummaryList": told}

    def _ListModelPackages(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = asked["ModelPackageGroupName"]
        return {
            "ModelPackageSummaryList": [one for one in self.packages.values() if one["ModelPackageGroupName"] == name]
        }

    def _UpdateModelPackage(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.packages[asked["ModelPackageArn"]] |= {**asked, "LastModifiedTime": scripted.NOW}
        return {}

    def _DeleteModelPackage(self, asked: dict[str, Any]) -> dict[str, Any]:
        del self.packages[asked["ModelPackageName"]]
        return {}

    def _DeleteModelPackageGroup(self, asked: dict[str, Any]) -> dict[str, Any]:
        self.groups.remove(asked["ModelPackageGroupName"])
        return {}


@pytest.fixture
def aws(tmp_path: Path) -> Account:
    account = Account()
    account.add_job(RUN, age=9000)
    account.bodies[f"runs/{RUN}/output/model.tar.gz"] = pack(tmp_path, FILES).read_bytes()
    account.add_version("dogs", 0.8)
    account.add_version("dogs", 0.9, "Approved")
    return account


def test_an_empty_registry_teaches_how_one_is_filled(visit: Open) -> None:
    page = visit(Account(), "models")
    assert not page.exception
    assert "No model is registered." in text(page)
    assert ("See the runs", "runs", "") in links(page)


def test_versions_are_shown_with_what_they_are_worth_and_where_they_came_from(aws: Account, visit: Open) -> None:
    for name, package in (("of-version", "arn:package/dogs/2"), ("of-run", "")):
        aws.add_endpoint(name)
        aws.tags[f"{ARN}:endpoint/{name}"] |= {"kennel:run": RUN, "kennel:package": package}
    page = visit(aws, "models")
    assert not page.exception
    said = text(page)
    assert "1 model, 2 versions, 1 approved, 1 undecided" in said
    assert "Version 2 is the best of 2: 90.0 % of its test photos right" in said
    assert "s3://bucket/datasets/drawn-dogs/" in said
    assert (f"The run {RUN}", "run", f"run={RUN}") in links(page)
    table = page.dataframe[0].value
    assert list(table["Version"]) == [2, 1]
    assert list(table["Decision"]) == ["✓ approved", "◷ undecided"]
    assert "version 2 → endpoint of-version" in said
    assert "endpoint of-run" not in said, "it was not made of the version"
    assert "Deployed from the run itself, not from this version" in said
    assert ("Endpoint of-run", "endpoint", "endpoint=of-run") in links(page)


def test_two_versions_are_held_against_each_other_by_the_address(aws: Account, visit: Open) -> None:
    page = visit(aws, "models", version="2", against="1")
    said = text(page)
    assert "Version 2 against version 1: +10.0 points, better in test accuracy." in said
    compared = page.dataframe[1].value
    assert list(compared["Figure"]) == ["Test accuracy", "Test loss"]
    assert list(compared["Difference"]) == ["+10.0 points, better", "the same"]


def test_versions_of_other_data_are_not_held_against_each_other(aws: Account, visit: Open) -> None:
    aws.add_version("dogs", 0.99, data="forest-dogs")
    said = text(visit(aws, "models", version="3", against="1"))
    assert "They learnt from different data (drawn-dogs and forest-dogs)" in said
    assert "they were measured on different photos" in said


def test_a_version_is_approved_with_its_reason(aws: Account, visit: Open) -> None:
    page = visit(aws, "models", version="1")
    assert "no endpoint of a version that is not approved" in text(page)
    page.button(key="approve-version").click().run()
    page.text_area[0].set_value("good enough")  # leaving the field and pressing the button are one click
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert aws.packages["arn:package/dogs/1"]["ModelApprovalStatus"] == "Approved"
    assert aws.packages["arn:package/dogs/1"]["ApprovalDescription"] == "good enough"
    assert "2 approved" in text(page.run())


def test_only_an_approved_version_is_offered_for_an_endpoint(aws: Account, visit: Open) -> None:
    keys = [button.key for button in visit(aws, "models", version="1").button]
    assert "deploy-version" not in keys
    page = visit(aws, "models", version="2")
    page.button(key="deploy-version").click().run()
    assert not page.exception
    assert "Deploy for" in text(page)
    assert not aws.endpoints


def test_a_run_is_registered_as_the_next_version(aws: Account, visit: Open) -> None:
    page = visit(aws, "models")
    page.button(key="register-run").click().run()
    name = next(field for field in page.text_input if field.key and field.key.startswith("register-name"))
    assert name.value == "drawn-dogs"
    name.set_value("dogs").run()
    assert "Register as dogs version 3" in [button.label for button in page.button]
    page.button(key="confirm-do").click().run()
    assert not page.exception
    [made] = aws.asked("CreateModelPackage")
    assert made["CustomerMetadataProperties"]["run"] == RUN
    assert made["CustomerMetadataProperties"]["test:accuracy"] == "0.9"
    assert not aws.asked("CreateModelPackageGroup"), "the model is there already"


@pytest.mark.parametrize("name", ["cats", "birds"])
def test_of_several_models_the_registered_one_is_shown(aws: Account, visit: Open, name: str) -> None:
    aws.add_version("cats", 0.5)
    page = visit(aws, "models", model="dogs")
    page.button(key="register-run").click().run()
    next(f for f in page.text_input if f.key and f.key.startswith("register-name")).set_value(name).run()
    page.button(key="confirm-do").click().run()
    assert not page.exception
    assert page.selectbox(key="model").value == name
    assert page.selectbox(key="version").value == ("2" if name == "cats" else "1")


def test_a_name_that_sagemaker_would_refuse_blocks_the_button(aws: Account, visit: Open) -> None:
    page = visit(aws, "models")
    page.button(key="register-run").click().run()
    next(f for f in page.text_input if f.key and f.key.startswith("register-name")).set_value("no spaces").run()
    assert page.button(key="confirm-blocked").disabled
    assert "letters, digits and hyphens" in text(page)


def test_the_last_version_goes_with_its_model_once_its_name_is_typed(visit: Open) -> None:
    aws = Account()
    aws.add_version("dogs", 0.8)
    page = visit(aws, "models")
    page.button(key="delete-version").click().run()
    assert "and the model dogs, which has no other" in text(page)
    assert page.button(key="confirm-blocked").disabled
    page.text_input(key="confirm-name").set_value("dogs/1").run()
    page.button(key="confirm-do").click().run()
    assert (aws.packages, aws.groups) == ({}, [])
    assert "No model is registered." in text(page.run())


def bring(page: AppTest, name: str, data: bytes) -> AppTest:
    page.button(key="import-model").click().run()
    page.file_uploader[0].upload(name, data)
    return page.run()


def imported(aws: ScriptedAws) -> Any:
    """The one import, once it is over."""
    deadline = time.monotonic() + 60
    while True:
        [(_, told)] = state.imports(aws).all()  # type: ignore[arg-type]
        if told.stage.is_over:
            return told
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_an_archive_that_is_brought_becomes_a_version(
    aws: Account, visit: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path / "home"))
    page = bring(visit(aws, "models"), "my-dogs.tar.gz", pack(tmp_path, FILES).read_bytes())
    assert not page.exception
    assert "Kennel&#x27;s model.tar.gz" in text(page)
    assert page.text_input(key="import-name").value == "my-dogs"
    page.button(key="confirm-do").click().run()
    told = imported(aws)
    assert told.stage is Stage.DONE, told.problem
    said = text(page.run())
    assert "registered" in said
    assert "my-dogs version 1, undecided: 2 labels" in said
    [button] = [button for button in page.button if button.key and button.key.startswith("dismiss-")]
    button.click().run()
    assert "undecided: 2 labels" not in text(page)


def test_a_file_that_is_no_model_says_so_before_anything_is_done(
    aws: Account, visit: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path / "home"))
    page = bring(visit(aws, "models"), "photo.jpg", b"no model")
    assert "its name ends neither with .tar.gz nor with .pth" in text(page)
    assert page.button(key="confirm-blocked").disabled
    page.file_uploader[0].set_value(("junk.tar.gz", b"no gzip", "")).run()
    assert "junk.tar.gz is not Kennel&#x27;s model.tar.gz: it begins like none." in text(page)
    assert page.button(key="confirm-blocked").disabled
    page.file_uploader[0].set_value(("poodles.tar.gz", b"\x1f\x8b", "")).run()
    assert page.text_input(key="import-name").value == "poodles"
    page.file_uploader[0].set_value(("beagles.tar.gz", b"\x1f\x8b", "")).run()
    assert page.text_input(key="import-name").value == "beagles", "another file is another model"
    other = tmp_path / "other"
    other.mkdir()
    page = bring(visit(aws, "models"), "odd.tar.gz", pack(other, {"card.json": json.dumps({}).encode()}).read_bytes())
    page.button(key="confirm-do").click().run()
    assert imported(aws).stage is Stage.FAILED
    assert "It lacks model.onnx" in text(page.run())


def test_a_model_is_brought_from_an_address_in_s3(
    aws: Account, visit: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KENNEL_HOME", str(tmp_path / "home"))
    page = visit(aws, "models")
    page.button(key="import-model").click().run()
    page.segmented_control(key="import-from").set_value("S3").run()
    page.text_input(key="import-address").set_value("bucket/model").run()
    assert "An address looks like s3://bucket/models/model.tar.gz." in text(page)
    page.text_input(key="import-address").set_value(f"s3://bucket/runs/{RUN}/output/model.tar.gz").run()
    page.text_input(key="import-name").set_value("from-s3").run()
    page.button(key="confirm-do").click().run()
    assert imported(aws).stage is Stage.DONE
    assert "from-s3 version 1, undecided" in text(page.run())


def test_of_a_reference_model_labels_and_preparation_are_asked_for(
    aws: Account, visit: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = bring(visit(aws, "models"), "model.pth", b"PK tensors")
    assert "A reference project&#x27;s model.pth" in text(page)
    assert page.text_input(key="import-name").value == "imported"
    assert page.text_area(key="import-labels").value == ""
    assert page.toggle(key="import-normalised").value is False
    started: list[Any] = []
    monkeypatch.setattr(Imports, "start", lambda self, account, wanted, data=b"": started.append(wanted))
    page.text_area(key="import-labels").set_value(" Beagle \n\nPoodle\n")
    page.button(key="confirm-do").click().run()
    assert [(one.kind, one.labels) for one in started] == [(Kind.REFERENCE, ("Beagle", "Poodle"))]


def test_an_account_that_only_reads_decides_nothing(visit: Open) -> None:
    aws = Account()
    aws.account = REAL
    aws.add_version("dogs", 0.8)
    page = visit(aws, "models")
    keys = {button.key for button in page.button}
    assert not keys & {"import-model", "register-run", "approve-version", "reject-version", "delete-version"}
    assert "connected read-only" in text(page)


def test_without_the_right_to_read_the_registry_the_page_says_which(aws: Account, visit: Open) -> None:
    aws.errors["ListModelPackageGroups"] = AccessDenied("not allowed to sagemaker:ListModelPackageGroups")
    page = visit(aws, "models")
    assert not page.exception
    assert "sagemaker:ListModelPackageGroups" in text(page)
