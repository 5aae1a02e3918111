package dev.muelle.balancer.flows;

import dev.muelle.balancer.Delivery;
import dev.muelle.balancer.FlowListener;
import dev.muelle.balancer.LoadBalancer.Admission;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.FlowMetrics.Count;
import dev.muelle.balancer.metrics.FlowMetrics.Protocol;
import dev.muelle.balancer.routing.BalancerState;
import dev.muelle.balancer.routing.GroupState;
import dev.muelle.balancer.routing.MemberState;
import dev.muelle.balancer.routing.Place;
import dev.muelle.balancer.routing.Shares;
import dev.muelle.balancer.routing.TargetLink;
import dev.muelle.balancer.tls.TlsServer;
import io.netty.channel.Channel;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** An address, a port and a protocol at which flows of one network load balancer come in. */
final class FlowDoor {

  /**
   * Which one.
   *
   * @param udp rather than TCP
   */
  record Key(Place at, boolean udp) {
    @Override
    public String toString() {
      return at + (udp ? "/udp" : "");
    }
  }

  /**
   * What comes in means.
   *
   * @param node where it came in; null on the host
   * @param admits null if the network itself decides who comes in
   * @param tls null if bytes are passed on as they come
   */
  record Meaning(
      BalancerState balancer,
      FlowListener listener,
      @Nullable Node node,
      @Nullable Predicate<Admission> admits,
      @Nullable TlsServer tls) {

    /** Where flows that come in so are counted. */
    FlowMetrics metrics(boolean udp) {
      return balancer.flows(node == null ? null : node.zone(), protocol(udp));
    }

    Protocol protocol(boolean udp) {
      return udp ? Protocol.UDP : tls == null ? Protocol.TCP : Protocol.TLS;
    }

    /** The target of a flow, with a place taken on it; null if there is none. */
    @Nullable MemberState target(InetSocketAddress client, InetSocketAddress at, boolean udp) {
      long source = client.getAddress().hashCode();
      long flow = source;
      flow = flow * 31 + client.getPort();
      flow = flow * 31 + at.hashCode();
      flow = flow * 31 + (udp ? 17 : 6);
      boolean bySource = listener.shares().stream().allMatch(share -> bySource(share.groupId()));
      String chosen =
          Shares.choose(listener.shares(), new SplittableRandom(bySource ? source : flow));
      GroupState group = chosen == null ? null : balancer.groups.get(chosen);
      Delivery how = group == null ? null : group.delivery;
      if (group == null || how == null) {
        return null;
      }
      long hash = how.bySource() ? source : flow;
      String zone = balancer.confined(group, node == null ? null : node.zone());
      MemberState found = group.flow(hash, zone);
      if (found != null && group.failsOpen(zone)) {
        metrics(udp).add(Count.FAILED_OPEN);
      }
      return found;
    }

    private boolean bySource(String id) {
      GroupState group = balancer.groups.get(id);
      Delivery how = group == null ? null : group.delivery;
      return how != null && how.bySource();
    }

    /** From where a target is reached: where the flow came in, or a node near the target. */
    @Nullable Node from(MemberState target) {
      return node == null ? balancer.nodeFor(target) : node;
    }
  }

  final Key key;
  volatile Meaning meaning;
  final Set<TargetLink> flows = ConcurrentHashMap.newKeySet();
  @Nullable Channel server;

  /** Whoever comes now was let in just before it was closed. */
  volatile boolean withdrawn;

  FlowDoor(Key key, Meaning meaning) {
    this.key = key;
    this.meaning = meaning;
  }

  boolean admits(InetSocketAddress client) {
    Predicate<Admission> admits = meaning.admits();
    return admits == null
        || admits.test(
            new Admission(
                client.getAddress().getHostAddress(),
                meaning.listener().port(),
                key.udp() ? "udp" : "tcp"));
  }
}
