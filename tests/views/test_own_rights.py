"""Kennel's own roles on the Security page."""

from tests.views.conftest import Open, text
from tests.views.scripted import ScriptedAws
from tests.views.scripted_roles import SAGEMAKER, RolesAws, allow, document

PART = "Kennel's own roles"


def test_a_reader_is_what_is_shown_first_and_the_audit_finds_nothing_in_it(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "security", part=PART)
    assert not page.exception
    said = text(page)
    assert "kennel-reader:" in said
    assert "audited: nothing found" in said
    assert "sagemaker:DescribeTrainingJob" in said
    assert "sagemaker:CreateTrainingJob" not in said


def test_an_operator_is_made_of_what_the_pages_do(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "security", part=PART, own="Operate")
    said = text(page)
    assert "sagemaker:CreateTrainingJob" in said
    assert "aws:RequestTag/kennel:made-by" in said
    assert "audited: nothing found" in said


def test_a_remediator_is_made_for_roles_that_are_chosen(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "security", part=PART, own="Mend roles")
    assert not page.exception
    assert "Choose the roles that are to be mended." in text(page)


def test_of_many_bad_roles_the_worst_are_chosen_first(visit: Open) -> None:
    account = RolesAws()
    for number in range(22):
        account.add_role(f"{'LongNameOfATeam' * 3}-{number:02}", SAGEMAKER, document(allow(["s3:*", "iam:PassRole"])))
    account.add_role("Worst", SAGEMAKER, document(allow("iam:*")))
    page = visit(account, "security", part=PART, own="Mend roles")
    assert not page.exception
    chosen = page.multiselect(key="own-roles").value
    assert len(chosen) == 20 and chosen[0] == "Worst"
    assert "kennel-remediator:" in text(page)


def test_a_bucket_of_data_that_lies_elsewhere_is_read_too(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "security", part=PART)
    assert "arn:aws:s3:::team-data/*" not in text(page)
    page.text_input(key="own-buckets").set_value("team-data, , team-data").run()
    assert "arn:aws:s3:::team-data/*" in text(page)


def test_the_program_makes_the_boundary_before_the_role(aws: ScriptedAws, visit: Open) -> None:
    page = visit(aws, "security", part=PART)
    page.segmented_control(key="own-view").set_value("As code").run()
    assert not page.exception
    program = page.code[0].value
    assert "iam.create_role(" in program
    assert program.index("kennel-boundary") < program.index("iam.create_role(")
    compile(program, "own.py", "exec")
