package dev.muelle.services;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * What tags may be, as nearly all services have it; how one that may not is refused, and how many a
 * resource has, each says in words of its own.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html">Tag
 *     naming limits and requirements</a>
 */
public final class TagRules {

  private static final String ALLOWED = "[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]";
  private static final Pattern KEY = Pattern.compile(ALLOWED + "{1,128}");
  private static final Pattern VALUE = Pattern.compile(ALLOWED + "{0,256}");

  private TagRules() {}

  /** Whether a key has a length and characters that are allowed; it may be AWS's own. */
  public static boolean isKey(String key) {
    return KEY.matcher(key).matches();
  }

  /** Whether a value has a length and characters that are allowed. */
  public static boolean isValue(String value) {
    return VALUE.matcher(value).matches();
  }

  /** Whether only AWS itself gives tags with this key. */
  public static boolean isReserved(String key) {
    return key.toLowerCase(Locale.ROOT).startsWith("aws:");
  }

  /** Tags with more of them, which replace those of the same key. */
  public static Map<String, String> with(Map<String, String> tags, Map<String, String> more) {
    Map<String, String> all = new LinkedHashMap<>(tags);
    all.putAll(more);
    return all;
  }

  /** Tags without those that have one of the keys. */
  public static Map<String, String> without(Map<String, String> tags, Collection<String> keys) {
    Map<String, String> left = new LinkedHashMap<>(tags);
    keys.forEach(left::remove);
    return left;
  }
}
