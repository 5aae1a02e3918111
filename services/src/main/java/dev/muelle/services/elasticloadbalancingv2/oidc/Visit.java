package dev.muelle.services.elasticloadbalancingv2.oidc;

import java.time.Duration;
import java.time.Instant;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A session, and the token that was last signed of it: a signature is a tenth of a millisecond, so
 * a user's many requests bring targets the same one until it has become older than {@link #FRESH}.
 * Whoever's claims change has another cookie, and with it another visit.
 */
final class Visit {

  /** Of the two minutes that a token counts, targets always have most before them. */
  static final Duration FRESH = Duration.ofSeconds(30);

  private record Signed(String token, Instant at) {}

  private final Session session;
  private volatile @Nullable Signed last;

  Visit(Session session) {
    this.session = session;
  }

  Session session() {
    return session;
  }

  /**
   * What is signed of the session.
   *
   * @param sign makes it, as of now
   */
  String token(Instant now, Supplier<String> sign) {
    Signed known = last;
    if (known == null || now.isBefore(known.at) || !now.isBefore(known.at.plus(FRESH))) {
      known = new Signed(sign.get(), now); // two at once sign it twice
      last = known;
    }
    return known.token;
  }

  /** Characters, about, with a token: its content is the claims in base64, and who signed them. */
  int weight() {
    return session.accessToken().length() + 3 * session.claims().length() + 1024;
  }
}
