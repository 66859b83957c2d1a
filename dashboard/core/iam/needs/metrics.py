"""CloudWatch and CloudWatch Logs."""

from dashboard.core.iam.needs.request import Needs

CLOUDWATCH = Needs(
    prefix="cloudwatch",
    base="arn:{partition}:cloudwatch:{region}:{account}:",
    resources={
        "*": "PutMetricData GetMetricData GetMetricStatistics ListMetrics DescribeAlarmsForMetric ListDashboards",
        "alarm:{AlarmName}": "PutMetricAlarm SetAlarmState DescribeAlarmHistory",
        "alarm:{AlarmNames}": "DeleteAlarms DescribeAlarms DisableAlarmActions EnableAlarmActions",
        "{ResourceARN}": "ListTagsForResource TagResource UntagResource",
    },
    contexts={
        "PutMetricData": {"cloudwatch:namespace": "Namespace"},
        "PutMetricAlarm": {"cloudwatch:AlarmActions": "AlarmActions"},
    },
    tagging="TagResource",
)

# An ARN of a group has ":log-stream:" behind it in every check but those of tags, which is why a policy's Resource
# needs its ":*" ("CloudWatch Logs resources and operations").
_GROUP = "log-group:{logGroupName|logGroupIdentifier}:log-stream:"
_STREAM = "log-group:{logGroupName|logGroupIdentifier}:log-stream:{logStreamName}"

LOGS = Needs(
    prefix="logs",
    base="arn:{partition}:logs:{region}:{account}:",
    resources={
        "*": "DescribeLogGroups DescribeQueries StopQuery",
        "log-group:*": "GetQueryResults",
        _GROUP: """
            CreateLogGroup DeleteLogGroup DescribeLogStreams FilterLogEvents PutRetentionPolicy
            DeleteRetentionPolicy StartQuery DescribeMetricFilters DescribeSubscriptionFilters PutMetricFilter
            DeleteMetricFilter
        """,
        _STREAM: "CreateLogStream GetLogEvents PutLogEvents DeleteLogStream",
        "{resourceArn}": "ListTagsForResource TagResource UntagResource",
        "log-group:{logGroupName}": "ListTagsLogGroup TagLogGroup UntagLogGroup",
    },
    tags="tags",
    tagging="TagResource",
)
