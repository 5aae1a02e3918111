package dev.muelle.services.ec2.state;

import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.Address;
import software.amazon.awssdk.services.ec2.model.DhcpOptions;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.EgressOnlyInternetGateway;
import software.amazon.awssdk.services.ec2.model.FlowLog;
import software.amazon.awssdk.services.ec2.model.InternetGateway;
import software.amazon.awssdk.services.ec2.model.LaunchTemplate;
import software.amazon.awssdk.services.ec2.model.ManagedPrefixList;
import software.amazon.awssdk.services.ec2.model.NatGateway;
import software.amazon.awssdk.services.ec2.model.NetworkAcl;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.Subnet;

/**
 * A kind of resource that has an id.
 *
 * @param <T> the form in which it is stored
 * @param prefix its ids start with this and a hyphen
 * @param type the name that tags know it by
 * @param code of the error when there is none with an id
 * @param message of that error, with the id for {@code %s}
 */
public record Kind<T>(String prefix, String type, Table<T> table, String code, String message) {

  public static final Kind<VpcRecord> VPC =
      new Kind<>(
          "vpc", "vpc", Tables.VPCS, "InvalidVpcID.NotFound", "The vpc ID '%s' does not exist");
  public static final Kind<Subnet> SUBNET =
      new Kind<>(
          "subnet",
          "subnet",
          Tables.SUBNETS,
          "InvalidSubnetID.NotFound",
          "The subnet ID '%s' does not exist");
  public static final Kind<SecurityGroup> GROUP =
      new Kind<>(
          "sg",
          "security-group",
          Tables.GROUPS,
          "InvalidGroup.NotFound",
          "The security group '%s' does not exist");
  public static final Kind<SecurityGroupRule> RULE =
      new Kind<>(
          "sgr",
          "security-group-rule",
          Tables.RULES,
          "InvalidSecurityGroupRuleId.NotFound",
          "The security group rule ID '%s' does not exist");
  public static final Kind<NetworkInterface> INTERFACE =
      new Kind<>(
          "eni",
          "network-interface",
          Tables.INTERFACES,
          "InvalidNetworkInterfaceID.NotFound",
          "The networkInterface ID '%s' does not exist");
  public static final Kind<InstanceRecord> INSTANCE =
      new Kind<>(
          "i",
          "instance",
          Tables.INSTANCES,
          "InvalidInstanceID.NotFound",
          "The instance ID '%s' does not exist");
  public static final Kind<InternetGateway> GATEWAY =
      new Kind<>(
          "igw",
          "internet-gateway",
          Tables.GATEWAYS,
          "InvalidInternetGatewayID.NotFound",
          "The internetGateway ID '%s' does not exist");
  public static final Kind<EgressOnlyInternetGateway> EGRESS_ONLY =
      new Kind<>(
          "eigw",
          "egress-only-internet-gateway",
          Tables.EGRESS_ONLY,
          "InvalidGatewayID.NotFound",
          "The gateway ID '%s' does not exist");
  public static final Kind<RouteTable> ROUTE_TABLE =
      new Kind<>(
          "rtb",
          "route-table",
          Tables.ROUTE_TABLES,
          "InvalidRouteTableID.NotFound",
          "The routeTable ID '%s' does not exist");
  public static final Kind<DhcpOptions> DHCP =
      new Kind<>(
          "dopt",
          "dhcp-options",
          Tables.DHCP_OPTIONS,
          "InvalidDhcpOptionID.NotFound",
          "The dhcpOption ID '%s' does not exist");

  public static final Kind<Address> ELASTIC =
      new Kind<>(
          "eipalloc",
          "elastic-ip",
          Tables.ELASTIC,
          "InvalidAllocationID.NotFound",
          "The allocation ID '%s' does not exist");
  public static final Kind<NatGateway> NAT_GATEWAY =
      new Kind<>(
          "nat",
          "natgateway",
          Tables.NAT_GATEWAYS,
          "NatGatewayNotFound",
          "The Nat Gateway %s was not found");
  public static final Kind<NetworkAcl> ACL =
      new Kind<>(
          "acl",
          "network-acl",
          Tables.ACLS,
          "InvalidNetworkAclID.NotFound",
          "The networkAcl ID '%s' does not exist");

  public static final Kind<ManagedPrefixList> PREFIX_LIST =
      new Kind<>(
          "pl",
          "prefix-list",
          Tables.PREFIX_LISTS,
          "InvalidPrefixListID.NotFound",
          "The prefix list ID '%s' does not exist");

  public static final Kind<PeeringRecord> PEERING =
      new Kind<>(
          "pcx",
          "vpc-peering-connection",
          Tables.PEERINGS,
          "InvalidVpcPeeringConnectionID.NotFound",
          "The vpcPeeringConnection ID '%s' does not exist");

  public static final Kind<EndpointRecord> ENDPOINT =
      new Kind<>(
          "vpce",
          "vpc-endpoint",
          Tables.ENDPOINTS,
          "InvalidVpcEndpointId.NotFound",
          "The Vpc Endpoint Id '%s' does not exist");

  public static final Kind<LaunchTemplate> TEMPLATE =
      new Kind<>(
          "lt",
          "launch-template",
          Tables.TEMPLATES,
          "InvalidLaunchTemplateId.NotFound",
          "The specified launch template, with template ID %s, does not exist.");

  public static final Kind<KeyPairRecord> KEY_PAIR =
      new Kind<>(
          "key",
          "key-pair",
          Tables.KEY_PAIRS,
          "InvalidKeyPair.NotFound",
          "The key pair ID '%s' does not exist");

  public static final Kind<FlowLog> FLOW_LOG =
      new Kind<>(
          "fl",
          "vpc-flow-log",
          Tables.FLOW_LOGS,
          "InvalidFlowLogId.NotFound",
          "The flow log ID '%s' does not exist");

  private static final List<Kind<?>> ALL =
      List.of(
          VPC,
          SUBNET,
          GROUP,
          RULE,
          INTERFACE,
          INSTANCE,
          GATEWAY,
          EGRESS_ONLY,
          ROUTE_TABLE,
          DHCP,
          ELASTIC,
          NAT_GATEWAY,
          ACL,
          PREFIX_LIST,
          PEERING,
          ENDPOINT,
          TEMPLATE,
          KEY_PAIR,
          FLOW_LOG);

  /** The kind that an id belongs to. */
  public static Optional<Kind<?>> of(String id) {
    return ALL.stream().filter(kind -> id.startsWith(kind.prefix + "-")).findFirst();
  }

  public Ec2Exception missing(String id) {
    return Refuse.because(code, message.formatted(id));
  }

  /** The one with this id, which must exist. */
  public T get(Tx tx, String id) {
    return tx.get(table, id).orElseThrow(() -> missing(id)).value();
  }

  /** Those with these ids, all of which must exist; without ids, all there are. By id. */
  public List<T> list(Tx tx, List<String> ids) {
    if (ids.isEmpty()) {
      return tx.list(table).stream().map(Row::value).toList();
    }
    List<T> found = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (String id : ids.stream().distinct().sorted().toList()) {
      tx.get(table, id).ifPresentOrElse(row -> found.add(row.value()), () -> missing.add(id));
    }
    if (!missing.isEmpty()) {
      throw missing(String.join(", ", missing));
    }
    return found;
  }
}
