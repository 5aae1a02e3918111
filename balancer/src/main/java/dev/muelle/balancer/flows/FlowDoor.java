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
import dev.muelle.balancer.routing.TargetLink;
import dev.muelle.balancer.tls.TlsServer;
import io.netty.channel.Channel;
import java.net.InetSocketAddress;
import java.util.Set;
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
      return balancer.flows(
          node == null ? null : node.zone(),
          udp ? Protocol.UDP : tls == null ? Protocol.TCP : Protocol.TLS);
    }

    /** The target of a flow, with a place taken on it; null if there is none. */
    @Nullable MemberState target(InetSocketAddress client, InetSocketAddress at, boolean udp) {
      GroupState group = balancer.groups.get(listener.groupId());
      Delivery how = group == null ? null : group.delivery;
      if (group == null || how == null) {
        return null;
      }
      long hash = client.getAddress().hashCode();
      if (!how.bySource()) {
        hash = hash * 31 + client.getPort();
        hash = hash * 31 + at.hashCode();
        hash = hash * 31 + (udp ? 17 : 6);
      }
      String zone = balancer.confined(group, node == null ? null : node.zone());
      MemberState found = group.flow(hash, zone);
      if (found != null && group.failsOpen(zone)) {
        metrics(udp).add(Count.FAILED_OPEN);
      }
      return found;
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
