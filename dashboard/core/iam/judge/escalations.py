"""Ways from some rights to any: what who has these actions can do to get more than was given.

Sources: Rhino Security Labs, "AWS IAM Privilege Escalation – Methods and Mitigation"; IAM Vulnerable (Bishop Fox);
pathfinding.cloud; AWS, "Security best practices in IAM".
"""

from dataclasses import dataclass
from enum import Enum, auto

from dashboard.core.iam.finding import Severity


class Target(Enum):
    """What the first action has to be allowed on to be a way.

    ANY: whatever it is (what one makes, one can name). MADE: the same, and the other actions on what is made.
    EVERYTHING: more than what is named. ROLE: this role or a strong one. POLICY: one that this role has attached.
    """

    ANY = auto()
    MADE = auto()
    EVERYTHING = auto()
    ROLE = auto()
    POLICY = auto()


@dataclass(frozen=True)
class Way:
    """needs: actions, all of them. passes_to: the service to which a role must be passed, "" where none is.

    guards: keys of a condition that closes it. does: what comes of it ("whoever works as this role can …").
    """

    needs: tuple[str, ...]
    does: str
    passes_to: str = ""
    target: Target = Target.ANY
    severity: Severity = Severity.HIGH
    guards: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return " + ".join([*(["iam:PassRole"] if self.passes_to else []), *self.needs])


_BOUND = frozenset({"iam:permissionsboundary"})
_ATTACH = frozenset({"iam:permissionsboundary", "iam:policyarn"})
SAGEMAKER, EC2, LAMBDA = "sagemaker.amazonaws.com", "ec2.amazonaws.com", "lambda.amazonaws.com"
_AS_IT = "run code of their own as the role that they pass"
_CODE = "run code of their own as the role of what is there already"


def _direct(action: str, does: str, target: Target, guards: frozenset[str] = frozenset()) -> Way:
    return Way((action,), does, "", target, Severity.CRITICAL, guards)


def _passing(service: str, *needs: str, does: str = _AS_IT) -> Way:
    return Way(needs, does, service)


def _taking(*needs: str, does: str = _CODE, severity: Severity = Severity.MEDIUM) -> Way:
    return Way(needs, does, "", Target.EVERYTHING, severity)


WAYS: tuple[Way, ...] = (
    _direct("iam:CreatePolicyVersion", "write a policy that this role has anew", Target.POLICY),
    _direct("iam:SetDefaultPolicyVersion", "bring back a wider version of a policy that it has", Target.POLICY),
    _direct("iam:AttachRolePolicy", "attach AdministratorAccess to it", Target.ROLE, _ATTACH),
    _direct("iam:PutRolePolicy", "write any right into an inline policy of it", Target.ROLE, _BOUND),
    _direct("iam:UpdateAssumeRolePolicy", "have a stronger role trust them", Target.ROLE),
    Way(
        ("iam:CreateRole", "iam:PutRolePolicy"),
        "make a role that trusts them and write any right into it",
        target=Target.MADE,
        severity=Severity.CRITICAL,
        guards=_BOUND,
    ),
    Way(
        ("iam:CreateRole", "iam:AttachRolePolicy"),
        "make a role that trusts them and attach AdministratorAccess to it",
        target=Target.MADE,
        severity=Severity.CRITICAL,
        guards=_ATTACH,
    ),
    _direct("iam:AttachUserPolicy", "attach AdministratorAccess to a user", Target.EVERYTHING, _ATTACH),
    _direct("iam:AttachGroupPolicy", "attach AdministratorAccess to a group", Target.EVERYTHING, _ATTACH),
    _direct("iam:PutUserPolicy", "write any right into an inline policy of a user", Target.EVERYTHING, _BOUND),
    _direct("iam:PutGroupPolicy", "write any right into an inline policy of a group", Target.EVERYTHING),
    _direct("iam:CreateAccessKey", "make keys of another user and work as that user", Target.EVERYTHING),
    _direct("iam:CreateLoginProfile", "give a user a password and log in as that user", Target.EVERYTHING),
    _direct("iam:UpdateLoginProfile", "change the password of a user and log in as that user", Target.EVERYTHING),
    _direct("iam:AddUserToGroup", "put a user into a group that may more", Target.EVERYTHING),
    _direct("iam:UpdateSAMLProvider", "vouch for themselves as any federated user", Target.EVERYTHING),
    _passing(SAGEMAKER, "sagemaker:CreateTrainingJob"),
    _passing(SAGEMAKER, "sagemaker:CreateProcessingJob"),
    _passing(SAGEMAKER, "sagemaker:CreateHyperParameterTuningJob"),
    _passing(SAGEMAKER, "sagemaker:CreateModel", "sagemaker:CreateEndpointConfig", "sagemaker:CreateEndpoint"),
    _passing(SAGEMAKER, "sagemaker:CreateModel", "sagemaker:CreateTransformJob"),
    _passing(SAGEMAKER, "sagemaker:CreatePipeline", "sagemaker:StartPipelineExecution"),
    _passing(SAGEMAKER, "sagemaker:CreateNotebookInstance", "sagemaker:CreatePresignedNotebookInstanceUrl"),
    _passing(SAGEMAKER, "sagemaker:CreateNotebookInstance", "sagemaker:CreateNotebookInstanceLifecycleConfig"),
    _passing(SAGEMAKER, "sagemaker:CreateUserProfile", "sagemaker:CreatePresignedDomainUrl"),
    _passing(EC2, "ec2:RunInstances"),
    _passing(EC2, "ec2:RequestSpotInstances"),
    _passing(EC2, "ec2:RequestSpotFleet"),
    _passing(EC2, "ec2:AssociateIamInstanceProfile", does="give an instance that they control a stronger role"),
    _passing(
        EC2, "ec2:ReplaceIamInstanceProfileAssociation", does="give an instance that they control a stronger role"
    ),
    _passing(EC2, "autoscaling:CreateLaunchConfiguration", "autoscaling:CreateAutoScalingGroup"),
    _passing(EC2, "elasticmapreduce:RunJobFlow"),
    _passing(LAMBDA, "lambda:CreateFunction", "lambda:InvokeFunction"),
    _passing(LAMBDA, "lambda:CreateFunction", "lambda:AddPermission"),
    _passing(LAMBDA, "lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
    _passing(LAMBDA, "lambda:UpdateFunctionConfiguration", "lambda:UpdateFunctionCode"),
    _passing("glue.amazonaws.com", "glue:CreateDevEndpoint"),
    _passing("glue.amazonaws.com", "glue:CreateJob", "glue:StartJobRun"),
    _passing("glue.amazonaws.com", "glue:UpdateJob", "glue:StartJobRun"),
    _passing("glue.amazonaws.com", "glue:CreateSession", "glue:RunStatement"),
    _passing(
        "cloudformation.amazonaws.com", "cloudformation:CreateStack", does="have a stack made as the role they pass"
    ),
    _passing("cloudformation.amazonaws.com", "cloudformation:UpdateStack", does="have a stack changed as that role"),
    _passing("cloudformation.amazonaws.com", "cloudformation:CreateChangeSet", "cloudformation:ExecuteChangeSet"),
    _passing("codebuild.amazonaws.com", "codebuild:CreateProject", "codebuild:StartBuild"),
    _passing("codebuild.amazonaws.com", "codebuild:UpdateProject", "codebuild:StartBuild"),
    _passing("ecs-tasks.amazonaws.com", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
    _passing("ecs-tasks.amazonaws.com", "ecs:RegisterTaskDefinition", "ecs:CreateService"),
    _passing("ecs-tasks.amazonaws.com", "ecs:RegisterTaskDefinition", "ecs:StartTask"),
    _passing("ecs-tasks.amazonaws.com", "batch:RegisterJobDefinition", "batch:SubmitJob"),
    _passing("states.amazonaws.com", "states:CreateStateMachine", "states:StartExecution"),
    _passing("scheduler.amazonaws.com", "scheduler:CreateSchedule", does="have any call of AWS made as that role"),
    _passing("events.amazonaws.com", "events:PutRule", "events:PutTargets"),
    _passing(
        "datapipeline.amazonaws.com",
        "datapipeline:CreatePipeline",
        "datapipeline:PutPipelineDefinition",
        "datapipeline:ActivatePipeline",
    ),
    _passing("tasks.apprunner.amazonaws.com", "apprunner:CreateService"),
    _passing("ssm.amazonaws.com", "ssm:StartAutomationExecution", does="have a runbook run as the role they pass"),
    _taking("lambda:UpdateFunctionCode", severity=Severity.HIGH),
    _taking("lambda:UpdateFunctionConfiguration", does="put a layer of their own before the code of any function"),
    _taking("sagemaker:CreatePresignedNotebookInstanceUrl", does="open any notebook and work as its role"),
    _taking("sagemaker:CreatePresignedDomainUrl", does="open anybody's Studio and work as its role"),
    _taking(
        "sagemaker:UpdateNotebookInstanceLifecycleConfig",
        "sagemaker:StopNotebookInstance",
        "sagemaker:StartNotebookInstance",
    ),
    _taking(
        "sagemaker:CreateNotebookInstanceLifecycleConfig",
        "sagemaker:UpdateNotebookInstance",
        "sagemaker:StopNotebookInstance",
        "sagemaker:StartNotebookInstance",
    ),
    _taking("ssm:SendCommand", does="run commands on any instance, as its role", severity=Severity.HIGH),
    _taking("ssm:StartSession", does="open a shell on any instance, as its role"),
    _taking("ec2-instance-connect:SendSSHPublicKey", does="log in to any instance and work as its role"),
    _taking("ec2:ModifyInstanceAttribute", "ec2:StopInstances", "ec2:StartInstances"),
    _taking("glue:UpdateDevEndpoint"),
    _taking("ecs:ExecuteCommand", does="open a shell in any container, as its role"),
    _taking("codebuild:StartBuild", does="build with commands of their own, as the project's role"),
    _taking("cloudformation:UpdateStack", does="change any stack, as the role that it was made with"),
    _taking("sts:AssumeRole", does="become any role that trusts this account"),
)
