package dev.muelle.services.elasticloadbalancingv2.oidc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** What is signed of a session. */
class VisitTest {

  private static final Instant START = Instant.parse("2026-02-03T12:00:00Z");

  private final Visit visit = new Visit(new Session("me", "{}", "token", null, 0, 0));
  private final AtomicInteger signed = new AtomicInteger();

  private String at(long seconds) {
    return visit.token(START.plusSeconds(seconds), () -> "token " + signed.incrementAndGet());
  }

  @Test
  void manyRequestsCostOneSignature() {
    for (int second = 0; second < 30; second++) {
      assertEquals("token 1", at(second));
    }
    assertEquals(1, signed.get());
  }

  @Test
  void aTokenIsSignedAnewLongBeforeItsEnd() {
    at(0);
    assertEquals("token 2", at(30));
    assertEquals("token 2", at(59));
    assertEquals("token 3", at(60));
    assertTrue(UserData.LIFE.minus(Visit.FRESH).compareTo(Visit.FRESH) > 0);
  }

  @Test
  void aClockThatWentBackMakesNoTokenThatCountsLonger() {
    at(0);
    assertEquals("token 2", at(-1));
  }

  @Test
  void anotherSessionHasItsOwn() {
    at(0);
    Visit other = new Visit(visit.session());
    assertEquals("other", other.token(START, () -> "other"));
    assertEquals("token 1", at(1));
  }
}
