package dev.muelle.bench;

import dev.muelle.balancer.Balancer.Target;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Settings;
import dev.muelle.balancer.LoadBalancer.Sockets;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import dev.muelle.balancer.NettyBalancer;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;

/**
 * Balances one port of the loopback over one backend until it is ended; arguments: port, backend's
 * port, event loops.
 */
public final class BalancerHost {

  private static final Sockets HOST =
      new Sockets() {
        @Override
        public <T> T call(Callable<T> birth) throws Exception {
          return birth.call();
        }
      };

  private BalancerHost() {}

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    int port = Integer.parseInt(arguments[0]);
    Target backend = new Target("127.0.0.1", Integer.parseInt(arguments[1]));
    HealthCheck check =
        new HealthCheck(
            0, "/", status -> status == 200, Duration.ofSeconds(5), Duration.ofSeconds(2), 2, 2);
    LoadBalancer wanted =
        new LoadBalancer(
            "bench",
            "bench.localhost",
            List.of(new Node("127.0.0.1", "a", HOST)),
            List.of(),
            List.of(new Listener("bench", port, new Action.Forward("bench"))),
            Map.of(
                "bench",
                new TargetGroup("bench", check, List.of(new Member(backend, "a", null, true)))),
            new Settings(
                Duration.ofSeconds(60), Duration.ofHours(1), LoadBalancer.Headers.DEFAULT));
    try (NettyBalancer balancer =
        new NettyBalancer(
            Clock.systemUTC(), new SplittableRandom(1), Integer.parseInt(arguments[2]))) {
      Map<String, String> problems = balancer.put(wanted);
      if (!problems.isEmpty()) {
        throw new IllegalStateException(problems.toString());
      }
      Thread.currentThread().join();
    }
  }
}
