package dev.muelle.balancer.flows;

import dev.muelle.balancer.Delivery;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.flows.FlowDoor.Meaning;
import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.FlowMetrics.Count;
import dev.muelle.balancer.metrics.FlowMetrics.Protocol;
import dev.muelle.balancer.routing.MemberState;
import dev.muelle.balancer.routing.TargetLink;
import dev.muelle.balancer.targets.Worker;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.socket.DatagramPacket;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Datagrams that come in at a door. Those of one sender make a flow, which has a socket of its own
 * to its target and ends two minutes after its last datagram. A flood from invented senders pushes
 * out the flows that were silent longest, first those that nobody ever answered. Lives on one event
 * loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // what cannot be sent is lost, as datagrams are
final class Datagrams extends ChannelInboundHandlerAdapter {

  /** As AWS documents it; it cannot be changed there. */
  private static final long IDLE_NANOS = TimeUnit.SECONDS.toNanos(120);

  private static final int MAX_FLOWS = 4096;
  private static final int MAX_WAITING = 16;

  private final FlowDoor door;
  private final Worker worker;

  /** The one that was silent longest comes first. */
  private final Map<InetSocketAddress, Flow> unanswered = new LinkedHashMap<>(16, 0.75f, true);

  private final Map<InetSocketAddress, Flow> answered = new LinkedHashMap<>(16, 0.75f, true);

  /** To which something was written of what is being read now. */
  private final Set<Flow> unflushed = new HashSet<>();

  Datagrams(FlowDoor door, Worker worker) {
    this.door = door;
    this.worker = worker;
  }

  @Override
  public void channelActive(ChannelHandlerContext ctx) {
    worker.loop.schedule(() -> sweep(ctx), 1, TimeUnit.SECONDS);
    ctx.fireChannelActive();
  }

  private void sweep(ChannelHandlerContext ctx) {
    if (!ctx.channel().isActive()) {
      return;
    }
    long now = worker.nanos();
    for (Map<InetSocketAddress, Flow> flows : List.of(unanswered, answered)) {
      for (Flow flow : new ArrayList<>(flows.values())) {
        if (now - flow.moved < IDLE_NANOS) {
          break;
        }
        flow.end();
      }
    }
    worker.loop.schedule(() -> sweep(ctx), 1, TimeUnit.SECONDS);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    DatagramPacket packet = (DatagramPacket) message;
    InetSocketAddress sender = packet.sender();
    Flow flow = answered.get(sender);
    if (flow == null) {
      flow = unanswered.get(sender);
    }
    if (flow == null) {
      flow = begin(ctx.channel(), sender);
    }
    if (flow == null) {
      packet.release();
    } else {
      flow.send(packet.content());
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    unflushed.forEach(Flow::flush);
    unflushed.clear();
  }

  private @Nullable Flow begin(Channel server, InetSocketAddress sender) {
    Meaning meaning = door.meaning;
    if (!door.admits(sender)) {
      return null;
    }
    FlowMetrics metrics = meaning.metrics(true);
    if (unanswered.size() + answered.size() >= MAX_FLOWS) {
      metrics.add(Count.REJECTED_FLOWS);
      (unanswered.isEmpty() ? answered : unanswered).values().iterator().next().end();
    }
    MemberState member = meaning.target(sender, (InetSocketAddress) server.localAddress(), true);
    Node node = member == null ? null : meaning.from(member);
    if (member == null || node == null) {
      if (member != null) {
        member.leave(worker.clock);
      }
      return null;
    }
    Flow flow = new Flow(server, sender, member, metrics);
    unanswered.put(sender, flow);
    door.flows.add(flow);
    member.connections.add(flow);
    metrics.begins();
    flow.groups.begins();
    // Who comes in on the host has no address that a target in the VPC could answer.
    Delivery how = member.group.delivery;
    boolean kept = meaning.node() != null && how != null && how.keepsClient();
    worker.datagrams(node, kept ? sender : null, member.target, flow, flow::ready);
    return flow;
  }

  /** What one sender sends, and is answered. */
  final class Flow extends ChannelInboundHandlerAdapter implements TargetLink {

    private final Channel server;
    private final InetSocketAddress sender;
    private final MemberState member;
    private final FlowMetrics metrics;
    private final FlowMetrics groups;
    private final List<ByteBuf> waiting = new ArrayList<>(1);
    private @Nullable Channel target;
    private long moved = worker.nanos();
    private boolean over;

    Flow(Channel server, InetSocketAddress sender, MemberState member, FlowMetrics metrics) {
      this.server = server;
      this.sender = sender;
      this.member = member;
      this.metrics = metrics;
      this.groups = member.group.flows(Protocol.UDP);
    }

    private void ready(@Nullable Channel channel) {
      if (channel == null || over) {
        if (channel != null) {
          channel.close();
        }
        end();
        return;
      }
      target = channel;
      waiting.forEach(channel::write);
      waiting.clear();
      channel.flush();
    }

    private void send(ByteBuf content) {
      moved = worker.nanos();
      metrics.add(Count.BYTES, content.readableBytes());
      Channel to = target;
      if (to != null) {
        to.write(content);
        unflushed.add(this);
      } else if (over || waiting.size() >= MAX_WAITING) {
        content.release();
      } else {
        waiting.add(content);
      }
    }

    private void flush() {
      if (target != null) {
        target.flush();
      }
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      DatagramPacket packet = (DatagramPacket) message;
      if (unanswered.remove(sender, this)) {
        answered.put(sender, this);
      } else {
        answered.get(sender); // it was heard of last now
      }
      moved = worker.nanos();
      metrics.add(Count.BYTES, packet.content().readableBytes());
      server.writeAndFlush(new DatagramPacket(packet.content(), sender));
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      // Nobody listens there now: so the next one is lost too, or is not.
    }

    @Override
    public void closeIfIdle() {
      // Only its sender knows.
    }

    @Override
    public void abort() {
      if (!worker.loop.isShuttingDown()) {
        worker.loop.execute(this::end);
      }
    }

    private void end() {
      if (over) {
        return;
      }
      over = true;
      unanswered.remove(sender, this);
      answered.remove(sender, this);
      waiting.forEach(ByteBuf::release);
      waiting.clear();
      if (target != null) {
        target.close();
      }
      metrics.ends();
      groups.ends();
      door.flows.remove(this);
      member.connections.remove(this);
      member.leave(worker.clock);
    }
  }
}
