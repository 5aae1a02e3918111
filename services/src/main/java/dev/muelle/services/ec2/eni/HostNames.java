package dev.muelle.services.ec2.eni;

import dev.muelle.network.NameSource;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.dhcp.DhcpOptionSets;
import dev.muelle.services.ec2.state.Associations;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.NetworkInterfaceAssociation;

/**
 * The host names of interfaces, and what a VPC's resolver says of them: a private one is known in
 * its own VPC; a public one means the private address there, where the VPC has public host names,
 * and the public address elsewhere.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-dns.html">DNS attributes</a>
 */
public final class HostNames implements NameSource {

  private static final Pattern HOST =
      Pattern.compile("(ip|ec2)-(\\d{1,3})-(\\d{1,3})-(\\d{1,3})-(\\d{1,3})(\\..+)");

  private final Scope scope;
  private final Store store;

  public HostNames(Scope scope, Store store) {
    this.scope = scope;
    this.store = store;
  }

  static String inside(Scope scope, String address) {
    return "ip-" + address.replace('.', '-') + "." + DhcpOptionSets.domain(scope);
  }

  static String outside(Scope scope, String address) {
    return "ec2-" + address.replace('.', '-') + suffix(scope);
  }

  private static String suffix(Scope scope) {
    return scope.region().equals("us-east-1")
        ? ".compute-1.amazonaws.com"
        : "." + scope.region() + ".compute.amazonaws.com";
  }

  @Override
  public Optional<List<String>> lookup(String vpcId, String name, String client) {
    Matcher host = HOST.matcher(name);
    if (!host.matches()) {
      return Optional.empty();
    }
    String address = String.join(".", host.group(2), host.group(3), host.group(4), host.group(5));
    if (host.group(1).equals("ip")) {
      return host.group(6).equals("." + DhcpOptionSets.domain(scope))
          ? store
              .read(tx -> tx.get(Tables.ADDRESSES, vpcId + "/" + address))
              .map(row -> List.of(address))
          : Optional.empty();
    }
    return host.group(6).equals(suffix(scope))
        ? store.read(tx -> publicly(tx, vpcId, address)).map(List::of)
        : Optional.empty();
  }

  /**
   * An Elastic IP address is called as its owner says; others by their host names, private ones
   * where the VPC has such names.
   */
  @Override
  public Optional<String> reverse(String vpcId, String address) {
    return store.read(tx ->
        tx.get(Tables.REVERSE_NAMES, address)
            .map(Row::value)
            .or(() -> privately(tx, vpcId, address))
            .or(() -> publicly(tx, vpcId, address).map(known -> outside(scope, address))));
  }

  private Optional<String> privately(Tx tx, String vpcId, String address) {
    return tx.get(Tables.ADDRESSES, vpcId + "/" + address)
        .flatMap(known -> tx.get(Tables.VPCS, vpcId))
        .filter(vpc -> vpc.value().dnsHostnames())
        .map(vpc -> inside(scope, address));
  }

  private static Optional<String> publicly(Tx tx, String vpcId, String address) {
    for (Row<NetworkInterface> row : tx.list(Tables.INTERFACES)) {
      NetworkInterface eni = row.value();
      for (Map.Entry<String, NetworkInterfaceAssociation> one : Associations.of(eni).entrySet()) {
        if (address.equals(one.getValue().publicIp())) {
          return tx.get(Tables.VPCS, eni.vpcId())
              .filter(vpc -> vpc.value().dnsHostnames())
              .map(vpc -> eni.vpcId().equals(vpcId) ? one.getKey() : address);
        }
      }
    }
    return Optional.empty();
  }
}
