package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.network.AddressBlock;
import dev.muelle.network.Network.NetworkInterface;
import java.time.Duration;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The device of an interface inside a namespace, with the addresses that are not there from its
 * birth: those of a further device, and secondary ones. Each step can be repeated.
 *
 * @param vpcNamespace the name of the VPC's namespace, where the device's other end is
 * @param veth that end
 * @param namespace the name of the namespace in which the device is
 * @param number the device is {@code eth} with this number; the first one is 0
 */
record Device(String vpcNamespace, String veth, String namespace, int number) {

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** What the VPC's end of a device is called on the link, in IPv6. */
  private static final String ROUTER = "fe80::1";

  /** Routing tables of further devices; those that the kernel names are below 256. */
  private static final int TABLES = 1000;

  private String name() {
    return "eth" + number;
  }

  /**
   * Makes a further device. What bears one of its addresses leaves through it, whatever the
   * namespace's own route is.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-net-utils.html">ec2-net-utils</a>
   */
  void make(NetworkInterface eni) {
    if (!present()) {
      Command.run(
          "ip",
          "link",
          "add",
          veth,
          "netns",
          vpcNamespace,
          "type",
          "veth",
          "peer",
          "name",
          name(),
          "address",
          eni.macAddress(),
          "netns",
          namespace);
    }
    batch(vpcNamespace, "link set " + veth + " up\n");
    batch(namespace, "link set " + name() + " up\n");
    addresses(eni, Set.of());
    batch(
        namespace,
        """
        route replace %1$s dev %2$s scope link table %3$d
        route replace default via %1$s dev %2$s src %4$s table %3$d
        """
            .formatted(VpcNamespace.GATEWAY, name(), TABLES + number, eni.address()));
  }

  boolean present() {
    return Command.attempt(
            List.of("ip", "-n", vpcNamespace, "link", "show", "dev", veth), Map.of(), "", PATIENCE)
        .ok();
  }

  /** Takes the device away, with its one end both. */
  void take(NetworkInterface eni) {
    Command.attempt(List.of("ip", "-n", vpcNamespace, "link", "del", veth), Map.of(), "", PATIENCE);
    eni.all().forEach(this::unrule);
  }

  /** Has all of an interface's addresses, and no longer those others. */
  void addresses(NetworkInterface eni, Collection<String> before) {
    addresses(eni, eni.all(), before);
  }

  /** Has these addresses of an interface besides what it was born with, and no longer others. */
  void addresses(NetworkInterface eni, Collection<String> wanted, Collection<String> before) {
    for (Family family : Family.values()) {
      addresses(family, eni, Family.only(family, wanted), Family.only(family, before));
    }
  }

  private void addresses(
      Family family, NetworkInterface eni, List<String> wanted, List<String> before) {
    StringBuilder here = new StringBuilder();
    StringBuilder there = new StringBuilder();
    Set<String> gone = new HashSet<>(before);
    gone.removeAll(wanted);
    for (String address : gone) {
      String whole = family.whole(address);
      here.append("route del ").append(whole).append(" dev ").append(veth).append('\n');
      there.append("addr del ").append(whole).append(" dev ").append(name()).append('\n');
      unrule(address);
    }
    List<String> come = wanted.stream().filter(address -> !before.contains(address)).toList();
    for (String address : come) {
      AddressBlock.parse(family.whole(address)); // nothing else may get into a batch
      String whole = family.whole(address);
      there
          .append("addr replace ")
          .append(whole)
          .append(" dev ")
          .append(name())
          .append(own(family));
      here.append("route replace ").append(whole).append(" dev ").append(veth).append('\n');
      if (number > 0) {
        unrule(address); // a rule may be there twice
        there
            .append("rule add from ")
            .append(address)
            .append(" lookup ")
            .append(TABLES + number)
            .append('\n');
      }
    }
    if (family == Family.IPV6 && !come.isEmpty()) {
      here.append(router());
      there.append(routed(eni));
    }
    batch(family, namespace, there.toString());
    batch(family, vpcNamespace, here.toString());
  }

  /** Nobody is asked whether somebody else has it: nobody else is on this link. */
  private static String own(Family family) {
    return family == Family.IPV6 ? " nodad\n" : "\n";
  }

  /** The VPC's end is the router of IPv6; a device knows its neighbour by asking (RFC 4861). */
  private String router() {
    return "addr replace " + ROUTER + "/128 dev " + veth + " nodad\n";
  }

  private String routed(NetworkInterface eni) {
    String table = number > 0 ? " table " + (TABLES + number) : "";
    return """
    addr replace %1$s/128 dev %2$s nodad
    route replace %3$s dev %2$s%4$s
    route replace ::/0 via %3$s dev %2$s%4$s
    """
        .formatted(Family.linkLocal(eni.macAddress()), name(), ROUTER, table);
  }

  private void unrule(String address) {
    if (number > 0) {
      Command.attempt(
          List.of(
              "ip", Family.of(address).option(), "-n", namespace, "rule", "del", "from", address),
          Map.of(),
          "",
          PATIENCE);
    }
  }

  private static void batch(String inNamespace, String batch) {
    batch(Family.IPV4, inNamespace, batch);
  }

  private static void batch(Family family, String inNamespace, String batch) {
    if (!batch.isEmpty()) {
      Command.runWith(batch, "ip", family.option(), "-n", inNamespace, "-batch", "-");
    }
  }
}
