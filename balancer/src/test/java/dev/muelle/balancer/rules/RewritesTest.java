package dev.muelle.balancer.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Rule;
import dev.muelle.balancer.netty.Backend;
import dev.muelle.balancer.netty.Rig;
import dev.muelle.balancer.rules.Rewrites.Rewrite;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Regular expressions in conditions, and what they make of a request; over real connections. */
class RewritesTest {

  private final Rig rig = new Rig();

  @AfterEach
  void close() throws IOException {
    rig.close();
  }

  /** Targets that answer with the request's line and Host, as they hear them. */
  private void offer(Rule... rules) throws IOException {
    rig.rules = List.of(rules);
    rig.serve(
        rig.backend((head, in, out) -> {
          String host = head.substring(head.indexOf("Host: ") + 6).lines().findFirst().orElse("");
          out.write(Backend.answer(200, head.lines().findFirst().orElse("") + "|" + host));
          return true;
        }));
  }

  private static Rule rewriting(Condition condition, Rewrites rewrites) {
    return new Rule(List.of(condition), new Action.Forward("tg"), rewrites);
  }

  private static Condition.PathPattern path(String regex) {
    return new Condition.PathPattern(List.of(Regex.of(regex, false)));
  }

  private static Rewrite rewrite(String regex, String replacement) {
    return new Rewrite(Regex.of(regex, false), replacement);
  }

  private String ask(String target, String host) throws IOException {
    return rig.raw(
        "GET " + target + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  }

  private String told(String target, String host) throws IOException {
    String answer = ask(target, host);
    assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
    return answer.substring(answer.indexOf("\r\n\r\n") + 4);
  }

  @Test
  void targetsHearTheRewrittenRequest() throws IOException {
    offer(
        rewriting(
            path("^/dp/"),
            new Rewrites(null, rewrite("^\\/dp\\/([A-Za-z0-9]+)\\/?$", "/product.php?id=$1"))),
        rewriting(
            new Condition.HostHeader(List.of(Regex.of("^mywebsite-(.+)\\.com$", true))),
            new Rewrites(
                new Rewrite(Regex.of("^mywebsite-(.+).com$", true), "internal.$1.my.com"), null)),
        rewriting(
            path("^/both(/|$)"),
            new Rewrites(rewrite(":[0-9]+$", ""), rewrite("both/(.*)\\?", "$1?cost=$$5&x"))));
    assertEquals(
        "GET /product.php?id=B09G3HRMW HTTP/1.1|x:" + rig.port, told("/dp/B09G3HRMW", "x"));
    // The URL's query is seen too: the expression ends with the path.
    assertEquals("GET /dp/B09?q=1 HTTP/1.1|x:" + rig.port, told("/dp/B09?q=1", "x"));
    assertEquals("GET /a HTTP/1.1|internal.One.my.com", told("/a", "MyWebsite-One.com"));
    assertEquals(
        "GET /a HTTP/1.1|mywebsite-one.com:81", told("/a", "mywebsite-one.com:81"), "the port");
    assertEquals("GET /z?cost=$5&xq=1 HTTP/1.1|h", told("/both/z?q=1", "h:99"));
    assertEquals("GET /none HTTP/1.1|x:" + rig.port, told("/none", "x"));
  }

  @Test
  void whatNoTargetCanBeAskedForIsAnsweredWith500() throws IOException {
    offer(
        rewriting(path("^/a"), new Rewrites(null, rewrite("^/", ""))),
        rewriting(path("^/b"), new Rewrites(null, rewrite("^/b", "/ HTTP/1.1 "))),
        rewriting(path("^/c"), new Rewrites(rewrite("^.*$", "a b"), null)),
        rewriting(path("^/d"), new Rewrites(null, rewrite("^(.*)$", "$1".repeat(500)))),
        rewriting(path("^/e"), new Rewrites(rewrite("^.*$", ""), null)));
    for (String target : List.of("/a", "/b", "/c", "/d" + "d".repeat(100), "/e")) {
      assertTrue(ask(target, "x").startsWith("HTTP/1.1 500 Internal Server Error"), target);
    }
  }

  @Test
  void aHostileExpressionIsRefusedBeforeItIsCompiled() {
    for (String hostile :
        List.of(
            "((a{1000}){1000}){1000}",
            "(((((a{99}){99}){99}){99}){99})",
            "[[:alpha:]{1000}]{1000}(b{1000}){1000}",
            "([a](a{500}[)]){500}){500}",
            "(\\Q)\\E(a{1000}){1000}){1000}",
            "(?:a{900})+{900}",
            "\\p{Greek}",
            "[\\p{Greek}]",
            "(?=a)",
            "(?<!a)b",
            "(a)\\1",
            "(?>a)",
            "a++",
            "(a",
            "[a")) {
      assertThrows(IllegalArgumentException.class, () -> Regex.of(hostile, false), hostile);
    }
    assertThrows(IllegalArgumentException.class, () -> rewrite("(a)", "$2"));
    for (String usual :
        List.of("^[a-z]{1,63}\\.[a-z]{1,63}$", "(a|b)*c?", "[]a]x{2}", "a{,3}", "(?i)x{3,}")) {
      Regex.of(usual, false);
    }
    assertTrue(Regex.of("(?i)AB", false).matches("xaby"));
    assertFalse(Regex.of("AB", false).matches("xaby"));
  }

  /** What takes a backtracking matcher longer than the universe has existed. */
  @Test
  void aHostileTextTakesLinearTime() throws IOException {
    offer(rewriting(path("^(/(a+)+)+$"), new Rewrites(null, rewrite("(a|aa)+$", "/x"))));
    assertTrue(told("/" + "a".repeat(10_000) + "b", "x").endsWith("b HTTP/1.1|x:" + rig.port));
  }
}
