package dev.muelle.services.elasticloadbalancingv2.node;

import java.util.List;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.EnablePrefixForIpv6SourceNatEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IpAddressType;

/**
 * Where a load balancer is to be: subnets of one VPC, each in a zone of its own, and the addresses
 * that are asked for there.
 *
 * @param addresses of which families
 * @param prefixes whether it has a block of IPv6 addresses in each to send from
 */
public record Placement(
    String vpc, List<AvailabilityZone> zones, IpAddressType addresses, boolean prefixes) {

  /** The same as AWS says it. */
  public EnablePrefixForIpv6SourceNatEnum enabled() {
    return prefixes ? EnablePrefixForIpv6SourceNatEnum.ON : EnablePrefixForIpv6SourceNatEnum.OFF;
  }
}
