package dev.muelle.services.elasticloadbalancingv2.oidc;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The cookies of one session: browsers take 4 KiB in each, so it may need several. */
final class SessionCookies {

  /** Of a value; with name and attributes it stays below 4 KiB. */
  private static final int PART = 3800;

  /** All together stay below the 16 KiB that a header field may have. */
  private static final int MAX_PARTS = 4;

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ENGLISH)
          .withZone(ZoneOffset.UTC);

  private final String name;

  SessionCookies(String name) {
    this.name = name;
  }

  /** What a browser brings, put together; null if nothing. */
  @Nullable String brought(Function<String, @Nullable String> cookie) {
    String first = cookie.apply(name + "-0");
    if (first == null || first.isEmpty()) {
      return null;
    }
    StringBuilder whole = new StringBuilder(first);
    for (int i = 1; i < MAX_PARTS; i++) {
      String next = cookie.apply(name + "-" + i);
      if (next == null) {
        break;
      }
      whole.append(next);
    }
    return whole.toString();
  }

  /**
   * Brings this about, and the end of what a longer session left behind.
   *
   * @throws Failure if it is too long
   */
  List<String> set(String sealed, Instant until, Function<String, @Nullable String> present)
      throws Failure {
    List<String> cookies = new ArrayList<>();
    for (int at = 0; at < sealed.length(); at += PART) {
      String part = sealed.substring(at, Math.min(sealed.length(), at + PART));
      cookies.add(one(name + "-" + cookies.size(), part, until));
    }
    if (cookies.size() > MAX_PARTS) {
      throw Failure.tooLarge();
    }
    for (int i = cookies.size(); i < MAX_PARTS; i++) {
      if (present.apply(name + "-" + i) != null) {
        cookies.add(gone(name + "-" + i));
      }
    }
    return cookies;
  }

  static String one(String name, String value, Instant until) {
    return name + "=" + value + "; Expires=" + DATE.format(until) + "; Path=/; Secure; HttpOnly";
  }

  static String gone(String name) {
    return one(name, "", Instant.EPOCH);
  }
}
