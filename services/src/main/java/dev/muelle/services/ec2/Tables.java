package dev.muelle.services.ec2;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Codec;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.Address;
import software.amazon.awssdk.services.ec2.model.DhcpOptions;
import software.amazon.awssdk.services.ec2.model.InternetGateway;
import software.amazon.awssdk.services.ec2.model.ManagedPrefixList;
import software.amazon.awssdk.services.ec2.model.NatGateway;
import software.amazon.awssdk.services.ec2.model.NetworkAcl;
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
          .index("prefix-list", SecurityGroupRule::prefixListId)
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
          .index(
              "allocation",
              eni -> eni.association() == null ? null : eni.association().allocationId())
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

  /** Elastic IP addresses, without what uses them. */
  static final Table<Address> ELASTIC =
      Table.of("ec2.elastic_addresses", StoredJson.codec(Address.class)).remember();

  static final Table<NatGateway> NAT_GATEWAYS =
      Table.of("ec2.nat_gateways", StoredJson.codec(NatGateway.class))
          .index("vpc", NatGateway::vpcId)
          .remember();

  /** With the subnets that they are for. */
  static final Table<NetworkAcl> ACLS =
      Table.of("ec2.network_acls", StoredJson.codec(NetworkAcl.class))
          .index("vpc", NetworkAcl::vpcId)
          .remember();

  /** Without their entries. */
  static final Table<ManagedPrefixList> PREFIX_LISTS =
      Table.of("ec2.prefix_lists", StoredJson.codec(ManagedPrefixList.class)).remember();

  static final Table<VpcPeerings.PeeringRecord> PEERINGS =
      Table.of("ec2.vpc_peerings", StoredJson.codec(VpcPeerings.PeeringRecord.class)).remember();

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

    private static final int MAX_LENGTH = 64;

    /**
     * A request in the form in which two are compared: with an empty token, because the SDK fills
     * in a random one where there is none.
     */
    static <R> String fingerprint(Codec<R> codec, R withoutToken) {
      return new String(codec.encode(withoutToken), StandardCharsets.UTF_8);
    }

    static void put(Tx tx, @Nullable String token, String request, String resource) {
      if (token != null && !token.isEmpty()) {
        if (token.length() > MAX_LENGTH) {
          throw Refuse.invalidValue(
              token, "clientToken", "It must have at most " + MAX_LENGTH + " characters.");
        }
        tx.put(TOKENS, token, new ClientToken(request, resource));
      }
    }

    /** What was made is gone: its tokens may be used again. */
    static void forget(Tx tx, String resource) {
      tx.find(TOKENS, "resource", resource).forEach(row -> tx.delete(TOKENS, row.key()));
    }

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
