package dev.muelle.services.ec2.address;

import dev.muelle.network.Cidr;
import dev.muelle.network.Network;
import dev.muelle.services.Ids;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import software.amazon.awssdk.services.ec2.model.Subnet;

/**
 * Hands out addresses. They are picked at random, so that one that was just given back is not the
 * next to be taken: peers may still hold connections to it.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html">Reserved
 *     addresses</a>
 */
public final class Addresses {

  /** The network, the router, the resolver, one for the future; and, at the end, broadcast. */
  private static final int RESERVED_FIRST = 4;

  private static final int RESERVED_LAST = 1;
  private static final int TRIES = 32;

  private final Ids ids;
  private final DataPlane plane;

  public Addresses(Ids ids, DataPlane plane) {
    this.ids = ids;
    this.plane = plane;
  }

  public static long usable(Cidr subnet) {
    return subnet.size() - RESERVED_FIRST - RESERVED_LAST;
  }

  /** Takes any free address of a subnet. */
  public String any(Tx tx, Subnet subnet, String owner) {
    Cidr block = Cidr.parse(subnet.cidrBlock());
    if (subnet.availableIpAddressCount() <= 0) {
      throw full();
    }
    String prefix = subnet.vpcId() + "/";
    String address = free(tx, Tables.ADDRESSES, prefix, block, RESERVED_FIRST, usable(block));
    take(tx, subnet, address, owner);
    return address;
  }

  /** Takes this very address. */
  public String exactly(Tx tx, Subnet subnet, String address, String owner) {
    Cidr block = Cidr.parse(subnet.cidrBlock());
    long offset;
    try {
      int number = Cidr.address(address);
      if (!block.contains(number)) {
        throw Refuse.invalidValue(
            "Address " + address + " does not fall within the subnet's address range");
      }
      offset = Integer.toUnsignedLong(number) - Integer.toUnsignedLong(block.base());
    } catch (IllegalArgumentException e) {
      throw Refuse.invalidValue("Invalid value '" + address + "' for privateIpAddress");
    }
    if (offset < RESERVED_FIRST || offset >= block.size() - RESERVED_LAST) {
      throw Refuse.invalidValue("Address " + address + " is in subnet's reserved address range");
    }
    if (tx.get(Tables.ADDRESSES, subnet.vpcId() + "/" + address).isPresent()) {
      throw Refuse.because("InvalidIPAddress.InUse", "Address " + address + " is in use.");
    }
    take(tx, subnet, address, owner);
    return address;
  }

  private static void take(Tx tx, Subnet subnet, String address, String owner) {
    tx.insert(Tables.ADDRESSES, subnet.vpcId() + "/" + address, owner);
    count(tx, subnet, -1);
  }

  public void giveBack(Tx tx, Subnet subnet, String address) {
    if (tx.delete(Tables.ADDRESSES, subnet.vpcId() + "/" + address)) {
      count(tx, subnet, 1);
    }
  }

  private static void count(Tx tx, Subnet subnet, int more) {
    tx.put(
        Tables.SUBNETS,
        subnet.subnetId(),
        subnet.toBuilder()
            .availableIpAddressCount(subnet.availableIpAddressCount() + more)
            .build());
  }

  /** Takes any public address that neither this region nor another of this server has. */
  public String anyPublic(Tx tx, String owner) {
    Cidr block = Network.PUBLIC;
    int count = Network.DOORS.base() - block.base() - RESERVED_FIRST; // these are the last ones
    String address;
    do {
      address = free(tx, Tables.PUBLIC_ADDRESSES, "", block, RESERVED_FIRST, count);
    } while (plane.taken(address));
    tx.insert(Tables.PUBLIC_ADDRESSES, address, owner);
    return address;
  }

  public void giveBackPublic(Tx tx, String address) {
    tx.delete(Tables.PUBLIC_ADDRESSES, address);
  }

  private String free(
      Tx tx, Table<String> taken, String prefix, Cidr block, long first, long count) {
    for (int i = 0; i < TRIES; i++) {
      String address = block.at(first + Long.parseLong(ids.hex(8), 16) % count);
      if (tx.get(taken, prefix + address).isEmpty()) {
        return address;
      }
    }
    for (long offset = 0; offset < count; offset++) {
      String address = block.at(first + offset);
      if (tx.get(taken, prefix + address).isEmpty()) {
        return address;
      }
    }
    throw full();
  }

  private static RuntimeException full() {
    return Refuse.because(
        "InsufficientFreeAddressesInSubnet",
        "The specified subnet does not have enough free addresses to satisfy the request.");
  }
}
