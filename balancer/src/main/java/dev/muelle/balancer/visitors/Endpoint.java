package dev.muelle.balancer.visitors;

import dev.muelle.balancer.routing.BalancerState.Binding;
import dev.muelle.balancer.routing.Place;
import dev.muelle.balancer.tls.TlsServer;
import io.netty.channel.Channel;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** A place where clients knock, and whom they may mean. */
public final class Endpoint {

  public final Place key;
  public final boolean shared;
  public final Set<Visitor> clients = ConcurrentHashMap.newKeySet();
  public volatile Map<String, Binding> bindings = Map.of();
  public @Nullable Channel server;

  public Endpoint(Place key, boolean shared) {
    this.key = key;
    this.shared = shared;
  }

  /** The listener that is meant by a Host header; null if none is. */
  @Nullable Binding find(String host) {
    if (!shared) {
      return bindings.get("");
    }
    return bindings.get(withoutPort(host).toLowerCase(Locale.ROOT));
  }

  /** Whether clients have to speak TLS. */
  boolean secure() {
    return bindings.values().stream().anyMatch(Binding::secure);
  }

  /**
   * Under which key of the bindings the one is that a TLS client means: by the load balancer's own
   * name, or by a name that certificates of one load balancer only are for. Null if none is meant.
   *
   * @param name what the client asks for, lower case
   */
  @Nullable String secureKey(@Nullable String name) {
    Map<String, Binding> now = bindings;
    if (!shared) {
      return "";
    }
    if (name == null || now.containsKey(name)) {
      return name;
    }
    List<String> owners =
        now.entrySet().stream()
            .filter(entry -> {
              TlsServer tls = entry.getValue().tls();
              return tls != null && tls.isFor(name);
            })
            .map(Map.Entry::getKey)
            .toList();
    return owners.size() == 1 ? owners.getFirst() : null;
  }

  private static String withoutPort(String host) {
    int colon = host.indexOf(':', host.lastIndexOf(']') + 1);
    String name = colon < 0 ? host : host.substring(0, colon);
    return name.endsWith(".") ? name.substring(0, name.length() - 1) : name;
  }
}
