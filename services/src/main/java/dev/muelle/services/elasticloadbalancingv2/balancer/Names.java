package dev.muelle.services.elasticloadbalancingv2.balancer;

import dev.muelle.network.NameSource;
import dev.muelle.services.elasticloadbalancingv2.node.Blocks;
import dev.muelle.services.elasticloadbalancingv2.request.NetworkAttributes;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.target.ZoneHealth;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Subnet;

/**
 * What load balancers' names mean inside their VPCs.
 *
 * @param ec2 knows in which zone a client is
 * @param random decides, for partial affinity, who is told of all zones
 */
public record Names(Store store, Ec2Client ec2, RandomGenerator random) implements NameSource {

  private static final String AWS_DOMAIN = ".elb.amazonaws.com";

  /** How often partial affinity holds. */
  private static final double MOSTLY = 0.85;

  /**
   * The addresses of a load balancer's name inside its VPC. There the name's form on AWS means the
   * same: curl and browsers take every name under {@code .localhost} for the container itself,
   * without asking a resolver (RFC 6761, section 6.3).
   *
   * <p>Clients of a network load balancer may be told of their own zone's node alone, as long as
   * that is well.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/network/edit-load-balancer-attributes.html#zonal-dns-affinity">
   *     Availability Zone DNS affinity</a>
   */
  @Override
  public Optional<List<String>> lookup(String vpcId, String asked, String client) {
    String name =
        asked.endsWith(AWS_DOMAIN)
            ? asked.substring(0, asked.length() - AWS_DOMAIN.length()) + LoadBalancers.DOMAIN
            : asked;
    if (!name.endsWith(LoadBalancers.DOMAIN)) {
      return Optional.empty();
    }
    return store
        .read(tx ->
            Existing.balancers(tx).stream()
                .map(Row::value)
                .filter(b ->
                    b.balancer().vpcId().equals(vpcId)
                        && b.balancer().dnsName().toLowerCase(Locale.ROOT).equals(name))
                .findFirst()
                .map(b -> new Meant(b, ZoneHealth.of(tx, b).inDns())))
        .map(meant -> favoured(meant, client));
  }

  /** A load balancer, and those of its nodes that its name means. */
  private record Meant(Balancing balancer, List<State.Node> nodes) {

    private List<String> addresses(Predicate<State.Node> which) {
      return nodes.stream().filter(which).flatMap(node -> balancer.named(node).stream()).toList();
    }
  }

  private List<String> favoured(Meant meant, String client) {
    List<String> all = meant.addresses(node -> true);
    boolean favours =
        switch (meant.balancer().attributes().getOrDefault(NetworkAttributes.CLIENT_ROUTING, "")) {
          case NetworkAttributes.OWN_ZONE -> true;
          case NetworkAttributes.MOSTLY_OWN_ZONE -> random.nextDouble() < MOSTLY;
          default -> false;
        };
    if (!favours) {
      return all;
    }
    String zone = zone(meant.balancer().balancer().vpcId(), client);
    List<String> own = meant.addresses(node -> node.zone().equals(zone));
    return own.isEmpty() ? all : own;
  }

  /** The zone in whose subnet an address is; empty if it is in none. */
  private String zone(String vpcId, String client) {
    byte[] address = InetAddress.ofLiteral(client).getAddress();
    return ec2
        .describeSubnets(r -> r.filters(Filter.builder().name("vpc-id").values(vpcId).build()))
        .subnets()
        .stream()
        .filter(subnet -> Blocks.within(subnet.cidrBlock(), address))
        .map(Subnet::availabilityZone)
        .findFirst()
        .orElse("");
  }
}
