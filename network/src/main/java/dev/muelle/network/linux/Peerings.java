package dev.muelle.network.linux;

import dev.muelle.linux.Command;
import dev.muelle.network.Network.Peering;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Links between VPCs: one end of a veth in each of the two namespaces. What comes out of it has
 * been judged as a sender at its own end, and is judged as a guest at the other.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/peering/what-is-vpc-peering.html">VPC
 *     peering</a>
 */
final class Peerings {

  /** What the two ends are called on their own link, in IPv6. */
  private static final String[] ENDS = {"fe80::1", "fe80::2"};

  private static final Duration PATIENCE = Duration.ofSeconds(10);

  /** In what ip prints of links: {@code 7: p0123456789abcd@if9: <...>}. */
  private static final Pattern LINK = Pattern.compile("(?m)^[0-9]+: (p[0-9a-f]{14})@");

  private final KernelNames names;
  private final Function<String, VpcNamespace> vpcs;
  private final Map<String, Known> known = new ConcurrentHashMap<>();

  /** A peering, and who is at its ends. */
  private record Known(Peering peering, VpcNamespace here, VpcNamespace there) {}

  Peerings(KernelNames names, Function<String, VpcNamespace> vpcs) {
    this.names = names;
    this.vpcs = vpcs;
  }

  /** Every step can be repeated, so one that a crash cut off is made whole by the next. */
  void put(Peering peering) {
    Known before = known.get(peering.id());
    if (before != null && before.peering.equals(peering)) {
      return;
    }
    VpcNamespace here = vpcs.apply(peering.vpcId());
    VpcNamespace there = vpcs.apply(peering.peerVpcId());
    String link = KernelNames.peering(peering.id());
    String near = names.namespace(peering.vpcId());
    String far = names.namespace(peering.peerVpcId());
    if (!exists(near, link)) {
      Command.run(
          "ip", "link", "add", link, "netns", near, "type", "veth", "peer", "name", link, "netns",
          far);
    }
    String[] addresses = names.linkAddresses(peering.id());
    up(near, link, addresses[0], ENDS[0]);
    up(far, link, addresses[1], ENDS[1]);
    known.put(peering.id(), new Known(peering, here, there)); // first: who changes tells the other
    here.peer(peering.id(), there, addresses[1], ENDS[1]);
    there.peer(peering.id(), here, addresses[0], ENDS[0]);
  }

  /** An interface of a VPC has changed, come or gone: its peers may know it as a guest. */
  void changed(String vpcId, String interfaceId) {
    for (Known one : known.values()) {
      if (one.peering.vpcId().equals(vpcId)) {
        one.there.guest(one.peering.id(), interfaceId);
      } else if (one.peering.peerVpcId().equals(vpcId)) {
        one.here.guest(one.peering.id(), interfaceId);
      }
    }
  }

  private static void up(String namespace, String link, String address, String address6) {
    Command.runWith(
        """
        addr replace %2$s/32 dev %1$s
        %3$slink set %1$s up
        """
            .formatted(
                link,
                address,
                Family.knowsIpv6()
                    ? "addr replace " + address6 + "/128 dev " + link + " nodad\n"
                    : ""),
        "ip",
        "-n",
        namespace,
        "-batch",
        "-");
  }

  private static boolean exists(String namespace, String link) {
    return Command.attempt(
            List.of("ip", "-n", namespace, "link", "show", "dev", link), Map.of(), "", PATIENCE)
        .ok();
  }

  void remove(String id) {
    Known gone = known.remove(id);
    if (gone != null) {
      gone.here.unpeer(id);
      gone.there.unpeer(id);
      delete(names.namespace(gone.peering.vpcId()), KernelNames.peering(id));
    }
  }

  /** A VPC goes, and its peerings with it. */
  void forget(String vpcId) {
    for (Known one : known.values()) {
      if (one.peering.vpcId().equals(vpcId) || one.peering.peerVpcId().equals(vpcId)) {
        remove(one.peering.id());
      }
    }
  }

  private static void delete(String namespace, String link) {
    if (exists(namespace, link)) {
      Command.run("ip", "-n", namespace, "link", "del", link);
    }
  }

  /** Removes the ends in a VPC of peerings that nobody knows: leftovers of a crash. */
  static void retain(String namespace, Set<String> ids) {
    Set<String> wanted = ids.stream().map(KernelNames::peering).collect(Collectors.toSet());
    LINK.matcher(Command.run("ip", "-n", namespace, "link", "show", "type", "veth"))
        .results()
        .map(link -> link.group(1))
        .filter(link -> !wanted.contains(link))
        .forEach(link -> delete(namespace, link));
  }
}
