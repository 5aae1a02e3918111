package dev.muelle.bench.soak;

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
import dev.muelle.balancer.netty.NettyBalancer;
import dev.muelle.balancer.tls.JdkTls;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufAllocatorMetricProvider;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.Stream;

/**
 * Balances a port of the loopback (the argument) as it is told, a line at a time: {@code targets}
 * and their ports, or {@code memory}, which it answers with the kilobytes that are in use on the
 * heap after a collection, and outside of it. Each line is answered with one.
 */
public final class SoakedBalancer {

  private static final Sockets HOST =
      new Sockets() {
        @Override
        public <T> T call(Callable<T> birth) throws Exception {
          return birth.call();
        }
      };

  private static final String GROUP = "soak";

  private SoakedBalancer() {}

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    JdkTls.prepare();
    int port = Integer.parseInt(arguments[0]);
    BufferedReader commands =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.US_ASCII));
    try (NettyBalancer balancer =
        new NettyBalancer(Clock.systemUTC(), new SplittableRandom(1), 1)) {
      for (String line = commands.readLine(); line != null; line = commands.readLine()) {
        List<String> words = List.of(line.split(" ", -1));
        if (words.getFirst().equals("memory")) {
          System.gc();
          System.out.println(
              ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed() / 1024
                  + " "
                  + buffers() / 1024);
        } else {
          System.out.println(balancer.put(with(port, words.stream().skip(1))));
        }
      }
    }
  }

  /** The bytes of all that the network's buffers are made of. */
  private static long buffers() {
    return ByteBufAllocator.DEFAULT instanceof ByteBufAllocatorMetricProvider all
        ? all.metric().usedDirectMemory()
        : 0;
  }

  private static LoadBalancer with(int port, Stream<String> targets) {
    HealthCheck check =
        new HealthCheck(
            0, "/", status -> status == 200, Duration.ofSeconds(5), Duration.ofSeconds(2), 2, 2);
    List<Member> members =
        targets
            .map(target ->
                new Member(new Target("127.0.0.1", Integer.parseInt(target)), "a", null, true))
            .toList();
    return new LoadBalancer(
        GROUP,
        "soak.localhost",
        List.of(new Node("127.0.0.1", "a", HOST)),
        List.of(),
        List.of(new Listener("plain", port, List.of(), new Action.Forward(GROUP))),
        Map.of(GROUP, new TargetGroup(GROUP, check, members)),
        new Settings(Duration.ofSeconds(60), Duration.ofHours(1), LoadBalancer.Headers.DEFAULT));
  }
}
