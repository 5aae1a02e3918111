package dev.muelle.balancer.flows;

import dev.muelle.balancer.Delivery;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.flows.FlowDoor.Meaning;
import dev.muelle.balancer.metrics.FlowMetrics;
import dev.muelle.balancer.metrics.FlowMetrics.Count;
import dev.muelle.balancer.routing.MemberState;
import dev.muelle.balancer.routing.TargetLink;
import dev.muelle.balancer.targets.Reach;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.TargetTls;
import dev.muelle.balancer.tls.TlsServer;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOption;
import io.netty.channel.socket.ChannelInputShutdownEvent;
import io.netty.channel.socket.DuplexChannel;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.handler.ssl.SslCloseCompletionEvent;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A client's TCP connection and the one to its target: bytes both ways as they come, ends and
 * resets too. Who does not read makes the other side wait. Lives on one event loop.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
final class Relay implements TargetLink, Worker.Watched {

  /** So long a client that may not come in is left without any answer. */
  private static final long HELD_SECONDS = 60;

  private final FlowDoor door;
  private final Meaning meaning;
  private final Worker worker;
  private final Channel client;
  private final FlowMetrics metrics;
  private @Nullable Channel target;

  /** Of TLS, if somebody wants to hear of it. */
  private @Nullable TlsLedger ledger;

  /** What TLS had in hand of the client before there was a target; of one read at most. */
  private @Nullable ByteBuf early;

  private @Nullable MemberState member;

  /** Of the target's group, as soon as there is one. */
  private @Nullable FlowMetrics groups;

  private long moved;
  private boolean clientEnded;
  private boolean targetEnded;
  private boolean over;

  private Relay(FlowDoor door, Worker worker, Channel client) {
    this.door = door;
    this.meaning = door.meaning;
    this.worker = worker;
    this.client = client;
    this.metrics = meaning.metrics(false);
  }

  /** Somebody has come; nothing is read of him yet. */
  static void begin(FlowDoor door, Worker worker, Channel client) {
    if (!door.admits((InetSocketAddress) client.remoteAddress())) {
      worker.loop.schedule(() -> client.close(), HELD_SECONDS, TimeUnit.SECONDS);
      return;
    }
    Relay relay = new Relay(door, worker, client);
    door.flows.add(relay);
    relay.metrics.begins();
    relay.moved = worker.nanos();
    TlsServer tls = relay.meaning.tls();
    client.pipeline().addLast("side", relay.new Side(true));
    if (tls == null) {
      relay.connect(null);
    } else {
      TlsLedger noted = TlsLedger.of(relay.meaning, worker, client);
      relay.ledger = noted;
      client.pipeline().addBefore("side", "door", new FlowTls(tls, worker, relay::unshaken, noted));
      client.config().setAutoRead(true);
      worker.loop.schedule(
          () -> {
            if (relay.target == null && relay.member == null) {
              relay.unshaken();
            }
          },
          worker.handshakeMillis,
          TimeUnit.MILLISECONDS);
    }
    worker.watch(relay);
    if (door.withdrawn) {
      relay.abort();
    }
  }

  /** The client began no handshake that could be understood. */
  private void unshaken() {
    if (!over) {
      metrics.add(Count.CLIENT_TLS_ERRORS);
      end(true);
    }
  }

  /** Ends a connection without a farewell. */
  static void reset(Channel channel) {
    if (channel.isOpen()) {
      channel.config().setOption(ChannelOption.SO_LINGER, 0);
      channel.close();
    }
  }

  private static InetSocketAddress remote(Channel channel) {
    return (InetSocketAddress) channel.remoteAddress();
  }

  /**
   * The client is there; now its target.
   *
   * @param alpn what the client's TLS negotiated; null if nothing
   */
  private void connect(@Nullable String alpn) {
    client.config().setAutoRead(false);
    InetSocketAddress from = remote(client);
    InetSocketAddress at = (InetSocketAddress) client.localAddress();
    if (over || from == null || at == null) {
      end(true);
      return;
    }
    MemberState chosen = meaning.target(from, at, false);
    Node node = chosen == null ? null : meaning.from(chosen);
    member = chosen;
    Delivery how = chosen == null ? null : chosen.group.delivery;
    if (chosen == null || node == null || how == null) {
      metrics.add(Count.OWN_RESETS);
      end(true);
      return;
    }
    chosen.connections.add(this);
    FlowMetrics sent = chosen.group.flows(meaning.protocol(false));
    sent.begins();
    groups = sent;
    // Who comes in on the host has no address that a target in the VPC could answer.
    InetSocketAddress kept = how.keepsClient() && meaning.node() != null ? from : null;
    worker.connectFor(
        node,
        kept,
        chosen.target,
        (channel, reach) -> connected(channel, reach, how, alpn, from, at));
  }

  private void connected(
      @Nullable Channel channel,
      Reach reach,
      Delivery how,
      @Nullable String alpn,
      InetSocketAddress from,
      InetSocketAddress at) {
    if (over) {
      if (channel != null) {
        reset(channel);
      }
      return;
    }
    if (channel == null) {
      metrics.add(reach == Reach.NO_PORT ? Count.PORT_ERRORS : Count.TARGET_RESETS);
      end(true);
      return;
    }
    target = channel;
    moved = worker.nanos();
    channel.config().setOption(ChannelOption.ALLOW_HALF_CLOSURE, true);
    if (how.tls()) {
      channel.pipeline().addLast(TargetTls.handler(channel.alloc(), alpn));
    }
    channel.pipeline().addLast(new Side(false));
    if (how.proxyProtocol()) {
      channel.pipeline().firstContext().writeAndFlush(ProxyHeader.of(from, at));
    }
    ByteBuf first = early;
    if (first != null) {
      early = null;
      metrics.add(Count.BYTES, first.readableBytes());
      channel.writeAndFlush(first);
    }
    channel.config().setAutoRead(true);
    if (clientEnded) {
      endHalf(channel);
    } else {
      client.config().setAutoRead(true);
    }
  }

  /** Tells one side that nothing comes from the other any more, after all that was said. */
  private static void endHalf(Channel to) {
    SslHandler tls = to.pipeline().get(SslHandler.class);
    (tls == null ? to.writeAndFlush(Unpooled.EMPTY_BUFFER) : tls.closeOutbound())
        .addListener(sent -> ((DuplexChannel) to).shutdownOutput());
  }

  /** Ends it when it has been idle for too long; what is over is let go at once. */
  @Override
  public boolean watch() {
    if (!over && worker.nanos() - moved >= meaning.listener().idle().toNanos()) {
      metrics.add(Count.OWN_RESETS);
      end(true);
    }
    return !over;
  }

  @Override
  public void closeIfIdle() {
    // A flow is never idle: only its ends know.
  }

  @Override
  public void abort() {
    if (!worker.loop.isShuttingDown()) {
      worker.loop.execute(() -> {
        if (!over) {
          metrics.add(Count.OWN_RESETS);
          end(true);
        }
      });
    }
  }

  private void end(boolean abruptly) {
    if (over) {
      return;
    }
    over = true;
    if (early != null) {
      early.release();
      early = null;
    }
    Channel to = target;
    if (abruptly) {
      reset(client);
      if (to != null) {
        reset(to);
      }
    } else {
      client.close();
      if (to != null) {
        to.close();
      }
    }
    if (ledger != null) {
      ledger.ends();
    }
    metrics.ends();
    if (groups != null) {
      groups.ends();
    }
    door.flows.remove(this);
    MemberState left = member;
    if (left != null) {
      left.connections.remove(this);
      left.leave(worker.clock);
    }
  }

  /** What comes from one of both sides. */
  private final class Side extends ChannelInboundHandlerAdapter {

    private final boolean clients;

    Side(boolean clients) {
      this.clients = clients;
    }

    private @Nullable Channel other() {
      return clients ? target : client;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      ByteBuf in = (ByteBuf) message;
      Channel to = other();
      if (over) {
        in.release();
        return;
      }
      if (ledger != null) {
        ledger.moves(clients, in.readableBytes());
      }
      if (to == null) {
        ByteBuf before = early == null ? Unpooled.EMPTY_BUFFER : early;
        early = ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), before, in);
        return;
      }
      moved = worker.nanos();
      metrics.add(Count.BYTES, in.readableBytes());
      to.write(in);
      if (!to.isWritable()) {
        ctx.channel().config().setAutoRead(false);
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
      Channel to = other();
      if (to != null) {
        to.flush();
      }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
      Channel from = other();
      // Who has said all is not listened to any more: for Netty that would be an error, and its
      // end.
      boolean ended = clients ? targetEnded : clientEnded;
      if (from != null && target != null && !ended && ctx.channel().isWritable()) {
        from.config().setAutoRead(true);
      }
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
      if (event instanceof ChannelInputShutdownEvent || event instanceof SslCloseCompletionEvent) {
        finished();
      } else if (event instanceof SslHandshakeCompletionEvent handshake) {
        shook(ctx, handshake);
      }
      ctx.fireUserEventTriggered(event);
    }

    private void shook(ChannelHandlerContext ctx, SslHandshakeCompletionEvent handshake) {
      SslHandler tls = ctx.pipeline().get(SslHandler.class);
      boolean agreed = handshake.isSuccess();
      if (ledger != null && tls != null && !over) {
        noteHandshake(ledger, tls, handshake);
      }
      if (!agreed && !over) {
        if (clients) {
          metrics.add(Count.CLIENT_TLS_ERRORS);
        } else {
          metrics.add(Count.TARGET_TLS_ERRORS);
        }
        end(!clients); // the client still gets its alert
      } else if (clients && tls != null) {
        connect(tls.applicationProtocol());
      }
    }

    private void noteHandshake(
        TlsLedger noted, SslHandler tls, SslHandshakeCompletionEvent handshake) {
      if (!clients) {
        noted.reaches(tls.applicationProtocol());
      } else if (handshake.isSuccess()) {
        noted.agrees(tls);
      } else {
        noted.fails(handshake.cause());
      }
    }

    /** This side has said all that it had to say. */
    private void finished() {
      if (clients) {
        clientEnded = true;
      } else {
        targetEnded = true;
      }
      Channel to = other();
      if (to == null) {
        return; // the target will hear of it when there is one
      }
      if (clientEnded && targetEnded) {
        to.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(sent -> end(false));
      } else {
        endHalf(to);
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
      // Where both have ended, the last bytes may still be on their way to the other.
      if (!over && !(clientEnded && targetEnded)) {
        end(true);
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
      if (!over) {
        if (clients) {
          metrics.add(Count.CLIENT_RESETS);
        } else {
          metrics.add(Count.TARGET_RESETS);
        }
        end(true);
      }
    }
  }
}
