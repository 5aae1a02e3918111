package dev.muelle.services.ec2.endpoint;

import dev.muelle.network.NameSource;
import dev.muelle.services.Api;
import dev.muelle.services.RegionalApis;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.state.EndpointRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.ec2.model.DnsEntry;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;

/**
 * What a VPC's resolver says of the names of the region's own APIs: the addresses of an endpoint in
 * that VPC with private DNS, otherwise their public address. The names of endpoints themselves are
 * known in every VPC.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/privatelink/privatelink-access-aws-services.html#interface-endpoint-dns-hostnames">DNS
 *     hostnames</a>
 */
public final class EndpointNames implements NameSource {

  private static final Pattern ENDPOINT =
      Pattern.compile("((vpce-[0-9a-f]+)-[0-9a-f]+)(?:-([a-z0-9-]+))?(\\..+)");

  private final Scope scope;
  private final Store store;
  private final RegionalApis apis;
  private final EndpointServices services;

  public EndpointNames(Scope scope, Store store, RegionalApis apis, EndpointServices services) {
    this.scope = scope;
    this.store = store;
    this.apis = apis;
    this.services = services;
  }

  /** The names of an endpoint: its own, one for each zone, and the private ones if there are. */
  List<DnsEntry> entries(Tx tx, EndpointRecord record) {
    Optional<Api> api = services.find(record.endpoint().serviceName());
    if (api.isEmpty()) {
      return List.of(); // an API that an earlier version served
    }
    String domain = "." + api.get().endpointDomain(scope.region());
    List<DnsEntry> entries = new java.util.ArrayList<>();
    entries.add(entry(record.label() + domain));
    interfaces(tx, record).stream()
        .map(NetworkInterface::availabilityZone)
        .forEach(zone -> entries.add(entry(record.label() + "-" + zone + domain)));
    if (record.endpoint().privateDnsEnabled()) {
      entries.add(entry(api.get().host(scope.region())));
    }
    return entries;
  }

  private static DnsEntry entry(String name) {
    return DnsEntry.builder().dnsName(name).build();
  }

  static List<NetworkInterface> interfaces(Tx tx, EndpointRecord record) {
    return record.endpoint().networkInterfaceIds().stream()
        .map(id -> Kind.INTERFACE.get(tx, id))
        .toList();
  }

  @Override
  public Optional<List<String>> lookup(String vpcId, String name, String client) {
    Matcher endpoint = ENDPOINT.matcher(name);
    if (endpoint.matches()) {
      return store.read(tx -> own(tx, endpoint));
    }
    for (Api api : apis.all()) {
      Optional<String> region = api.region(name);
      if (region.isPresent()) {
        return store.read(tx ->
            tx.get(Tables.VPCS, vpcId)
                .flatMap(vpc ->
                    privately(tx, vpcId, region.get(), api)
                        .filter(addresses -> vpc.value().dnsHostnames())
                        .or(() -> apis.outside().map(List::of))));
      }
    }
    return Optional.empty();
  }

  private Optional<List<String>> own(Tx tx, Matcher name) {
    String zone = name.group(3);
    return tx.get(Tables.ENDPOINTS, name.group(2))
        .map(Row::value)
        .filter(record -> record.label().equals(name.group(1)))
        .filter(record ->
            services
                .find(record.endpoint().serviceName())
                .filter(api -> name.group(4).equals("." + api.endpointDomain(scope.region())))
                .isPresent())
        .map(record ->
            addresses(tx, record, eni -> zone == null || zone.equals(eni.availabilityZone())))
        .filter(addresses -> zone == null || !addresses.isEmpty());
  }

  private Optional<List<String>> privately(Tx tx, String vpcId, String region, Api api) {
    return region.equals(scope.region())
        ? Tables.of(tx, Tables.ENDPOINTS, "vpc", vpcId).stream()
            .filter(record -> record.in(EndpointRecord.AVAILABLE))
            .filter(record -> record.endpoint().privateDnsEnabled())
            .filter(record ->
                services.find(record.endpoint().serviceName()).filter(api::equals).isPresent())
            .findFirst()
            .map(record -> addresses(tx, record, eni -> true))
        : Optional.empty();
  }

  private static List<String> addresses(
      Tx tx, EndpointRecord record, Predicate<NetworkInterface> wanted) {
    return interfaces(tx, record).stream()
        .filter(wanted)
        .map(NetworkInterface::privateIpAddress)
        .toList();
  }
}
