package dev.muelle.services.ec2.flow;

import org.jspecify.annotations.Nullable;

/**
 * What a flow log says in one line.
 *
 * @param start in seconds since 1970
 * @param packets null in a line that only says that there were none, or that some are missing
 */
record FlowLine(Place place, long start, long end, String status, @Nullable Packets packets) {

  static final String OK = "OK";
  static final String NO_DATA = "NODATA";
  static final String SKIPPED = "SKIPDATA";

  /**
   * Whose packets.
   *
   * @param address the interface's primary private address
   */
  record Place(
      String account,
      String region,
      String vpcId,
      String interfaceId,
      String address,
      @Nullable String subnetId,
      @Nullable String zoneId,
      @Nullable String instanceId) {}

  /**
   * Packets of one way of one flow.
   *
   * @param path by which they left; null for what nobody asked or knows
   */
  record Packets(
      boolean ingress,
      boolean accepted,
      String source,
      String destination,
      int protocol,
      int sourcePort,
      int destinationPort,
      int tcpFlags,
      long packets,
      long bytes,
      @Nullable Integer path) {}
}
