package dev.muelle.services.elasticloadbalancingv2.oidc;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Sessions that were opened a moment ago, so that a user's many requests cost an event loop one
 * decryption. Only what could be opened is kept, and of that what was asked for last: nobody fills
 * it with cookies that he made up. What is kept grants nothing by itself; that a session has ended
 * is looked at with each request.
 */
final class Opened {

  /** Characters of all cookies. */
  private static final int MOST = 4 << 20;

  private record Key(String gate, String sealed) {}

  private final Map<Key, Session> sessions = new LinkedHashMap<>(16, 0.75f, true);
  private int held;

  /**
   * The session that a cookie is.
   *
   * @param gate by which it was sealed
   * @param open opens it; null if it is none
   */
  @Nullable Session get(String gate, String sealed, Supplier<@Nullable Session> open) {
    Key key = new Key(gate, sealed);
    synchronized (sessions) {
      Session known = sessions.get(key);
      if (known != null) {
        return known;
      }
    }
    Session fresh = open.get(); // two at once open it twice
    if (fresh != null) {
      synchronized (sessions) {
        held += sessions.put(key, fresh) == null ? sealed.length() : 0;
        Iterator<Key> oldest = sessions.keySet().iterator();
        while (held > MOST && oldest.hasNext()) {
          held -= oldest.next().sealed().length();
          oldest.remove();
        }
      }
    }
    return fresh;
  }
}
