package dev.muelle.balancer.rules;

import com.google.re2j.Matcher;
import dev.muelle.balancer.http.BadMessage;
import dev.muelle.balancer.http.Chars;
import org.jspecify.annotations.Nullable;

/**
 * What a rule makes of a request's Host and of its path and query before a target hears of them.
 * Which rule applies has been decided by then, and is not asked again.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-transforms.html">
 *     Transforms for listener rules</a>
 */
public record Rewrites(@Nullable Rewrite host, @Nullable Rewrite url) {

  private static final int MAX_URL = 16 * 1024; // as a request's line may have
  private static final int MAX_HOST = 1024;

  /** A request, as a target shall see it. */
  public record Rewritten(@Nullable String host, String target) {}

  /**
   * Makes what the target sees. What no expression is found in stays as it is.
   *
   * @throws BadMessage (500) if that is nothing a target can be asked for
   */
  public Rewritten apply(String asked, String target) {
    String newHost = host == null ? null : host.replaced(asked, MAX_HOST);
    String newTarget = url == null ? null : url.replaced(target, MAX_URL);
    if (newHost != null && (newHost.isEmpty() || !Chars.isHost(newHost))) {
      throw new BadMessage(500, "rewritten host", "TransformInvalidHost");
    }
    if (newTarget != null && !isTarget(newTarget)) {
      throw new BadMessage(500, "rewritten URL", "TransformInvalidPath");
    }
    return new Rewritten(newHost, newTarget == null ? target : newTarget);
  }

  private static boolean isTarget(String text) {
    return text.startsWith("/") && Chars.all(text, c -> c > ' ' && c < 0x7f && c != '#');
  }

  /**
   * Puts something in the place of what an expression finds first.
   *
   * @param replacement where {@code $1} stands for what the expression's first group holds, and
   *     {@code $$} for a dollar sign
   */
  public record Rewrite(Regex regex, String replacement) {

    /**
     * Checks the replacement.
     *
     * @throws IllegalArgumentException if it names a group that the expression does not have
     */
    public Rewrite {
      for (int i = 0; i < replacement.length(); i++) {
        if (replacement.charAt(i) == '$' && i + 1 < replacement.length()) {
          char next = replacement.charAt(++i);
          if (next >= '0' && next <= '9' && next - '0' > regex.groups()) {
            throw new IllegalArgumentException("$" + next + " names no capture group");
          }
        }
      }
    }

    private static BadMessage tooLong(int most) {
      return new BadMessage(500, "rewritten text longer than " + most, "TransformBufferTooSmall");
    }

    /** The text after it; null if the expression is not found. */
    private @Nullable String replaced(String text, int most) {
      Matcher found = regex.matcher(text);
      if (!found.find()) {
        return null;
      }
      StringBuilder out = new StringBuilder(text.length() + replacement.length());
      out.append(text, 0, found.start());
      for (int i = 0; i < replacement.length(); i++) {
        char c = replacement.charAt(i);
        char next = c == '$' && i + 1 < replacement.length() ? replacement.charAt(i + 1) : 0;
        if (next >= '0' && next <= '9') {
          String group = found.group(next - '0');
          out.append(group == null ? "" : group);
          i++;
        } else {
          out.append(c);
          i += next == '$' ? 1 : 0;
        }
        if (out.length() > most) {
          throw tooLong(most);
        }
      }
      out.append(text, found.end(), text.length());
      if (out.length() > most) {
        throw tooLong(most);
      }
      return out.toString();
    }
  }
}
