"""EC2's operations by what they are about, as the Service Authorization Reference lists their resources.

`?` before one: it only counts where the request says it.
"""

RESOURCES = {
    "*": """
        BundleInstance CancelBundleTask CancelReservedInstancesListing CreateDefaultSubnet CreateDefaultVpc
        CreateReservedInstancesListing CreateSpotDatafeedSubscription DeleteSpotDatafeedSubscription
        DeleteSubnetCidrReservation DescribeAccountAttributes DescribeAddresses DescribeAddressesAttribute
        DescribeAvailabilityZones DescribeBundleTasks DescribeCarrierGateways DescribeCustomerGateways
        DescribeDhcpOptions DescribeEgressOnlyInternetGateways DescribeFleets DescribeFlowLogs DescribeHosts
        DescribeIamInstanceProfileAssociations DescribeImages DescribeInstanceCreditSpecifications
        DescribeInstanceStatus DescribeInstanceTypeOfferings DescribeInstanceTypes DescribeInstances
        DescribeInternetGateways DescribeKeyPairs DescribeLaunchTemplateVersions DescribeLaunchTemplates
        DescribeManagedPrefixLists DescribeNatGateways DescribeNetworkAcls DescribeNetworkInterfaceAttribute
        DescribeNetworkInterfaces DescribePrefixLists DescribeRegions DescribeReservedInstances
        DescribeReservedInstancesListings DescribeReservedInstancesOfferings DescribeRouteTables
        DescribeSecurityGroupRules DescribeSecurityGroups DescribeSnapshotTierStatus DescribeSnapshots
        DescribeSpotDatafeedSubscription DescribeSpotFleetRequests DescribeSpotInstanceRequests
        DescribeSpotPriceHistory DescribeSubnets DescribeTags DescribeTrafficMirrorFilters
        DescribeTrafficMirrorSessions DescribeTrafficMirrorTargets DescribeTransitGatewayAttachments
        DescribeTransitGatewayPeeringAttachments DescribeTransitGatewayRouteTables
        DescribeTransitGatewayVpcAttachments DescribeTransitGateways DescribeVolumeStatus DescribeVolumes
        DescribeVolumesModifications DescribeVpcClassicLink DescribeVpcClassicLinkDnsSupport
        DescribeVpcEndpointServiceConfigurations DescribeVpcEndpointServices DescribeVpcEndpoints
        DescribeVpcPeeringConnections DescribeVpcs DescribeVpnConnections DescribeVpnGateways
        DisableEbsEncryptionByDefault DisassociateAddress DisassociateRouteTable DisassociateVpcCidrBlock
        EnableEbsEncryptionByDefault GetEbsEncryptionByDefault GetSubnetCidrReservations
        GetTransitGatewayRouteTableAssociations GetTransitGatewayRouteTablePropagations
        ModifyEbsDefaultKmsKeyId PurchaseReservedInstancesOffering
    """,
    "?arn:{partition}:ec2:{region}::snapshot/{SnapshotId} volume/*": "CreateVolume",
    "?elastic-ip/{AllocationId}": "ReleaseAddress",
    "?elastic-ip/{AllocationId} ?instance/{InstanceId} ?network-interface/{NetworkInterfaceId}": "AssociateAddress",
    "?elastic-ip/{AllocationId} natgateway/* ?subnet/{SubnetId} ?vpc/{VpcId}": "CreateNatGateway",
    "?instance/{InstanceId} volume/{VolumeId}": "DetachVolume",
    "?key-pair/{KeyName|KeyPairId}": "DeleteKeyPair",
    "?network-interface/{NetworkInterfaceId} traffic-mirror-target/*": "CreateTrafficMirrorTarget",
    (
        "?route-table/{RouteTableIds} ?security-group/{SecurityGroupIds} ?subnet/{SubnetIds} vpc/{VpcId} vpc-endpoint/*"
    ): "CreateVpcEndpoint",
    (
        "?traffic-mirror-filter/{TrafficMirrorFilterId} traffic-mirror-session/{TrafficMirrorSessionId} "
        "?traffic-mirror-target/{TrafficMirrorTargetId}"
    ): "ModifyTrafficMirrorSession",
    (
        "?transit-gateway-attachment/{TransitGatewayAttachmentId} "
        "transit-gateway-route-table/{TransitGatewayRouteTableId}"
    ): "CreateTransitGatewayRoute",
    (
        "?transit-gateway-attachment/{TransitGatewayAttachmentId} "
        "transit-gateway-route-table/{TransitGatewayRouteTableId} "
        "?transit-gateway-route-table-announcement/{TransitGatewayRouteTableAnnouncementId}"
    ): "DisableTransitGatewayRouteTablePropagation EnableTransitGatewayRouteTablePropagation",
    "?vpc/{VpcId}": "DisableVpcClassicLinkDnsSupport EnableVpcClassicLinkDnsSupport",
    "arn:{partition}:ec2:{region}::image/*": "RegisterImage",
    "arn:{partition}:ec2:{region}::image/* arn:{partition}:ec2:{region}::snapshot/*": "CopyImage",
    (
        "arn:{partition}:ec2:{region}::image/* instance/{InstanceId} arn:{partition}:ec2:{region}::snapshot/*"
    ): "CreateImage",
    "arn:{partition}:ec2:{region}::image/{ImageId}": """
        DeregisterImage DescribeImageAttribute DisableImage EnableImage ModifyImageAttribute
        ResetImageAttribute
    """,
    "arn:{partition}:ec2:{region}::snapshot/*": "CopySnapshot",
    "arn:{partition}:ec2:{region}::snapshot/* volume/{VolumeId}": "CreateSnapshot",
    "arn:{partition}:ec2:{region}::snapshot/{SnapshotId}": """
        DeleteSnapshot DescribeSnapshotAttribute ModifySnapshotAttribute ModifySnapshotTier
        ResetSnapshotAttribute RestoreSnapshotTier
    """,
    "carrier-gateway/* vpc/{VpcId}": "CreateCarrierGateway",
    "carrier-gateway/{CarrierGatewayId}": "DeleteCarrierGateway",
    "customer-gateway/*": "CreateCustomerGateway",
    "customer-gateway/{CustomerGatewayId}": "DeleteCustomerGateway",
    (
        "customer-gateway/{CustomerGatewayId} ?transit-gateway/{TransitGatewayId} "
        "?vpn-concentrator/{VpnConcentratorId} vpn-connection/* ?vpn-gateway/{VpnGatewayId}"
    ): "CreateVpnConnection",
    "dedicated-host/*": "AllocateHosts",
    "dedicated-host/{HostIds}": "ModifyHosts ReleaseHosts",
    "dhcp-options/*": "CreateDhcpOptions",
    "dhcp-options/{DhcpOptionsId}": "DeleteDhcpOptions",
    "dhcp-options/{DhcpOptionsId} vpc/{VpcId}": "AssociateDhcpOptions",
    "egress-only-internet-gateway/* vpc/{VpcId}": "CreateEgressOnlyInternetGateway",
    "egress-only-internet-gateway/{EgressOnlyInternetGatewayId}": "DeleteEgressOnlyInternetGateway",
    "elastic-ip/*": "AllocateAddress",
    "fleet/* instance/*": "CreateFleet",
    "fleet/{FleetIds}": "DeleteFleets",
    "fleet/{FleetId}": "DescribeFleetInstances",
    "instance/* arn:{partition}:ec2:{region}::snapshot/* volume/*": "CreateSnapshots",
    "instance/* network-interface/*": "DetachNetworkInterface",
    "instance/{InstanceIds}": """
        MonitorInstances RebootInstances StartInstances StopInstances TerminateInstances UnmonitorInstances
    """,
    "instance/{InstanceId}": """
        DescribeInstanceAttribute DisassociateIamInstanceProfile GetConsoleOutput GetInstanceUefiData
        GetLaunchTemplateData GetPasswordData
        ModifyInstanceAttribute ModifyInstanceMetadataOptions
    """,
    "instance/{InstanceId} network-interface/{NetworkInterfaceId}": "AttachNetworkInterface",
    "instance/{InstanceId} volume/{VolumeId}": "AttachVolume",
    "internet-gateway/*": "CreateInternetGateway",
    "internet-gateway/{InternetGatewayId}": "DeleteInternetGateway",
    "internet-gateway/{InternetGatewayId} vpc/{VpcId}": "AttachInternetGateway DetachInternetGateway",
    "key-pair/{KeyName}": "CreateKeyPair ImportKeyPair",
    "launch-template/*": "CreateLaunchTemplate",
    "launch-template/{LaunchTemplateId}": "CreateLaunchTemplateVersion DeleteLaunchTemplate ModifyLaunchTemplate",
    "natgateway/{NatGatewayId}": "DeleteNatGateway",
    "network-acl/* vpc/{VpcId}": "CreateNetworkAcl",
    "network-acl/{NetworkAclId}": "CreateNetworkAclEntry DeleteNetworkAcl DeleteNetworkAclEntry ReplaceNetworkAclEntry",
    "network-acl/{NetworkAclId} subnet/*": "ReplaceNetworkAclAssociation",
    "network-interface/* subnet/{SubnetId}": "CreateNetworkInterface",
    "network-interface/{NetworkInterfaceId}": """
        AssignIpv6Addresses AssignPrivateIpAddresses DeleteNetworkInterface ModifyNetworkInterfaceAttribute
        ResetNetworkInterfaceAttribute UnassignIpv6Addresses UnassignPrivateIpAddresses
    """,
    (
        "network-interface/{NetworkInterfaceId} traffic-mirror-filter/{TrafficMirrorFilterId} "
        "traffic-mirror-session/* traffic-mirror-target/{TrafficMirrorTargetId}"
    ): "CreateTrafficMirrorSession",
    "prefix-list/*": "CreateManagedPrefixList",
    "prefix-list/{PrefixListId}": "DeleteManagedPrefixList GetManagedPrefixListEntries ModifyManagedPrefixList",
    "route-table/* vpc/{VpcId}": "CreateRouteTable",
    "route-table/{RouteTableId}": "CreateRoute DeleteRoute DeleteRouteTable ReplaceRoute ReplaceRouteTableAssociation",
    "route-table/{RouteTableId} ?subnet/{SubnetId}": "AssociateRouteTable",
    "security-group/{GroupId}": """
        AuthorizeSecurityGroupEgress AuthorizeSecurityGroupIngress DeleteSecurityGroup
        RevokeSecurityGroupEgress RevokeSecurityGroupIngress UpdateSecurityGroupRuleDescriptionsEgress
        UpdateSecurityGroupRuleDescriptionsIngress
    """,
    "security-group/{GroupId} security-group-rule/{SecurityGroupRules.SecurityGroupRuleId}": "ModifySecurityGroupRules",
    "spot-fleet-request/*": "RequestSpotFleet",
    "spot-fleet-request/{SpotFleetRequestIds}": "CancelSpotFleetRequests",
    "spot-fleet-request/{SpotFleetRequestId}": "DescribeSpotFleetInstances ModifySpotFleetRequest",
    "spot-instances-request/*": "RequestSpotInstances",
    "spot-instances-request/{SpotInstanceRequestIds}": "CancelSpotInstanceRequests",
    "subnet/*": "DisassociateSubnetCidrBlock",
    "subnet/* vpc/{VpcId}": "CreateSubnet",
    (
        "subnet/{SubnetIds} transit-gateway/{TransitGatewayId} transit-gateway-attachment/* vpc/{VpcId}"
    ): "CreateTransitGatewayVpcAttachment",
    "subnet/{SubnetId}": "AssociateSubnetCidrBlock CreateSubnetCidrReservation DeleteSubnet ModifySubnetAttribute",
    "traffic-mirror-filter/*": "CreateTrafficMirrorFilter",
    "traffic-mirror-session/{TrafficMirrorSessionId}": "DeleteTrafficMirrorSession",
    "transit-gateway-attachment/{TransitGatewayAttachmentId}": """
        AcceptTransitGatewayPeeringAttachment DeleteTransitGatewayPeeringAttachment
        DeleteTransitGatewayVpcAttachment ModifyTransitGatewayVpcAttachment
        RejectTransitGatewayPeeringAttachment
    """,
    (
        "transit-gateway-attachment/{TransitGatewayAttachmentId} "
        "transit-gateway-route-table/{TransitGatewayRouteTableId}"
    ): "AssociateTransitGatewayRouteTable DisassociateTransitGatewayRouteTable",
    "transit-gateway-route-table/{TransitGatewayRouteTableId}": """
        DeleteTransitGatewayRoute DeleteTransitGatewayRouteTable SearchTransitGatewayRoutes
    """,
    "transit-gateway/*": "CreateTransitGateway",
    "transit-gateway/{TransitGatewayId}": "DeleteTransitGateway ModifyTransitGateway",
    "transit-gateway/{TransitGatewayId} transit-gateway-attachment/*": "CreateTransitGatewayPeeringAttachment",
    "transit-gateway/{TransitGatewayId} transit-gateway-route-table/*": "CreateTransitGatewayRouteTable",
    "volume/*": "ImportVolume",
    "volume/{VolumeId}": "DeleteVolume DescribeVolumeAttribute EnableVolumeIO ModifyVolume ModifyVolumeAttribute",
    "vpc-endpoint-service/*": "CreateVpcEndpointServiceConfiguration",
    "vpc-endpoint-service/{ServiceIds}": "DeleteVpcEndpointServiceConfigurations",
    "vpc-endpoint-service/{ServiceId}": """
        DescribeVpcEndpointServicePermissions ModifyVpcEndpointServiceConfiguration
        ModifyVpcEndpointServicePermissions
    """,
    "vpc-endpoint/{VpcEndpointIds}": "DeleteVpcEndpoints",
    "vpc-endpoint/{VpcEndpointId}": "ModifyVpcEndpoint",
    "vpc-flow-log/*": "CreateFlowLogs",
    "vpc-flow-log/{FlowLogIds}": "DeleteFlowLogs",
    "vpc-peering-connection/{VpcPeeringConnectionId}": """
        DeleteVpcPeeringConnection ModifyVpcPeeringConnectionOptions RejectVpcPeeringConnection
    """,
    "vpc/*": "CreateVpc",
    "vpc/* vpc-peering-connection/{VpcPeeringConnectionId}": "AcceptVpcPeeringConnection",
    "vpc/{VpcId}": """
        AssociateVpcCidrBlock DeleteVpc DescribeVpcAttribute DisableVpcClassicLink EnableVpcClassicLink
        ModifyVpcAttribute ModifyVpcTenancy
    """,
    "vpc/{VpcId} vpc-peering-connection/*": "CreateVpcPeeringConnection",
    "vpc/{VpcId} vpn-gateway/{VpnGatewayId}": "AttachVpnGateway DetachVpnGateway",
    "vpn-connection/{VpnConnectionId}": "DeleteVpnConnection",
    "vpn-gateway/*": "CreateVpnGateway",
    "vpn-gateway/{VpnGatewayId}": "DeleteVpnGateway",
}
