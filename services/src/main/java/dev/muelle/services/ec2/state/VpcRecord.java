package dev.muelle.services.ec2.state;

import dev.muelle.store.Tx;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.Vpc;

/**
 * A VPC with the attributes that its description does not show.
 *
 * @param dnsHostnames whether interfaces with a public address have a public host name
 * @param withoutDns whether the VPC's resolver is silent; said this way round, so that whoever is
 *     stored without it has one that answers
 */
public record VpcRecord(Vpc vpc, boolean dnsHostnames, boolean withoutDns) {

  /** With another description, and the same attributes. */
  public VpcRecord with(Vpc changed) {
    return new VpcRecord(changed, dnsHostnames, withoutDns);
  }

  public static Optional<Vpc> findDefault(Tx tx) {
    return Tables.of(tx, Tables.VPCS, "default", "true").stream().map(VpcRecord::vpc).findFirst();
  }
}
