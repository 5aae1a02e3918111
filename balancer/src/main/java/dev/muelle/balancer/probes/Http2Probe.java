package dev.muelle.balancer.probes;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Version;
import dev.muelle.balancer.health.HealthRules.Outcome;
import dev.muelle.balancer.health.HealthRules.Outcome.Fault;
import dev.muelle.balancer.http.Head;
import dev.muelle.balancer.routing.Place;
import dev.muelle.balancer.targets.Carrier;
import dev.muelle.balancer.targets.Reach;
import dev.muelle.balancer.targets.TargetHttp2;
import dev.muelle.balancer.targets.TargetStream;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.TargetTls;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.util.concurrent.Future;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One health check of a target that speaks HTTP/2, on a connection of its own: a GET, or a call of
 * gRPC with an empty message, of which the status of gRPC counts.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html">
 *     Health checks for Application Load Balancer target groups</a>
 */
public final class Http2Probe implements Carrier.Sender {

  /** Not compressed, and nothing in it. */
  private static final byte[] EMPTY_MESSAGE = new byte[5];

  private final HealthCheck check;
  private final boolean grpc;
  private final byte[] head;
  private final Consumer<Outcome> result;
  private final TargetHttp2 connection =
      TargetHttp2.fresh(() -> end(new Outcome.NoAnswer(Fault.BROKEN_OFF)));
  private @Nullable Future<?> timeout;
  private boolean over;

  private Http2Probe(HealthCheck check, boolean grpc, String host, Consumer<Outcome> result) {
    this.check = check;
    this.grpc = grpc;
    this.result = result;
    this.head =
        ((grpc ? "POST " : "GET ")
                + check.path()
                + " HTTP/1.1\r\nHost: "
                + host
                + "\r\nUser-Agent: ELB-HealthChecker/2.0\r\n"
                + (grpc ? "Content-Type: application/grpc\r\n" : "")
                + "\r\n")
            .getBytes(StandardCharsets.US_ASCII);
  }

  /** Checks once; {@code result} is told once, on the worker's event loop. */
  static void run(
      Worker worker,
      Node node,
      Balancer.Target target,
      HealthCheck check,
      Version version,
      Consumer<Outcome> result) {
    int port = check.port() == 0 ? target.port() : check.port();
    Http2Probe probe =
        new Http2Probe(
            check,
            version == Version.GRPC,
            new Place("", target.address(), port).toString(),
            result);
    probe.timeout =
        worker.loop.schedule(
            () -> probe.end(new Outcome.TimedOut()),
            check.timeout().toNanos(),
            TimeUnit.NANOSECONDS);
    probe.connection.open(probe::opened);
    worker.connect(
        node,
        target.address(),
        port,
        TargetTls.of(check.secure(), true),
        probe.connection::connected);
  }

  private void opened(@Nullable TargetStream stream, Reach reach) {
    if (stream == null) {
      end(Probe.unreached(reach));
      return;
    }
    stream.ask(this, head, !grpc);
    if (grpc) {
      stream.write(Unpooled.wrappedBuffer(EMPTY_MESSAGE));
      stream.end(null);
    }
    stream.flush();
  }

  @Override
  public void answered(Head answer, boolean whole) {
    int status = Integer.parseInt(answer.line().substring(9));
    if (status < 200) {
      return;
    }
    if (!grpc) {
      end(status);
    } else if (status != 200) {
      end(new Outcome.WrongStatus(status));
    } else if (whole) {
      ended(answer);
    }
  }

  @Override
  public void ended(@Nullable Head trailers) {
    String status = trailers == null ? null : trailers.first("grpc-status");
    if (status != null && status.matches("[0-9]{1,2}")) {
      end(Integer.parseInt(status));
    } else {
      end(new Outcome.NoAnswer(Fault.NO_GRPC_STATUS));
    }
  }

  private void end(int status) {
    end(
        check.matcher().test(status)
            ? new Outcome.Passed(status)
            : new Outcome.WrongStatus(status));
  }

  @Override
  public void received(ByteBuf in) {
    in.release();
  }

  @Override
  public void receivedAll() {}

  @Override
  public void targetWritable() {}

  @Override
  public void targetClosed(boolean broken) {
    end(new Outcome.NoAnswer(Fault.BROKEN_OFF));
  }

  @Override
  public void refused() {
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
    connection.finish();
    result.accept(outcome);
  }
}
