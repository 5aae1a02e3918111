package dev.muelle.network.linux;

import dev.muelle.network.Network.NetworkInterface;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What the filters of an earlier server still know of interfaces, until this one has said what they
 * are to be.
 */
final class Adopted {

  private static final Pattern ADDRESS = Pattern.compile("([0-9a-f.:]+) : 0x");
  private static final Pattern PUBLIC = Pattern.compile("([0-9.]+) : ([0-9.]+)");
  private static final Pattern ROUTER = Pattern.compile("\"(v[0-9a-f]+)\" : 0x");

  private final Set<String> addresses = new HashSet<>();

  /** The public addresses of addresses. */
  private final Map<String, String> publicAddresses = new HashMap<>();

  /** Devices of interfaces that forwarded. */
  private final Set<String> routers = new HashSet<>();

  /**
   * Reads what there is.
   *
   * @param maps what nft(8) lists of a map; empty if there is none of that name
   */
  void read(UnaryOperator<String> maps) {
    for (Family family : Family.values()) {
      found(ADDRESS, maps.apply(family.set("egress"))).forEach(one -> addresses.add(one.group(1)));
    }
    found(ROUTER, maps.apply("routers")).forEach(one -> routers.add(one.group(1)));
    found(PUBLIC, maps.apply("public"))
        .forEach(one -> publicAddresses.put(one.group(1), one.group(2)));
  }

  private static Stream<MatchResult> found(Pattern pattern, String listed) {
    return pattern.matcher(listed).results();
  }

  /** What the filters are to forget before they learn an interface, in the words of nft(8). */
  String forgetting(NetworkInterface eni) {
    StringBuilder script = new StringBuilder();
    for (String address : eni.all()) {
      if (addresses.contains(address)) {
        script.append(Ruleset.withoutAddress(address));
      }
    }
    if (routers.remove(KernelNames.veth(eni.id()))) {
      script.append(Ruleset.withoutRouter(eni.id()));
    }
    // Its own public addresses of then, and its own of now, which may have been another's then.
    for (Map.Entry<String, String> then : Map.copyOf(publicAddresses).entrySet()) {
      if (eni.addresses().contains(then.getKey())
          || eni.publicAddresses().containsValue(then.getValue())) {
        script.append(Ruleset.withoutPublic(then.getKey(), then.getValue()));
        publicAddresses.remove(then.getKey());
      }
    }
    return script.toString();
  }

  /** The filters have learnt these. */
  void learnt(List<String> all) {
    all.forEach(addresses::remove);
  }
}
