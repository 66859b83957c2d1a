"""The operations of AWS that Kennel calls, by service: what its own roles have to be allowed. A test reads the code.

Reading changes nothing and is done by every page. Operating is what people click: launch, deploy, scale, stop, delete.
Mending changes roles. Names are botocore's.
"""

from collections.abc import Mapping

Calls = Mapping[str, tuple[str, ...]]


def _calls(**services: str) -> Calls:
    return {service.replace("_", "-"): tuple(names.split()) for service, names in services.items()}


READS = _calls(
    application_autoscaling="""
        DescribeScalableTargets DescribeScalingActivities DescribeScalingPolicies DescribeScheduledActions
    """,
    budgets="DescribeBudget DescribeBudgets DescribeNotificationsForBudget DescribeSubscribersForNotification",
    ce="GetCostAndUsage",
    cloudformation="DescribeChangeSet DescribeStackEvents DescribeStackResources DescribeStacks GetTemplate",
    cloudtrail="DescribeTrails GetEventSelectors GetTrailStatus LookupEvents",
    cloudwatch="DescribeAlarms GetMetricData GetMetricStatistics ListMetrics",
    ec2="""
        DescribeAddresses DescribeImages DescribeInstances DescribeKeyPairs DescribeRouteTables DescribeSecurityGroups
        DescribeSpotPriceHistory DescribeSubnets DescribeVolumes DescribeVpcEndpoints DescribeVpcs
    """,
    iam="""
        GenerateServiceLastAccessedDetails GetAccountAuthorizationDetails GetAccountSummary GetInstanceProfile
        GetPolicy GetPolicyVersion GetRole GetRolePolicy GetServiceLastAccessedDetails ListAttachedRolePolicies
        ListEntitiesForPolicy ListInstanceProfilesForRole ListPolicies ListPolicyVersions ListRolePolicies ListRoles
        SimulateCustomPolicy SimulatePrincipalPolicy
    """,
    **{
        "lambda": """
        GetAccountSettings GetAlias GetFunction GetFunctionConfiguration GetPolicy GetProvisionedConcurrencyConfig
        ListAliases ListFunctionUrlConfigs ListFunctions ListProvisionedConcurrencyConfigs ListTags
        ListVersionsByFunction
    """
    },
    logs="DescribeLogGroups DescribeLogStreams FilterLogEvents GetLogEvents",
    pricing="GetProducts",
    s3="""
        GetBucketAcl GetBucketEncryption GetBucketLocation GetBucketPolicy GetBucketPolicyStatus GetBucketTagging
        GetBucketVersioning GetObject GetObjectTagging GetPublicAccessBlock HeadBucket HeadObject ListBuckets
        ListObjectsV2
    """,
    sagemaker="""
        BatchDescribeModelPackage DescribeEndpoint DescribeEndpointConfig DescribeHyperParameterTuningJob DescribeModel
        DescribeModelPackage DescribeNotebookInstance DescribeTrainingJob ListEndpointConfigs ListEndpoints
        ListHyperParameterTuningJobs ListModelPackageGroups ListModelPackages ListModels ListNotebookInstances ListTags
        ListTrainingJobs ListTrainingJobsForHyperParameterTuningJob Search
    """,
    sagemaker_runtime="InvokeEndpoint",
    scheduler="GetSchedule ListSchedules",
    service_quotas="GetServiceQuota ListServiceQuotas",
    sns="GetTopicAttributes",
    ssm="DescribeInstanceInformation GetParameters",
)

OPERATES = _calls(
    application_autoscaling="""
        DeleteScalingPolicy DeleteScheduledAction DeregisterScalableTarget PutScalingPolicy PutScheduledAction
        RegisterScalableTarget
    """,
    budgets="""
        CreateBudget CreateNotification CreateSubscriber DeleteBudget DeleteNotification DeleteSubscriber UpdateBudget
    """,
    ce="UpdateCostAllocationTagsStatus",
    cloudwatch="DeleteAlarms PutMetricAlarm",
    ec2="""
        AuthorizeSecurityGroupIngress CreateSecurityGroup CreateTags DeleteVolume ReleaseAddress RunInstances
        StopInstances TerminateInstances
    """,
    iam="CreateServiceLinkedRole",
    **{
        "lambda": """
        AddPermission CreateAlias CreateFunction CreateFunctionUrlConfig DeleteFunction DeleteFunctionConcurrency
        DeleteFunctionUrlConfig DeleteProvisionedConcurrencyConfig Invoke PublishVersion PutFunctionConcurrency
        PutProvisionedConcurrencyConfig RemovePermission UpdateAlias UpdateFunctionCode UpdateFunctionConfiguration
    """
    },
    logs="CreateLogGroup DeleteLogStream PutRetentionPolicy",
    s3="""
        AbortMultipartUpload CompleteMultipartUpload CopyObject CreateBucket CreateMultipartUpload DeleteObject
        DeleteObjects PutBucketEncryption PutBucketPolicy PutBucketTagging PutBucketVersioning PutObject
        PutPublicAccessBlock UploadPart
    """,
    sagemaker="""
        AddTags CreateEndpoint CreateEndpointConfig CreateHyperParameterTuningJob CreateModel CreateModelPackage
        CreateModelPackageGroup CreateNotebookInstance CreateNotebookInstanceLifecycleConfig
        CreatePresignedNotebookInstanceUrl CreateTrainingJob DeleteEndpoint DeleteEndpointConfig
        DeleteHyperParameterTuningJob DeleteModel DeleteModelPackage DeleteModelPackageGroup DeleteNotebookInstance
        DeleteTags DeleteTrainingJob StartNotebookInstance StopHyperParameterTuningJob StopNotebookInstance
        StopTrainingJob UpdateEndpoint UpdateEndpointWeightsAndCapacities UpdateModelPackage UpdateNotebookInstance
    """,
    scheduler="CreateSchedule DeleteSchedule UpdateSchedule",
    sns="CreateTopic SetTopicAttributes",
)

MENDS = _calls(
    iam="""
        AddRoleToInstanceProfile AttachRolePolicy CreateInstanceProfile CreatePolicy CreateRole DeletePolicy
        DeleteInstanceProfile DeletePolicyVersion DeleteRole DeleteRolePolicy DetachRolePolicy PutRolePolicy
        RemoveRoleFromInstanceProfile TagPolicy TagRole UntagPolicy UntagRole UpdateAssumeRolePolicy
    """,
)

SETS_UP = _calls(cloudformation="CreateChangeSet DeleteChangeSet DeleteStack ExecuteChangeSet")
"""What sets an account up. No role of Kennel's own is given it: a stack is made with the rights of whoever makes it,
and makes roles.
"""

IMPLIED = frozenset({("iam", "CreateServiceLinkedRole")})
"""What AWS calls in the caller's name: Application Auto Scaling makes its service-linked role on the first target."""
