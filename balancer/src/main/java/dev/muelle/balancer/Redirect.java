package dev.muelle.balancer;

import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.rules.Condition;

/**
 * Sends the client elsewhere. Each part may name the request's own as {@code #{protocol}}, {@code
 * #{host}}, {@code #{port}}, {@code #{path}} (without its leading slash) and {@code #{query}}.
 *
 * @param status 301 or 302
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_RedirectActionConfig.html">
 *     RedirectActionConfig</a>
 */
public record Redirect(
    int status, String protocol, String host, String port, String path, String query)
    implements Action.Ending {

  /** Where to; the port is always told, as ALB does. */
  public String location(Condition.Facts facts, boolean secure, int listenerPort) {
    String rest = fill(query, facts, secure, listenerPort);
    return fill(protocol, facts, secure, listenerPort)
        + "://"
        + fill(host, facts, secure, listenerPort)
        + ":"
        + fill(port, facts, secure, listenerPort)
        + fill(path, facts, secure, listenerPort)
        + (rest.isEmpty() ? "" : "?" + rest);
  }

  private static String fill(
      String template, Condition.Facts facts, boolean secure, int listenerPort) {
    if (!template.contains("#{")) {
      return template;
    }
    StringBuilder filled = new StringBuilder();
    for (int at = 0; at < template.length(); ) {
      int open = template.indexOf("#{", at);
      int close = open < 0 ? -1 : template.indexOf('}', open);
      if (close < 0) {
        return filled.append(template, at, template.length()).toString();
      }
      filled.append(template, at, open);
      String name = template.substring(open + 2, close);
      filled.append(
          switch (name) {
            case "protocol" -> secure ? "https" : "http";
            case "host" -> facts.host();
            case "port" -> String.valueOf(listenerPort);
            case "path" -> facts.path().substring(facts.path().startsWith("/") ? 1 : 0);
            case "query" -> facts.query();
            default -> template.substring(open, close + 1);
          });
      at = close + 1;
    }
    return filled.toString();
  }
}
