package dev.muelle.balancer.routing;

/**
 * An address and a port, and the network it is in: two VPCs may use the same address.
 *
 * @param space the load balancer's id for an address in its VPC; empty on the host
 */
public record Place(String space, String address, int port) {
  @Override
  public String toString() {
    return (address.contains(":") ? "[" + address + "]" : address) + ":" + port;
  }
}
