package dev.muelle.services.elasticloadbalancingv2.listener;

import dev.muelle.balancer.http.Edits;
import dev.muelle.services.elasticloadbalancingv2.request.Protocols;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Listening;
import dev.muelle.services.elasticloadbalancingv2.state.Wakes;
import dev.muelle.store.Store;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenerAttributesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenerAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ListenerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerAttributesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;

/**
 * Attributes of listeners: what they change in the header fields of requests and of answers; of
 * network load balancers', how long they wait.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html">HTTP
 *     header modification for your Application Load Balancer</a>
 */
public final class ListenerAttributes {

  private static final String REQUEST = "routing.http.request.";
  private static final String RESPONSE = "routing.http.response.";
  private static final String SERVER = RESPONSE + "server.enabled";
  private static final int MAX_NAME = 64;
  private static final int MAX_VALUE = 1024;

  /** The usual names of what is added to requests, by key. */
  private static final Map<String, String> NAMES = new TreeMap<>();

  /** The fields that are added to answers, by key. */
  private static final Map<String, String> FIELDS = new TreeMap<>();

  static {
    for (String name :
        List.of(
            "X-Amzn-Mtls-Clientcert-Serial-Number",
            "X-Amzn-Mtls-Clientcert-Issuer",
            "X-Amzn-Mtls-Clientcert-Subject",
            "X-Amzn-Mtls-Clientcert-Validity",
            "X-Amzn-Mtls-Clientcert-Leaf",
            "X-Amzn-Mtls-Clientcert",
            "X-Amzn-Tls-Version",
            "X-Amzn-Tls-Cipher-Suite")) {
      NAMES.put(REQUEST + key(name) + ".header_name", name);
    }
    for (String name :
        List.of(
            "Strict-Transport-Security",
            "Access-Control-Allow-Origin",
            "Access-Control-Allow-Methods",
            "Access-Control-Allow-Headers",
            "Access-Control-Allow-Credentials",
            "Access-Control-Expose-Headers",
            "Access-Control-Max-Age",
            "Content-Security-Policy",
            "X-Content-Type-Options",
            "X-Frame-Options")) {
      FIELDS.put(RESPONSE + key(name) + ".header_value", name);
    }
  }

  private final Store store;
  private final Wakes wakes;

  public ListenerAttributes(Store store, Wakes wakes) {
    this.store = store;
    this.wakes = wakes;
  }

  private static String key(String name) {
    return name.toLowerCase(java.util.Locale.ROOT).replace('-', '_');
  }

  public DescribeListenerAttributesResponse describe(DescribeListenerAttributesRequest request) {
    return DescribeListenerAttributesResponse.builder()
        .attributes(all(store.read(tx -> Existing.listener(tx, request.listenerArn()))))
        .build();
  }

  public ModifyListenerAttributesResponse modify(ModifyListenerAttributesRequest request) {
    if (request.attributes().isEmpty()) {
      throw Refuse.invalid("An attribute must be specified");
    }
    Listening changed =
        store.write(tx -> {
          Listening old = Existing.listener(tx, request.listenerArn());
          Map<String, String> next = new LinkedHashMap<>(old.attributes());
          Set<String> seen = new TreeSet<>();
          for (ListenerAttribute attribute : request.attributes()) {
            String key = Refuse.unlessPresent("attributes.1.member.key", attribute.key());
            if (!seen.add(key)) {
              throw Refuse.invalid("Listener attribute key '" + key + "' is specified twice");
            }
            String value = attribute.value() == null ? "" : attribute.value();
            check(old.listener().protocol(), key, value);
            next.put(key, value);
          }
          unlessDistinct(next);
          Listening listening = old.withAttributes(next);
          tx.put(State.LISTENERS, request.listenerArn(), listening);
          return listening;
        });
    wakes.now(List.of(changed.listener().loadBalancerArn()));
    return ModifyListenerAttributesResponse.builder().attributes(all(changed)).build();
  }

  private static List<ListenerAttribute> all(Listening listening) {
    Map<String, String> all = new TreeMap<>();
    if (Protocols.flows(listening.listener().protocol())) {
      all.putAll(FlowListeners.attributes(listening));
      return shown(all);
    }
    if (listening.listener().protocol() == ProtocolEnum.HTTPS) {
      all.putAll(NAMES);
    }
    FIELDS.keySet().forEach(key -> all.put(key, ""));
    all.put(SERVER, "true");
    all.putAll(listening.attributes());
    return shown(all);
  }

  private static List<ListenerAttribute> shown(Map<String, String> all) {
    return all.entrySet().stream()
        .map(e -> ListenerAttribute.builder().key(e.getKey()).value(e.getValue()).build())
        .toList();
  }

  private static void check(ProtocolEnum protocol, String key, String value) {
    if (Protocols.flows(protocol)) {
      unless(FlowListeners.takes(protocol, key, value), key, value);
      return;
    }
    if (NAMES.containsKey(key)) {
      if (protocol != ProtocolEnum.HTTPS) {
        throw InvalidConfigurationRequestException.builder()
            .message("Listener attribute '" + key + "' is supported for HTTPS listeners only")
            .build();
      }
      boolean usual = value.equalsIgnoreCase(NAMES.get(key));
      if (value.length() > MAX_NAME
          || !value.matches("[A-Za-z0-9_-]+")
          || !usual && reserved(value.toLowerCase(java.util.Locale.ROOT))) {
        throw wrong(key, value);
      }
      return;
    }
    if (key.equals(SERVER)) {
      unless(value.matches("true|false"), key, value);
      return;
    }
    String field = FIELDS.get(key);
    if (field == null) {
      throw Refuse.invalid("Listener attribute key '" + key + "' is not recognized");
    }
    if (value.isEmpty()) {
      return; // nothing is added
    }
    boolean plain =
        value.length() <= MAX_VALUE
            && value.chars().allMatch(c -> c >= ' ' && c < 0x7f)
            && value.equals(value.strip());
    unless(
        plain
            && switch (field) {
              case "Strict-Transport-Security" ->
                  value.matches("(?i)max-age=[0-9]{1,10}(; *includeSubDomains)?(; *preload)?;?");
              case "Access-Control-Allow-Credentials" -> value.equals("true");
              case "Access-Control-Max-Age" ->
                  value.matches("[0-9]{1,5}") && Integer.parseInt(value) <= 86_400;
              case "Access-Control-Allow-Methods" -> value.matches("\\*|[A-Z]+( *, *[A-Z]+)*");
              case "X-Content-Type-Options" -> value.equals("nosniff");
              case "X-Frame-Options" -> value.matches("DENY|SAMEORIGIN|ALLOW-FROM https?://[^ ]+");
              default -> true;
            },
        key,
        value);
  }

  /** Names of fields that say where a message ends, or that the load balancer writes itself. */
  private static boolean reserved(String name) {
    return name.startsWith("x-amzn-")
        || name.startsWith("x-forwarded-")
        || Set.of(
                "host",
                "connection",
                "keep-alive",
                "proxy-connection",
                "transfer-encoding",
                "transfer_encoding",
                "content-length",
                "content_length",
                "upgrade",
                "te",
                "trailer",
                "expect",
                "cookie",
                "authorization")
            .contains(name);
  }

  private static void unlessDistinct(Map<String, String> attributes) {
    Set<String> names = new TreeSet<>(String.CASE_INSENSITIVE_ORDER);
    NAMES.forEach((key, usual) -> {
      if (!names.add(attributes.getOrDefault(key, usual))) {
        throw wrong(key, attributes.getOrDefault(key, usual));
      }
    });
  }

  private static void unless(boolean right, String key, String value) {
    if (!right) {
      throw wrong(key, value);
    }
  }

  private static RuntimeException wrong(String key, @Nullable String value) {
    return Refuse.invalid("The value '" + value + "' is not valid for the attribute '" + key + "'");
  }

  /** The same for the balancer. */
  public static Edits view(Map<String, String> attributes) {
    if (attributes.isEmpty()) {
      return Edits.NONE;
    }
    Map<String, String> names = new LinkedHashMap<>();
    NAMES.forEach((key, usual) -> {
      String name = attributes.getOrDefault(key, usual);
      if (!name.equals(usual)) {
        names.put(usual, name);
      }
    });
    Map<String, String> fields = new LinkedHashMap<>();
    FIELDS.forEach((key, field) -> {
      String value = attributes.getOrDefault(key, "");
      if (!value.isEmpty()) {
        fields.put(field, value);
      }
    });
    return new Edits(names, !"false".equals(attributes.get(SERVER)), fields);
  }
}
