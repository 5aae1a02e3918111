package dev.muelle.services.elasticloadbalancingv2.node;

/**
 * Who is reached through internet gateways. EC2 shows it of each interface, and no operation of its
 * API sets it.
 */
@FunctionalInterface
public interface Gateways {

  /** Keeps the world from an interface's IPv6 addresses, or no longer. */
  void denyAllIgwTraffic(String interfaceId, boolean deny);
}
