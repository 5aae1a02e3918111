package dev.muelle.services.elasticloadbalancingv2.oidc;

import static java.util.Objects.requireNonNull;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Instant;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Sessions that were opened a moment ago. */
class OpenedTest {

  private static final Session SESSION = new Session("me", "{}", "token", null, 0, 0);

  private final Opened opened = new Opened();
  private final AtomicInteger opens = new AtomicInteger();

  private @Nullable Session get(String gate, String sealed, @Nullable Session inside) {
    Visit visit =
        opened.get(
            gate,
            sealed,
            () -> {
              opens.incrementAndGet();
              return inside;
            });
    return visit == null ? null : visit.session();
  }

  @Test
  void oneIsOpenedOnceAtEachGate() {
    assertEquals(SESSION, get("a", "cookie", SESSION));
    assertEquals(SESSION, get("a", "cookie", null));
    assertEquals(1, opens.get());
    assertEquals(null, get("b", "cookie", null), "what counts at one gate says nothing at another");
    assertEquals(2, opens.get());
  }

  @Test
  void whatCannotBeOpenedIsNotKept() {
    assertEquals(null, get("a", "made up", null));
    assertEquals(SESSION, get("a", "made up", SESSION));
    assertEquals(2, opens.get());
  }

  @Test
  void whatWasSignedIsKeptWithIt() {
    Instant now = Instant.EPOCH;
    get("a", "cookie", SESSION);
    assertEquals("first", known("cookie").token(now, () -> "first"));
    assertEquals("first", known("cookie").token(now, () -> "second"));
  }

  private Visit known(String sealed) {
    return requireNonNull(opened.get("a", sealed, () -> null));
  }

  @Test
  void whatALongSessionHoldsCountsWithItsCookie() {
    Session large = new Session("me", "{}" + " ".repeat(1 << 20), "token", null, 0, 0);
    get("a", "first", large);
    get("a", "second", large); // packed they are short, but not in memory
    assertEquals(2, opens.get());
    get("a", "first", large);
    assertEquals(3, opens.get(), "that one was gone");
  }

  @Test
  void theOldestGoWhenThereAreTooMany() {
    String large = "x".repeat(1 << 20);
    for (int i = 0; i < 5; i++) {
      get("a", i + large, SESSION);
    }
    assertEquals(5, opens.get());
    get("a", 4 + large, SESSION);
    assertEquals(5, opens.get());
    get("a", 0 + large, SESSION);
    assertEquals(6, opens.get(), "that one was gone");
  }
}
