package dev.muelle.balancer.routing;

import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.tls.Tls;
import dev.muelle.balancer.tls.TlsServer;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** A load balancer as it runs; its parts are swapped, never changed. */
public final class BalancerState {

  public final Metrics metrics = new Metrics();
  private final Map<FlowMetrics.Part, FlowMetrics> flows = new ConcurrentHashMap<>();
  public volatile LoadBalancer wanted;
  public volatile Map<String, GroupState> groups = Map.of();
  private Map<String, TlsServer> tls = Map.of();
  private final AtomicInteger turn = new AtomicInteger();

  public BalancerState(LoadBalancer wanted) {
    this.wanted = wanted;
  }

  /**
   * Where flows are counted.
   *
   * @param zone of the node at which they came in; null on the host
   */
  public FlowMetrics flows(@Nullable String zone, FlowMetrics.Protocol protocol) {
    return flows.computeIfAbsent(
        new FlowMetrics.Part(zone == null ? "" : zone, protocol), part -> new FlowMetrics());
  }

  public Map<FlowMetrics.Part, FlowMetrics> flows() {
    return Map.copyOf(flows);
  }

  /** Makes each listener's TLS anew where it changed; called by one at a time. */
  public void secure(LoadBalancer now, InstantSource clock) {
    Map<String, TlsServer> made = new HashMap<>();
    now.listeners().forEach(one -> secure(made, one.id(), one.tls(), clock));
    now.flows().forEach(one -> secure(made, one.id(), one.tls(), clock));
    tls = made;
  }

  private void secure(
      Map<String, TlsServer> made, String listener, @Nullable Tls asked, InstantSource clock) {
    if (asked != null) {
      TlsServer before = tls.get(listener);
      made.put(
          listener,
          before != null && before.wanted.equals(asked)
              ? before
              : new TlsServer(asked, before, clock));
    }
  }

  public @Nullable TlsServer tls(String listener) {
    return tls.get(listener);
  }

  /**
   * The zone to whose targets of a group a request is confined; null if to none. Who comes from
   * outside the VPC comes by any node that can serve it.
   */
  public @Nullable String confined(GroupState group, @Nullable String arrivedAt) {
    if (group.choice().crossZone() || arrivedAt != null) {
      return group.choice().crossZone() ? null : arrivedAt;
    }
    List<Node> nodes = wanted.nodes();
    List<Node> able = nodes.stream().filter(node -> serves(group, node, true)).toList();
    if (able.isEmpty()) {
      able = nodes.stream().filter(node -> serves(group, node, false)).toList();
    }
    return able.isEmpty()
        ? null
        : able.get(Math.floorMod(turn.getAndIncrement(), able.size())).zone();
  }

  private static boolean serves(GroupState group, Node node, boolean healthy) {
    return group.members().stream()
        .anyMatch(member -> member.serves(node.zone()) && (!healthy || member.healthy()));
  }

  /** The node from which a target is reached: one in its zone if there is one. */
  public @Nullable Node nodeFor(MemberState member) {
    List<Node> nodes = wanted.nodes();
    for (Node node : nodes) {
      if (node.zone().equals(member.zone)) {
        return node;
      }
    }
    return nodes.isEmpty() ? null : nodes.get(Math.floorMod(turn.getAndIncrement(), nodes.size()));
  }

  /**
   * What one listener is at one endpoint.
   *
   * @param admits null if the network itself decides who comes in
   * @param tls null if it speaks plain HTTP
   * @param zone of the node that it is at; null outside the VPC
   * @param rules the listener's
   * @param metrics where to count what happens here
   */
  public record Binding(
      BalancerState balancer,
      LoadBalancer.Listener listener,
      @Nullable Predicate<LoadBalancer.Admission> admits,
      @Nullable TlsServer tls,
      @Nullable String zone,
      Rules rules,
      Metrics metrics) {

    public Binding(
        BalancerState balancer,
        LoadBalancer.Listener listener,
        @Nullable Predicate<LoadBalancer.Admission> admits,
        @Nullable TlsServer tls,
        @Nullable String zone,
        Rules rules) {
      this(balancer, listener, admits, tls, zone, rules, balancer.metrics.in(zone));
    }

    public boolean secure() {
      return tls != null;
    }
  }
}
