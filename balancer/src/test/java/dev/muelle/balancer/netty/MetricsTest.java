package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Algorithm;
import dev.muelle.balancer.LoadBalancer.Choice;
import dev.muelle.balancer.LoadBalancer.Desync;
import dev.muelle.balancer.LoadBalancer.ForwardedFor;
import dev.muelle.balancer.LoadBalancer.Front;
import dev.muelle.balancer.LoadBalancer.Headers;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Member;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Settings;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import dev.muelle.balancer.LoadBalancer.Version;
import dev.muelle.balancer.Redirect;
import dev.muelle.balancer.metrics.Metrics;
import dev.muelle.balancer.metrics.Metrics.Count;
import dev.muelle.balancer.rules.Condition.PathPattern;
import dev.muelle.balancer.rules.Wildcard;
import java.io.IOException;
import java.net.Socket;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is counted of requests. */
@Timeout(120)
final class MetricsTest {

  private static final Headers DROPPING =
      new Headers(false, ForwardedFor.APPEND, false, true, Desync.DEFENSIVE, false);

  private final Rig rig = new Rig();

  @AfterEach
  void close() throws IOException {
    rig.close();
  }

  private Metrics whole() {
    return rig.balancer.loadBalancerMetrics("lb").orElseThrow();
  }

  private Metrics group() {
    return rig.balancer.targetGroupMetrics("tg").orElseThrow();
  }

  /** What is counted may be a moment later than the answer. */
  private static void counted(long expected, Metrics metrics, Count what) {
    Rig.await(() -> metrics.get(what) >= expected);
    assertEquals(expected, metrics.get(what), what::name);
  }

  private Backend hello() throws IOException {
    return rig.backend((head, in, out) -> {
      out.write(Backend.answer(200, "hello"));
      return true;
    });
  }

  private void put(Choice choice, Headers headers, List<Front> fronts, Backend... targets) {
    rig.balancer.put(
        new LoadBalancer(
            "lb",
            "web.localhost",
            fronts.isEmpty() ? List.of(new Node("127.0.0.1", "a", Rig.HOST)) : List.of(),
            fronts,
            List.of(new Listener("l", rig.port, rig.rules, new Action.Forward("tg"))),
            Map.of(
                "tg",
                new TargetGroup(
                    "tg",
                    Version.HTTP1,
                    choice,
                    Rig.CHECK,
                    Stream.of(targets).map(Rig::member).toList())),
            new Settings(Duration.ofSeconds(30), Duration.ofHours(1), headers)));
  }

  @Test
  void theSameIsCountedOfAZoneAndOfTheWhole() throws IOException {
    rig.serve(hello());
    String request = Rig.GET;
    String answer = rig.raw(request);
    assertTrue(answer.endsWith("hello"), answer);
    for (Metrics of : List.of(whole(), group())) {
      Metrics zone = of.zones().get("a");
      assertEquals(Set.of("a"), of.zones().keySet());
      assertEquals(1, of.get(Count.REQUESTS));
      assertEquals(1, zone.get(Count.REQUESTS));
      assertEquals(1, of.targetAnswers(2));
      assertEquals(1, zone.targetAnswers(2));
      assertEquals(1, Stream.of(zone.responseTimes()).flatMapToInt(java.util.Arrays::stream).sum());
    }
    assertEquals(request.length() + answer.length(), whole().get(Count.BYTES));
    assertEquals(request.length() + answer.length(), whole().zones().get("a").get(Count.BYTES));
    assertEquals(0, whole().get(Count.IPV6_REQUESTS) + whole().get(Count.IPV6_BYTES));
  }

  @Test
  void whoComesByIpv6IsCountedApart() throws IOException {
    put(Choice.DEFAULT, Headers.DEFAULT, List.of(new Front("::1", false, a -> true)), hello());
    String answer = rig.raw("::1", Rig.GET);
    counted(1, whole(), Count.IPV6_REQUESTS);
    assertEquals(Rig.GET.length() + answer.length(), whole().get(Count.IPV6_BYTES));
    assertEquals(Map.of(), whole().zones(), "the host is in no zone");
  }

  @Test
  void rulesAreCountedUpToTheOneThatApplies() throws IOException {
    rig.rules =
        Stream.of("/a", "/b", "/c")
            .map(path ->
                new LoadBalancer.Rule(
                    List.of(new PathPattern(List.of(new Wildcard(path, false)))),
                    new Action.FixedResponse(200, "text/plain", path)))
            .toList();
    rig.serve(hello());
    assertTrue(rig.raw(Rig.GET.replace(" / ", " /b ")).endsWith("/b"));
    counted(2, whole(), Count.RULES);
    assertTrue(rig.raw(Rig.GET).endsWith("hello"));
    counted(5, whole(), Count.RULES); // the default one is not counted
    counted(1, whole(), Count.FIXED_RESPONSES);
  }

  @Test
  void aRedirectThatIsTooLongToBeToldIsNot() throws IOException {
    rig.rules =
        List.of(
            new LoadBalancer.Rule(
                List.of(new PathPattern(List.of(new Wildcard("/*", false)))),
                new Redirect(302, "#{protocol}", "#{host}", "#{port}", "/#{path}", "#{query}")));
    rig.serve(hello());
    assertTrue(rig.raw(Rig.GET).startsWith("HTTP/1.1 302 "));
    String path = "/" + "x".repeat(9_000);
    assertTrue(rig.raw(Rig.GET.replace(" / ", " " + path + " ")).startsWith("HTTP/1.1 500 "));
    counted(1, whole(), Count.REDIRECTS);
    counted(1, whole(), Count.LONG_REDIRECTS);
  }

  @Test
  void oddFieldsAndRequestsThatAreNone() throws IOException {
    Backend target = hello();
    put(Choice.DEFAULT, Headers.DEFAULT, List.of(), target);
    String odd = Rig.GET.replace("\r\n\r\n", "\r\nX_Odd: 1\r\n\r\n");
    rig.raw(odd);
    rig.raw(Rig.GET);
    counted(1, whole(), Count.FIELDS_FORWARDED);
    put(Choice.DEFAULT, DROPPING, List.of(), target);
    rig.raw(odd);
    counted(1, whole(), Count.FIELDS_DROPPED);
    counted(1, whole(), Count.FIELDS_FORWARDED);
    assertEquals(0, whole().get(Count.MALFORMED_REQUESTS));
    assertTrue(rig.raw("GET /\r\n\r\n").startsWith("HTTP/1.1 400 "));
    counted(1, whole(), Count.MALFORMED_REQUESTS);
  }

  @Test
  void aClientWithoutItsTargetIsNotSticky() throws IOException {
    Backend target = hello();
    Choice sticky = new Choice(Algorithm.ROUND_ROBIN, Duration.ofHours(1));
    put(sticky, Headers.DEFAULT, List.of(), target);
    Rig.await(() -> rig.health(target) == dev.muelle.balancer.Balancer.Health.HEALTHY);
    String answer = rig.raw(Rig.GET);
    counted(1, group(), Count.NOT_STICKY);
    String cookie =
        answer.lines().filter(l -> l.startsWith("Set-Cookie: AWSALB=")).findFirst().get();
    String brought = "Cookie: " + cookie.substring(12, cookie.indexOf(';'));
    rig.raw(Rig.GET.replace("\r\n\r\n", "\r\n" + brought + "\r\n\r\n"));
    counted(1, group(), Count.NOT_STICKY);
    counted(2, group(), Count.REQUESTS);
  }

  @Test
  void whenNobodyIsHealthyThatIsCounted() throws IOException {
    Backend sick = hello();
    sick.sick = true;
    put(Choice.DEFAULT, Headers.DEFAULT, List.of(), sick);
    Rig.await(() -> rig.health(sick) == dev.muelle.balancer.Balancer.Health.UNHEALTHY);
    assertTrue(rig.raw(Rig.GET).endsWith("hello"));
    counted(1, whole(), Count.FAILED_OPEN);
    counted(1, group(), Count.FAILED_OPEN);
  }

  @Test
  void whoComesWhenThereAreTooManyIsCounted() throws Exception {
    try (NettyBalancer few =
        new NettyBalancer(
            InstantSource.system(),
            new SplittableRandom(1),
            1,
            new Limits(1, Limits.USUAL.handshake()))) {
      few.put(
          rig.loadBalancer(
              "lb",
              "web.localhost",
              new Action.FixedResponse(200, "text/plain", "hello"),
              List.of(),
              new Member[0]));
      Metrics metrics = few.loadBalancerMetrics("lb").orElseThrow();
      try (Socket first = rig.connect()) {
        Rig.send(first, Rig.KEPT);
        Rig.await(() -> metrics.get(Count.REQUESTS) == 1);
        try (Socket second = rig.connect()) {
          assertEquals(-1, second.getInputStream().read());
        }
      }
      assertEquals(1, metrics.get(Count.REJECTED_CONNECTIONS));
      assertEquals(1, metrics.zones().get("a").get(Count.REJECTED_CONNECTIONS));
    }
  }

  @Test
  void connectionsThatTargetsRefuseAreCountedWithBoth() throws IOException {
    Backend gone = hello();
    rig.serve(gone);
    gone.close();
    assertTrue(rig.raw(Rig.GET).startsWith("HTTP/1.1 502 "));
    counted(1, whole(), Count.TARGET_CONNECTION_ERRORS);
    counted(1, group(), Count.TARGET_CONNECTION_ERRORS);
    assertEquals(0, whole().get(Count.TARGET_HANDSHAKE_ERRORS));
  }
}
