package dev.muelle.balancer.probes;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.health.HealthRules.Outcome;
import dev.muelle.balancer.health.HealthRules.Outcome.Fault;
import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.routing.Place;
import dev.muelle.balancer.targets.Reach;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.TargetTls;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.ByteToMessageDecoder;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** One health check: a GET on a connection of its own. */
@SuppressWarnings(
    "FutureReturnValueIgnored") // a write that fails closes its channel, which is seen there
public final class Probe extends ChannelInboundHandlerAdapter {

  private final HealthCheck check;
  private final String host;
  private final Consumer<Outcome> result;
  private ByteBuf pending = Unpooled.EMPTY_BUFFER;
  private @Nullable Channel channel;
  private @Nullable Future<?> timeout;
  private boolean over;

  private Probe(HealthCheck check, String host, Consumer<Outcome> result) {
    this.check = check;
    this.host = host;
    this.result = result;
  }

  /** Checks once; {@code result} is told once, on the worker's event loop. */
  static void run(
      Worker worker,
      Node node,
      Balancer.Target target,
      HealthCheck check,
      Consumer<Outcome> result) {
    int port = check.port() == 0 ? target.port() : check.port();
    Probe probe = new Probe(check, new Place("", target.address(), port).toString(), result);
    probe.timeout =
        worker.loop.schedule(
            () -> probe.end(new Outcome.TimedOut()),
            check.timeout().toNanos(),
            TimeUnit.NANOSECONDS);
    worker.connect(
        node, target.address(), port, TargetTls.of(check.secure(), false), probe::connected);
  }

  /** There is no connection. */
  static Outcome unreached(Reach reach) {
    return reach == Reach.TIMED_OUT
        ? new Outcome.TimedOut()
        : new Outcome.NoAnswer(Fault.UNREACHABLE);
  }

  private void connected(@Nullable Channel connected, Reach reach) {
    if (connected == null) {
      end(unreached(reach));
      return;
    }
    channel = connected;
    if (over) {
      connected.close();
      return;
    }
    connected.pipeline().addLast(this);
    connected.writeAndFlush(
        Unpooled.copiedBuffer(
            "GET "
                + check.path()
                + " HTTP/1.1\r\nHost: "
                + host
                + "\r\nConnection: close\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
                + "Accept-Encoding: gzip, compressed\r\n\r\n",
            StandardCharsets.US_ASCII));
    connected.config().setAutoRead(true);
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf in = (ByteBuf) message;
    pending =
        pending.isReadable()
            ? ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(ctx.alloc(), pending, in)
            : in;
    try {
      Head head = Head.read(pending, Head.Limits.RESPONSE);
      if (head == null) {
        return;
      }
      String line = head.line();
      if (!line.matches("HTTP/1\\.[01] [1-5][0-9][0-9]( .*)?")) {
        end(new Outcome.NoAnswer(Fault.MALFORMED));
        return;
      }
      int status = Integer.parseInt(line.substring(9, 12));
      end(
          check.matcher().test(status)
              ? new Outcome.Passed(status)
              : new Outcome.WrongStatus(status));
    } catch (BadMessage e) {
      end(new Outcome.NoAnswer(Fault.MALFORMED));
    }
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    ctx.close();
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    pending.release();
    pending = Unpooled.EMPTY_BUFFER;
    end(new Outcome.NoAnswer(Fault.BROKEN_OFF));
  }

  private void end(Outcome outcome) {
    if (over) {
      return;
    }
    over = true;
    if (timeout != null) {
      timeout.cancel(false);
    }
    if (channel != null) {
      channel.close();
    }
    result.accept(outcome);
  }
}
