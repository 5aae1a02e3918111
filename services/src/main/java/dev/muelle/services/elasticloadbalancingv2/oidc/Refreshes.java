package dev.muelle.services.elasticloadbalancingv2.oidc;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/**
 * A browser sends many requests with the same expired session at once, and many providers take a
 * refresh token only once: all of them get what the first one got.
 */
final class Refreshes {

  /** For requests that were on their way meanwhile. */
  private static final Duration KEPT = Duration.ofSeconds(30);

  private static final int MAX = 1024;

  /** Asks a provider. */
  interface Asking {
    Session ask() throws Failure;
  }

  private record Known(Future<Session> session, Instant until) {}

  private final InstantSource clock;
  private final Map<String, Known> known = new LinkedHashMap<>();

  Refreshes(InstantSource clock) {
    this.clock = clock;
  }

  /** What the first of those who bring this token gets. */
  Session once(String token, Asking asking) throws Failure {
    CompletableFuture<Session> mine = new CompletableFuture<>();
    Future<Session> theirs = first(token, mine);
    if (theirs == null) {
      try {
        Session made = asking.ask();
        mine.complete(made);
        return made;
      } catch (Failure | RuntimeException e) {
        mine.completeExceptionally(e);
        throw e;
      }
    }
    try {
      return theirs.get(); // it has its own time
    } catch (ExecutionException e) {
      throw e.getCause() instanceof Failure why
          ? why
          : Failure.unreachable("AuthUnhandledException");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw Failure.unreachable("AuthUnhandledException");
    }
  }

  /** Null for the first one. */
  private synchronized @org.jspecify.annotations.Nullable Future<Session> first(
      String token, Future<Session> mine) {
    Instant now = clock.instant();
    Iterator<Known> oldest = known.values().iterator();
    while (oldest.hasNext()) {
      Known one = oldest.next();
      if (one.until().isAfter(now) && known.size() < MAX) {
        break;
      }
      oldest.remove();
    }
    Known present = known.putIfAbsent(token, new Known(mine, now.plus(KEPT)));
    return present == null ? null : present.session();
  }
}
