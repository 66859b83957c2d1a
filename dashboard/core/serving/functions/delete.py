"""Delete a function with what belongs to it alone: its versions, aliases, address, auto scaling and role."""

from dashboard.core import tags
from dashboard.core.aws import Aws
from dashboard.core.calls import Call
from dashboard.core.serving.functions import role
from dashboard.core.serving.functions.functions import Details
from dashboard.core.serving.functions.plan import About, Plan, account_warnings, ours
from dashboard.core.serving.functions.scaled import deregister_request


def plan_delete(aws: Aws, details: Details) -> Plan:
    """What deleting a function takes with it. Raises Refused for one that Kennel did not make, and the errors of
    `Aws.call`."""
    one = details.function
    ours(one, "delete")
    calls = [
        Call(
            "application-autoscaling",
            "DeregisterScalableTarget",
            deregister_request(one.name, scaled.qualifier),
            f"ends the auto scaling of {one.name}:{scaled.qualifier}, its alarms go with it",
        )
        for scaled in details.scaled
    ]
    calls.append(Call("lambda", "DeleteFunction", {"FunctionName": one.name}, "deletes the function"))
    goes = [
        f"the function {one.name}",
        *(f"its version {each.number}" for each in details.versions[:5]),
        *((f"and {len(details.versions) - 5} more versions",) if len(details.versions) > 5 else ()),
        *(f"the alias {each.name}" for each in details.aliases),
    ]
    goes += [f"what is kept ready for {each.qualifier}: {each.requested}" for each in details.provisioned]
    goes += [f"its address {details.url.url}"] if details.url else []
    stays = [f"the endpoint {one.endpoint}, which goes on costing what it costs"] if one.endpoint else []
    if one.role_name == role.name_of(one.name) and tags.is_own_role(aws, one.role_name):
        calls += role.delete_calls(one.name)
        goes.append(f"its role {one.role_name}")
    else:
        stays.append(f"the role {one.role_name}: it was not made for this function alone")
    stays.append(f"its log {one.log_group}, until its lines are too old to be kept")
    return Plan(
        function=one.name,
        about=About.ALL,
        title=f"Delete {one.name}",
        button=f"Delete {one.name}",
        calls=tuple(calls),
        said=f"{one.name} is deleted",
        goes=tuple(goes),
        stays=tuple(stays),
        warnings=account_warnings(aws.account),
    )
