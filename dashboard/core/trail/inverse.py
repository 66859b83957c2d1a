"""What takes a call back: for each operation, how to read what it changes, and the calls that bring that back.

It is read before the call is sent and again when the deed is over; both stand in the trail. What is made anew, such as
an endpoint, has a deletion of its own instead, and roles have records of their own (core/iam/replace).
"""

from collections.abc import Mapping

from dashboard.core.trail.way import Inverse
from dashboard.core.trail.way_function import FUNCTIONS, OF_ALIAS, OF_READY, OF_RESERVED
from dashboard.core.trail.way_money import MONEY, OF_ALERT, OF_BUDGET, OF_SCHEDULE
from dashboard.core.trail.way_scaling import OF_ACTION, OF_POLICY, OF_TARGET, OF_WHOLE_TARGET, SCALING
from dashboard.core.trail.way_serving import (
    OF_CONFIGURATION,
    OF_DECISION,
    OF_MACHINE,
    OF_NOTEBOOK,
    OF_TAGS,
    OF_WEIGHTS,
    SERVING,
)

INVERSES: Mapping[tuple[str, str], Inverse] = {
    (SCALING, "RegisterScalableTarget"): OF_TARGET,
    (SCALING, "DeregisterScalableTarget"): OF_WHOLE_TARGET,
    (SCALING, "PutScalingPolicy"): OF_POLICY,
    (SCALING, "DeleteScalingPolicy"): OF_POLICY,
    (SCALING, "PutScheduledAction"): OF_ACTION,
    (SCALING, "DeleteScheduledAction"): OF_ACTION,
    (FUNCTIONS, "PutFunctionConcurrency"): OF_RESERVED,
    (FUNCTIONS, "DeleteFunctionConcurrency"): OF_RESERVED,
    (FUNCTIONS, "PutProvisionedConcurrencyConfig"): OF_READY,
    (FUNCTIONS, "DeleteProvisionedConcurrencyConfig"): OF_READY,
    (FUNCTIONS, "UpdateAlias"): OF_ALIAS,
    (SERVING, "UpdateEndpoint"): OF_CONFIGURATION,
    (SERVING, "UpdateEndpointWeightsAndCapacities"): OF_WEIGHTS,
    (SERVING, "UpdateModelPackage"): OF_DECISION,
    (SERVING, "StopNotebookInstance"): OF_NOTEBOOK,
    (SERVING, "StartNotebookInstance"): OF_NOTEBOOK,
    (SERVING, "UpdateNotebookInstance"): OF_MACHINE,
    (SERVING, "AddTags"): OF_TAGS,
    (SERVING, "DeleteTags"): OF_TAGS,
    (MONEY, "CreateBudget"): OF_BUDGET,
    (MONEY, "UpdateBudget"): OF_BUDGET,
    (MONEY, "CreateNotification"): OF_ALERT,
    ("scheduler", "CreateSchedule"): OF_SCHEDULE,
    ("scheduler", "UpdateSchedule"): OF_SCHEDULE,
    ("scheduler", "DeleteSchedule"): OF_SCHEDULE,
}

STAYS: Mapping[tuple[str, str], str] = {
    (SERVING, "CreateEndpointConfig"): "the configuration that was made",
    (SERVING, "CreateModel"): "the model that was made",
    (SERVING, "CreateNotebookInstanceLifecycleConfig"): "the script that was made",
    ("cloudwatch", "PutMetricAlarm"): "its alarms",
    (FUNCTIONS, "PublishVersion"): "the version that was published",
    ("iam", "CreateRole"): "the role that was made for it",
    ("iam", "PutRolePolicy"): "the rights of that role",
    ("sns", "CreateTopic"): "the topic for alerts",
    ("sns", "SetTopicAttributes"): "the topic's policy",
}
"""What a deed made on the way and an undo leaves: it costs nothing and is in nobody's way."""
