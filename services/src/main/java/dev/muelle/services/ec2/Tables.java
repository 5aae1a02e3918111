package dev.muelle.services.ec2;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.DhcpOptions;
import software.amazon.awssdk.services.ec2.model.InternetGateway;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.RouteTable;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.Subnet;

/** What EC2 keeps. Tags lie in a table of their own, for all kinds alike. */
final class Tables {

  static final Table<VpcRecord> VPCS =
      Table.of("ec2.vpcs", StoredJson.codec(VpcRecord.class))
          .index("default", vpc -> vpc.vpc().isDefault() ? "true" : null)
          .remember();

  static final Table<Subnet> SUBNETS =
      Table.of("ec2.subnets", StoredJson.codec(Subnet.class))
          .index("vpc", Subnet::vpcId)
          .remember();

  /** Without their rules. */
  static final Table<SecurityGroup> GROUPS =
      Table.of("ec2.security_groups", StoredJson.codec(SecurityGroup.class))
          .index("vpc", SecurityGroup::vpcId)
          .remember();

  static final Table<SecurityGroupRule> RULES =
      Table.of("ec2.security_group_rules", StoredJson.codec(SecurityGroupRule.class))
          .index("group", SecurityGroupRule::groupId)
          .index(
              "referenced",
              rule ->
                  rule.referencedGroupInfo() == null ? null : rule.referencedGroupInfo().groupId())
          .remember();

  static final Table<NetworkInterface> INTERFACES =
      Table.of("ec2.network_interfaces", StoredJson.codec(NetworkInterface.class))
          .index("vpc", NetworkInterface::vpcId)
          .index("subnet", NetworkInterface::subnetId)
          .index("description", NetworkInterface::description)
          .remember();

  static final Table<InstanceRecord> INSTANCES =
      Table.of("ec2.instances", StoredJson.codec(InstanceRecord.class)).remember();

  /** Which interface has an address; the key is {@code vpc-id/address}. */
  static final Table<String> ADDRESSES =
      Table.of("ec2.addresses", StoredJson.codec(String.class)).remember();

  /** Which interface has a public address; the key is the address. */
  static final Table<String> PUBLIC_ADDRESSES =
      Table.of("ec2.public_addresses", StoredJson.codec(String.class)).remember();

  /** Creations that may be asked for again, by client token. */
  static final Table<ClientToken> TOKENS =
      Table.of("ec2.client_tokens", StoredJson.codec(ClientToken.class))
          .index("resource", ClientToken::resource)
          .remember();

  static final Table<InternetGateway> GATEWAYS =
      Table.of("ec2.internet_gateways", StoredJson.codec(InternetGateway.class))
          .index(
              "vpc",
              gateway ->
                  gateway.attachments().isEmpty() ? null : gateway.attachments().getFirst().vpcId())
          .remember();

  static final Table<RouteTable> ROUTE_TABLES =
      Table.of("ec2.route_tables", StoredJson.codec(RouteTable.class))
          .index("vpc", RouteTable::vpcId)
          .remember();

  static final Table<DhcpOptions> DHCP_OPTIONS =
      Table.of("ec2.dhcp_options", StoredJson.codec(DhcpOptions.class)).remember();

  /** Who remembers that the region was furnished: a deleted default VPC does not come back. */
  static final Table<String> FOUNDED = Table.of("ec2.founded", StoredJson.codec(String.class));

  private Tables() {}

  /**
   * A creation that was done.
   *
   * @param request what was asked, to notice when something else is asked under the same token
   */
  record ClientToken(String request, String resource) {

    /** What was made under a token; empty if nothing was, or there is no token. */
    static Optional<String> done(Tx tx, @Nullable String token, String request) {
      if (token == null || token.isEmpty()) {
        return Optional.empty();
      }
      Optional<ClientToken> present = tx.get(TOKENS, token).map(Row::value);
      if (present.isPresent() && !present.get().request().equals(request)) {
        throw Refuse.because(
            "IdempotentParameterMismatch",
            "The client token '" + token + "' was used before with different parameters");
      }
      return present.map(ClientToken::resource);
    }
  }

  static <T> List<T> values(List<Row<T>> rows) {
    return rows.stream().map(Row::value).toList();
  }

  static <T> List<T> of(Tx tx, Table<T> table, String index, String value) {
    return values(tx.find(table, index, value));
  }
}
