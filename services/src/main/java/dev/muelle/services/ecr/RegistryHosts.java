package dev.muelle.services.ecr;

import dev.muelle.services.Scope;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which registry a host name means. */
final class RegistryHosts {

  private static final Pattern NAMED =
      Pattern.compile(
          "([0-9]{12})\\.dkr[.-]ecr\\.([a-z]{2}(?:-[a-z]{1,12}){1,3}-[0-9]{1,2})\\.(.+)");

  private final String registryHost;
  private final String port;

  RegistryHosts(String registryHost) {
    this.registryHost = registryHost;
    int colon = registryHost.lastIndexOf(':');
    this.port = colon < 0 ? "" : registryHost.substring(colon);
  }

  /** The account and region that a host name says, if it is one of our names or of Amazon's. */
  Optional<Scope> scope(String host) {
    Matcher named = NAMED.matcher(host.toLowerCase(Locale.ROOT));
    if (!named.matches()) {
      return Optional.empty();
    }
    String rest = named.group(3);
    boolean ours = rest.equals(registryHost) || rest.equals("amazonaws.com");
    return ours ? Optional.of(new Scope(named.group(1), named.group(2))) : Optional.empty();
  }

  /** The account and region at the start of a Host header that reached us, whatever follows. */
  static Optional<Scope> spoken(String host) {
    Matcher named = NAMED.matcher(host.toLowerCase(Locale.ROOT));
    return named.matches()
        ? Optional.of(new Scope(named.group(1), named.group(2)))
        : Optional.empty();
  }

  /** Whether a host name is this machine's own, at our port. */
  boolean isPlain(String host) {
    return host.equals(registryHost)
        || host.equals("localhost" + port)
        || host.equals("127.0.0.1" + port);
  }
}
