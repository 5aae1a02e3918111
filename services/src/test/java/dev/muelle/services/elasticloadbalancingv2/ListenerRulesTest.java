package dev.muelle.services.elasticloadbalancingv2;

import static dev.muelle.services.elasticloadbalancingv2.Machine.freePort;
import static dev.muelle.services.elasticloadbalancingv2.Machine.getPath;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RedirectActionConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RewriteConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Rule;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleCondition;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RulePriorityPair;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleTransform;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Tag;

class ListenerRulesTest extends ElbV2World {

  private LoadBalancer balancer;
  private String listener = "";
  private int port;

  @BeforeEach
  void begin() {
    balancer = machine.balancer("web");
    port = freePort();
    listener = listener(port);
  }

  private String listener(int at) {
    return listener(balancer.loadBalancerArn(), at, says("default")).listenerArn();
  }

  private static Action says(String body) {
    return Action.builder()
        .type(ActionTypeEnum.FIXED_RESPONSE)
        .fixedResponseConfig(f -> f.statusCode("200").messageBody(body))
        .build();
  }

  private static Action to(String group) {
    return Action.builder().type(ActionTypeEnum.FORWARD).targetGroupArn(group).build();
  }

  private String group() {
    return elb.createTargetGroup(
            r -> r.name("api").protocol("HTTP").port(80).targetType("ip").vpcId(balancer.vpcId()))
        .targetGroups()
        .getFirst()
        .targetGroupArn();
  }

  private static RuleCondition path(String... patterns) {
    return RuleCondition.builder()
        .field("path-pattern")
        .pathPatternConfig(c -> c.values(patterns))
        .build();
  }

  private Rule rule(int priority, Action action, RuleCondition... conditions) {
    return elb.createRule(
            r -> r.listenerArn(listener).priority(priority).conditions(conditions).actions(action))
        .rules()
        .getFirst();
  }

  private static RulePriorityPair pair(Rule rule, int priority) {
    return RulePriorityPair.builder().ruleArn(rule.ruleArn()).priority(priority).build();
  }

  private String ask(String path) throws IOException {
    return getPath(path, "127.0.0.1", port, balancer.dnsName());
  }

  @Test
  void rulesAreTriedByPriority() throws Exception {
    Rule users = rule(20, says("users"), path("/users*"));
    assertTrue(
        users
            .ruleArn()
            .matches(listener.replace(":listener/", ":listener-rule/") + "/[0-9a-f]{16}"),
        users.ruleArn());
    assertEquals(List.of("/users*"), users.conditions().getFirst().values());
    Rule all = rule(10_000, says("all"), path("/*"));
    assertTrue(ask("/users/1").endsWith("users"));
    assertTrue(ask("/else").endsWith("all"));
    assertEquals(
        List.of("20", "10000", "default"),
        elb.describeRules(r -> r.listenerArn(listener)).rules().stream()
            .map(Rule::priority)
            .toList());
    elb.setRulePriorities(r -> r.rulePriorities(pair(users, 10_000), pair(all, 20)));
    assertTrue(ask("/users/1").endsWith("all"));
    elb.modifyRule(r -> r.ruleArn(all.ruleArn()).conditions(path("/all")).actions(says("changed")));
    assertTrue(ask("/users/1").endsWith("users"));
    assertTrue(ask("/all").endsWith("changed"));
    elb.deleteRule(r -> r.ruleArn(users.ruleArn()));
    assertTrue(ask("/users/1").endsWith("default"));
    refused("RuleNotFound", "", () -> elb.deleteRule(r -> r.ruleArn(users.ruleArn())));
    machine.restart();
    elb = machine.elb();
    // A new server gives each listener back to the data plane by its loop.
    Machine.until(true, () -> Machine.answers("127.0.0.1", port));
    assertTrue(ask("/all").endsWith("changed"));
  }

  @Test
  void conditionsWithRegularExpressions() throws Exception {
    Rule path =
        rule(
            1,
            says("path"),
            RuleCondition.builder()
                .field("path-pattern")
                .pathPatternConfig(c -> c.regexValues("^/users/[0-9]+$", "^/people"))
                .build());
    assertEquals(
        List.of("^/users/[0-9]+$", "^/people"), path.conditions().getFirst().regexValues());
    assertEquals(List.of(), path.conditions().getFirst().values());
    rule(
        2,
        says("header"),
        RuleCondition.builder()
            .field("http-header")
            .httpHeaderConfig(c -> c.httpHeaderName("Host2").regexValues("x"))
            .build());
    rule(
        3, says("host"), RuleCondition.builder().field("host-header").regexValues("^WEB-").build());
    assertTrue(ask("/users/12").endsWith("path"));
    assertTrue(ask("/people/12?q=1").endsWith("path"));
    assertTrue(ask("/users/a").endsWith("host"));
    machine.restart();
    elb = machine.elb();
    Machine.until(true, () -> Machine.answers("127.0.0.1", port));
    assertTrue(ask("/users/12").endsWith("path"));
  }

  private static RewriteConfig rewrite(String regex, String replace) {
    return RewriteConfig.builder().regex(regex).replace(replace).build();
  }

  private static RuleTransform url(String regex, String replace) {
    return RuleTransform.builder()
        .type("url-rewrite")
        .urlRewriteConfig(c -> c.rewrites(rewrite(regex, replace)))
        .build();
  }

  private static RuleTransform host(String regex, String replace) {
    return RuleTransform.builder()
        .type("host-header-rewrite")
        .hostHeaderRewriteConfig(c -> c.rewrites(rewrite(regex, replace)))
        .build();
  }

  @Test
  void transformsAreKeptChangedAndReset() {
    Rule made =
        elb.createRule(r ->
                r.listenerArn(listener)
                    .priority(1)
                    .conditions(path("/a*"))
                    .actions(to(group()))
                    .transforms(url("^/a/(.*)$", "/$1"), host("x", "y")))
            .rules()
            .getFirst();
    assertEquals(List.of(url("^/a/(.*)$", "/$1"), host("x", "y")), made.transforms());
    String arn = made.ruleArn();
    elb.modifyRule(r -> r.ruleArn(arn).conditions(path("/b*")));
    assertEquals(2, elb.describeRules(r -> r.ruleArns(arn)).rules().getFirst().transforms().size());
    elb.modifyRule(r -> r.ruleArn(arn).transforms(host("a", "b")));
    assertEquals(
        List.of(host("a", "b")),
        elb.describeRules(r -> r.ruleArns(arn)).rules().getFirst().transforms());
    refused(
        "ValidationError",
        "both 'Transforms' and 'ResetTransforms'",
        () -> elb.modifyRule(r -> r.ruleArn(arn).transforms(host("a", "b")).resetTransforms(true)));
    elb.modifyRule(r -> r.ruleArn(arn).resetTransforms(true));
    assertEquals(
        List.of(), elb.describeRules(r -> r.ruleArns(arn)).rules().getFirst().transforms());
    record Case(String message, List<RuleTransform> transforms) {}
    for (Case wrong :
        List.of(
            new Case("only have one 'url-rewrite'", List.of(url("a", "b"), url("c", "d"))),
            new Case("names no capture group", List.of(url("a", "$1"))),
            new Case("expression '(' is not valid", List.of(url("(", "x"))),
            new Case("between 1 and 1024", List.of(url("a".repeat(1025), "x"))),
            new Case("between 0 and 1024", List.of(url("a", "x".repeat(1025)))),
            new Case("not valid", List.of(url("a", "x\r\ny"))),
            new Case("must be one of", List.of(RuleTransform.builder().type("color").build())),
            new Case(
                "Exactly one rewrite",
                List.of(RuleTransform.builder().type("url-rewrite").build())),
            new Case(
                "'UrlRewriteConfig' is not supported",
                List.of(
                    host("a", "b").toBuilder()
                        .urlRewriteConfig(u -> u.rewrites(rewrite("a", "b")))
                        .build())))) {
      refused(
          "ValidationError",
          wrong.message(),
          () -> elb.modifyRule(r -> r.ruleArn(arn).transforms(wrong.transforms())));
    }
  }

  @Test
  void pagesAreInTheOrderOfPriorities() {
    for (int priority : List.of(300, 5, 40)) {
      rule(priority, says("x"), path("/" + priority));
    }
    var first = elb.describeRules(r -> r.listenerArn(listener).pageSize(3));
    assertEquals(List.of("5", "40", "300"), first.rules().stream().map(Rule::priority).toList());
    var second =
        elb.describeRules(r -> r.listenerArn(listener).pageSize(3).marker(first.nextMarker()));
    assertEquals(List.of("default"), second.rules().stream().map(Rule::priority).toList());
  }

  @Test
  void redirectsAreCompletedAndAnswered() throws IOException {
    Rule rule =
        rule(
            1,
            Action.builder()
                .type(ActionTypeEnum.REDIRECT)
                .redirectConfig(c -> c.protocol("HTTPS").port("443").statusCode("HTTP_301"))
                .build(),
            path("/secure/*"));
    RedirectActionConfig config = rule.actions().getFirst().redirectConfig();
    assertEquals("#{host}", config.host());
    assertEquals("/#{path}", config.path());
    assertEquals("#{query}", config.query());
    String answer = ask("/secure/a?b=c");
    assertTrue(
        answer.contains("Location: https://" + balancer.dnsName() + ":443/secure/a?b=c\r\n"),
        answer);
  }

  @Test
  void aGroupThatARuleUsesIsInUse() {
    String group = group();
    Rule rule = rule(1, to(group), path("/api*"));
    assertEquals(
        List.of(balancer.loadBalancerArn()),
        elb.describeTargetGroups(r -> r.targetGroupArns(group))
            .targetGroups()
            .getFirst()
            .loadBalancerArns());
    refused("ResourceInUse", "", () -> elb.deleteTargetGroup(r -> r.targetGroupArn(group)));
    elb.deleteRule(r -> r.ruleArn(rule.ruleArn()));
    elb.deleteTargetGroup(r -> r.targetGroupArn(group));
  }

  @Test
  void aLoadBalancerTakesItsRulesAlong() {
    String group = group();
    Rule rule = rule(1, to(group), path("/api*"));
    elb.deleteLoadBalancer(r -> r.loadBalancerArn(balancer.loadBalancerArn()));
    refused("RuleNotFound", "", () -> elb.describeRules(r -> r.ruleArns(rule.ruleArn())));
    elb.deleteTargetGroup(r -> r.targetGroupArn(group));
  }

  @Test
  void aListenerTakesItsRulesAlong() {
    Rule rule = rule(1, says("x"), path("/x"));
    elb.addTags(
        r -> r.resourceArns(rule.ruleArn()).tags(Tag.builder().key("a").value("b").build()));
    assertEquals(
        "b",
        elb.describeTags(r -> r.resourceArns(rule.ruleArn()))
            .tagDescriptions()
            .getFirst()
            .tags()
            .getFirst()
            .value());
    elb.deleteListener(r -> r.listenerArn(listener));
    refused("RuleNotFound", "", () -> elb.describeRules(r -> r.ruleArns(rule.ruleArn())));
  }

  @Test
  void theDefaultRuleIsTheListeners() {
    String arn = elb.describeRules(r -> r.listenerArn(listener)).rules().getFirst().ruleArn();
    refused(
        "OperationNotPermitted", "cannot be deleted", () -> elb.deleteRule(r -> r.ruleArn(arn)));
    refused(
        "OperationNotPermitted",
        "modify its listener",
        () -> elb.modifyRule(r -> r.ruleArn(arn).actions(says("x"))));
  }

  @Test
  void whatARuleCannotSayIsRefused() {
    rule(1, says("x"), path("/x"));
    refused(
        "PriorityInUse", "Priority '1' is currently in use", () -> rule(1, says("y"), path("/y")));
    Rule second = rule(2, says("y"), path("/y"));
    refused(
        "PriorityInUse",
        "Priority '1'",
        () -> elb.setRulePriorities(r -> r.rulePriorities(pair(second, 1))));
    assertEquals(
        "2", elb.describeRules(r -> r.ruleArns(second.ruleArn())).rules().getFirst().priority());
    refused("ValidationError", "'0' must be", () -> rule(0, says("x"), path("/x")));
    refused("ValidationError", "'50001' must be", () -> rule(50_001, says("x"), path("/x")));
    refused("ValidationError", "A condition must", () -> rule(9, says("x")));
    record Case(String message, Consumer<RuleCondition.Builder> condition) {}
    for (Case wrong :
        List.of(
            new Case("Member must not be null", c -> c.values("/x")),
            new Case("must be one of", c -> c.field("color").values("red")),
            new Case("condition value must", c -> c.field("path-pattern")),
            new Case("not valid for path-pattern", c -> c.field("path-pattern").values("/a b")),
            new Case(
                "between 1 and 128", c -> c.field("path-pattern").values("/" + "a".repeat(128))),
            new Case(
                "'5' condition values",
                c -> c.field("path-pattern").values("/1", "/2", "/3", "/4", "/5", "/6")),
            new Case("'6' condition wildcards", c -> c.field("path-pattern").values("/*?*?*?*")),
            new Case(
                "valid CIDR",
                c -> c.field("source-ip").sourceIpConfig(s -> s.values("10.0.0.0/33"))),
            new Case(
                "header name", c -> c.field("http-header").httpHeaderConfig(h -> h.values("x"))),
            new Case(
                "host-header condition",
                c ->
                    c.field("http-header")
                        .httpHeaderConfig(h -> h.httpHeaderName("Host").values("x"))),
            new Case(
                "method 'get'",
                c -> c.field("http-request-method").httpRequestMethodConfig(m -> m.values("get"))),
            new Case(
                "expression '(a' is not valid", c -> c.field("path-pattern").regexValues("(a")),
            new Case(
                "expression '((a{99}){99}){99}' is not valid",
                c -> c.field("path-pattern").regexValues("((a{99}){99}){99}")),
            new Case(
                "between 1 and 128", c -> c.field("path-pattern").regexValues("a".repeat(129))),
            new Case(
                "both values and regex values",
                c -> c.field("path-pattern").values("/x").regexValues("^/x")),
            new Case(
                "only for conditions with field",
                c ->
                    c.field("source-ip")
                        .regexValues("^/x")
                        .sourceIpConfig(s -> s.values("10.0.0.0/8"))),
            new Case("must have a header name", c -> c.field("http-header").regexValues("^x")),
            new Case(
                "'5' condition values",
                c -> c.field("path-pattern").regexValues("1", "2", "3", "4", "5", "6")))) {
      RuleCondition.Builder condition = RuleCondition.builder();
      wrong.condition().accept(condition);
      refused("ValidationError", wrong.message(), () -> rule(9, says("x"), condition.build()));
    }
    refused(
        "ValidationError",
        "can only have one 'path-pattern'",
        () -> rule(9, says("x"), path("/a"), path("/b")));
    refused(
        "InvalidLoadBalancerAction",
        "would never end",
        () ->
            rule(
                9,
                Action.builder()
                    .type(ActionTypeEnum.REDIRECT)
                    .redirectConfig(c -> c.statusCode("HTTP_302").query("a=b"))
                    .build(),
                path("/a")));
    refused(
        "ValidationError",
        "redirect path",
        () ->
            rule(
                9,
                Action.builder()
                    .type(ActionTypeEnum.REDIRECT)
                    .redirectConfig(c -> c.statusCode("HTTP_302").path("/#{color}"))
                    .build(),
                path("/a")));
  }
}
