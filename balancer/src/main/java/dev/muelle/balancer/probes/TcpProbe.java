package dev.muelle.balancer.probes;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.health.HealthRules.Outcome;
import dev.muelle.balancer.targets.Worker;
import dev.muelle.balancer.tls.TargetTls;
import io.netty.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/** One health check: a connection, and nothing more. */
@SuppressWarnings("FutureReturnValueIgnored") // a close cannot fail
public final class TcpProbe {

  private final Consumer<Outcome> result;
  private boolean over;

  private TcpProbe(Consumer<Outcome> result) {
    this.result = result;
  }

  /** Checks once; {@code result} is told once, on the worker's event loop. */
  static void run(
      Worker worker,
      Node node,
      Balancer.Target target,
      HealthCheck check,
      Consumer<Outcome> result) {
    TcpProbe probe = new TcpProbe(result);
    Future<?> timeout =
        worker.loop.schedule(
            () -> probe.end(new Outcome.TimedOut()),
            check.timeout().toNanos(),
            TimeUnit.NANOSECONDS);
    worker.connect(
        node,
        target.address(),
        check.port() == 0 ? target.port() : check.port(),
        TargetTls.of(false, false),
        (channel, reach) -> {
          timeout.cancel(false);
          if (channel != null) {
            channel.close();
          }
          probe.end(channel != null ? new Outcome.Passed(0) : Probe.unreached(reach));
        });
  }

  private void end(Outcome outcome) {
    if (!over) {
      over = true;
      result.accept(outcome);
    }
  }
}
