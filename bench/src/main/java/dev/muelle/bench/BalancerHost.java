package dev.muelle.bench;

import dev.muelle.balancer.Balancer.Target;
import dev.muelle.balancer.Delivery;
import dev.muelle.balancer.FlowListener;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.HealthCheck;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Rule;
import dev.muelle.balancer.LoadBalancer.Settings;
import dev.muelle.balancer.LoadBalancer.Sockets;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import dev.muelle.balancer.netty.NettyBalancer;
import dev.muelle.balancer.rules.Condition;
import dev.muelle.balancer.rules.Wildcard;
import dev.muelle.balancer.tls.JdkTls;
import dev.muelle.balancer.tls.Tls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.X509Certificate;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;

/**
 * Balances two ports of the loopback, the second one with TLS, until it is ended. Arguments: the
 * two ports, the first of the targets' ports, how many targets there are (each at the port after
 * the one before), how many rules (none of which applies), a PKCS #12 file without a password, and
 * if wanted a port at which whole connections are passed on.
 */
public final class BalancerHost {

  private static final Sockets HOST =
      new Sockets() {
        @Override
        public <T> T call(Callable<T> birth) throws Exception {
          return birth.call();
        }
      };

  static final String GROUP = "bench";
  private static final String FLOWS = "flows";

  private BalancerHost() {}

  /** See the class. */
  public static void main(String[] arguments) throws Exception {
    JdkTls.prepare();
    int port = Integer.parseInt(arguments[0]);
    int secure = Integer.parseInt(arguments[1]);
    int first = Integer.parseInt(arguments[2]);
    int targets = Integer.parseInt(arguments[3]);
    List<Rule> rules = rules(Integer.parseInt(arguments[4]));
    Tls tls = tls(Path.of(arguments[5]));
    Action forward = new Action.Forward(GROUP);
    LoadBalancer wanted =
        wanted(
            List.of(
                new Listener("plain", port, rules, forward),
                new Listener("secure", secure, rules, forward, tls)),
            Map.of(GROUP, group(GROUP, first, targets)));
    try (NettyBalancer balancer =
        new NettyBalancer(Clock.systemUTC(), new SplittableRandom(1), 1)) {
      Map<String, String> problems = balancer.put(wanted);
      if (arguments.length > 6) {
        problems = new HashMap<>(problems);
        problems.putAll(balancer.put(flows(Integer.parseInt(arguments[6]), first, targets)));
      }
      if (!problems.isEmpty()) {
        throw new IllegalStateException(problems.toString());
      }
      Thread.currentThread().join();
    }
  }

  /** An application load balancer. */
  static LoadBalancer wanted(List<Listener> listeners, Map<String, TargetGroup> groups) {
    return new LoadBalancer(
        GROUP,
        "bench.localhost",
        List.of(new Node("127.0.0.1", "a", HOST)),
        List.of(),
        listeners,
        groups,
        new Settings(Duration.ofSeconds(60), Duration.ofHours(1), LoadBalancer.Headers.DEFAULT));
  }

  /** A network load balancer before the same targets. */
  private static LoadBalancer flows(int port, int first, int targets) {
    TargetGroup of = group(FLOWS, first, targets);
    Delivery plain =
        new Delivery(Delivery.Check.TCP, false, false, false, false, false, true, Duration.ZERO);
    return new LoadBalancer(
        FLOWS,
        "flows.localhost",
        List.of(new Node("127.0.0.1", "a", HOST)),
        List.of(),
        List.of(),
        List.of(
            new FlowListener(
                FLOWS, port, FlowListener.Transport.TCP, FLOWS, null, Duration.ofSeconds(350))),
        Map.of(
            FLOWS,
            new TargetGroup(
                FLOWS, of.version(), of.choice(), of.healthCheck(), of.members(), plain)),
        new Settings(Duration.ofSeconds(60), Duration.ofHours(1), LoadBalancer.Headers.DEFAULT));
  }

  /** So many, none of which applies. */
  static List<Rule> rules(int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> new Wildcard("/service-%04d/*".formatted(i), false))
        .map(path ->
            new Rule(List.of(new Condition.PathPattern(List.of(path))), new Action.Forward(GROUP)))
        .toList();
  }

  /** Targets at ports one after the other. */
  static TargetGroup group(String id, int first, int targets) {
    HealthCheck check =
        new HealthCheck(
            0, "/", status -> status == 200, Duration.ofSeconds(5), Duration.ofSeconds(2), 2, 2);
    List<Member> members =
        IntStream.range(first, first + targets)
            .mapToObj(port -> new Member(new Target("127.0.0.1", port), "a", null, true))
            .toList();
    return new TargetGroup(id, check, members);
  }

  private static Tls tls(Path file) throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    try (var in = Files.newInputStream(file)) {
      store.load(in, new char[0]);
    }
    String alias = store.aliases().nextElement();
    List<X509Certificate> chain = new ArrayList<>();
    for (var certificate : store.getCertificateChain(alias)) {
      chain.add((X509Certificate) certificate);
    }
    return new Tls(
        new Tls.Identity((PrivateKey) store.getKey(alias, new char[0]), chain),
        List.of(),
        List.of("TLSv1.3", "TLSv1.2"),
        List.of("TLS_AES_128_GCM_SHA256", "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256"),
        Tls.HTTP2);
  }
}
