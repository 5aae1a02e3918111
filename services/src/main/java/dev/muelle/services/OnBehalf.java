package dev.muelle.services;

import java.util.Locale;
import java.util.function.Supplier;

/**
 * What a service of the region does for itself through another one's door. It may do there what
 * callers may not: give resources tags that begin with {@code aws:} and its own name, or terminate
 * an instance that is protected from them.
 *
 * @see <a href="https://docs.aws.amazon.com/tag-editor/latest/userguide/tagging.html">Tags that
 *     begin with aws: are reserved for services</a>
 */
public final class OnBehalf {

  private static final String RESERVED = "aws:";
  private static final ScopedValue<String> SERVICE = ScopedValue.newInstance();

  private OnBehalf() {}

  /**
   * Does something as a service.
   *
   * @param service as in its tags, for example {@code autoscaling}
   */
  public static <R> R of(String service, Supplier<R> work) {
    return ScopedValue.where(SERVICE, service).call(work::get);
  }

  /** Whether a service, as in its tags, is doing something now. */
  public static boolean by(String service) {
    return SERVICE.isBound() && SERVICE.get().equals(service);
  }

  /** Whether whoever calls now may set and take away a tag with this key. */
  public static boolean mayTag(String key) {
    String lower = key.toLowerCase(Locale.ROOT);
    return !lower.startsWith(RESERVED)
        || (SERVICE.isBound() && lower.startsWith(RESERVED + SERVICE.get() + ":"));
  }
}
