package dev.muelle.services.elasticloadbalancingv2;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IpAddressType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Rule;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Tag;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStore;

/** What is stored. Everything is kept under its ARN. */
final class State {

  static final Table<Balancing> BALANCERS =
      Table.of("elbv2.load_balancers", StoredJson.codec(Balancing.class));
  static final Table<Group> GROUPS = Table.of("elbv2.target_groups", StoredJson.codec(Group.class));
  static final Table<Listening> LISTENERS =
      Table.of("elbv2.listeners", StoredJson.codec(Listening.class))
          .index("balancer", l -> l.listener().loadBalancerArn());

  static final Table<Ruling> RULES =
      Table.of("elbv2.rules", StoredJson.codec(Ruling.class))
          .index("listener", Ruling::listenerArn)
          .index("balancer", Ruling::balancerArn);

  /** Under target group ARN, address and port; written only when health changes. */
  static final Table<Known> HEALTH = Table.of("elbv2.target_health", StoredJson.codec(Known.class));

  static final Table<Trusting> TRUST_STORES =
      Table.of("elbv2.trust_stores", StoredJson.codec(Trusting.class));

  /** Under the trust store's ARN and the revocation's number. */
  static final Table<Crl> CRLS = Table.of("elbv2.revocations", StoredJson.codec(Crl.class));

  /** Under the rule's ARN, of a listener its default rule's. */
  static final Table<ClientSecret> CLIENT_SECRETS =
      Table.of("elbv2.client_secrets", StoredJson.codec(ClientSecret.class));

  private State() {}

  /** By which a listener proves to an identity provider who it is. */
  record ClientSecret(String secret) {

    @Override
    public String toString() {
      return "ClientSecret[]"; // never what it is
    }
  }

  /**
   * A trust store.
   *
   * @param bundle its authorities, in PEM
   * @param revision grows with each change
   */
  record Trusting(
      TrustStore store, String bundle, List<Tag> tags, List<Revoking> revocations, long revision) {

    Trusting with(List<Revoking> others, long entries, long next) {
      return new Trusting(
          store.toBuilder().totalRevokedEntries(entries).build(), bundle, tags, others, next);
    }

    Trusting with(List<Tag> others) {
      return new Trusting(store, bundle, others, revocations, revision);
    }
  }

  /** A list of revoked certificates, and how many are in it. */
  record Revoking(long id, long entries) {}

  /** A list of revoked certificates, in base64. */
  record Crl(String content) {}

  /**
   * A load balancer.
   *
   * @param nodes its network interfaces, by subnet
   * @param front its own loopback address on the host; empty if it is internal
   * @param problems endpoints that cannot listen, and why
   * @param deleted whether only the removal of what it held is left to do
   */
  record Balancing(
      LoadBalancer balancer,
      Map<String, String> attributes,
      List<Tag> tags,
      List<Node> nodes,
      String front,
      Map<String, String> problems,
      boolean deleted) {

    Balancing withFront(String other) {
      return new Balancing(balancer, attributes, tags, nodes, other, problems, deleted);
    }

    Balancing described(LoadBalancer other) {
      return new Balancing(other, attributes, tags, nodes, front, problems, deleted);
    }

    Balancing withNodes(List<Node> others) {
      return new Balancing(balancer, attributes, tags, others, front, problems, deleted);
    }

    /** Those of its nodes that are where it is to be; others are about to go. */
    List<Node> enabled() {
      return nodes.stream()
          .filter(node ->
              balancer.availabilityZones().stream()
                  .anyMatch(zone -> zone.subnetId().equals(node.subnet())))
          .toList();
    }

    /** Whether it is reached over IPv6, too. */
    boolean dual() {
      return AddressTypes.dual(balancer.ipAddressType());
    }

    /** Whether the world reaches it over IPv4, where it reaches it at all. */
    boolean publicIpv4() {
      return balancer.ipAddressType() != IpAddressType.DUALSTACK_WITHOUT_PUBLIC_IPV4;
    }

    /** What its name means at one of its nodes. */
    List<String> named(Node node) {
      List<String> addresses = new ArrayList<>();
      if (publicIpv4()) {
        addresses.add(node.address());
      }
      if (dual() && node.ipv6() != null) {
        addresses.add(node.ipv6());
      }
      return addresses;
    }

    /** Whether it passes whole connections on, rather than requests of HTTP. */
    boolean network() {
      return balancer.type() == LoadBalancerTypeEnum.NETWORK;
    }

    /** Whether its nodes send to other zones, where a target group says nothing else. */
    boolean crossZone() {
      return "true"
          .equals(
              attributes.getOrDefault(GroupAttributes.CROSS_ZONE, network() ? "false" : "true"));
    }

    /** Whether it sends to a target: one in a zone that is not enabled gets nothing. */
    boolean covers(Target target) {
      return target.zone() == null
          || target.zone().equals("all")
          || balancer.availabilityZones().stream()
              .anyMatch(zone -> zone.zoneName().equals(target.zone()));
    }
  }

  /**
   * Where a load balancer is.
   *
   * @param ipv6 its address of IPv6; null if it has none
   */
  record Node(
      String subnet, String zone, String interfaceId, String address, @Nullable String ipv6) {}

  record Group(
      TargetGroup group, Map<String, String> attributes, List<Tag> tags, List<Target> targets) {

    /** Whether its targets are sent whole connections, rather than requests of HTTP. */
    boolean flows() {
      return Protocols.flows(group.protocol());
    }

    /** Its attributes, completed with what an earlier server did not know. */
    Map<String, String> all() {
      return flows() ? FlowGroupAttributes.all(group, attributes) : GroupAttributes.all(attributes);
    }
  }

  /**
   * A registered target.
   *
   * @param instance the id of the EC2 instance whose address this is; null where the address itself
   *     was registered
   * @param address of a load balancer its ARN
   * @param zone null where the address tells nothing
   */
  record Target(
      @Nullable String instance,
      String address,
      int port,
      @Nullable String zone,
      @Nullable Instant drainUntil) {

    /** What it was registered as. */
    String id() {
      return instance == null ? address : instance;
    }

    /** Whether it is a load balancer: where that is reached, its nodes say. */
    boolean balancer() {
      return address.startsWith("arn:");
    }
  }

  /**
   * A listener.
   *
   * @param certificates besides its default one
   * @param attributes those that were set
   */
  record Listening(
      Listener listener,
      String ruleArn,
      List<Tag> tags,
      @Nullable List<String> certificates,
      @Nullable Map<String, String> attributes) {

    Listening {
      certificates = certificates == null ? List.of() : List.copyOf(certificates);
      attributes = attributes == null ? Map.of() : Map.copyOf(attributes);
    }

    @Override
    public Map<String, String> attributes() {
      return attributes == null ? Map.of() : attributes;
    }

    @Override
    public List<String> certificates() {
      return certificates == null ? List.of() : certificates;
    }

    Listening with(List<String> others) {
      return new Listening(listener, ruleArn, tags, others, attributes);
    }

    Listening withAttributes(Map<String, String> others) {
      return new Listening(listener, ruleArn, tags, certificates, others);
    }
  }

  /** A rule that is not a listener's default one. */
  record Ruling(Rule rule, String listenerArn, String balancerArn, List<Tag> tags) {

    Ruling with(Rule other) {
      return new Ruling(other, listenerArn, balancerArn, tags);
    }
  }

  /**
   * What checks found.
   *
   * @param since when its health became so; null if an earlier server did not write that down
   */
  record Known(String health, String reason, String description, @Nullable Instant since) {}

  static String healthKey(String group, String address, int port) {
    return group + "|" + address + "|" + port;
  }

  /** The groups that a forward action names, with their weights; none for other actions. */
  static List<TargetGroupTuple> groupsOf(Action action) {
    if (action.forwardConfig() != null && !action.forwardConfig().targetGroups().isEmpty()) {
      return action.forwardConfig().targetGroups();
    }
    return action.targetGroupArn() == null
        ? List.of()
        : List.of(
            TargetGroupTuple.builder().targetGroupArn(action.targetGroupArn()).weight(1).build());
  }
}
