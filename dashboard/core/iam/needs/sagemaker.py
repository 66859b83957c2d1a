"""SageMaker: its jobs, models, endpoints and notebooks, and the calls of endpoints."""

from collections.abc import Iterator

from dashboard.core.iam.needs.request import Needs, Request, together
from dashboard.core.iam.needs.sagemaker_resources import RESOURCES
from dashboard.core.iam.rights import Right

SERVICE = "sagemaker.amazonaws.com"
_BASE = "arn:{partition}:sagemaker:{region}:{account}:"

_NETWORK = {
    "sagemaker:VpcSubnets": "VpcConfig.Subnets",
    "sagemaker:VpcSecurityGroupIds": "VpcConfig.SecurityGroupIds",
    "sagemaker:NetworkIsolation": "EnableNetworkIsolation",
}
_TUNING = {
    **_NETWORK,
    "sagemaker:InstanceTypes": "ResourceConfig.InstanceType",
    "sagemaker:InterContainerTrafficEncryption": "EnableInterContainerTrafficEncryption",
    "sagemaker:MaxRuntimeInSeconds": "StoppingCondition.MaxRuntimeInSeconds",
    "sagemaker:OutputKmsKey": "OutputDataConfig.KmsKeyId",
    "sagemaker:VolumeKmsKey": "ResourceConfig.VolumeKmsKeyId",
    "sagemaker:FileSystemId": "InputDataConfig.DataSource.FileSystemDataSource.FileSystemId",
    "sagemaker:FileSystemType": "InputDataConfig.DataSource.FileSystemDataSource.FileSystemType",
    "sagemaker:FileSystemAccessMode": "InputDataConfig.DataSource.FileSystemDataSource.FileSystemAccessMode",
    "sagemaker:FileSystemDirectoryPath": "InputDataConfig.DataSource.FileSystemDataSource.DirectoryPath",
}
_TRAINING = {
    **_TUNING,
    "sagemaker:KeepAlivePeriod": "ResourceConfig.KeepAlivePeriodInSeconds",
    "sagemaker:EnableRemoteDebug": "RemoteDebugConfig.EnableRemoteDebug",
}


def _under(path: str, keys: dict[str, str]) -> dict[str, str]:
    return {key: f"{path}.{member}" for key, member in keys.items()}


# where the requests of all operations that hand a role over have it
_ROLES = (
    "RoleArn",
    "ExecutionRoleArn",
    "ClusterRole",
    "TrainingJobDefinition.RoleArn",
    "TrainingJobDefinitions.RoleArn",
    "UserSettings.ExecutionRole",
    "DefaultUserSettings.ExecutionRole",
    "DefaultSpaceSettings.ExecutionRole",
    "MonitoringScheduleConfig.MonitoringJobDefinition.RoleArn",
)
_HANDING_OVER = """
    CreateTrainingJob CreateHyperParameterTuningJob CreateProcessingJob CreateModel CreateEndpointConfig
    CreateNotebookInstance UpdateNotebookInstance CreatePipeline UpdatePipeline CreateDomain UpdateDomain
    CreateUserProfile UpdateUserProfile CreateAutoMLJob CreateAutoMLJobV2 CreateCluster UpdateCluster
    CreateCompilationJob CreateDataQualityJobDefinition CreateDeviceFleet UpdateDeviceFleet CreateEdgePackagingJob
    CreateFeatureGroup CreateFlowDefinition CreateImage UpdateImage CreateInferenceExperiment
    CreateInferenceRecommendationsJob CreateLabelingJob CreateMlflowApp CreateMlflowTrackingServer
    CreateModelBiasJobDefinition CreateModelExplainabilityJobDefinition CreateModelQualityJobDefinition
    CreateMonitoringSchedule UpdateMonitoringSchedule CreateOptimizationJob RenderUiTemplate
"""


def _roles(request: Request) -> Iterator[Right]:
    for role in dict.fromkeys(role for path in _ROLES for role in request.values(path)):
        yield from request.passes(role, SERVICE)


def _package(request: Request) -> Iterator[Right]:
    """A version belongs to its group, whose number is not known before; a package without a group has a name."""
    group = request.value("ModelPackageGroupName").rpartition("/")[2]
    name = f"{group}/*" if group else request.value("ModelPackageName") or "*"
    arn = request.arn("sagemaker", f"model-package/{name}")
    tags = request.tags()
    approval = request.context({"sagemaker:ModelApprovalStatus": "ModelApprovalStatus"})
    yield Right("sagemaker:CreateModelPackage", arn, {**approval, **tags})
    if tags:
        yield Right("sagemaker:AddTags", arn, tags)


_RESOURCES = {
    "*": """
            ListAlgorithms ListApps ListCodeRepositories ListCompilationJobs ListContexts ListDomains
            ListEndpointConfigs ListEndpoints ListExperiments ListFeatureGroups ListHyperParameterTuningJobs ListImages
            ListModelPackageGroups ListModels ListNotebookInstanceLifecycleConfigs ListNotebookInstances
            ListPipelines ListProcessingJobs ListSpaces ListTrainingJobs ListTransformJobs ListUserProfiles Search
            ListInferenceComponents ListAutoMLJobs ListMonitoringSchedules ListLabelingJobs ListClusters
            ListModelPackages GetSearchSuggestions ListTrainingPlans SearchTrainingPlanOfferings
        """,
    "training-job/{TrainingJobName}": """
            CreateTrainingJob DescribeTrainingJob StopTrainingJob UpdateTrainingJob DeleteTrainingJob
        """,
    "hyper-parameter-tuning-job/{HyperParameterTuningJobName}": """
            CreateHyperParameterTuningJob DescribeHyperParameterTuningJob StopHyperParameterTuningJob
            DeleteHyperParameterTuningJob ListTrainingJobsForHyperParameterTuningJob
        """,
    "processing-job/{ProcessingJobName}": """
            CreateProcessingJob DescribeProcessingJob StopProcessingJob DeleteProcessingJob
        """,
    "transform-job/{TransformJobName}": "CreateTransformJob DescribeTransformJob StopTransformJob",
    "model/{ModelName}": "CreateModel DescribeModel DeleteModel",
    "endpoint-config/{EndpointConfigName}": """
            CreateEndpointConfig DescribeEndpointConfig DeleteEndpointConfig
        """,
    "endpoint/{EndpointName}": "DescribeEndpoint DeleteEndpoint UpdateEndpointWeightsAndCapacities",
    "endpoint/{EndpointName} endpoint-config/{EndpointConfigName}": "CreateEndpoint UpdateEndpoint",
    "model-package-group/{ModelPackageGroupName}": """
            CreateModelPackageGroup DescribeModelPackageGroup DeleteModelPackageGroup
            GetModelPackageGroupPolicy PutModelPackageGroupPolicy DeleteModelPackageGroupPolicy
        """,
    "model-package/{ModelPackageName}": "DescribeModelPackage DeleteModelPackage",
    "model-package/{ModelPackageArn}": "UpdateModelPackage",
    "model-package/{ModelPackageArnList}": "BatchDescribeModelPackage",
    "notebook-instance/{NotebookInstanceName}": """
            CreateNotebookInstance DescribeNotebookInstance StartNotebookInstance StopNotebookInstance
            UpdateNotebookInstance DeleteNotebookInstance CreatePresignedNotebookInstanceUrl
        """,
    "notebook-instance-lifecycle-config/{NotebookInstanceLifecycleConfigName}": """
            CreateNotebookInstanceLifecycleConfig DescribeNotebookInstanceLifecycleConfig
            UpdateNotebookInstanceLifecycleConfig DeleteNotebookInstanceLifecycleConfig
        """,
    "domain/{DomainId}": "DescribeDomain UpdateDomain DeleteDomain",
    "user-profile/{DomainId}/{UserProfileName}": "CreateUserProfile DescribeUserProfile DeleteUserProfile",
    "pipeline/{PipelineName}": "CreatePipeline DescribePipeline DeletePipeline StartPipelineExecution",
    "{ResourceArn}": "AddTags DeleteTags ListTags",
}

SAGEMAKER = Needs(
    prefix="sagemaker",
    base=_BASE,
    resources=together(_RESOURCES, RESOURCES),
    contexts={
        "CreateTrainingJob": _TRAINING,
        "UpdateTrainingJob": {"sagemaker:KeepAlivePeriod": "ResourceConfig.KeepAlivePeriodInSeconds"},
        "CreateHyperParameterTuningJob": _under("TrainingJobDefinition", _TUNING),
        "CreateProcessingJob": {
            **_under("NetworkConfig", _NETWORK),
            "sagemaker:NetworkIsolation": "NetworkConfig.EnableNetworkIsolation",
            "sagemaker:InterContainerTrafficEncryption": "NetworkConfig.EnableInterContainerTrafficEncryption",
            "sagemaker:InstanceTypes": "ProcessingResources.ClusterConfig.InstanceType",
            "sagemaker:VolumeKmsKey": "ProcessingResources.ClusterConfig.VolumeKmsKeyId",
            "sagemaker:MaxRuntimeInSeconds": "StoppingCondition.MaxRuntimeInSeconds",
            "sagemaker:OutputKmsKey": "ProcessingOutputConfig.KmsKeyId",
        },
        "CreateTransformJob": {
            "sagemaker:InstanceTypes": "TransformResources.InstanceType",
            "sagemaker:ModelArn": "ModelName",
            "sagemaker:VolumeKmsKey": "TransformResources.VolumeKmsKeyId",
            "sagemaker:OutputKmsKey": "TransformOutput.KmsKeyId",
        },
        "CreateModel": _NETWORK,
        "CreateEndpointConfig": {
            "sagemaker:InstanceTypes": "ProductionVariants.InstanceType",
            "sagemaker:ServerlessMaxConcurrency": "ProductionVariants.ServerlessConfig.MaxConcurrency",
            "sagemaker:ServerlessMemorySize": "ProductionVariants.ServerlessConfig.MemorySizeInMB",
            "sagemaker:VolumeKmsKey": "KmsKeyId",
        },
        "CreateNotebookInstance": {
            "sagemaker:InstanceTypes": "InstanceType",
            "sagemaker:DirectInternetAccess": "DirectInternetAccess",
            "sagemaker:RootAccess": "RootAccess",
            "sagemaker:VolumeKmsKey": "KmsKeyId",
            "sagemaker:VpcSubnets": "SubnetId",
            "sagemaker:VpcSecurityGroupIds": "SecurityGroupIds",
        },
        "UpdateModelPackage": {"sagemaker:ModelApprovalStatus": "ModelApprovalStatus"},
    },
    tagging="AddTags",
    extra=dict.fromkeys(_HANDING_OVER.split(), _roles),
    special={"CreateModelPackage": _package},
)

RUNTIME = Needs(
    prefix="sagemaker",
    base=_BASE,
    resources={
        "endpoint/{EndpointName}": "InvokeEndpoint InvokeEndpointAsync InvokeEndpointWithResponseStream",
    },
    contexts={"InvokeEndpoint": {"sagemaker:TargetModel": "TargetModel"}},
)
