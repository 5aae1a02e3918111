package dev.muelle.balancer.rules;

import java.net.InetAddress;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a request must be for a rule to apply to it. Of several values one has to match.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html">
 *     Condition types for listener rules</a>
 */
public sealed interface Condition {

  boolean holds(Facts facts);

  /**
   * What conditions look at.
   *
   * @param host without a port
   * @param hostHeader as it was sent: regular expressions see the port too
   * @param path as it was sent, without the query
   * @param query as it was sent, without its question mark; empty if there is none
   * @param fields the values of a header field by its name in lower case
   */
  record Facts(
      String method,
      String host,
      String hostHeader,
      String path,
      String query,
      Function<String, List<String>> fields,
      String clientAddress) {}

  private static boolean any(List<? extends TextPattern> patterns, String value) {
    for (TextPattern pattern : patterns) {
      if (pattern.matches(value)) {
        return true;
      }
    }
    return false;
  }

  record HostHeader(List<? extends TextPattern> patterns) implements Condition {
    @Override
    public boolean holds(Facts facts) {
      for (TextPattern pattern : patterns) {
        if (pattern.matches(pattern instanceof Regex ? facts.hostHeader() : facts.host())) {
          return true;
        }
      }
      return false;
    }
  }

  record PathPattern(List<? extends TextPattern> patterns) implements Condition {
    @Override
    public boolean holds(Facts facts) {
      return any(patterns, facts.path());
    }
  }

  record HttpHeader(String name, List<? extends TextPattern> patterns) implements Condition {
    @Override
    public boolean holds(Facts facts) {
      return facts.fields().apply(name.toLowerCase(Locale.ROOT)).stream()
          .anyMatch(value -> any(patterns, value));
    }
  }

  record RequestMethod(Set<String> methods) implements Condition {
    @Override
    public boolean holds(Facts facts) {
      return methods.contains(facts.method());
    }
  }

  record QueryString(List<Parameter> parameters) implements Condition {

    /**
     * A parameter of the query.
     *
     * @param key null for any
     */
    public record Parameter(@Nullable Wildcard key, Wildcard value) {

      private boolean in(String query) {
        for (String pair : query.split("&", -1)) {
          int sign = pair.indexOf('=');
          String name = sign < 0 ? pair : pair.substring(0, sign);
          String content = sign < 0 ? "" : pair.substring(sign + 1);
          if ((key == null || key.matches(name)) && value.matches(content)) {
            return true;
          }
        }
        return false;
      }
    }

    @Override
    public boolean holds(Facts facts) {
      return !facts.query().isEmpty()
          && parameters.stream().anyMatch(parameter -> parameter.in(facts.query()));
    }
  }

  /** The client's own address, whatever X-Forwarded-For says. */
  record SourceIp(List<Block> blocks) implements Condition {

    /** A range of addresses, of one of the two families. */
    public record Block(InetAddress first, int bits) {

      /**
       * Reads {@code 192.0.2.0/24} or {@code 2001:db8::/32}.
       *
       * @throws IllegalArgumentException if it is neither
       */
      public static Block parse(String cidr) {
        int slash = cidr.indexOf('/');
        if (slash < 0) {
          throw new IllegalArgumentException(cidr + ": expected ADDRESS/BITS");
        }
        InetAddress first = InetAddress.ofLiteral(cidr.substring(0, slash));
        int bits = Integer.parseInt(cidr.substring(slash + 1));
        if (bits < 0 || bits > first.getAddress().length * Byte.SIZE) {
          throw new IllegalArgumentException(cidr + ": so many bits an address does not have");
        }
        return new Block(first, bits);
      }

      boolean contains(InetAddress address) {
        byte[] mine = first.getAddress();
        byte[] other = address.getAddress();
        if (mine.length != other.length) {
          return false;
        }
        for (int bit = 0; bit < bits; bit++) {
          int mask = 0x80 >> bit % Byte.SIZE;
          if (((mine[bit / Byte.SIZE] ^ other[bit / Byte.SIZE]) & mask) != 0) {
            return false;
          }
        }
        return true;
      }
    }

    @Override
    public boolean holds(Facts facts) {
      if (facts.clientAddress().isEmpty()) {
        return false;
      }
      InetAddress client = InetAddress.ofLiteral(facts.clientAddress());
      return blocks.stream().anyMatch(block -> block.contains(client));
    }
  }
}
