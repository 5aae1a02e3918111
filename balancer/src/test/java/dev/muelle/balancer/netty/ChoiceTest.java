package dev.muelle.balancer.netty;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Algorithm;
import dev.muelle.balancer.LoadBalancer.Choice;
import dev.muelle.balancer.LoadBalancer.Listener;
import dev.muelle.balancer.LoadBalancer.Share;
import dev.muelle.balancer.LoadBalancer.TargetGroup;
import dev.muelle.balancer.LoadBalancer.Version;
import dev.muelle.balancer.Minimum;
import dev.muelle.balancer.routing.Sticky;
import dev.muelle.balancer.tls.Tls;
import java.net.Socket;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Which target, and which target group, a request goes to. */
@Timeout(120)
final class ChoiceTest {

  private static final Duration DAY = Duration.ofDays(1);

  private final Rig rig = new Rig();

  @AfterEach
  void close() throws Exception {
    rig.close();
  }

  private static TargetGroup group(String id, Choice choice, Backend... backends) {
    return new TargetGroup(
        id, Version.HTTP1, choice, Rig.CHECK, Stream.of(backends).map(Rig::member).toList());
  }

  private void put(Action action, @Nullable Tls tls, TargetGroup... groups) {
    Map<String, TargetGroup> all = new HashMap<>();
    Stream.of(groups).forEach(group -> all.put(group.id(), group));
    LoadBalancer plain = rig.loadBalancer("lb", "lb.elb.localhost", action, List.of());
    rig.balancer.put(
        new LoadBalancer(
            plain.id(),
            plain.host(),
            plain.nodes(),
            plain.fronts(),
            List.of(new Listener("l", rig.port, List.of(), action, tls)),
            all,
            plain.settings()));
    for (TargetGroup group : groups) {
      Rig.await(() ->
          rig.balancer.targets(group.id()).values().stream()
              .allMatch(state -> state.health() == Health.HEALTHY));
    }
  }

  private void put(Choice choice, Backend... backends) {
    put(new Action.Forward("tg"), null, group("tg", choice, backends));
  }

  private String ask(String cookies) throws Exception {
    return rig.raw(
        "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            + (cookies.isEmpty() ? "" : "Cookie: " + cookies + "\r\n")
            + "\r\n");
  }

  private static String body(String answer) {
    return answer.substring(answer.indexOf("\r\n\r\n") + 4);
  }

  /** {@code name=value} of a cookie that an answer sets. */
  private static String cookie(String answer, String name) {
    Matcher found =
        Pattern.compile("\r\nSet-Cookie: (" + name + "=[A-Za-z0-9_-]+); Expires=").matcher(answer);
    assertTrue(found.find(), answer);
    return found.group(1);
  }

  private Backend[] three() throws Exception {
    Backend[] all = new Backend[3];
    for (int i = 0; i < all.length; i++) {
      String name = "target " + i;
      all[i] =
          rig.backend((head, in, out) -> {
            out.write(Backend.answer(200, name));
            return true;
          });
    }
    return all;
  }

  @Test
  void aCookieBringsAClientBackToItsTarget() throws Exception {
    Backend[] targets = three();
    put(new Choice(Algorithm.ROUND_ROBIN, DAY), targets);
    String first = ask("");
    String cookie = cookie(first, "AWSALB");
    String cors = cookie(first, "AWSALBCORS");
    assertTrue(first.contains("; Path=/; SameSite=None\r\n"), first);
    for (int i = 0; i < 10; i++) {
      assertEquals(body(first), body(ask("a=b; " + cookie + "; c=d")));
      assertEquals(body(first), body(ask(cors)), "of another site");
    }
    Set<String> without = new HashSet<>();
    for (int i = 0; i < 3; i++) {
      without.add(body(ask("AWSALB=forged; other" + cookie)));
    }
    assertEquals(3, without.size(), "they take turns");

    // It goes where it can when its target is gone, and stays there.
    Backend[] left =
        Stream.of(targets)
            .filter(one -> !body(first).equals("target " + List.of(targets).indexOf(one)))
            .toArray(Backend[]::new);
    put(new Choice(Algorithm.ROUND_ROBIN, DAY), left);
    String moved = ask(cookie);
    assertFalse(body(moved).equals(body(first)));
    for (int i = 0; i < 4; i++) {
      assertEquals(body(moved), body(ask(cookie(moved, "AWSALB"))));
    }
  }

  @Test
  void aTargetThatIsSickLosesItsClients() throws Exception {
    Backend[] targets = three();
    put(new Choice(Algorithm.ROUND_ROBIN, DAY), targets);
    String first = ask("");
    Backend mine = targets[Integer.parseInt(body(first).substring(7))];
    mine.sick = true;
    Rig.await(() -> rig.health(mine) == Health.UNHEALTHY);
    assertFalse(body(ask(cookie(first, "AWSALB"))).equals(body(first)));
  }

  @Test
  void aCookieCountsOnlyForItsTime() {
    Instant now = Instant.parse("2026-01-01T00:00:00Z");
    Sticky sticky = Sticky.target(Duration.ofSeconds(60));
    String set = sticky.set("a", true, now).getFirst();
    String value = set.substring("AWSALB=".length(), set.indexOf(';'));
    assertTrue(Sticky.means(value, "a", now.plusSeconds(60)));
    assertFalse(Sticky.means(value, "a", now.plusSeconds(61)));
    assertFalse(Sticky.means(value, "b", now));
    assertFalse(Sticky.means(value + "AA", "a", now));
    assertFalse(Sticky.means("", "a", now));
    assertFalse(Sticky.means("%", "a", now));
  }

  @Test
  void clientsOfHttp2GetTheCookieToo() throws Exception {
    put(
        new Action.Forward("tg"),
        Certified.http2(Certified.ec("a.test")),
        group("tg", new Choice(Algorithm.ROUND_ROBIN, DAY), three()));
    try (Http2Wire wire = new Http2Wire(rig.port)) {
      wire.get(1);
      Http2Wire.Got first = wire.answer(1);
      List<String> set = new ArrayList<>();
      assertTrue(first.head != null);
      first.head.getAll("set-cookie").forEach(one -> set.add(one.toString()));
      assertEquals(2, set.size());
      assertTrue(set.get(1).endsWith("; SameSite=None; Secure"), set.get(1));
      for (int stream = 3; stream < 20; stream += 2) {
        wire.headers(
            stream,
            true,
            Http2Wire.request("GET", "cookie", "x=y", "cookie", set.getFirst().split(";", -1)[0]));
        assertEquals(first.text(), wire.answer(stream).text());
      }
    }
  }

  @Test
  void aCookieBringsAClientBackToItsGroup() throws Exception {
    Backend blue = rig.backend((head, in, out) -> say(out, "blue"));
    Backend green = rig.backend((head, in, out) -> say(out, "green"));
    TargetGroup[] groups = {
      group("blue", Choice.DEFAULT, blue), group("green", Choice.DEFAULT, green)
    };
    put(
        new Action.Forward(List.of(new Share("blue", 1), new Share("green", 1)), DAY),
        null,
        groups);
    Set<String> seen = new HashSet<>();
    String first = "";
    while (seen.size() < 2) {
      first = ask("");
      seen.add(body(first));
    }
    String cookie = cookie(first, "AWSALBTG");
    cookie(first, "AWSALBTGCORS");
    for (int i = 0; i < 20; i++) {
      assertEquals(body(first), body(ask(cookie)));
    }
    // Nothing more goes to a group that has no weight.
    put(
        new Action.Forward(
            List.of(
                new Share("blue", body(first).equals("blue") ? 0 : 1),
                new Share("green", body(first).equals("green") ? 0 : 1)),
            DAY),
        null,
        groups);
    assertFalse(body(ask(cookie)).equals(body(first)));
  }

  private static boolean say(java.io.OutputStream out, String text) throws java.io.IOException {
    out.write(Backend.answer(200, text));
    return true;
  }

  @Test
  void whoHasLeastToDoIsAskedNext() throws Exception {
    CountDownLatch go = new CountDownLatch(1);
    CountDownLatch busy = new CountDownLatch(2);
    Backend slow =
        rig.backend((head, in, out) -> {
          if (head.startsWith("GET /slow")) {
            busy.countDown();
            try {
              go.await();
            } catch (InterruptedException e) {
              return false;
            }
          }
          return say(out, "slow");
        });
    put(new Choice(Algorithm.LEAST_OUTSTANDING_REQUESTS, null), slow);
    String wait = "GET /slow HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    try (Socket one = rig.asked(wait);
        Socket two = rig.asked(wait)) {
      busy.await();
      Backend idle = rig.backend((head, in, out) -> say(out, "idle"));
      put(new Choice(Algorithm.LEAST_OUTSTANDING_REQUESTS, null), slow, idle);
      for (int i = 0; i < 20; i++) {
        assertEquals("idle", body(ask("")));
      }
      go.countDown();
      assertTrue(Rig.rest(one).endsWith("slow"));
      assertTrue(Rig.rest(two).endsWith("slow"));
    }
    Set<String> seen = new HashSet<>();
    while (seen.size() < 2) {
      seen.add(body(ask(""))); // as busy as each other: they take turns
    }
  }

  @Test
  void theApplicationsCookieBringsAClientBack() throws Exception {
    Backend[] all = new Backend[3];
    for (int i = 0; i < all.length; i++) {
      String name = "target " + i;
      all[i] =
          rig.backend((head, in, out) -> {
            String set = head.startsWith("GET /login") ? "Set-Cookie: SID=1; Path=/\r\n" : "";
            out.write(Rig.bytes("HTTP/1.1 200 OK\r\n" + set + "Content-Length: 8\r\n\r\n" + name));
            return true;
          });
    }
    put(
        new Choice(Algorithm.ROUND_ROBIN, DAY, "SID", Duration.ZERO, false, Minimum.ONE, true),
        all);
    assertFalse(ask("").contains("AWSALB"), "not before the application sets its own");
    String login = rig.raw("GET /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assertTrue(login.contains("\r\nSet-Cookie: SID=1; Path=/\r\n"), login);
    String cookie = cookie(login, "AWSALBAPP-0");
    for (int i = 0; i < 6; i++) {
      String again = ask("SID=1; " + cookie);
      assertEquals(body(login), body(again));
      cookie(again, "AWSALBAPP-0"); // its time begins anew
    }
    Set<String> without = new HashSet<>();
    for (int i = 0; i < 3; i++) {
      without.add(body(ask(cookie)));
    }
    assertEquals(3, without.size(), "without the application's own it does not count");
  }

  @Test
  void aNodeKeepsToItsZone() throws Exception {
    Backend[] all = three();
    Choice confined =
        new Choice(Algorithm.ROUND_ROBIN, null, null, Duration.ZERO, false, Minimum.ONE, false);
    TargetGroup group =
        new TargetGroup(
            "tg",
            Version.HTTP1,
            confined,
            Rig.CHECK,
            List.of(
                new LoadBalancer.Member(all[0].target(), "a", null, false),
                new LoadBalancer.Member(all[1].target(), "b", null, false),
                new LoadBalancer.Member(all[2].target(), "a", null, false)));
    put(new Action.Forward("tg"), null, group);
    Set<String> seen = new HashSet<>();
    for (int i = 0; i < 20; i++) {
      seen.add(body(ask("")));
    }
    assertEquals(Set.of("target 0", "target 2"), seen);
    put(
        new Action.Forward("tg"),
        null,
        new TargetGroup(
            "tg",
            Version.HTTP1,
            confined,
            Rig.CHECK,
            List.of(new LoadBalancer.Member(all[1].target(), "b", null, false))));
    assertTrue(ask("").startsWith("HTTP/1.1 503 "));
  }

  @Test
  void whoFailsIsAskedLessOften() throws Exception {
    Backend[] all = new Backend[3];
    for (int i = 0; i < all.length; i++) {
      int status = i == 0 ? 500 : 200;
      all[i] =
          rig.backend((head, in, out) -> {
            out.write(Backend.answer(status, "x"));
            return true;
          });
    }
    put(
        new Choice(Algorithm.WEIGHTED_RANDOM, null, null, Duration.ZERO, true, Minimum.ONE, true),
        all);
    Balancer.Anomaly caught = new Balancer.Anomaly(true, true);
    while (!caught.equals(rig.balancer.anomalies("tg").get(all[0].target()))) {
      ask("");
    }
    assertEquals(
        new Balancer.Anomaly(false, false), rig.balancer.anomalies("tg").get(all[1].target()));
  }

  @Test
  void chanceReachesEveryone() throws Exception {
    put(new Choice(Algorithm.WEIGHTED_RANDOM, null), three());
    Map<String, Integer> counts = new HashMap<>();
    for (int i = 0; i < 150; i++) {
      counts.merge(body(ask("")), 1, Integer::sum);
    }
    assertEquals(3, counts.size());
    counts.values().forEach(count -> assertTrue(count > 20 && count < 90, counts.toString()));
  }
}
