package dev.muelle.balancer.rules;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.balancer.LoadBalancer.Action;
import dev.muelle.balancer.LoadBalancer.Rule;
import dev.muelle.balancer.Redirect;
import dev.muelle.balancer.netty.Backend;
import dev.muelle.balancer.netty.Rig;
import dev.muelle.balancer.rules.Condition.HostHeader;
import dev.muelle.balancer.rules.Condition.HttpHeader;
import dev.muelle.balancer.rules.Condition.PathPattern;
import dev.muelle.balancer.rules.Condition.QueryString;
import dev.muelle.balancer.rules.Condition.RequestMethod;
import dev.muelle.balancer.rules.Condition.SourceIp;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Which rule applies to a request, and what redirects say; over real connections. */
class RulesTest {

  private final Rig rig = new Rig();

  @AfterEach
  void close() throws IOException {
    rig.close();
  }

  private static List<Wildcard> patterns(boolean ignoreCase, String... patterns) {
    return Arrays.stream(patterns).map(one -> new Wildcard(one, ignoreCase)).toList();
  }

  private static Rule rule(String says, Condition... conditions) {
    return new Rule(List.of(conditions), new Action.FixedResponse(200, "text/plain", says));
  }

  private void offer(Rule... rules) throws IOException {
    rig.rules = List.of(rules);
    rig.serve(
        rig.backend((head, in, out) -> {
          out.write(Backend.answer(200, "default"));
          return true;
        }));
  }

  private String ask(String line, String... fields) throws IOException {
    String answer =
        rig.raw(
            line
                + " HTTP/1.1\r\n"
                + String.join("", Arrays.stream(fields).map(f -> f + "\r\n").toList())
                + (String.join("", fields).contains("Host:") ? "" : "Host: x\r\n")
                + "Connection: close\r\n\r\n");
    return answer.substring(answer.indexOf("\r\n\r\n") + 4);
  }

  @Test
  void eachConditionLooksAtItsPart() throws IOException {
    offer(
        rule("users", new PathPattern(patterns(false, "/api/users*"))),
        rule("host", new HostHeader(patterns(true, "*.example.com", "example.com"))),
        rule("header", new HttpHeader("X-Kind", patterns(true, "beta*"))),
        rule("method", new RequestMethod(Set.of("DELETE", "PURGE"))),
        rule(
            "query",
            new QueryString(
                List.of(
                    new QueryString.Parameter(new Wildcard("v", true), new Wildcard("2?", true)),
                    new QueryString.Parameter(null, new Wildcard("any", true))))));
    assertEquals("users", ask("GET /api/users/7?x=1"));
    assertEquals("default", ask("GET /API/users"));
    assertEquals("default", ask("GET /other?p=/api/users"));
    assertEquals("host", ask("GET /", "Host: WWW.Example.com:8080"));
    assertEquals("host", ask("GET /", "Host: example.com"));
    assertEquals("default", ask("GET /", "Host: example.com.evil"));
    assertEquals("header", ask("GET /", "x-kind: other", "X-KIND: Beta-1"));
    assertEquals("default", ask("GET /", "X-Kind: alpha"));
    assertEquals("method", ask("PURGE /"));
    assertEquals("query", ask("GET /?a=b&V=21"));
    assertEquals("query", ask("GET /?whatever=any"));
    assertEquals("default", ask("GET /?v=2"));
    assertEquals("default", ask("GET /"));
  }

  @Test
  void allConditionsMustHoldAndTheFirstRuleThatAppliesDoes() throws IOException {
    Condition path = new PathPattern(patterns(false, "/a*"));
    offer(
        rule("both", path, new RequestMethod(Set.of("GET"))),
        rule("first", path),
        rule("second", path));
    assertEquals("both", ask("GET /a"));
    assertEquals("first", ask("PUT /a", "Content-Length: 0"));
  }

  @Test
  void whereTheClientIsCountsNotWhereItSaysItIs() throws IOException {
    offer(
        rule("ten", new SourceIp(List.of(SourceIp.Block.parse("10.0.0.0/8")))),
        rule(
            "loopback",
            new SourceIp(
                List.of(SourceIp.Block.parse("::1/128"), SourceIp.Block.parse("127.0.0.0/31")))));
    assertEquals("loopback", ask("GET /", "X-Forwarded-For: 10.1.2.3"));
    assertTrue(SourceIp.Block.parse("0.0.0.0/0").contains(address("203.0.113.9")));
    assertTrue(SourceIp.Block.parse("2001:db8::/33").contains(address("2001:db8:7fff::1")));
    assertEquals(
        false, SourceIp.Block.parse("2001:db8::/33").contains(address("2001:db8:8000::1")));
  }

  private static java.net.InetAddress address(String literal) {
    return java.net.InetAddress.ofLiteral(literal);
  }

  @Test
  void redirectsFillInTheRequestsParts() throws IOException {
    offer(
        new Rule(
            List.of(new PathPattern(patterns(false, "/old/*"))),
            new Redirect(301, "https", "#{host}", "443", "/new/#{path}", "from=#{port}&#{query}")),
        new Rule(
            List.of(new PathPattern(patterns(false, "/moved"))),
            new Redirect(302, "#{protocol}", "else.example", "#{port}", "/#{path}", "#{query}")));
    String answer =
        rig.raw("GET /old/a?b=c HTTP/1.1\r\nHost: me.example:81\r\nConnection: close\r\n\r\n");
    assertTrue(answer.startsWith("HTTP/1.1 301 Moved Permanently\r\n"), answer);
    assertTrue(
        answer.contains("Location: https://me.example:443/new/old/a?from=" + rig.port + "&b=c\r\n"),
        answer);
    answer = rig.raw("POST /moved HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    assertTrue(answer.startsWith("HTTP/1.1 302 Found\r\n"), answer);
    assertTrue(answer.contains("Location: http://else.example:" + rig.port + "/moved\r\n"), answer);
  }

  @Test
  void aKeptConnectionIsJudgedForEachRequest() throws IOException {
    offer(rule("a", new PathPattern(patterns(false, "/a"))));
    String answers =
        rig.raw(
            "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n"
                + "GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assertEquals(3, answers.split("HTTP/1.1 200 ", -1).length - 1, answers);
    assertTrue(answers.indexOf("\r\n\r\na") < answers.indexOf("default"), answers);
    assertTrue(answers.endsWith("\r\n\r\na"), answers);
  }
}
