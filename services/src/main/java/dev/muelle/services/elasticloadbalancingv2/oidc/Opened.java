package dev.muelle.services.elasticloadbalancingv2.oidc;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sessions that were opened a moment ago, so that a user's many requests cost an event loop one
 * decryption, and few signatures ({@link Visit}). Only what could be opened is kept, and of that
 * what was asked for last: nobody fills it with cookies that he made up. What is kept grants
 * nothing by itself; that a session has ended is looked at with each request.
 */
final class Opened {

  /** Characters, about, of all cookies and of what is kept of them. */
  private static final int MOST = 4 << 20;

  private record Key(String gate, String sealed) {}

  private final Map<Key, Visit> visits = new LinkedHashMap<>(16, 0.75f, true);
  private int held;

  /**
   * The session that a cookie is.
   *
   * @param gate by which it was sealed
   * @param open opens it; null if it is none
   */
  @Nullable Visit get(String gate, String sealed, Supplier<@Nullable Session> open) {
    Key key = new Key(gate, sealed);
    synchronized (visits) {
      Visit known = visits.get(key);
      if (known != null) {
        return known;
      }
    }
    Session fresh = open.get(); // two at once open it twice
    if (fresh == null) {
      return null;
    }
    Visit visit = new Visit(fresh);
    synchronized (visits) {
      Visit before = visits.put(key, visit);
      held += before == null ? weight(key, visit) : 0; // else of the same cookie, and weight
      Iterator<Map.Entry<Key, Visit>> oldest = visits.entrySet().iterator();
      while (held > MOST && oldest.hasNext()) {
        Map.Entry<Key, Visit> one = oldest.next();
        held -= weight(one.getKey(), one.getValue());
        oldest.remove();
      }
    }
    return visit;
  }

  private static int weight(Key key, Visit visit) {
    return key.sealed().length() + visit.weight();
  }
}
