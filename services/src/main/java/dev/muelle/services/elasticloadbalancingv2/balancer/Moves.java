package dev.muelle.services.elasticloadbalancingv2.balancer;

import dev.muelle.services.Ids;
import dev.muelle.services.elasticloadbalancingv2.node.Placement;
import dev.muelle.services.elasticloadbalancingv2.node.Placements;
import dev.muelle.services.elasticloadbalancingv2.node.SourceNat;
import dev.muelle.services.elasticloadbalancingv2.request.Attributes;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.AddressTypes;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.Wakes;
import dev.muelle.services.elasticloadbalancingv2.target.BalancerTargets;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidSubnetException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IpAddressType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetIpAddressTypeRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetIpAddressTypeResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetSubnetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetSubnetsResponse;

/** Puts load balancers elsewhere: into other subnets, or where another family reaches them. */
public record Moves(Store store, Ids ids, Ec2Client ec2, Wakes wakes) {

  /**
   * Moves a load balancer into these subnets. Its nodes in others answer until the new ones do.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetSubnets.html">
   *     SetSubnets</a>
   */
  public SetSubnetsResponse setSubnets(SetSubnetsRequest request) {
    Refuse.unlessEffective(
        request,
        Set.of(
            "LoadBalancerArn",
            "Subnets",
            "SubnetMappings",
            "IpAddressType",
            "EnablePrefixForIpv6SourceNat"));
    Placement placement =
        place(
            request.loadBalancerArn(),
            before -> {
              LoadBalancer described = before.balancer();
              IpAddressType addresses =
                  request.ipAddressType() == null
                      ? described.ipAddressType()
                      : AddressTypes.of(
                          request.ipAddressTypeAsString(), before.network(), described.scheme());
              SourceNat sourceNat =
                  SourceNat.of(
                      ec2,
                      ids,
                      request.enablePrefixForIpv6SourceNatAsString(),
                      before.network(),
                      addresses,
                      before.prefixes());
              return new Placements(ec2, before.network(), described.scheme(), addresses, sourceNat)
                  .of(request.subnets(), request.subnetMappings(), described);
            });
    return SetSubnetsResponse.builder()
        .availabilityZones(placement.zones())
        .ipAddressType(placement.addresses())
        .enablePrefixForIpv6SourceNat(
            request.loadBalancerArn().contains(LoadBalancers.NETWORK) ? placement.enabled() : null)
        .build();
  }

  /**
   * Lets clients reach a load balancer over IPv6, or no longer. Its nodes have an address before
   * its name means that, and lose it when nobody listens there any more.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SetIpAddressType.html">
   *     SetIpAddressType</a>
   */
  public SetIpAddressTypeResponse setIpAddressType(SetIpAddressTypeRequest request) {
    String text = Refuse.unlessPresent("ipAddressType", request.ipAddressTypeAsString());
    Placement placement =
        place(
            request.loadBalancerArn(),
            before -> {
              LoadBalancer described = before.balancer();
              IpAddressType addresses = AddressTypes.of(text, before.network(), described.scheme());
              List<String> subnets =
                  described.availabilityZones().stream().map(AvailabilityZone::subnetId).toList();
              SourceNat sourceNat =
                  SourceNat.of(ec2, ids, null, before.network(), addresses, before.prefixes());
              return new Placements(ec2, before.network(), described.scheme(), addresses, sourceNat)
                  .of(subnets, List.of(), described);
            });
    return SetIpAddressTypeResponse.builder().ipAddressType(placement.addresses()).build();
  }

  /** Puts a load balancer elsewhere; who did so at the same time is heard first. */
  private Placement place(String arn, Function<Balancing, Placement> where) {
    while (true) {
      Balancing before = store.read(tx -> Existing.balancer(tx, arn));
      Placement placement = where.apply(before);
      if (!placement.vpc().equals(before.balancer().vpcId())) {
        throw InvalidSubnetException.builder()
            .message("All subnets must belong to VPC '" + before.balancer().vpcId() + "'")
            .build();
      }
      if (store.write(tx -> place(tx, arn, before, placement))) {
        wakes.now(store.read(tx -> BalancerTargets.withThoseBefore(tx, arn)));
        return placement;
      }
    }
  }

  private static boolean place(Tx tx, String arn, Balancing before, Placement placement) {
    Balancing b = Existing.balancer(tx, arn);
    LoadBalancer was = before.balancer();
    if (!b.balancer().availabilityZones().equals(was.availabilityZones())
        || b.balancer().ipAddressType() != was.ipAddressType()
        || b.prefixes() != before.prefixes()) {
      return false;
    }
    AddressTypes.unlessFits(tx, b, placement.addresses(), placement.prefixes());
    Balancing kept =
        b.dual() || !AddressTypes.dual(placement.addresses())
            ? b
            : b.withAttributes(Attributes.ofScheme(b.attributes(), was.scheme()));
    tx.put(
        State.BALANCERS,
        arn,
        kept.described(
            b.balancer().toBuilder()
                .availabilityZones(placement.zones())
                .ipAddressType(placement.addresses())
                .enablePrefixForIpv6SourceNat(b.network() ? placement.enabled() : null)
                .build()));
    return true;
  }
}
