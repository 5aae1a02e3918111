package dev.muelle.services.ec2;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.network.Network;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.InstanceBoots;
import dev.muelle.services.InstanceGroups;
import dev.muelle.services.InstanceLoads;
import dev.muelle.services.Measurements;
import dev.muelle.services.RegionalApis;
import dev.muelle.services.Scope;
import dev.muelle.services.ServiceRole;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.VpcHttp;
import dev.muelle.services.ec2.acl.AclEntries;
import dev.muelle.services.ec2.acl.NetworkAcls;
import dev.muelle.services.ec2.dhcp.DhcpOptionSets;
import dev.muelle.services.ec2.endpoint.EndpointAssociations;
import dev.muelle.services.ec2.endpoint.EndpointNames;
import dev.muelle.services.ec2.endpoint.EndpointServers;
import dev.muelle.services.ec2.endpoint.EndpointServices;
import dev.muelle.services.ec2.endpoint.ServicePrefixLists;
import dev.muelle.services.ec2.endpoint.VpcEndpoints;
import dev.muelle.services.ec2.eni.AddressAttributes;
import dev.muelle.services.ec2.eni.ElasticAddresses;
import dev.muelle.services.ec2.eni.HostNames;
import dev.muelle.services.ec2.eni.InterfaceAttributes;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ec2.flow.FlowDelivery;
import dev.muelle.services.ec2.flow.FlowLogs;
import dev.muelle.services.ec2.gateway.EgressOnlyGateways;
import dev.muelle.services.ec2.gateway.InternetGateways;
import dev.muelle.services.ec2.health.InstanceStatuses;
import dev.muelle.services.ec2.health.Monitoring;
import dev.muelle.services.ec2.image.InstanceTypes;
import dev.muelle.services.ec2.image.MachineImages;
import dev.muelle.services.ec2.image.TypeOfferings;
import dev.muelle.services.ec2.instance.Attachments;
import dev.muelle.services.ec2.instance.CpuCredits;
import dev.muelle.services.ec2.instance.InstanceAttributes;
import dev.muelle.services.ec2.instance.Instances;
import dev.muelle.services.ec2.instance.LaunchedAs;
import dev.muelle.services.ec2.instance.Launches;
import dev.muelle.services.ec2.instance.Pauses;
import dev.muelle.services.ec2.instance.Profiles;
import dev.muelle.services.ec2.instance.Reboots;
import dev.muelle.services.ec2.instance.StateChanges;
import dev.muelle.services.ec2.instance.Volumes;
import dev.muelle.services.ec2.key.KeyPairs;
import dev.muelle.services.ec2.metadata.InstanceMetadata;
import dev.muelle.services.ec2.metadata.MetadataOptions;
import dev.muelle.services.ec2.nat.NatGateways;
import dev.muelle.services.ec2.peering.VpcPeerings;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.route.RouteTables;
import dev.muelle.services.ec2.route.Routes;
import dev.muelle.services.ec2.security.GroupVpcs;
import dev.muelle.services.ec2.security.PrefixLists;
import dev.muelle.services.ec2.security.RuleDescriptions;
import dev.muelle.services.ec2.security.SecurityGroupRules;
import dev.muelle.services.ec2.security.SecurityGroups;
import dev.muelle.services.ec2.security.StaleGroups;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.services.ec2.subnet.Subnets;
import dev.muelle.services.ec2.template.LaunchTemplates;
import dev.muelle.services.ec2.template.TemplateVersions;
import dev.muelle.services.ec2.vpc.Vpcs;
import dev.muelle.services.ec2.zone.AccountAttributes;
import dev.muelle.services.ec2.zone.Zones;
import dev.muelle.store.Store;
import java.util.Set;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.AcceptVpcPeeringConnectionRequest;
import software.amazon.awssdk.services.ec2.model.AcceptVpcPeeringConnectionResponse;
import software.amazon.awssdk.services.ec2.model.AllocateAddressRequest;
import software.amazon.awssdk.services.ec2.model.AllocateAddressResponse;
import software.amazon.awssdk.services.ec2.model.AssignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.AssignIpv6AddressesResponse;
import software.amazon.awssdk.services.ec2.model.AssignPrivateIpAddressesRequest;
import software.amazon.awssdk.services.ec2.model.AssignPrivateIpAddressesResponse;
import software.amazon.awssdk.services.ec2.model.AssociateAddressRequest;
import software.amazon.awssdk.services.ec2.model.AssociateAddressResponse;
import software.amazon.awssdk.services.ec2.model.AssociateDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.AssociateDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.AssociateIamInstanceProfileRequest;
import software.amazon.awssdk.services.ec2.model.AssociateIamInstanceProfileResponse;
import software.amazon.awssdk.services.ec2.model.AssociateRouteTableRequest;
import software.amazon.awssdk.services.ec2.model.AssociateRouteTableResponse;
import software.amazon.awssdk.services.ec2.model.AssociateSecurityGroupVpcRequest;
import software.amazon.awssdk.services.ec2.model.AssociateSecurityGroupVpcResponse;
import software.amazon.awssdk.services.ec2.model.AssociateSubnetCidrBlockRequest;
import software.amazon.awssdk.services.ec2.model.AssociateSubnetCidrBlockResponse;
import software.amazon.awssdk.services.ec2.model.AssociateVpcCidrBlockRequest;
import software.amazon.awssdk.services.ec2.model.AssociateVpcCidrBlockResponse;
import software.amazon.awssdk.services.ec2.model.AttachInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.AttachInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.AttachNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.AttachNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupEgressRequest;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupEgressResponse;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupIngressRequest;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupIngressResponse;
import software.amazon.awssdk.services.ec2.model.CreateDefaultSubnetRequest;
import software.amazon.awssdk.services.ec2.model.CreateDefaultSubnetResponse;
import software.amazon.awssdk.services.ec2.model.CreateDefaultVpcRequest;
import software.amazon.awssdk.services.ec2.model.CreateDefaultVpcResponse;
import software.amazon.awssdk.services.ec2.model.CreateDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.CreateDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.CreateEgressOnlyInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.CreateEgressOnlyInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.CreateFlowLogsRequest;
import software.amazon.awssdk.services.ec2.model.CreateFlowLogsResponse;
import software.amazon.awssdk.services.ec2.model.CreateInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.CreateInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.CreateKeyPairRequest;
import software.amazon.awssdk.services.ec2.model.CreateKeyPairResponse;
import software.amazon.awssdk.services.ec2.model.CreateLaunchTemplateRequest;
import software.amazon.awssdk.services.ec2.model.CreateLaunchTemplateResponse;
import software.amazon.awssdk.services.ec2.model.CreateLaunchTemplateVersionRequest;
import software.amazon.awssdk.services.ec2.model.CreateLaunchTemplateVersionResponse;
import software.amazon.awssdk.services.ec2.model.CreateManagedPrefixListRequest;
import software.amazon.awssdk.services.ec2.model.CreateManagedPrefixListResponse;
import software.amazon.awssdk.services.ec2.model.CreateNatGatewayRequest;
import software.amazon.awssdk.services.ec2.model.CreateNatGatewayResponse;
import software.amazon.awssdk.services.ec2.model.CreateNetworkAclEntryRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkAclEntryResponse;
import software.amazon.awssdk.services.ec2.model.CreateNetworkAclRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkAclResponse;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.CreateNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.CreateRouteRequest;
import software.amazon.awssdk.services.ec2.model.CreateRouteResponse;
import software.amazon.awssdk.services.ec2.model.CreateRouteTableRequest;
import software.amazon.awssdk.services.ec2.model.CreateRouteTableResponse;
import software.amazon.awssdk.services.ec2.model.CreateSecurityGroupRequest;
import software.amazon.awssdk.services.ec2.model.CreateSecurityGroupResponse;
import software.amazon.awssdk.services.ec2.model.CreateSubnetRequest;
import software.amazon.awssdk.services.ec2.model.CreateSubnetResponse;
import software.amazon.awssdk.services.ec2.model.CreateTagsRequest;
import software.amazon.awssdk.services.ec2.model.CreateTagsResponse;
import software.amazon.awssdk.services.ec2.model.CreateVpcEndpointRequest;
import software.amazon.awssdk.services.ec2.model.CreateVpcEndpointResponse;
import software.amazon.awssdk.services.ec2.model.CreateVpcPeeringConnectionRequest;
import software.amazon.awssdk.services.ec2.model.CreateVpcPeeringConnectionResponse;
import software.amazon.awssdk.services.ec2.model.CreateVpcRequest;
import software.amazon.awssdk.services.ec2.model.CreateVpcResponse;
import software.amazon.awssdk.services.ec2.model.DeleteDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteEgressOnlyInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.DeleteEgressOnlyInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.DeleteFlowLogsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteFlowLogsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.DeleteInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.DeleteKeyPairRequest;
import software.amazon.awssdk.services.ec2.model.DeleteKeyPairResponse;
import software.amazon.awssdk.services.ec2.model.DeleteLaunchTemplateRequest;
import software.amazon.awssdk.services.ec2.model.DeleteLaunchTemplateResponse;
import software.amazon.awssdk.services.ec2.model.DeleteLaunchTemplateVersionsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteLaunchTemplateVersionsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteManagedPrefixListRequest;
import software.amazon.awssdk.services.ec2.model.DeleteManagedPrefixListResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNatGatewayRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNatGatewayResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkAclEntryRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkAclEntryResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkAclRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkAclResponse;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DeleteNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.DeleteRouteRequest;
import software.amazon.awssdk.services.ec2.model.DeleteRouteResponse;
import software.amazon.awssdk.services.ec2.model.DeleteRouteTableRequest;
import software.amazon.awssdk.services.ec2.model.DeleteRouteTableResponse;
import software.amazon.awssdk.services.ec2.model.DeleteSecurityGroupRequest;
import software.amazon.awssdk.services.ec2.model.DeleteSecurityGroupResponse;
import software.amazon.awssdk.services.ec2.model.DeleteSubnetRequest;
import software.amazon.awssdk.services.ec2.model.DeleteSubnetResponse;
import software.amazon.awssdk.services.ec2.model.DeleteTagsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteTagsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteVpcEndpointsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteVpcEndpointsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteVpcPeeringConnectionRequest;
import software.amazon.awssdk.services.ec2.model.DeleteVpcPeeringConnectionResponse;
import software.amazon.awssdk.services.ec2.model.DeleteVpcRequest;
import software.amazon.awssdk.services.ec2.model.DeleteVpcResponse;
import software.amazon.awssdk.services.ec2.model.DescribeAccountAttributesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAccountAttributesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeAddressesAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAddressesAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeAddressesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAddressesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeAvailabilityZonesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeAvailabilityZonesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeEgressOnlyInternetGatewaysRequest;
import software.amazon.awssdk.services.ec2.model.DescribeEgressOnlyInternetGatewaysResponse;
import software.amazon.awssdk.services.ec2.model.DescribeFlowLogsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeFlowLogsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeIamInstanceProfileAssociationsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeIamInstanceProfileAssociationsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeImageAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeImageAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeImagesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeImagesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceCreditSpecificationsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceCreditSpecificationsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceStatusRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceStatusResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypeOfferingsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypeOfferingsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstanceTypesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInstancesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeInternetGatewaysRequest;
import software.amazon.awssdk.services.ec2.model.DescribeInternetGatewaysResponse;
import software.amazon.awssdk.services.ec2.model.DescribeKeyPairsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeKeyPairsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeLaunchTemplateVersionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeLaunchTemplateVersionsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeLaunchTemplatesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeLaunchTemplatesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeManagedPrefixListsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeManagedPrefixListsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeNatGatewaysRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNatGatewaysResponse;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkAclsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkAclsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfaceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeNetworkInterfacesResponse;
import software.amazon.awssdk.services.ec2.model.DescribePrefixListsRequest;
import software.amazon.awssdk.services.ec2.model.DescribePrefixListsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeRegionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeRegionsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeRouteTablesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeRouteTablesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupReferencesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupReferencesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupRulesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupRulesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupVpcAssociationsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupVpcAssociationsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeStaleSecurityGroupsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeStaleSecurityGroupsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSubnetsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeTagsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeTagsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVolumeAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVolumeAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVolumeStatusRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVolumeStatusResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVolumesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVolumesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcAttributeRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcAttributeResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointAssociationsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointAssociationsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointServicesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointServicesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcEndpointsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcPeeringConnectionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcPeeringConnectionsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeVpcsResponse;
import software.amazon.awssdk.services.ec2.model.DetachInternetGatewayRequest;
import software.amazon.awssdk.services.ec2.model.DetachInternetGatewayResponse;
import software.amazon.awssdk.services.ec2.model.DetachNetworkInterfaceRequest;
import software.amazon.awssdk.services.ec2.model.DetachNetworkInterfaceResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateAddressRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateAddressResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateIamInstanceProfileRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateIamInstanceProfileResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateRouteTableRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateRouteTableResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateSecurityGroupVpcRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateSecurityGroupVpcResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateSubnetCidrBlockRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateSubnetCidrBlockResponse;
import software.amazon.awssdk.services.ec2.model.DisassociateVpcCidrBlockRequest;
import software.amazon.awssdk.services.ec2.model.DisassociateVpcCidrBlockResponse;
import software.amazon.awssdk.services.ec2.model.GetConsoleOutputRequest;
import software.amazon.awssdk.services.ec2.model.GetConsoleOutputResponse;
import software.amazon.awssdk.services.ec2.model.GetLaunchTemplateDataRequest;
import software.amazon.awssdk.services.ec2.model.GetLaunchTemplateDataResponse;
import software.amazon.awssdk.services.ec2.model.GetManagedPrefixListAssociationsRequest;
import software.amazon.awssdk.services.ec2.model.GetManagedPrefixListAssociationsResponse;
import software.amazon.awssdk.services.ec2.model.GetManagedPrefixListEntriesRequest;
import software.amazon.awssdk.services.ec2.model.GetManagedPrefixListEntriesResponse;
import software.amazon.awssdk.services.ec2.model.GetSecurityGroupsForVpcRequest;
import software.amazon.awssdk.services.ec2.model.GetSecurityGroupsForVpcResponse;
import software.amazon.awssdk.services.ec2.model.ImportKeyPairRequest;
import software.amazon.awssdk.services.ec2.model.ImportKeyPairResponse;
import software.amazon.awssdk.services.ec2.model.ModifyAddressAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyAddressAttributeResponse;
import software.amazon.awssdk.services.ec2.model.ModifyInstanceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyInstanceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.ModifyInstanceMetadataOptionsRequest;
import software.amazon.awssdk.services.ec2.model.ModifyInstanceMetadataOptionsResponse;
import software.amazon.awssdk.services.ec2.model.ModifyLaunchTemplateRequest;
import software.amazon.awssdk.services.ec2.model.ModifyLaunchTemplateResponse;
import software.amazon.awssdk.services.ec2.model.ModifyManagedPrefixListRequest;
import software.amazon.awssdk.services.ec2.model.ModifyManagedPrefixListResponse;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyNetworkInterfaceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.ModifySecurityGroupRulesRequest;
import software.amazon.awssdk.services.ec2.model.ModifySecurityGroupRulesResponse;
import software.amazon.awssdk.services.ec2.model.ModifySubnetAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifySubnetAttributeResponse;
import software.amazon.awssdk.services.ec2.model.ModifyVpcAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ModifyVpcAttributeResponse;
import software.amazon.awssdk.services.ec2.model.ModifyVpcEndpointRequest;
import software.amazon.awssdk.services.ec2.model.ModifyVpcEndpointResponse;
import software.amazon.awssdk.services.ec2.model.MonitorInstancesRequest;
import software.amazon.awssdk.services.ec2.model.MonitorInstancesResponse;
import software.amazon.awssdk.services.ec2.model.RebootInstancesRequest;
import software.amazon.awssdk.services.ec2.model.RebootInstancesResponse;
import software.amazon.awssdk.services.ec2.model.RejectVpcPeeringConnectionRequest;
import software.amazon.awssdk.services.ec2.model.RejectVpcPeeringConnectionResponse;
import software.amazon.awssdk.services.ec2.model.ReleaseAddressRequest;
import software.amazon.awssdk.services.ec2.model.ReleaseAddressResponse;
import software.amazon.awssdk.services.ec2.model.ReplaceIamInstanceProfileAssociationRequest;
import software.amazon.awssdk.services.ec2.model.ReplaceIamInstanceProfileAssociationResponse;
import software.amazon.awssdk.services.ec2.model.ReplaceNetworkAclAssociationRequest;
import software.amazon.awssdk.services.ec2.model.ReplaceNetworkAclAssociationResponse;
import software.amazon.awssdk.services.ec2.model.ReplaceNetworkAclEntryRequest;
import software.amazon.awssdk.services.ec2.model.ReplaceNetworkAclEntryResponse;
import software.amazon.awssdk.services.ec2.model.ReplaceRouteRequest;
import software.amazon.awssdk.services.ec2.model.ReplaceRouteResponse;
import software.amazon.awssdk.services.ec2.model.ReplaceRouteTableAssociationRequest;
import software.amazon.awssdk.services.ec2.model.ReplaceRouteTableAssociationResponse;
import software.amazon.awssdk.services.ec2.model.ResetAddressAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ResetAddressAttributeResponse;
import software.amazon.awssdk.services.ec2.model.ResetNetworkInterfaceAttributeRequest;
import software.amazon.awssdk.services.ec2.model.ResetNetworkInterfaceAttributeResponse;
import software.amazon.awssdk.services.ec2.model.RestoreManagedPrefixListVersionRequest;
import software.amazon.awssdk.services.ec2.model.RestoreManagedPrefixListVersionResponse;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupEgressRequest;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupEgressResponse;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupIngressRequest;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupIngressResponse;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.ec2.model.RunInstancesResponse;
import software.amazon.awssdk.services.ec2.model.StartInstancesRequest;
import software.amazon.awssdk.services.ec2.model.StartInstancesResponse;
import software.amazon.awssdk.services.ec2.model.StopInstancesRequest;
import software.amazon.awssdk.services.ec2.model.StopInstancesResponse;
import software.amazon.awssdk.services.ec2.model.TerminateInstancesRequest;
import software.amazon.awssdk.services.ec2.model.TerminateInstancesResponse;
import software.amazon.awssdk.services.ec2.model.UnassignIpv6AddressesRequest;
import software.amazon.awssdk.services.ec2.model.UnassignIpv6AddressesResponse;
import software.amazon.awssdk.services.ec2.model.UnassignPrivateIpAddressesRequest;
import software.amazon.awssdk.services.ec2.model.UnassignPrivateIpAddressesResponse;
import software.amazon.awssdk.services.ec2.model.UnmonitorInstancesRequest;
import software.amazon.awssdk.services.ec2.model.UnmonitorInstancesResponse;
import software.amazon.awssdk.services.ec2.model.UpdateSecurityGroupRuleDescriptionsEgressRequest;
import software.amazon.awssdk.services.ec2.model.UpdateSecurityGroupRuleDescriptionsEgressResponse;
import software.amazon.awssdk.services.ec2.model.UpdateSecurityGroupRuleDescriptionsIngressRequest;
import software.amazon.awssdk.services.ec2.model.UpdateSecurityGroupRuleDescriptionsIngressResponse;
import software.amazon.awssdk.services.iam.IamClient;

/**
 * Amazon EC2 of one account in one region: its virtual networks, and instances in them.
 *
 * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Welcome.html">EC2 API</a>
 */
public final class Ec2 implements Ec2Client {

  /** Of an EC2 by itself: every operation says that it is not there. */
  public static final CloudWatchLogsClient NO_LOGS =
      new CloudWatchLogsClient() {
        @Override
        public String serviceName() {
          return SERVICE_NAME;
        }

        @Override
        public void close() {
          // nothing is open
        }
      };

  private static final int INSTANCES_AT_ONCE = 16;
  private static final int NAT_GATEWAYS_AT_ONCE = 4;
  private static final int ENDPOINTS_AT_ONCE = 4;

  private final Vpcs vpcs;
  private final Subnets subnets;
  private final Zones zones;
  private final AccountAttributes attributes;
  private final SecurityGroups groups;
  private final SecurityGroupRules rules;
  private final VpcPeerings peerings;
  private final RuleDescriptions descriptions;
  private final GroupVpcs groupVpcs;
  private final StaleGroups staleGroups;
  private final PrefixLists prefixLists;
  private final NetworkInterfaces interfaces;
  private final InterfaceAttributes interfaceAttributes;
  private final Attachments attachments;
  private final Instances instances;
  private final InstanceAttributes instanceAttributes;
  private final LaunchedAs launchedAs;
  private final CpuCredits credits;
  private final Pauses pauses;
  private final Reboots reboots;
  private final Profiles profiles;
  private final MachineImages images;
  private final TypeOfferings offerings;
  private final LaunchTemplates templates;
  private final TemplateVersions templateVersions;
  private final KeyPairs keys;
  private final MetadataOptions metadataOptions;
  private final InstanceMetadata metadata;
  private final InstanceStatuses statuses;
  private final Monitoring monitoring;
  private final FlowDelivery flowDelivery;
  private final FlowLogs flowLogs;
  private final Loop<String> instanceLoop;
  private final ElasticAddresses elastic;
  private final AddressAttributes addressAttributes;
  private final NatGateways nats;
  private final Loop<String> natLoop;
  private final EndpointServices endpointServices;
  private final VpcEndpoints endpoints;
  private final EndpointAssociations endpointAssociations;
  private final EndpointServers endpointServers;
  private final Loop<String> endpointLoop;
  private final NetworkAcls acls;
  private final AclEntries aclEntries;
  private final DhcpOptionSets dhcp;
  private final InternetGateways gateways;
  private final EgressOnlyGateways egressOnly;
  private final RouteTables tables;
  private final Routes routes;
  private final Tags tags;
  private final DataPlane plane;

  /**
   * EC2 of one scope, by itself; {@link #start} is to be called before it is asked anything.
   *
   * @param store of this account's region
   */
  public Ec2(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      IamClient iam,
      Network network) {
    this(scope, store, timers, ids, random, iam, network, NetworkInterfaces.MOST);
  }

  /**
   * EC2 by itself, with a raised quota.
   *
   * @param mostInterfaces how many network interfaces there may be
   */
  public Ec2(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      IamClient iam,
      Network network,
      int mostInterfaces) {
    this(
        scope,
        store,
        timers,
        ids,
        random,
        iam,
        network,
        mostInterfaces,
        new Around(
            (vpcId, address, port, handler) -> () -> {},
            new SessionKeys(store, timers, random),
            new EventOutbox(ids),
            Measurements.NONE,
            InstanceLoads.NONE,
            InstanceGroups.NONE,
            NO_LOGS));
  }

  /**
   * What of the region takes part.
   *
   * @param vpcHttp serves instances their metadata
   * @param sessions gives instances their roles' keys
   * @param loads says how busy instances are
   * @param groups says what becomes of instances, and whose metrics have what they carry
   * @param logs where flow logs go
   * @param apis what VPC endpoints can be made for
   */
  public record Around(
      VpcHttp vpcHttp,
      SessionKeys sessions,
      EventOutbox events,
      Measurements measurements,
      InstanceLoads loads,
      InstanceGroups groups,
      CloudWatchLogsClient logs,
      RegionalApis apis) {

    /** Of a region whose own APIs nobody in it reaches. */
    public Around(
        VpcHttp vpcHttp,
        SessionKeys sessions,
        EventOutbox events,
        Measurements measurements,
        InstanceLoads loads,
        InstanceGroups groups,
        CloudWatchLogsClient logs) {
      this(vpcHttp, sessions, events, measurements, loads, groups, logs, RegionalApis.NONE);
    }
  }

  /**
   * EC2 in a region.
   *
   * @param mostInterfaces how many network interfaces there may be
   */
  public Ec2(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      IamClient iam,
      Network network,
      int mostInterfaces,
      Around around) {
    plane = new DataPlane(store, network);
    zones = new Zones(scope);
    attributes = new AccountAttributes(store);
    dhcp = new DhcpOptionSets(scope, store, ids);
    gateways = new InternetGateways(scope, store, ids, plane);
    egressOnly = new EgressOnlyGateways(store, ids, plane);
    tables = new RouteTables(scope, store, ids, plane);
    routes = new Routes(store, plane);
    groups = new SecurityGroups(scope, store, ids, plane);
    rules = new SecurityGroupRules(scope, store, groups, plane);
    groupVpcs = new GroupVpcs(scope, store, plane);
    staleGroups = new StaleGroups(store);
    acls = new NetworkAcls(scope, store, ids, plane);
    aclEntries = new AclEntries(store, plane);
    descriptions = new RuleDescriptions(store);
    prefixLists = new PrefixLists(scope, store, ids, plane);
    peerings = new VpcPeerings(scope, store, timers, ids, plane);
    subnets = new Subnets(scope, store, ids, plane, zones, acls);
    vpcs = new Vpcs(scope, store, ids, plane, zones, dhcp, gateways, tables, acls, groups, subnets);
    interfaces = new NetworkInterfaces(scope, store, ids, plane, mostInterfaces);
    interfaceAttributes = new InterfaceAttributes(store, interfaces);
    elastic = new ElasticAddresses(scope, store, ids, plane);
    addressAttributes = new AddressAttributes(scope, store, network);
    nats = new NatGateways(store, timers, ids, plane, interfaces, elastic, this::wakeNat);
    natLoop = new Loop<>("ec2-nat-gateway", timers, random, NAT_GATEWAYS_AT_ONCE, nats::look);
    endpointServices = new EndpointServices(scope, around.apis(), zones);
    EndpointNames endpointNames = new EndpointNames(scope, store, around.apis(), endpointServices);
    endpoints =
        new VpcEndpoints(
            scope,
            store,
            timers,
            ids,
            plane,
            interfaces,
            endpointServices,
            endpointNames,
            this::wakeEndpoint);
    endpointAssociations = new EndpointAssociations(store);
    endpointServers =
        new EndpointServers(scope, store, plane, interfaces, endpointServices, around.apis());
    endpointLoop =
        new Loop<>("ec2-vpc-endpoint", timers, random, ENDPOINTS_AT_ONCE, endpointServers::look);
    images = new MachineImages(scope);
    offerings = new TypeOfferings(scope, zones);
    templates = new LaunchTemplates(scope, store, timers, ids);
    templateVersions = new TemplateVersions(store, timers, images);
    keys = new KeyPairs(store, timers, ids);
    metadataOptions = new MetadataOptions(store);
    metadata =
        new InstanceMetadata(
            scope,
            store,
            timers.machine(), // instances read the machine's clock
            ids,
            iam,
            interfaces,
            around.sessions(),
            around.groups(),
            around.vpcHttp());
    StateChanges changes = new StateChanges(scope, timers, around.events());
    Launches launches =
        new Launches(store, timers, ids, iam, images, templateVersions, interfaces, changes);
    attachments = new Attachments(store, timers, interfaces, plane);
    pauses = new Pauses(store, timers, interfaces, attachments, plane, changes, this::wakeInstance);
    reboots = new Reboots(store, timers, attachments, this::wakeInstance);
    profiles = new Profiles(store, ids, iam);
    instances =
        new Instances(
            scope,
            store,
            timers,
            launches,
            interfaces,
            attachments,
            pauses,
            reboots,
            plane,
            metadata,
            changes,
            this::wakeInstance);
    instanceAttributes = new InstanceAttributes(store, interfaces, instances);
    launchedAs = new LaunchedAs(store, instances);
    credits = new CpuCredits(store);
    statuses = new InstanceStatuses(store, timers, plane, zones);
    monitoring =
        new Monitoring(
            store, timers, plane, statuses, around.loads(), around.groups(), around.measurements());
    instanceLoop = new Loop<>("ec2-instance", timers, random, INSTANCES_AT_ONCE, instances::look);
    ServiceRole role = new ServiceRole(scope, iam, "vpc-flow-logs.amazonaws.com");
    flowDelivery = new FlowDelivery(scope, store, timers, plane, role, around.logs());
    flowLogs = new FlowLogs(scope, store, timers, ids, role, flowDelivery);
    tags = new Tags(store);
    network.addNames(new HostNames(scope, store));
    network.addNames(endpointNames);
  }

  /**
   * Furnishes a new region with its default VPC, and states to the network all that is stored, so
   * that what runs since before a restart is taken over.
   */
  public void start() {
    vpcs.found();
    plane.everything();
    attachments.adopt();
    instances.ids().forEach(this::wakeInstance);
    nats.ids().forEach(this::wakeNat);
    endpointServers.ids().forEach(this::wakeEndpoint);
    monitoring.start();
    flowDelivery.start();
  }

  private void wakeNat(String id) {
    natLoop.wake(id);
  }

  private void wakeEndpoint(String id) {
    endpointLoop.wake(id);
  }

  private void wakeInstance(String id) {
    instanceLoop.wake(id);
  }

  /** The VPCs that are stored; for {@link Network#retain}, together with other regions'. */
  public Set<String> vpcIds() {
    return plane.known().vpcs();
  }

  /** The interfaces that are stored; for {@link Network#retain}, together with other regions'. */
  public Set<String> interfaceIds() {
    return plane.known().interfaces();
  }

  @Override
  public DescribeVpcsResponse describeVpcs(DescribeVpcsRequest request) {
    return vpcs.describe(request);
  }

  @Override
  public CreateVpcResponse createVpc(CreateVpcRequest request) {
    return vpcs.create(request);
  }

  @Override
  public CreateDefaultVpcResponse createDefaultVpc(CreateDefaultVpcRequest request) {
    return vpcs.createDefault(request);
  }

  @Override
  public DeleteVpcResponse deleteVpc(DeleteVpcRequest request) {
    return vpcs.delete(request);
  }

  @Override
  public DescribeVpcAttributeResponse describeVpcAttribute(DescribeVpcAttributeRequest request) {
    return vpcs.attribute(request);
  }

  @Override
  public ModifyVpcAttributeResponse modifyVpcAttribute(ModifyVpcAttributeRequest request) {
    return vpcs.modify(request);
  }

  @Override
  public DescribeSubnetsResponse describeSubnets(DescribeSubnetsRequest request) {
    return subnets.describe(request);
  }

  @Override
  public CreateSubnetResponse createSubnet(CreateSubnetRequest request) {
    return subnets.create(request);
  }

  @Override
  public DeleteSubnetResponse deleteSubnet(DeleteSubnetRequest request) {
    return subnets.delete(request);
  }

  @Override
  public ModifySubnetAttributeResponse modifySubnetAttribute(ModifySubnetAttributeRequest request) {
    return subnets.modify(request);
  }

  @Override
  public DescribeAvailabilityZonesResponse describeAvailabilityZones(
      DescribeAvailabilityZonesRequest request) {
    return zones.describe(request);
  }

  @Override
  public DescribeRegionsResponse describeRegions(DescribeRegionsRequest request) {
    return zones.regions(request);
  }

  @Override
  public DescribeAccountAttributesResponse describeAccountAttributes(
      DescribeAccountAttributesRequest request) {
    return attributes.describe(request);
  }

  @Override
  public DescribeSecurityGroupsResponse describeSecurityGroups(
      DescribeSecurityGroupsRequest request) {
    return groups.describe(request);
  }

  @Override
  public CreateSecurityGroupResponse createSecurityGroup(CreateSecurityGroupRequest request) {
    return groups.create(request);
  }

  @Override
  public DeleteSecurityGroupResponse deleteSecurityGroup(DeleteSecurityGroupRequest request) {
    return groups.delete(request);
  }

  @Override
  public AuthorizeSecurityGroupIngressResponse authorizeSecurityGroupIngress(
      AuthorizeSecurityGroupIngressRequest request) {
    return rules.authorizeIngress(request);
  }

  @Override
  public AuthorizeSecurityGroupEgressResponse authorizeSecurityGroupEgress(
      AuthorizeSecurityGroupEgressRequest request) {
    return rules.authorizeEgress(request);
  }

  @Override
  public RevokeSecurityGroupIngressResponse revokeSecurityGroupIngress(
      RevokeSecurityGroupIngressRequest request) {
    return rules.revokeIngress(request);
  }

  @Override
  public RevokeSecurityGroupEgressResponse revokeSecurityGroupEgress(
      RevokeSecurityGroupEgressRequest request) {
    return rules.revokeEgress(request);
  }

  @Override
  public DescribeSecurityGroupRulesResponse describeSecurityGroupRules(
      DescribeSecurityGroupRulesRequest request) {
    return rules.describe(request);
  }

  @Override
  public ModifySecurityGroupRulesResponse modifySecurityGroupRules(
      ModifySecurityGroupRulesRequest request) {
    return rules.modify(request);
  }

  @Override
  public CreateNetworkInterfaceResponse createNetworkInterface(
      CreateNetworkInterfaceRequest request) {
    return interfaces.create(request);
  }

  @Override
  public DescribeNetworkInterfacesResponse describeNetworkInterfaces(
      DescribeNetworkInterfacesRequest request) {
    return interfaces.shown().describe(request);
  }

  @Override
  public DeleteNetworkInterfaceResponse deleteNetworkInterface(
      DeleteNetworkInterfaceRequest request) {
    return interfaces.delete(request);
  }

  /** Keeps the world from an interface's IPv6 addresses; see {@link NetworkInterfaces}. */
  public void denyAllIgwTraffic(String interfaceId, boolean deny) {
    interfaces.denyAllIgwTraffic(interfaceId, deny);
  }

  @Override
  public AssignPrivateIpAddressesResponse assignPrivateIpAddresses(
      AssignPrivateIpAddressesRequest request) {
    return interfaces.secondary().assign(request);
  }

  @Override
  public AssociateVpcCidrBlockResponse associateVpcCidrBlock(AssociateVpcCidrBlockRequest request) {
    return vpcs.blocks().associate(request);
  }

  @Override
  public DisassociateVpcCidrBlockResponse disassociateVpcCidrBlock(
      DisassociateVpcCidrBlockRequest request) {
    return vpcs.blocks().disassociate(request);
  }

  @Override
  public AssociateSubnetCidrBlockResponse associateSubnetCidrBlock(
      AssociateSubnetCidrBlockRequest request) {
    return subnets.blocks().associate(request);
  }

  @Override
  public DisassociateSubnetCidrBlockResponse disassociateSubnetCidrBlock(
      DisassociateSubnetCidrBlockRequest request) {
    return subnets.blocks().disassociate(request);
  }

  @Override
  public AssignIpv6AddressesResponse assignIpv6Addresses(AssignIpv6AddressesRequest request) {
    return interfaces.ipv6().assign(request);
  }

  @Override
  public UnassignIpv6AddressesResponse unassignIpv6Addresses(UnassignIpv6AddressesRequest request) {
    return interfaces.ipv6().unassign(request);
  }

  @Override
  public CreateEgressOnlyInternetGatewayResponse createEgressOnlyInternetGateway(
      CreateEgressOnlyInternetGatewayRequest request) {
    return egressOnly.create(request);
  }

  @Override
  public DeleteEgressOnlyInternetGatewayResponse deleteEgressOnlyInternetGateway(
      DeleteEgressOnlyInternetGatewayRequest request) {
    return egressOnly.delete(request);
  }

  @Override
  public DescribeEgressOnlyInternetGatewaysResponse describeEgressOnlyInternetGateways(
      DescribeEgressOnlyInternetGatewaysRequest request) {
    return egressOnly.describe(request);
  }

  @Override
  public UnassignPrivateIpAddressesResponse unassignPrivateIpAddresses(
      UnassignPrivateIpAddressesRequest request) {
    return interfaces.secondary().unassign(request);
  }

  @Override
  public AttachNetworkInterfaceResponse attachNetworkInterface(
      AttachNetworkInterfaceRequest request) {
    return attachments.attach(request);
  }

  @Override
  public DetachNetworkInterfaceResponse detachNetworkInterface(
      DetachNetworkInterfaceRequest request) {
    return attachments.detach(request);
  }

  @Override
  public ModifyNetworkInterfaceAttributeResponse modifyNetworkInterfaceAttribute(
      ModifyNetworkInterfaceAttributeRequest request) {
    return interfaces.modify(request);
  }

  @Override
  public DescribeNetworkInterfaceAttributeResponse describeNetworkInterfaceAttribute(
      DescribeNetworkInterfaceAttributeRequest request) {
    return interfaceAttributes.describe(request);
  }

  @Override
  public ResetNetworkInterfaceAttributeResponse resetNetworkInterfaceAttribute(
      ResetNetworkInterfaceAttributeRequest request) {
    return interfaceAttributes.reset(request);
  }

  @Override
  public RunInstancesResponse runInstances(RunInstancesRequest request) {
    return instances.run(request);
  }

  @Override
  public DescribeInstancesResponse describeInstances(DescribeInstancesRequest request) {
    return instances.describe(request);
  }

  @Override
  public StopInstancesResponse stopInstances(StopInstancesRequest request) {
    return pauses.stop(request);
  }

  @Override
  public StartInstancesResponse startInstances(StartInstancesRequest request) {
    return pauses.start(request);
  }

  @Override
  public RebootInstancesResponse rebootInstances(RebootInstancesRequest request) {
    return reboots.reboot(request);
  }

  @Override
  public GetConsoleOutputResponse getConsoleOutput(GetConsoleOutputRequest request) {
    return reboots.console(request);
  }

  @Override
  public AssociateIamInstanceProfileResponse associateIamInstanceProfile(
      AssociateIamInstanceProfileRequest request) {
    return profiles.associate(request);
  }

  @Override
  public ReplaceIamInstanceProfileAssociationResponse replaceIamInstanceProfileAssociation(
      ReplaceIamInstanceProfileAssociationRequest request) {
    return profiles.replace(request);
  }

  @Override
  public DisassociateIamInstanceProfileResponse disassociateIamInstanceProfile(
      DisassociateIamInstanceProfileRequest request) {
    return profiles.disassociate(request);
  }

  @Override
  public DescribeIamInstanceProfileAssociationsResponse describeIamInstanceProfileAssociations(
      DescribeIamInstanceProfileAssociationsRequest request) {
    return profiles.describe(request);
  }

  @Override
  public TerminateInstancesResponse terminateInstances(TerminateInstancesRequest request) {
    return instances.terminate(request);
  }

  @Override
  public DescribeVolumesResponse describeVolumes(DescribeVolumesRequest request) {
    return Volumes.describe(request);
  }

  @Override
  public DescribeVolumeStatusResponse describeVolumeStatus(DescribeVolumeStatusRequest request) {
    return Volumes.statuses(request);
  }

  @Override
  public DescribeVolumeAttributeResponse describeVolumeAttribute(
      DescribeVolumeAttributeRequest request) {
    return Volumes.attribute(request);
  }

  @Override
  public DescribeInstanceCreditSpecificationsResponse describeInstanceCreditSpecifications(
      DescribeInstanceCreditSpecificationsRequest request) {
    return credits.describe(request);
  }

  @Override
  public GetLaunchTemplateDataResponse getLaunchTemplateData(GetLaunchTemplateDataRequest request) {
    return launchedAs.data(request);
  }

  @Override
  public CreateLaunchTemplateResponse createLaunchTemplate(CreateLaunchTemplateRequest request) {
    return templates.create(request);
  }

  @Override
  public ModifyLaunchTemplateResponse modifyLaunchTemplate(ModifyLaunchTemplateRequest request) {
    return templates.modify(request);
  }

  @Override
  public DeleteLaunchTemplateResponse deleteLaunchTemplate(DeleteLaunchTemplateRequest request) {
    return templates.delete(request);
  }

  @Override
  public DescribeLaunchTemplatesResponse describeLaunchTemplates(
      DescribeLaunchTemplatesRequest request) {
    return templates.describe(request);
  }

  @Override
  public CreateLaunchTemplateVersionResponse createLaunchTemplateVersion(
      CreateLaunchTemplateVersionRequest request) {
    return templateVersions.create(request);
  }

  @Override
  public DeleteLaunchTemplateVersionsResponse deleteLaunchTemplateVersions(
      DeleteLaunchTemplateVersionsRequest request) {
    return templateVersions.delete(request);
  }

  @Override
  public DescribeLaunchTemplateVersionsResponse describeLaunchTemplateVersions(
      DescribeLaunchTemplateVersionsRequest request) {
    return templateVersions.describe(request);
  }

  @Override
  public DescribeInstanceAttributeResponse describeInstanceAttribute(
      DescribeInstanceAttributeRequest request) {
    return instanceAttributes.describe(request);
  }

  @Override
  public CreateKeyPairResponse createKeyPair(CreateKeyPairRequest request) {
    return keys.create(request);
  }

  @Override
  public ImportKeyPairResponse importKeyPair(ImportKeyPairRequest request) {
    return keys.importKey(request);
  }

  @Override
  public DeleteKeyPairResponse deleteKeyPair(DeleteKeyPairRequest request) {
    return keys.delete(request);
  }

  @Override
  public DescribeKeyPairsResponse describeKeyPairs(DescribeKeyPairsRequest request) {
    return keys.describe(request);
  }

  @Override
  public ModifyInstanceMetadataOptionsResponse modifyInstanceMetadataOptions(
      ModifyInstanceMetadataOptionsRequest request) {
    return metadataOptions.modify(request);
  }

  @Override
  public MonitorInstancesResponse monitorInstances(MonitorInstancesRequest request) {
    return monitoring.monitor(request);
  }

  @Override
  public UnmonitorInstancesResponse unmonitorInstances(UnmonitorInstancesRequest request) {
    return monitoring.unmonitor(request);
  }

  @Override
  public ModifyInstanceAttributeResponse modifyInstanceAttribute(
      ModifyInstanceAttributeRequest request) {
    return instanceAttributes.modify(request);
  }

  @Override
  public DescribeInstanceStatusResponse describeInstanceStatus(
      DescribeInstanceStatusRequest request) {
    return statuses.describe(request);
  }

  @Override
  public DescribeInstanceTypesResponse describeInstanceTypes(DescribeInstanceTypesRequest request) {
    return InstanceTypes.describe(request);
  }

  @Override
  public DescribeInstanceTypeOfferingsResponse describeInstanceTypeOfferings(
      DescribeInstanceTypeOfferingsRequest request) {
    return offerings.describe(request);
  }

  @Override
  public DescribeImageAttributeResponse describeImageAttribute(
      DescribeImageAttributeRequest request) {
    return images.attribute(request);
  }

  @Override
  public DescribeImagesResponse describeImages(DescribeImagesRequest request) {
    return images.describe(request);
  }

  @Override
  public DescribeInternetGatewaysResponse describeInternetGateways(
      DescribeInternetGatewaysRequest request) {
    return gateways.describe(request);
  }

  @Override
  public DescribeRouteTablesResponse describeRouteTables(DescribeRouteTablesRequest request) {
    return tables.describe(request);
  }

  @Override
  public DescribeDhcpOptionsResponse describeDhcpOptions(DescribeDhcpOptionsRequest request) {
    return dhcp.describe(request);
  }

  @Override
  public CreateDhcpOptionsResponse createDhcpOptions(CreateDhcpOptionsRequest request) {
    return dhcp.create(request);
  }

  @Override
  public DeleteDhcpOptionsResponse deleteDhcpOptions(DeleteDhcpOptionsRequest request) {
    return dhcp.delete(request);
  }

  @Override
  public AssociateDhcpOptionsResponse associateDhcpOptions(AssociateDhcpOptionsRequest request) {
    return dhcp.associate(request);
  }

  @Override
  public CreateInternetGatewayResponse createInternetGateway(CreateInternetGatewayRequest request) {
    return gateways.create(request);
  }

  @Override
  public AttachInternetGatewayResponse attachInternetGateway(AttachInternetGatewayRequest request) {
    return gateways.attach(request);
  }

  @Override
  public DetachInternetGatewayResponse detachInternetGateway(DetachInternetGatewayRequest request) {
    return gateways.detach(request);
  }

  @Override
  public DeleteInternetGatewayResponse deleteInternetGateway(DeleteInternetGatewayRequest request) {
    return gateways.delete(request);
  }

  @Override
  public CreateRouteTableResponse createRouteTable(CreateRouteTableRequest request) {
    return tables.create(request);
  }

  @Override
  public DeleteRouteTableResponse deleteRouteTable(DeleteRouteTableRequest request) {
    return tables.delete(request);
  }

  @Override
  public AssociateRouteTableResponse associateRouteTable(AssociateRouteTableRequest request) {
    return tables.associate(request);
  }

  @Override
  public DisassociateRouteTableResponse disassociateRouteTable(
      DisassociateRouteTableRequest request) {
    return tables.disassociate(request);
  }

  @Override
  public ReplaceRouteTableAssociationResponse replaceRouteTableAssociation(
      ReplaceRouteTableAssociationRequest request) {
    return tables.replace(request);
  }

  @Override
  public CreateRouteResponse createRoute(CreateRouteRequest request) {
    return routes.create(request);
  }

  @Override
  public ReplaceRouteResponse replaceRoute(ReplaceRouteRequest request) {
    return routes.replace(request);
  }

  @Override
  public DeleteRouteResponse deleteRoute(DeleteRouteRequest request) {
    return routes.delete(request);
  }

  @Override
  public AllocateAddressResponse allocateAddress(AllocateAddressRequest request) {
    return elastic.allocate(request);
  }

  @Override
  public ReleaseAddressResponse releaseAddress(ReleaseAddressRequest request) {
    return elastic.release(request);
  }

  @Override
  public AssociateAddressResponse associateAddress(AssociateAddressRequest request) {
    return elastic.associate(request);
  }

  @Override
  public DisassociateAddressResponse disassociateAddress(DisassociateAddressRequest request) {
    return elastic.disassociate(request);
  }

  @Override
  public DescribeAddressesResponse describeAddresses(DescribeAddressesRequest request) {
    return elastic.describe(request);
  }

  @Override
  public DescribeAddressesAttributeResponse describeAddressesAttribute(
      DescribeAddressesAttributeRequest request) {
    return addressAttributes.describe(request);
  }

  @Override
  public ModifyAddressAttributeResponse modifyAddressAttribute(
      ModifyAddressAttributeRequest request) {
    return addressAttributes.modify(request);
  }

  @Override
  public ResetAddressAttributeResponse resetAddressAttribute(ResetAddressAttributeRequest request) {
    return addressAttributes.reset(request);
  }

  @Override
  public CreateNatGatewayResponse createNatGateway(CreateNatGatewayRequest request) {
    return nats.create(request);
  }

  @Override
  public DeleteNatGatewayResponse deleteNatGateway(DeleteNatGatewayRequest request) {
    return nats.delete(request);
  }

  @Override
  public DescribeNatGatewaysResponse describeNatGateways(DescribeNatGatewaysRequest request) {
    return nats.describe(request);
  }

  @Override
  public CreateNetworkAclResponse createNetworkAcl(CreateNetworkAclRequest request) {
    return acls.create(request);
  }

  @Override
  public DeleteNetworkAclResponse deleteNetworkAcl(DeleteNetworkAclRequest request) {
    return acls.delete(request);
  }

  @Override
  public DescribeNetworkAclsResponse describeNetworkAcls(DescribeNetworkAclsRequest request) {
    return acls.describe(request);
  }

  @Override
  public ReplaceNetworkAclAssociationResponse replaceNetworkAclAssociation(
      ReplaceNetworkAclAssociationRequest request) {
    return acls.replace(request);
  }

  @Override
  public CreateNetworkAclEntryResponse createNetworkAclEntry(CreateNetworkAclEntryRequest request) {
    return aclEntries.create(request);
  }

  @Override
  public ReplaceNetworkAclEntryResponse replaceNetworkAclEntry(
      ReplaceNetworkAclEntryRequest request) {
    return aclEntries.replace(request);
  }

  @Override
  public DeleteNetworkAclEntryResponse deleteNetworkAclEntry(DeleteNetworkAclEntryRequest request) {
    return aclEntries.delete(request);
  }

  @Override
  public UpdateSecurityGroupRuleDescriptionsIngressResponse
      updateSecurityGroupRuleDescriptionsIngress(
          UpdateSecurityGroupRuleDescriptionsIngressRequest request) {
    return descriptions.ingress(request);
  }

  @Override
  public UpdateSecurityGroupRuleDescriptionsEgressResponse
      updateSecurityGroupRuleDescriptionsEgress(
          UpdateSecurityGroupRuleDescriptionsEgressRequest request) {
    return descriptions.egress(request);
  }

  @Override
  public AssociateSecurityGroupVpcResponse associateSecurityGroupVpc(
      AssociateSecurityGroupVpcRequest request) {
    return groupVpcs.associate(request);
  }

  @Override
  public DisassociateSecurityGroupVpcResponse disassociateSecurityGroupVpc(
      DisassociateSecurityGroupVpcRequest request) {
    return groupVpcs.disassociate(request);
  }

  @Override
  public DescribeSecurityGroupVpcAssociationsResponse describeSecurityGroupVpcAssociations(
      DescribeSecurityGroupVpcAssociationsRequest request) {
    return groupVpcs.describe(request);
  }

  @Override
  public GetSecurityGroupsForVpcResponse getSecurityGroupsForVpc(
      GetSecurityGroupsForVpcRequest request) {
    return groupVpcs.forVpc(request);
  }

  @Override
  public DescribeSecurityGroupReferencesResponse describeSecurityGroupReferences(
      DescribeSecurityGroupReferencesRequest request) {
    return staleGroups.references(request);
  }

  @Override
  public DescribeStaleSecurityGroupsResponse describeStaleSecurityGroups(
      DescribeStaleSecurityGroupsRequest request) {
    return staleGroups.stale(request);
  }

  @Override
  public CreateManagedPrefixListResponse createManagedPrefixList(
      CreateManagedPrefixListRequest request) {
    return prefixLists.create(request);
  }

  @Override
  public ModifyManagedPrefixListResponse modifyManagedPrefixList(
      ModifyManagedPrefixListRequest request) {
    return prefixLists.modify(request);
  }

  @Override
  public RestoreManagedPrefixListVersionResponse restoreManagedPrefixListVersion(
      RestoreManagedPrefixListVersionRequest request) {
    return prefixLists.restore(request);
  }

  @Override
  public DeleteManagedPrefixListResponse deleteManagedPrefixList(
      DeleteManagedPrefixListRequest request) {
    return prefixLists.delete(request);
  }

  @Override
  public DescribeManagedPrefixListsResponse describeManagedPrefixLists(
      DescribeManagedPrefixListsRequest request) {
    return prefixLists.describe(request);
  }

  @Override
  public GetManagedPrefixListEntriesResponse getManagedPrefixListEntries(
      GetManagedPrefixListEntriesRequest request) {
    return prefixLists.entries(request);
  }

  @Override
  public GetManagedPrefixListAssociationsResponse getManagedPrefixListAssociations(
      GetManagedPrefixListAssociationsRequest request) {
    return prefixLists.associations(request);
  }

  @Override
  public CreateVpcPeeringConnectionResponse createVpcPeeringConnection(
      CreateVpcPeeringConnectionRequest request) {
    return peerings.create(request);
  }

  @Override
  public AcceptVpcPeeringConnectionResponse acceptVpcPeeringConnection(
      AcceptVpcPeeringConnectionRequest request) {
    return peerings.accept(request);
  }

  @Override
  public RejectVpcPeeringConnectionResponse rejectVpcPeeringConnection(
      RejectVpcPeeringConnectionRequest request) {
    return peerings.reject(request);
  }

  @Override
  public DeleteVpcPeeringConnectionResponse deleteVpcPeeringConnection(
      DeleteVpcPeeringConnectionRequest request) {
    return peerings.delete(request);
  }

  @Override
  public DescribeVpcPeeringConnectionsResponse describeVpcPeeringConnections(
      DescribeVpcPeeringConnectionsRequest request) {
    return peerings.describe(request);
  }

  @Override
  public CreateFlowLogsResponse createFlowLogs(CreateFlowLogsRequest request) {
    return flowLogs.create(request);
  }

  @Override
  public DeleteFlowLogsResponse deleteFlowLogs(DeleteFlowLogsRequest request) {
    return flowLogs.delete(request);
  }

  @Override
  public DescribeFlowLogsResponse describeFlowLogs(DescribeFlowLogsRequest request) {
    return flowLogs.describe(request);
  }

  @Override
  public CreateDefaultSubnetResponse createDefaultSubnet(CreateDefaultSubnetRequest request) {
    return subnets.createDefault(request);
  }

  @Override
  public CreateTagsResponse createTags(CreateTagsRequest request) {
    return tags.create(request);
  }

  @Override
  public DeleteTagsResponse deleteTags(DeleteTagsRequest request) {
    return tags.delete(request);
  }

  @Override
  public DescribeTagsResponse describeTags(DescribeTagsRequest request) {
    return tags.describe(request);
  }

  /** How often instances have booted anew. */
  public InstanceBoots boots() {
    return reboots::count;
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public DescribeVpcEndpointServicesResponse describeVpcEndpointServices(
      DescribeVpcEndpointServicesRequest request) {
    return endpointServices.describe(request);
  }

  @Override
  public CreateVpcEndpointResponse createVpcEndpoint(CreateVpcEndpointRequest request) {
    return endpoints.create(request);
  }

  @Override
  public ModifyVpcEndpointResponse modifyVpcEndpoint(ModifyVpcEndpointRequest request) {
    return endpoints.modify(request);
  }

  @Override
  public DeleteVpcEndpointsResponse deleteVpcEndpoints(DeleteVpcEndpointsRequest request) {
    return endpoints.delete(request);
  }

  @Override
  public DescribeVpcEndpointsResponse describeVpcEndpoints(DescribeVpcEndpointsRequest request) {
    return endpoints.describe(request);
  }

  @Override
  public DescribeVpcEndpointAssociationsResponse describeVpcEndpointAssociations(
      DescribeVpcEndpointAssociationsRequest request) {
    return endpointAssociations.describe(request);
  }

  @Override
  public DescribePrefixListsResponse describePrefixLists(DescribePrefixListsRequest request) {
    return ServicePrefixLists.describe(request);
  }

  /** Lets go: the network goes on without us. */
  @Override
  public void close() {
    flowDelivery.close();
    monitoring.close();
    natLoop.close();
    endpointLoop.close();
    endpointServers.close();
    instanceLoop.close();
    metadata.close();
  }
}
