"""SageMaker's operations beside those of jobs, models and endpoints, by what they are about.

Source: the Service Authorization Reference. `?` before one: it only counts where the request says it.
"""

RESOURCES = {
    "*": """
        DescribeLineageGroup DisableSagemakerServicecatalogPortfolio EnableSagemakerServicecatalogPortfolio
        GetLineageGroupPolicy GetSagemakerServicecatalogPortfolioStatus ListActions ListAppImageConfigs
        ListArtifacts ListAssociations ListCandidatesForAutoMLJob ListClusterSchedulerConfigs
        ListComputeQuotas ListDataQualityJobDefinitions ListDeviceFleets ListDevices ListEdgeDeploymentPlans
        ListEdgePackagingJobs ListFlowDefinitions ListHubs ListHumanTaskUis ListInferenceExperiments
        ListInferenceRecommendationsJobSteps ListInferenceRecommendationsJobs ListLineageGroups
        ListMlflowApps ListMlflowTrackingServers ListModelBiasJobDefinitions ListModelCards
        ListModelExplainabilityJobDefinitions ListModelMetadata ListModelQualityJobDefinitions
        ListMonitoringAlertHistory ListMonitoringAlerts ListMonitoringExecutions ListOptimizationJobs
        ListPartnerApps ListProjects ListResourceCatalogs ListStageDevices ListStudioLifecycleConfigs
        ListSubscribedWorkteams ListTrialComponents ListTrials ListWorkforces ListWorkteams QueryLineage
        RenderUiTemplate
    """,
    "action/* artifact/* context/* experiment/* experiment-trial-component/*": "AddAssociation DeleteAssociation",
    "action/{ActionName}": "CreateAction DeleteAction DescribeAction UpdateAction",
    "algorithm/{AlgorithmName}": "CreateAlgorithm DeleteAlgorithm DescribeAlgorithm",
    "app-image-config/{AppImageConfigName}": """
        CreateAppImageConfig DeleteAppImageConfig DescribeAppImageConfig UpdateAppImageConfig
    """,
    "app/{DomainId}/{UserProfileName}/{AppType}/{AppName}": "CreateApp DeleteApp DescribeApp",
    "artifact/*": "CreateArtifact DeleteArtifact DescribeArtifact UpdateArtifact",
    "automl-job/{AutoMLJobName}": """
        CreateAutoMLJob CreateAutoMLJobV2 DescribeAutoMLJob DescribeAutoMLJobV2 StopAutoMLJob
    """,
    "cluster-scheduler-config/{ClusterSchedulerConfigId}": """
        DeleteClusterSchedulerConfig DescribeClusterSchedulerConfig UpdateClusterSchedulerConfig
    """,
    "cluster/*": """
        BatchAddClusterNodes BatchDeleteClusterNodes CreateCluster DeleteCluster DescribeCluster
        DescribeClusterEvent DescribeClusterNode ListClusterEvents ListClusterNodes StartClusterHealthCheck
        UpdateCluster UpdateClusterSoftware
    """,
    "cluster/{ClusterArn}": "AttachClusterNodeVolume DetachClusterNodeVolume",
    "cluster/{ClusterArn} cluster-scheduler-config/*": "CreateClusterSchedulerConfig",
    "cluster/{ClusterArn} compute-quota/*": "CreateComputeQuota",
    "code-repository/{CodeRepositoryName}": """
        CreateCodeRepository DeleteCodeRepository DescribeCodeRepository UpdateCodeRepository
    """,
    "compilation-job/{CompilationJobName}": """
        CreateCompilationJob DeleteCompilationJob DescribeCompilationJob StopCompilationJob
    """,
    "compute-quota/{ComputeQuotaId}": "DeleteComputeQuota DescribeComputeQuota UpdateComputeQuota",
    "context/{ContextName}": "CreateContext DeleteContext DescribeContext UpdateContext",
    "data-quality-job-definition/{JobDefinitionName}": """
        CreateDataQualityJobDefinition DeleteDataQualityJobDefinition DescribeDataQualityJobDefinition
    """,
    "device-fleet/{DeviceFleetName}": """
        CreateDeviceFleet DeleteDeviceFleet DescribeDeviceFleet GetDeviceFleetReport UpdateDeviceFleet
    """,
    "device-fleet/{DeviceFleetName}/device/*": "DeregisterDevices RegisterDevices UpdateDevices",
    "device-fleet/{DeviceFleetName}/device/{DeviceName}": "DescribeDevice",
    "domain/*": "CreateDomain",
    "edge-deployment/{EdgeDeploymentPlanName}": """
        CreateEdgeDeploymentPlan CreateEdgeDeploymentStage DeleteEdgeDeploymentPlan
        DeleteEdgeDeploymentStage DescribeEdgeDeploymentPlan StartEdgeDeploymentStage
        StopEdgeDeploymentStage
    """,
    "edge-packaging-job/{EdgePackagingJobName}": "CreateEdgePackagingJob DescribeEdgePackagingJob StopEdgePackagingJob",
    "endpoint/{EndpointName} inference-component/{InferenceComponentName}": "CreateInferenceComponent",
    "experiment-trial-component/{TrialComponentName}": """
        CreateTrialComponent DeleteTrialComponent DescribeTrialComponent UpdateTrialComponent
    """,
    "experiment-trial/{TrialName}": "DeleteTrial DescribeTrial UpdateTrial",
    "experiment-trial/{TrialName} experiment-trial-component/{TrialComponentName}": "AssociateTrialComponent",
    "experiment-trial/{TrialName} experiment-trial-component/{TrialComponentName} processing-job/*": """
        DisassociateTrialComponent
    """,
    "experiment/{ExperimentName}": "CreateExperiment DeleteExperiment DescribeExperiment UpdateExperiment",
    "experiment/{ExperimentName} experiment-trial/{TrialName}": "CreateTrial",
    "feature-group/{FeatureGroupName}": """
        CreateFeatureGroup DeleteFeatureGroup DescribeFeatureGroup DescribeFeatureMetadata
        UpdateFeatureGroup UpdateFeatureMetadata
    """,
    "flow-definition/{FlowDefinitionName}": "CreateFlowDefinition DeleteFlowDefinition DescribeFlowDefinition",
    "hub/{HubName}": "CreateHub DeleteHub DescribeHub ListHubContents UpdateHub",
    "hub/{HubName} hub-content/{HubName}/*/{HubContentName}": "CreateHubContentReference",
    "hub/{HubName} hub-content/{HubName}/{HubContentType}/{HubContentName}": """
        CreateHubContentPresignedUrls DeleteHubContent DeleteHubContentReference DescribeHubContent
        ImportHubContent ListHubContentVersions UpdateHubContent UpdateHubContentReference
    """,
    "human-task-ui/{HumanTaskUiName}": "CreateHumanTaskUi DeleteHumanTaskUi DescribeHumanTaskUi",
    "image-version/{ImageName}/{Version}": "DeleteImageVersion DescribeImageVersion UpdateImageVersion",
    "image/{ImageName}": "CreateImage CreateImageVersion DeleteImage DescribeImage ListImageVersions UpdateImage",
    "image/{ImageName} image-version/{ImageName}/{Version}": "ListAliases",
    "inference-component/{InferenceComponentName}": """
        DeleteInferenceComponent DescribeInferenceComponent UpdateInferenceComponent
        UpdateInferenceComponentRuntimeConfig
    """,
    "inference-experiment/*": """
        CreateInferenceExperiment DeleteInferenceExperiment DescribeInferenceExperiment
        StartInferenceExperiment StopInferenceExperiment UpdateInferenceExperiment
    """,
    "inference-recommendations-job/*": """
        CreateInferenceRecommendationsJob DescribeInferenceRecommendationsJob
        StopInferenceRecommendationsJob
    """,
    "inference-recommendations-job/{InferenceRecommendationsJobName}": "GetScalingConfigurationRecommendation",
    "labeling-job/{LabelingJobName}": "CreateLabelingJob DescribeLabelingJob StopLabelingJob",
    "mlflow-app/*": "CreateMlflowApp CreatePresignedMlflowAppUrl DeleteMlflowApp DescribeMlflowApp UpdateMlflowApp",
    "mlflow-tracking-server/*": """
        CreateMlflowTrackingServer CreatePresignedMlflowTrackingServerUrl DeleteMlflowTrackingServer
        DescribeMlflowTrackingServer StartMlflowTrackingServer StopMlflowTrackingServer
        UpdateMlflowTrackingServer
    """,
    "model-bias-job-definition/{JobDefinitionName}": """
        CreateModelBiasJobDefinition DeleteModelBiasJobDefinition DescribeModelBiasJobDefinition
    """,
    "model-card/*/export-job/*": "DescribeModelCardExportJob",
    "model-card/{ModelCardName}": """
        CreateModelCard CreateModelCardExportJob DeleteModelCard DescribeModelCard ListModelCardExportJobs
        ListModelCardVersions UpdateModelCard
    """,
    "model-explainability-job-definition/{JobDefinitionName}": """
        CreateModelExplainabilityJobDefinition DeleteModelExplainabilityJobDefinition
        DescribeModelExplainabilityJobDefinition
    """,
    "model-quality-job-definition/{JobDefinitionName}": """
        CreateModelQualityJobDefinition DeleteModelQualityJobDefinition DescribeModelQualityJobDefinition
    """,
    "monitoring-schedule/{MonitoringScheduleName}": """
        CreateMonitoringSchedule DeleteMonitoringSchedule DescribeMonitoringSchedule StartMonitoringSchedule
        StopMonitoringSchedule UpdateMonitoringSchedule
    """,
    "monitoring-schedule/{MonitoringScheduleName} monitoring-schedule/{MonitoringScheduleName}/alert/*": """
        UpdateMonitoringAlert
    """,
    "optimization-job/{OptimizationJobName}": """
        CreateOptimizationJob DeleteOptimizationJob DescribeOptimizationJob StopOptimizationJob
    """,
    "partner-app/*": """
        CreatePartnerApp CreatePartnerAppPresignedUrl DeletePartnerApp DescribePartnerApp UpdatePartnerApp
    """,
    "pipeline/*/execution/*": """
        DescribePipelineDefinitionForExecution DescribePipelineExecution ListPipelineExecutionSteps
        ListPipelineParametersForExecution RetryPipelineExecution SendPipelineExecutionStepFailure
        SendPipelineExecutionStepSuccess StopPipelineExecution UpdatePipelineExecution
    """,
    "pipeline/{PipelineArn}": "UpdatePipelineVersion",
    "pipeline/{PipelineName}": "ListPipelineExecutions ListPipelineVersions UpdatePipeline",
    "project/{ProjectName}": "CreateProject DeleteProject DescribeProject UpdateProject",
    "reserved-capacity/*": "DescribeReservedCapacity ListUltraServersByReservedCapacity",
    "space/*/*": "StartSession",
    "space/{DomainId}/{SpaceName}": "CreateSpace DeleteSpace DescribeSpace UpdateSpace",
    "studio-lifecycle-config/{StudioLifecycleConfigName}": """
        CreateStudioLifecycleConfig DeleteStudioLifecycleConfig DescribeStudioLifecycleConfig
    """,
    "training-plan/{TrainingPlanName}": "CreateTrainingPlan DescribeTrainingPlan",
    "user-profile/{DomainId}/{UserProfileName}": "CreatePresignedDomainUrl UpdateUserProfile",
    "workforce/{WorkforceName}": "CreateWorkforce DeleteWorkforce DescribeWorkforce UpdateWorkforce",
    "workteam/{WorkteamArn}": "DescribeSubscribedWorkteam ListLabelingJobsForWorkteam",
    "workteam/{WorkteamName}": "CreateWorkteam DeleteWorkteam DescribeWorkteam UpdateWorkteam",
}
