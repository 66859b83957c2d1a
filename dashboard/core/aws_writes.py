"""Which AWS operations change something: what a read-only connection refuses.

The rule: an operation reads if its name starts with one of READING, or is listed in READING_TOO. Everything else
changes the account or may cost money, and is refused, also when AWS adds operations that nobody here has seen.
InvokeEndpoint runs on instances that are paid by the hour anyway: it costs nothing more and changes nothing.
GenerateServiceLastAccessedDetails has IAM write a report for whoever asks, which is how its last-accessed data is read.
"""

READING = ("Get", "List", "Describe", "Head", "Search", "BatchGet", "BatchDescribe", "Filter", "Simulate", "Lookup")
READING_TOO = frozenset({"InvokeEndpoint", "InvokeEndpointWithResponseStream", "GenerateServiceLastAccessedDetails"})

# Named like reads, yet they hand out, start or change something.
NOT_READING = frozenset(
    {
        "GetAccessToken",
        "GetAuthorizationToken",
        "GetDelegatedAccessToken",
        "GetFederationToken",
        "GetRoleCredentials",
        "GetScalingConfigurationRecommendation",
        "GetSessionToken",
        "GetWebIdentityToken",
    }
)


def changes(operation: str) -> bool:
    """Whether an AWS operation ("CreateTrainingJob") may change the account or cost money."""
    if operation in NOT_READING:
        return True
    return not (operation.startswith(READING) or operation in READING_TOO)
