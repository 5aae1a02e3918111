package dev.muelle.services.ec2.dhcp;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.AssociateDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.AssociateDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.AttributeValue;
import software.amazon.awssdk.services.ec2.model.CreateDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.CreateDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeDhcpOptionsResponse;
import software.amazon.awssdk.services.ec2.model.DhcpConfiguration;
import software.amazon.awssdk.services.ec2.model.DhcpOptions;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * What DHCP tells of names in a VPC: which resolvers to ask, and the domains in which to look for
 * short names. Whatever is started in a VPC finds it in its {@code resolv.conf}.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/VPC_DHCP_Options.html">DHCP option
 *     sets</a>
 */
public final class DhcpOptionSets {

  /** What a VPC without any set has in the place of one's id. */
  private static final String NONE = "default";

  /** Under which name it is remembered which set new VPCs have. */
  private static final String SHARED = "dhcp-options";

  private static final int MOST = 100;

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

  /** The id of the set that new VPCs have, made when it is first needed. */
  public String shared(Tx tx) {
    // A region of an earlier release has one set, and does not say that it is this one.
    Optional<String> present =
        tx.get(Tables.FOUNDED, SHARED)
            .map(Row::value)
            .or(() -> tx.list(Tables.DHCP_OPTIONS).stream().map(Row::key).findFirst())
            .filter(id -> tx.get(Tables.DHCP_OPTIONS, id).isPresent());
    if (present.isPresent()) {
      tx.put(Tables.FOUNDED, SHARED, present.get());
      return present.get();
    }
    String id = ids.ec2("dopt");
    tx.put(Tables.FOUNDED, SHARED, id);
    tx.insert(Tables.DHCP_OPTIONS, id, DhcpRules.usual(id, scope.account(), domain(scope)));
    return id;
  }

  public CreateDhcpOptionsResponse create(CreateDhcpOptionsRequest request) {
    List<DhcpConfiguration> configurations = DhcpRules.checked(request.dhcpConfigurations());
    List<Tag> tags = Tags.given("dhcp-options", request.tagSpecifications());
    DhcpOptions made =
        DhcpOptions.builder()
            .dhcpOptionsId(ids.ec2("dopt"))
            .ownerId(scope.account())
            .dhcpConfigurations(configurations)
            .build();
    store.write(tx -> {
      shared(tx); // before there is another that could be taken for it
      if (tx.count(Tables.DHCP_OPTIONS) >= MOST) {
        throw Refuse.because(
            "DhcpOptionsLimitExceeded", "The maximum number of DHCP option sets has been reached.");
      }
      tx.insert(Tables.DHCP_OPTIONS, made.dhcpOptionsId(), made);
      Tags.put(tx, made.dhcpOptionsId(), tags);
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return CreateDhcpOptionsResponse.builder()
        .dhcpOptions(made.toBuilder().tags(tags).build())
        .build();
  }

  public DeleteDhcpOptionsResponse delete(DeleteDhcpOptionsRequest request) {
    String id = Refuse.required(request.dhcpOptionsId(), "dhcpOptionsId");
    store.write(tx -> {
      Kind.DHCP.get(tx, id);
      if (tx.list(Tables.VPCS).stream()
          .anyMatch(row -> id.equals(row.value().vpc().dhcpOptionsId()))) {
        throw Refuse.dependency(
            "The dhcpOptions '" + id + "' has dependencies and cannot be deleted.");
      }
      tx.delete(Tables.DHCP_OPTIONS, id);
      Tags.forget(tx, id);
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return DeleteDhcpOptionsResponse.builder().build();
  }

  /**
   * From now on; what runs already keeps what it was told, as with a lease that was not renewed.
   */
  public AssociateDhcpOptionsResponse associate(AssociateDhcpOptionsRequest request) {
    String id = Refuse.required(request.dhcpOptionsId(), "dhcpOptionsId");
    String vpcId = Refuse.required(request.vpcId(), "vpcId");
    store.write(tx -> {
      VpcRecord vpc = Kind.VPC.get(tx, vpcId);
      if (!id.equals(NONE)) {
        Kind.DHCP.get(tx, id);
      }
      tx.put(
          Tables.VPCS,
          vpcId,
          new VpcRecord(
              vpc.vpc().toBuilder().dhcpOptionsId(id).build(),
              vpc.dnsHostnames(),
              vpc.withoutDns()));
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return AssociateDhcpOptionsResponse.builder().build();
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
