package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.network.Cidr;
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
    addresses(eni.addresses(), Set.of());
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
    eni.addresses().forEach(this::unrule);
  }

  /** Has these addresses, and no longer those others. */
  void addresses(Collection<String> wanted, Collection<String> before) {
    StringBuilder here = new StringBuilder();
    StringBuilder there = new StringBuilder();
    Set<String> gone = new HashSet<>(before);
    gone.removeAll(wanted);
    for (String address : gone) {
      here.append("route del ").append(address).append("/32 dev ").append(veth).append('\n');
      there.append("addr del ").append(address).append("/32 dev ").append(name()).append('\n');
      unrule(address);
    }
    Set<String> come = new HashSet<>(wanted);
    come.removeAll(before);
    for (String address : come) {
      Cidr.address(address); // nothing else may get into a batch
      there.append("addr replace ").append(address).append("/32 dev ").append(name()).append('\n');
      here.append("route replace ").append(address).append("/32 dev ").append(veth).append('\n');
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
    batch(namespace, there.toString());
    batch(vpcNamespace, here.toString());
  }

  private void unrule(String address) {
    if (number > 0) {
      Command.attempt(
          List.of("ip", "-n", namespace, "rule", "del", "from", address), Map.of(), "", PATIENCE);
    }
  }

  private static void batch(String inNamespace, String batch) {
    if (!batch.isEmpty()) {
      Command.runWith(batch, "ip", "-n", inNamespace, "-batch", "-");
    }
  }
}
