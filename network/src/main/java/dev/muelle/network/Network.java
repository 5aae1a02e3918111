package dev.muelle.network;

import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The VPC data plane. Every {@code put} states the whole wanted form of one thing and returns when
 * packets obey it; repeating one changes nothing. Changes to filters are atomic: at no moment is
 * everything open or everything closed, and established connections keep flowing as long as a rule
 * once admitted them (security groups are stateful).
 *
 * <p>What exists is kept in the kernel, not here: after a restart the control plane puts everything
 * again, which adopts what is there, and then calls {@link #retain} to drop the leftovers.
 */
public interface Network extends AutoCloseable {

  /** Where public addresses come from: a block that is routed nowhere (RFC 2544). */
  Cidr PUBLIC = Cidr.parse("198.18.0.0/15");

  /** The part of {@link #PUBLIC} that is kept for {@linkplain #openDoor doors}. */
  Cidr DOORS = Cidr.parse("198.19.255.0/24");

  /**
   * Where IPv6 addresses come from, which are public by themselves: a block for documentation that
   * is routed nowhere (RFC 9637).
   */
  Cidr6 PUBLIC6 = Cidr6.parse("3fff::/20");

  /**
   * States a VPC; of one that is there, only its IPv6 blocks and whether its resolver answers can
   * change.
   */
  void putVpc(Vpc vpc);

  /** Removes a VPC and whatever still hangs on it; nothing happens if it is not there. */
  void removeVpc(String vpcId);

  /** Groups may refer to each other before the other one is put: an unknown group is empty. */
  void putSecurityGroup(SecurityGroup group);

  void removeSecurityGroup(String vpcId, String groupId);

  /**
   * States a subnet's routes and its ACL. An interface in a subnet that was never put reaches only
   * its own VPC.
   */
  void putSubnet(Subnet subnet);

  void removeSubnet(String vpcId, Cidr cidr);

  /**
   * Connects two VPCs whose addresses do not overlap. Each reaches of the other what its subnets
   * route there, and nothing beyond it; its groups may name the other's.
   */
  void putPeering(Peering peering);

  void removePeering(String peeringId);

  /**
   * Makes the address known to the filters; no device exists until {@link #plug}.
   *
   * @throws IllegalStateException if a public address of its is another's on this machine
   */
  void putInterface(NetworkInterface networkInterface);

  /** The interface that has a public address now, in whatever VPC of this server. */
  Optional<String> owner(String publicAddress);

  /** Unplugs and forgets an interface, and what is behind it. */
  void removeInterface(String interfaceId);

  /**
   * Brings an interface to life and says where it is. Idempotent.
   *
   * @param use who answers at the address
   * @return for {@link Use#NAMESPACE} the path of the network namespace that holds the interface
   *     (as {@code eth0}, with a default route and the VPC's resolver reachable); otherwise empty
   * @throws IllegalArgumentException if the interface was never put
   */
  Optional<Path> plug(String interfaceId, Use use);

  /**
   * Brings an interface to life as a further device, {@code eth}<i>n</i>, of the namespace of
   * another one of the same VPC. What is sent from its addresses leaves through it. Idempotent.
   *
   * @param hostId the interface that is plugged as {@link Use#NAMESPACE}
   * @param device from 1; the host's own is 0
   * @throws IllegalStateException if the host is not plugged so, or the interface is plugged
   *     otherwise
   */
  void attach(String interfaceId, String hostId, int device);

  /**
   * Takes the interface (and its namespace, and what is behind it) down again; it stays known.
   * Idempotent.
   */
  void unplug(String interfaceId);

  /** Whether the interface is plugged, and how. */
  Optional<Use> plugged(String interfaceId);

  /** What the devices of a VPC's interfaces carry, by interface; those that are plugged as one. */
  Map<String, Link> links(String vpcId);

  /**
   * Counts from now on the flows of a VPC's interfaces with addresses in these blocks; nothing is
   * counted, and counting costs nothing, when there are none. What was counted until now is kept
   * for {@link #takeFlows}.
   */
  void countFlows(String vpcId, Set<AddressBlock> blocks, Instant now);

  /** What was counted since the last time, by this server or an earlier one; it starts anew. */
  List<FlowWindow> takeFlows(String vpcId, Instant now);

  /**
   * Counts from now on what an interface is sent and sends that is plugged as {@link Use#SERVER},
   * until it is unplugged; nothing is counted, and counting costs nothing, in a VPC where no such
   * interface is counted. Idempotent.
   *
   * @throws IllegalStateException if it is plugged otherwise, or not at all
   */
  void countPackets(String interfaceId);

  /** What was counted of a VPC's interfaces since this server counts them, by interface. */
  Map<String, Packets> packets(String vpcId);

  /**
   * Makes a namespace behind a plugged interface that has one of its own, as a container on
   * Docker's bridge has: with a private address that only its neighbours behind the same interface
   * know, and reachable from elsewhere through the ports that the interface lends it. What it sends
   * bears the interface's address. Idempotent.
   *
   * @return the path of the namespace, whose interface is {@code eth0}
   * @throws IllegalStateException if the interface is not plugged as {@link Use#NAMESPACE}
   */
  Path putBehind(String interfaceId, Behind behind);

  /** Takes away what {@link #putBehind} made, if it is still there. */
  void removeBehind(String interfaceId, String name);

  /**
   * Lets the server send for a plugged interface under others' addresses, as a load balancer does
   * that keeps its clients' addresses, and brings it what they are answered.
   *
   * @return the mark (SO_MARK) that such a socket has to bear: it is judged by the groups that the
   *     interface has
   */
  int onBehalf(String interfaceId);

  /**
   * Gives this server a place in the world outside, at an address out of {@link #DOORS}: whoever in
   * a VPC is led out reaches it at this TCP port, and nobody else does, neither the host nor those
   * behind it. An earlier server's is taken over.
   *
   * @throws IllegalStateException if every address is another server's on this machine
   */
  Door openDoor(int port);

  /** Where the server opens sockets that belong to a VPC. */
  SocketSpace sockets(String vpcId);

  /** Adds a source of names that the resolvers inside the VPCs ask, in the order of adding. */
  void addNames(NameSource names);

  /**
   * The addresses that a name has in the world outside, as this machine finds them; none if it does
   * not.
   */
  List<String> outside(String name);

  /** Removes every VPC and interface of ours that is not named: leftovers of a crash. */
  void retain(Set<String> vpcIds, Set<String> interfaceIds);

  /** Removes everything that this network ever made on this machine. */
  void removeAll();

  /** Stops serving names; leaves namespaces, rules and running traffic as they are. */
  @Override
  void close();

  /** Who answers at an interface's address. */
  enum Use {
    /** A namespace of its own: a task, an instance. */
    NAMESPACE,
    /** The server itself, through {@link SocketSpace}: a load-balancer node, a mount target. */
    SERVER,

    /**
     * A NAT gateway: what subnets route to it leaves again under its own address, by the routes of
     * its own subnet; nothing comes in that was not asked for. It has no security groups.
     */
    NAT_GATEWAY,

    /** A further device in another interface's namespace; only {@link #attach} makes it. */
    ATTACHED
  }

  /**
   * The device of an interface, as it is now.
   *
   * @param up whether both its ends are; what was there and has gone is not
   * @param bytesIn what has come in to the interface since it was plugged
   */
  record Link(boolean up, long bytesIn, long packetsIn, long bytesOut, long packetsOut) {}

  /**
   * What an interface of the server's own was sent and has sent, also under others' addresses.
   *
   * @param passed packets that its groups let pass, both ways; what the kernel carries as one (GSO)
   *     is one
   * @param refused how much its groups' rules refused: messages of ICMP, and new flows, each once
   */
  record Packets(long passed, Map<Refusal, Long> refused) {}

  /**
   * What was refused.
   *
   * @param ingress whether to the interface
   * @param protocol 1 (ICMP, also of IPv6), 6 (TCP) or 17 (UDP)
   */
  record Refusal(boolean ingress, int protocol) {}

  /**
   * What interfaces sent and were sent in a while. The VPC's own services (names, metadata) and
   * what was sent under others' addresses are not in it.
   *
   * @param whole whether there was room for every flow
   */
  record FlowWindow(Instant start, Instant end, boolean whole, List<Flow> flows) {}

  /**
   * Packets of one way of one flow, as one interface sees them.
   *
   * @param ingress whether they come to the interface
   * @param accepted whether its groups and its subnet's ACL let them pass
   * @param sourcePort 0 of what has none, as the other one
   * @param tcpFlags of all packets that said SYN, FIN or RST, together
   */
  record Flow(
      String interfaceId,
      boolean ingress,
      boolean accepted,
      String source,
      String destination,
      int protocol,
      int sourcePort,
      int destinationPort,
      int tcpFlags,
      long packets,
      long bytes) {}

  /**
   * Something behind an interface.
   *
   * @param name letters, digits and dashes; unique behind its interface
   * @param address in {@code BEHIND}; unique behind its interface
   */
  record Behind(String name, String address, List<Lent> ports) {

    /** Docker's own default network; its first address is everybody's next hop. */
    public static final Cidr BEHIND = Cidr.parse("172.17.0.0/16");
  }

  /**
   * A port of the interface's address that leads to one behind it.
   *
   * @param protocol 6 for TCP, 17 for UDP
   */
  record Lent(int protocol, int port, int to) {}

  /**
   * A VPC.
   *
   * @param cidrs IPv4 blocks; the first is the primary one. The resolver answers at its base
   *     address plus two
   * @param cidrs6 IPv6 blocks, out of {@link #PUBLIC6}
   * @param resolves whether the resolver answers at all
   */
  record Vpc(String id, List<Cidr> cidrs, List<Cidr6> cidrs6, boolean resolves) {

    /** One of IPv4 only. */
    public Vpc(String id, List<Cidr> cidrs, boolean resolves) {
      this(id, cidrs, List.of(), resolves);
    }

    /** One whose resolver answers. */
    public Vpc(String id, List<Cidr> cidrs) {
      this(id, cidrs, true);
    }
  }

  /**
   * The server's own place in the world outside.
   *
   * @param sockets where it listens there
   */
  record Door(String address, SocketSpace sockets) {}

  /** A connection between two VPCs. */
  record Peering(String id, String vpcId, String peerVpcId) {

    /** Whether it is between these two. */
    public boolean connects(String one, String other) {
      return (vpcId.equals(one) && peerVpcId.equals(other))
          || (vpcId.equals(other) && peerVpcId.equals(one));
    }
  }

  /**
   * An elastic network interface.
   *
   * @param address its primary private IPv4 address
   * @param macAddress for example {@code 02:ab:cd:ef:00:01}
   * @param securityGroups ids of groups of the same VPC; a NAT gateway has none, others at least
   *     one
   * @param publicAddresses by private address, out of {@link #PUBLIC}: who sends to it from outside
   *     reaches the interface at that private address, and what the interface sends out from there
   *     bears it, where its subnet's routes lead there. An IPv6 address that is to be reached is
   *     its own public one
   * @param secondary further private addresses out of the same subnet
   * @param ipv6 addresses out of its subnet's IPv6 block, in their normal form
   * @param forwards whether it may send from addresses that are not its own, and is sent what
   *     routes lead to it; its groups judge that, too
   */
  record NetworkInterface(
      String id,
      String vpcId,
      Cidr subnet,
      String address,
      String macAddress,
      List<String> securityGroups,
      Map<String, String> publicAddresses,
      List<String> secondary,
      List<String> ipv6,
      boolean forwards) {

    /** One of IPv4 only. */
    public NetworkInterface(
        String id,
        String vpcId,
        Cidr subnet,
        String address,
        String macAddress,
        List<String> securityGroups,
        Map<String, String> publicAddresses,
        List<String> secondary,
        boolean forwards) {
      this(
          id,
          vpcId,
          subnet,
          address,
          macAddress,
          securityGroups,
          publicAddresses,
          secondary,
          List.of(),
          forwards);
    }

    /** One whose primary address has the public one, if there is one. */
    public NetworkInterface(
        String id,
        String vpcId,
        Cidr subnet,
        String address,
        String macAddress,
        List<String> securityGroups,
        @Nullable String publicAddress,
        List<String> secondary,
        boolean forwards) {
      this(
          id,
          vpcId,
          subnet,
          address,
          macAddress,
          securityGroups,
          publicAddress == null ? Map.of() : Map.of(address, publicAddress),
          secondary,
          forwards);
    }

    /** One that speaks for itself only. */
    public NetworkInterface(
        String id,
        String vpcId,
        Cidr subnet,
        String address,
        String macAddress,
        List<String> securityGroups,
        @Nullable String publicAddress,
        List<String> secondary) {
      this(id, vpcId, subnet, address, macAddress, securityGroups, publicAddress, secondary, false);
    }

    /** One with its primary private address only. */
    public NetworkInterface(
        String id,
        String vpcId,
        Cidr subnet,
        String address,
        String macAddress,
        List<String> securityGroups,
        @Nullable String publicAddress) {
      this(id, vpcId, subnet, address, macAddress, securityGroups, publicAddress, List.of());
    }

    /** What the primary private address is outside; null if nobody reaches it there. */
    public @Nullable String publicAddress() {
      return publicAddresses.get(address);
    }

    /** All private IPv4 addresses, the primary one first. */
    public List<String> addresses() {
      return Stream.concat(Stream.of(address), secondary.stream()).toList();
    }

    /** Its addresses of both families that nobody else in its VPC has. */
    public List<String> all() {
      return Stream.concat(addresses().stream(), ipv6.stream()).toList();
    }

    /** All but the primary one. */
    public List<String> further() {
      return Stream.concat(secondary.stream(), ipv6.stream()).toList();
    }
  }
}
