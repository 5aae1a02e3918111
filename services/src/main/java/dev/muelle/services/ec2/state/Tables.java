package dev.muelle.services.ec2.state;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.List;
import software.amazon.awssdk.services.ec2.model.Address;
import software.amazon.awssdk.services.ec2.model.DhcpOptions;
import software.amazon.awssdk.services.ec2.model.EgressOnlyInternetGateway;
import software.amazon.awssdk.services.ec2.model.FlowLog;
import software.amazon.awssdk.services.ec2.model.InternetGateway;
import software.amazon.awssdk.services.ec2.model.LaunchTemplate;
import software.amazon.awssdk.services.ec2.model.LaunchTemplateVersion;
import software.amazon.awssdk.services.ec2.model.ManagedPrefixList;
import software.amazon.awssdk.services.ec2.model.NatGateway;
import software.amazon.awssdk.services.ec2.model.NetworkAcl;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.SecurityGroupVpcAssociation;
import software.amazon.awssdk.services.ec2.model.Subnet;

/** What EC2 keeps. Tags lie in a table of their own, for all kinds alike. */
public final class Tables {

  public static final Table<VpcRecord> VPCS =
      Table.of("ec2.vpcs", StoredJson.codec(VpcRecord.class))
          .index("default", vpc -> vpc.vpc().isDefault() ? "true" : null)
          .remember();

  public static final Table<Subnet> SUBNETS =
      Table.of("ec2.subnets", StoredJson.codec(Subnet.class))
          .index("vpc", Subnet::vpcId)
          .remember();

  /** Without their rules. */
  public static final Table<SecurityGroup> GROUPS =
      Table.of("ec2.security_groups", StoredJson.codec(SecurityGroup.class))
          .index("vpc", SecurityGroup::vpcId)
          .remember();

  public static final Table<SecurityGroupRule> RULES =
      Table.of("ec2.security_group_rules", StoredJson.codec(SecurityGroupRule.class))
          .index("group", SecurityGroupRule::groupId)
          .index("prefix-list", SecurityGroupRule::prefixListId)
          .index(
              "referenced",
              rule ->
                  rule.referencedGroupInfo() == null ? null : rule.referencedGroupInfo().groupId())
          .remember();

  /** In which further VPCs groups can be used; the key is {@code group-id/vpc-id}. */
  public static final Table<SecurityGroupVpcAssociation> GROUP_VPCS =
      Table.of("ec2.security_group_vpcs", StoredJson.codec(SecurityGroupVpcAssociation.class))
          .index("group", SecurityGroupVpcAssociation::groupId)
          .index("vpc", SecurityGroupVpcAssociation::vpcId)
          .remember();

  /** Of their private addresses, only the secondary ones are in the list of such. */
  public static final Table<NetworkInterface> INTERFACES =
      Table.of("ec2.network_interfaces", StoredJson.codec(NetworkInterface.class))
          .index("vpc", NetworkInterface::vpcId)
          .index("subnet", NetworkInterface::subnetId)
          .index("description", NetworkInterface::description)
          .index("instance", eni -> eni.attachment() == null ? null : eni.attachment().instanceId())
          .index(
              "elastic",
              eni ->
                  Associations.each(eni).anyMatch(one -> one.allocationId() != null)
                      ? "true"
                      : null)
          .remember();

  public static final Table<InstanceRecord> INSTANCES =
      Table.of("ec2.instances", StoredJson.codec(InstanceRecord.class)).remember();

  public static final Table<KeyPairRecord> KEY_PAIRS =
      Table.of("ec2.key_pairs", StoredJson.codec(KeyPairRecord.class))
          .index("name", KeyPairRecord::name)
          .remember();

  /** Which interface has an address of either family; the key is {@code vpc-id/address}. */
  public static final Table<String> ADDRESSES =
      Table.of("ec2.addresses", StoredJson.codec(String.class)).remember();

  /** Which interface has a public address; the key is the address. */
  public static final Table<String> PUBLIC_ADDRESSES =
      Table.of("ec2.public_addresses", StoredJson.codec(String.class)).remember();

  /** Creations that may be asked for again, by client token. */
  public static final Table<ClientToken> TOKENS =
      Table.of("ec2.client_tokens", StoredJson.codec(ClientToken.class))
          .index("resource", ClientToken::resource)
          .remember();

  public static final Table<InternetGateway> GATEWAYS =
      Table.of("ec2.internet_gateways", StoredJson.codec(InternetGateway.class))
          .index(
              "vpc",
              gateway ->
                  gateway.attachments().isEmpty() ? null : gateway.attachments().getFirst().vpcId())
          .remember();

  /** Each is its VPC's for its life. */
  public static final Table<EgressOnlyInternetGateway> EGRESS_ONLY =
      Table.of("ec2.egress_only_gateways", StoredJson.codec(EgressOnlyInternetGateway.class))
          .index("vpc", gateway -> gateway.attachments().getFirst().vpcId())
          .remember();

  public static final Table<RouteTable> ROUTE_TABLES =
      Table.of("ec2.route_tables", StoredJson.codec(RouteTable.class))
          .index("vpc", RouteTable::vpcId)
          .remember();

  /** Elastic IP addresses, without what uses them. */
  public static final Table<Address> ELASTIC =
      Table.of("ec2.elastic_addresses", StoredJson.codec(Address.class)).remember();

  /** What Elastic IP addresses are called; the key is the address. */
  public static final Table<String> REVERSE_NAMES =
      Table.of("ec2.reverse_names", StoredJson.codec(String.class)).remember();

  public static final Table<NatGateway> NAT_GATEWAYS =
      Table.of("ec2.nat_gateways", StoredJson.codec(NatGateway.class))
          .index("vpc", NatGateway::vpcId)
          .remember();

  /** With the subnets that they are for. */
  public static final Table<NetworkAcl> ACLS =
      Table.of("ec2.network_acls", StoredJson.codec(NetworkAcl.class))
          .index("vpc", NetworkAcl::vpcId)
          .remember();

  /** Without their entries. */
  public static final Table<ManagedPrefixList> PREFIX_LISTS =
      Table.of("ec2.prefix_lists", StoredJson.codec(ManagedPrefixList.class)).remember();

  public static final Table<PeeringRecord> PEERINGS =
      Table.of("ec2.vpc_peerings", StoredJson.codec(PeeringRecord.class)).remember();

  public static final Table<EndpointRecord> ENDPOINTS =
      Table.of("ec2.vpc_endpoints", StoredJson.codec(EndpointRecord.class))
          .index("vpc", one -> one.endpoint().vpcId())
          .remember();

  /** Without their tags. */
  public static final Table<FlowLog> FLOW_LOGS =
      Table.of("ec2.flow_logs", StoredJson.codec(FlowLog.class))
          .index("resource", FlowLog::resourceId)
          .remember();

  public static final Table<DhcpOptions> DHCP_OPTIONS =
      Table.of("ec2.dhcp_options", StoredJson.codec(DhcpOptions.class)).remember();

  public static final Table<LaunchTemplate> TEMPLATES =
      Table.of("ec2.launch_templates", StoredJson.codec(LaunchTemplate.class))
          .index("name", LaunchTemplate::launchTemplateName)
          .remember();

  /** The key is {@code template-id/number}, with eight digits. */
  public static final Table<LaunchTemplateVersion> TEMPLATE_VERSIONS =
      Table.of("ec2.launch_template_versions", StoredJson.codec(LaunchTemplateVersion.class))
          .index("template", LaunchTemplateVersion::launchTemplateId)
          .remember();

  /** Who remembers that the region was furnished: a deleted default VPC does not come back. */
  public static final Table<String> FOUNDED =
      Table.of("ec2.founded", StoredJson.codec(String.class));

  private Tables() {}

  public static <T> List<T> values(List<Row<T>> rows) {
    return rows.stream().map(Row::value).toList();
  }

  public static <T> List<T> of(Tx tx, Table<T> table, String index, String value) {
    return values(tx.find(table, index, value));
  }
}
