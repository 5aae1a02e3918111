package dev.muelle.services.elasticloadbalancingv2.state;

import dev.muelle.services.StoredJson;
import dev.muelle.services.elasticloadbalancingv2.request.Attributes;
import dev.muelle.services.elasticloadbalancingv2.request.FlowGroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.GroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.NetworkAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.Protocols;
import dev.muelle.store.Table;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.EnablePrefixForIpv6SourceNatEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.IpAddressType;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Rule;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Tag;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStore;

/** What is stored. Everything is kept under its ARN. */
public final class State {

  public static final Table<Balancing> BALANCERS =
      Table.of("elbv2.load_balancers", StoredJson.codec(Balancing.class));
  public static final Table<Group> GROUPS =
      Table.of("elbv2.target_groups", StoredJson.codec(Group.class));
  public static final Table<Listening> LISTENERS =
      Table.of("elbv2.listeners", StoredJson.codec(Listening.class))
          .index("balancer", l -> l.listener().loadBalancerArn());

  public static final Table<Ruling> RULES =
      Table.of("elbv2.rules", StoredJson.codec(Ruling.class))
          .index("listener", Ruling::listenerArn)
          .index("balancer", Ruling::balancerArn);

  /** Under target group ARN, address and port; written only when health changes. */
  public static final Table<Known> HEALTH =
      Table.of("elbv2.target_health", StoredJson.codec(Known.class));

  public static final Table<Trusting> TRUST_STORES =
      Table.of("elbv2.trust_stores", StoredJson.codec(Trusting.class));

  /** Under the trust store's ARN and the revocation's number. */
  public static final Table<Crl> CRLS = Table.of("elbv2.revocations", StoredJson.codec(Crl.class));

  /** Under the rule's ARN, of a listener its default rule's. */
  public static final Table<ClientSecret> CLIENT_SECRETS =
      Table.of("elbv2.client_secrets", StoredJson.codec(ClientSecret.class));

  private State() {}

  /** By which a listener proves to an identity provider who it is. */
  public record ClientSecret(String secret) {

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
  public record Trusting(
      TrustStore store, String bundle, List<Tag> tags, List<Revoking> revocations, long revision) {

    public Trusting with(List<Revoking> others, long entries, long next) {
      return new Trusting(
          store.toBuilder().totalRevokedEntries(entries).build(), bundle, tags, others, next);
    }

    public Trusting with(List<Tag> others) {
      return new Trusting(store, bundle, others, revocations, revision);
    }
  }

  /** A list of revoked certificates, and how many are in it. */
  public record Revoking(long id, long entries) {}

  /** A list of revoked certificates, in base64. */
  public record Crl(String content) {}

  /**
   * A load balancer.
   *
   * @param nodes its network interfaces, by subnet
   * @param front its own loopback address on the host; empty if it is internal
   * @param problems endpoints that cannot listen, and why
   * @param deleted whether only the removal of what it held is left to do
   */
  public record Balancing(
      LoadBalancer balancer,
      Map<String, String> attributes,
      List<Tag> tags,
      List<Node> nodes,
      String front,
      Map<String, String> problems,
      boolean deleted) {

    public Balancing withFront(String other) {
      return new Balancing(balancer, attributes, tags, nodes, other, problems, deleted);
    }

    public Balancing withAttributes(Map<String, String> others) {
      return new Balancing(balancer, others, tags, nodes, front, problems, deleted);
    }

    public Balancing described(LoadBalancer other) {
      return new Balancing(other, attributes, tags, nodes, front, problems, deleted);
    }

    public Balancing withNodes(List<Node> others) {
      return new Balancing(balancer, attributes, tags, others, front, problems, deleted);
    }

    /** Those of its nodes that are where it is to be; others are about to go. */
    public List<Node> enabled() {
      return nodes.stream()
          .filter(node ->
              balancer.availabilityZones().stream()
                  .anyMatch(zone -> zone.subnetId().equals(node.subnet())))
          .toList();
    }

    /** Whether it is reached over IPv6, too. */
    public boolean dual() {
      return AddressTypes.dual(balancer.ipAddressType());
    }

    /** Whether the world is kept from its IPv6 addresses, as far as it has some. */
    public boolean denies() {
      return "true".equals(attributes.get(Attributes.DENY_GATEWAYS))
          || !dual() && balancer.scheme() == LoadBalancerSchemeEnum.INTERNAL;
    }

    /** Whether clients of IPv4 have addresses of IPv6 towards its targets. */
    public boolean prefixes() {
      return balancer.enablePrefixForIpv6SourceNat() == EnablePrefixForIpv6SourceNatEnum.ON;
    }

    /** Whether the world reaches it over IPv4, where it reaches it at all. */
    public boolean publicIpv4() {
      return balancer.ipAddressType() != IpAddressType.DUALSTACK_WITHOUT_PUBLIC_IPV4;
    }

    /** What its name means at one of its nodes. */
    public List<String> named(Node node) {
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
    public boolean network() {
      return balancer.type() == LoadBalancerTypeEnum.NETWORK;
    }

    /** How many addresses each of its nodes has besides, to send to targets from. */
    public int secondary() {
      return NetworkAttributes.secondary(attributes);
    }

    /** Whether its nodes send to other zones, where a target group says nothing else. */
    public boolean crossZone() {
      return "true"
          .equals(
              attributes.getOrDefault(GroupAttributes.CROSS_ZONE, network() ? "false" : "true"));
    }

    /** Whether it sends to a target: one in a zone that is not enabled gets nothing. */
    public boolean covers(Target target) {
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
   * @param prefix a block of IPv6 addresses that are its own to send from; null if it has none
   * @param secondary further addresses of IPv4 that are its own to send from
   */
  public record Node(
      String subnet,
      String zone,
      String interfaceId,
      String address,
      @Nullable String ipv6,
      @Nullable String prefix,
      @Nullable List<String> secondary) {

    public Node {
      secondary = secondary == null ? List.of() : List.copyOf(secondary);
    }

    @Override
    public List<String> secondary() {
      return secondary == null ? List.of() : secondary;
    }
  }

  public record Group(
      TargetGroup group, Map<String, String> attributes, List<Tag> tags, List<Target> targets) {

    /** Whether its targets are sent whole connections, rather than requests of HTTP. */
    public boolean flows() {
      return Protocols.flows(group.protocol());
    }

    /** Its attributes, completed with what an earlier server did not know. */
    public Map<String, String> all() {
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
  public record Target(
      @Nullable String instance,
      String address,
      int port,
      @Nullable String zone,
      @Nullable Instant drainUntil) {

    /** What it was registered as. */
    public String id() {
      return instance == null ? address : instance;
    }

    /** Whether it is a load balancer: where that is reached, its nodes say. */
    public boolean balancer() {
      return address.startsWith("arn:");
    }
  }

  /**
   * A listener.
   *
   * @param certificates besides its default one
   * @param attributes those that were set
   */
  public record Listening(
      Listener listener,
      String ruleArn,
      List<Tag> tags,
      @Nullable List<String> certificates,
      @Nullable Map<String, String> attributes) {

    public Listening {
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

    public Listening with(List<String> others) {
      return new Listening(listener, ruleArn, tags, others, attributes);
    }

    public Listening withAttributes(Map<String, String> others) {
      return new Listening(listener, ruleArn, tags, certificates, others);
    }
  }

  /** A rule that is not a listener's default one. */
  public record Ruling(Rule rule, String listenerArn, String balancerArn, List<Tag> tags) {

    public Ruling with(Rule other) {
      return new Ruling(other, listenerArn, balancerArn, tags);
    }
  }

  /**
   * What checks found.
   *
   * @param since when its health became so; null if an earlier server did not write that down
   */
  public record Known(String health, String reason, String description, @Nullable Instant since) {}

  public static String healthKey(String group, String address, int port) {
    return group + "|" + address + "|" + port;
  }

  /** The groups that a forward action names, with their weights; none for other actions. */
  public static List<TargetGroupTuple> groupsOf(Action action) {
    if (action.forwardConfig() != null && !action.forwardConfig().targetGroups().isEmpty()) {
      return action.forwardConfig().targetGroups();
    }
    return action.targetGroupArn() == null
        ? List.of()
        : List.of(
            TargetGroupTuple.builder().targetGroupArn(action.targetGroupArn()).weight(1).build());
  }
}
