package dev.muelle.balancer.probes;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.muelle.balancer.Balancer.Target;
import dev.muelle.balancer.LoadBalancer.Node;
import dev.muelle.balancer.LoadBalancer.Sockets;
import dev.muelle.balancer.LoadBalancer.Version;
import dev.muelle.balancer.health.HealthRules;
import dev.muelle.balancer.health.HealthRules.Outcome;
import dev.muelle.balancer.health.HealthRules.Outcome.Fault;
import dev.muelle.balancer.logs.Checked;
import dev.muelle.balancer.netty.Rig;
import dev.muelle.balancer.routing.GroupState;
import dev.muelle.balancer.routing.MemberState;
import java.time.Instant;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;

/** What is told of health checks, in AWS's words. */
class ToldTest {

  private static final Instant NOW = Instant.parse("2026-02-03T12:00:00.5Z");

  private static final Node NODE =
      new Node(
          "10.0.0.9",
          "a",
          new Sockets() {
            @Override
            public <T> T call(Callable<T> birth) throws Exception {
              return birth.call();
            }
          });

  private static Checked told(Version version, boolean secure, Outcome outcome) {
    MemberState member =
        new MemberState(
            new GroupState("tg", version, secure, Rig.CHECK, id -> {}),
            new Target("10.0.1.7", 80),
            "a",
            true,
            HealthRules.fresh(NOW));
    return Told.of(member, NODE, Rig.CHECK, outcome, 500_000_000, NOW);
  }

  private static String failure(Version version, Outcome outcome) {
    return told(version, false, outcome).failure();
  }

  @Test
  void theTimeIsWhenItBegan() {
    Checked one = told(Version.HTTP1, false, new Outcome.TimedOut());
    assertEquals(Instant.parse("2026-02-03T12:00:00Z"), one.at());
    assertEquals(500_000_000, one.nanos());
  }

  @Test
  void eachFailureHasItsCode() {
    assertEquals("", failure(Version.HTTP1, new Outcome.Passed(200)));
    assertEquals("ResponseCodeMismatch", failure(Version.HTTP1, new Outcome.WrongStatus(404)));
    assertEquals("TargetError", failure(Version.HTTP2, new Outcome.WrongStatus(503)));
    assertEquals("GRPCUnexpectedStatus", failure(Version.GRPC, new Outcome.WrongStatus(14)));
    assertEquals("TimedOut", failure(Version.HTTP1, new Outcome.TimedOut()));
    assertEquals(
        "ConnectionReset", failure(Version.HTTP1, new Outcome.NoAnswer(Fault.UNREACHABLE)));
    assertEquals("ConnectionReset", failure(Version.HTTP1, new Outcome.NoAnswer(Fault.BROKEN_OFF)));
    assertEquals("TargetError", failure(Version.HTTP1, new Outcome.NoAnswer(Fault.MALFORMED)));
    assertEquals(
        "GRPCStatusHeaderEmpty", failure(Version.GRPC, new Outcome.NoAnswer(Fault.NO_GRPC_STATUS)));
  }
}
