package dev.muelle.services.ec2.dhcp;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import software.amazon.awssdk.services.ec2.model.AttributeValue;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.DhcpConfiguration;
import software.amazon.awssdk.services.ec2.model.DhcpOptions;

/**
 * The DHCP options that all VPCs share.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/VPC_DHCP_Options.html">DHCP option
 *     sets</a>
 */
public final class DhcpOptionSets {

  private static final Filters<DhcpOptions> FILTERS =
      new Filters<>(DhcpOptions::tags)
          .by("dhcp-options-id", DhcpOptions::dhcpOptionsId)
          .byAny(
              "key",
              options -> options.dhcpConfigurations().stream().map(DhcpConfiguration::key).toList())
          .byAny(
              "value",
              options ->
                  options.dhcpConfigurations().stream()
                      .flatMap(configuration -> configuration.values().stream())
                      .map(AttributeValue::value)
                      .toList())
          .by("owner-id", DhcpOptions::ownerId);

  private final Scope scope;
  private final Store store;
  private final Ids ids;

  public DhcpOptionSets(Scope scope, Store store, Ids ids) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
  }

  /** The domain that private host names of a region end in. */
  public static String domain(Scope scope) {
    return scope.region().equals("us-east-1")
        ? "ec2.internal"
        : scope.region() + ".compute.internal";
  }

  /** The id of the region's DHCP options, made when they are first needed. */
  public String shared(Tx tx) {
    List<Row<DhcpOptions>> present = tx.list(Tables.DHCP_OPTIONS);
    if (!present.isEmpty()) {
      return present.getFirst().key();
    }
    String id = ids.ec2("dopt");
    tx.insert(
        Tables.DHCP_OPTIONS,
        id,
        DhcpOptions.builder()
            .dhcpOptionsId(id)
            .ownerId(scope.account())
            .dhcpConfigurations(
                configuration("domain-name", domain(scope)),
                configuration("domain-name-servers", "AmazonProvidedDNS"))
            .build());
    return id;
  }

  private static DhcpConfiguration configuration(String key, String value) {
    return DhcpConfiguration.builder()
        .key(key)
        .values(AttributeValue.builder().value(value).build())
        .build();
  }

  public DescribeDhcpOptionsResponse describe(DescribeDhcpOptionsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<DhcpOptions> all =
        store.read(tx ->
            Kind.DHCP.list(tx, request.dhcpOptionsIds()).stream()
                .map(options ->
                    options.toBuilder().tags(Tags.of(tx, options.dhcpOptionsId())).build())
                .toList());
    Pages<DhcpOptions> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            DhcpOptions::dhcpOptionsId,
            request.dhcpOptionsIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeDhcpOptionsResponse.builder()
        .dhcpOptions(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
