package dev.muelle.services.ecs;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeregisterTargetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeregisterTargetsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeRulesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeRulesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetHealthRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetHealthResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyRuleRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyRuleResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.OperationNotPermittedException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RegisterTargetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RegisterTargetsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Rule;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthReasonEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/** A load balancer whose health checks take their time, and whose targets drain before they go. */
final class FakeBalancer implements ElasticLoadBalancingV2Client {

  private static final Duration DRAINING = Duration.ofSeconds(5);

  private static final String BALANCER =
      "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/lb/0123456789abcdef";

  /** How the ARNs of default rules end. */
  private static final String DEFAULT = "/rule";

  private record Target(Instant registered, Duration checks, @Nullable Instant leaving) {}

  private final InstantSource clock;
  private final RandomGenerator random;
  private final Predicate<String> answers;
  private final Map<String, Map<TargetDescription, Target>> groups = new LinkedHashMap<>();
  private final Map<String, List<TargetGroupTuple>> rules = new TreeMap<>();
  private final Map<String, TargetGroup> described = new LinkedHashMap<>();

  /** Ports at which nothing answers, whatever the address. */
  final Set<Integer> deaf = new HashSet<>();

  /** A target is healthy up to this long after it was registered. */
  int slowestCheckSeconds = 15;

  /**
   * A balancer.
   *
   * @param answers whether what has this address would answer a health check now
   */
  FakeBalancer(InstantSource clock, RandomGenerator random, Predicate<String> answers) {
    this.clock = clock;
    this.random = random;
    this.answers = answers;
  }

  void addGroup(String arn, String vpcId, boolean balanced) {
    groups.put(arn, new LinkedHashMap<>());
    String name = arn.split("/", -1)[1];
    TargetGroup.Builder group =
        TargetGroup.builder()
            .targetGroupArn(arn)
            .targetGroupName(name)
            .protocol(ProtocolEnum.HTTP)
            .port(5050)
            .vpcId(vpcId)
            .targetType(TargetTypeEnum.IP)
            .healthCheckPath("/alive");
    if (balanced) {
      group.loadBalancerArns(BALANCER);
    }
    described.put(arn, group.build());
  }

  /** A listener's default rule that forwards to one group. */
  String addRule(String id, String group) {
    String rule = BALANCER.replace(":loadbalancer/", ":listener-rule/") + "/" + id + DEFAULT;
    rules.put(rule, List.of(TargetGroupTuple.builder().targetGroupArn(group).weight(1).build()));
    return rule;
  }

  /** A rule beside the default one of the same listener. */
  String addRule(String id, int priority, String group) {
    String rule = BALANCER.replace(":loadbalancer/", ":listener-rule/") + "/" + id + "/" + priority;
    rules.put(rule, List.of(TargetGroupTuple.builder().targetGroupArn(group).weight(1).build()));
    return rule;
  }

  /** The groups that a rule sends anything to, with their weights. */
  Map<String, Integer> shares(String rule) {
    Map<String, Integer> shares = new TreeMap<>();
    rules.get(rule).stream()
        .filter(tuple -> tuple.weight() > 0)
        .forEach(tuple -> shares.put(tuple.targetGroupArn(), tuple.weight()));
    return shares;
  }

  @Override
  public DescribeRulesResponse describeRules(DescribeRulesRequest request) {
    List<Rule> found = new ArrayList<>();
    for (String arn : request.ruleArns()) {
      if (!rules.containsKey(arn)) {
        throw RuleNotFoundException.builder()
            .message("One or more rules not found")
            .awsErrorDetails(
                AwsErrorDetails.builder().errorMessage("One or more rules not found").build())
            .build();
      }
      found.add(
          Rule.builder()
              .ruleArn(arn)
              .isDefault(arn.endsWith(DEFAULT))
              .actions(
                  Action.builder()
                      .type(ActionTypeEnum.FORWARD)
                      .forwardConfig(f -> f.targetGroups(rules.get(arn)))
                      .build())
              .build());
    }
    return DescribeRulesResponse.builder().rules(found).build();
  }

  @Override
  public ModifyListenerResponse modifyListener(ModifyListenerRequest request) {
    String rule = request.listenerArn().replace(":listener/", ":listener-rule/") + DEFAULT;
    rules.put(rule, request.defaultActions().getFirst().forwardConfig().targetGroups());
    return ModifyListenerResponse.builder().build();
  }

  @Override
  public ModifyRuleResponse modifyRule(ModifyRuleRequest request) {
    if (request.ruleArn().endsWith(DEFAULT)) {
      throw OperationNotPermittedException.builder()
          .message("Default rule '" + request.ruleArn() + "' cannot be modified")
          .build();
    }
    rules.put(request.ruleArn(), request.actions().getFirst().forwardConfig().targetGroups());
    return ModifyRuleResponse.builder().build();
  }

  /** Addresses of the targets that get requests now. */
  List<String> serving(String arn) {
    return inState(arn, TargetHealthStateEnum.HEALTHY);
  }

  List<String> inState(String arn, TargetHealthStateEnum state) {
    List<String> found = new ArrayList<>();
    group(arn)
        .forEach((description, target) -> {
          if (health(description, target) == state) {
            found.add(description.id());
          }
        });
    return found;
  }

  private TargetHealthStateEnum health(TargetDescription description, Target target) {
    Instant now = clock.instant();
    if (target.leaving() != null) {
      return now.isBefore(target.leaving().plus(DRAINING))
          ? TargetHealthStateEnum.DRAINING
          : TargetHealthStateEnum.UNUSED;
    }
    if (now.isBefore(target.registered().plus(target.checks()))) {
      return TargetHealthStateEnum.INITIAL;
    }
    return answers.test(description.id()) && !deaf.contains(description.port())
        ? TargetHealthStateEnum.HEALTHY
        : TargetHealthStateEnum.UNHEALTHY;
  }

  private Map<TargetDescription, Target> group(String arn) {
    Map<TargetDescription, Target> group = groups.get(arn);
    if (group == null) {
      throw TargetGroupNotFoundException.builder()
          .message("One or more target groups not found")
          .build();
    }
    return group;
  }

  @Override
  public RegisterTargetsResponse registerTargets(RegisterTargetsRequest request) {
    Map<TargetDescription, Target> group = group(request.targetGroupArn());
    for (TargetDescription description : request.targets()) {
      Target present = group.get(key(description));
      if (present == null || present.leaving() != null) {
        Duration checks = Duration.ofSeconds(1 + random.nextInt(slowestCheckSeconds));
        group.put(key(description), new Target(clock.instant(), checks, null));
      }
    }
    return RegisterTargetsResponse.builder().build();
  }

  @Override
  public DeregisterTargetsResponse deregisterTargets(DeregisterTargetsRequest request) {
    Map<TargetDescription, Target> group = group(request.targetGroupArn());
    for (TargetDescription description : request.targets()) {
      group.computeIfPresent(
          key(description),
          (same, target) ->
              target.leaving() != null
                  ? target
                  : new Target(target.registered(), target.checks(), clock.instant()));
    }
    return DeregisterTargetsResponse.builder().build();
  }

  @Override
  public DescribeTargetHealthResponse describeTargetHealth(DescribeTargetHealthRequest request) {
    Map<TargetDescription, Target> group = group(request.targetGroupArn());
    group
        .entrySet()
        .removeIf(
            entry -> health(entry.getKey(), entry.getValue()) == TargetHealthStateEnum.UNUSED);
    List<TargetHealthDescription> healths = new ArrayList<>();
    if (request.targets().isEmpty()) {
      group.forEach(
          (description, target) -> healths.add(tell(description, health(description, target))));
    }
    for (TargetDescription description : request.targets()) {
      Target target = group.get(key(description));
      healths.add(
          tell(
              description,
              target == null ? TargetHealthStateEnum.UNUSED : health(key(description), target)));
    }
    return DescribeTargetHealthResponse.builder().targetHealthDescriptions(healths).build();
  }

  private static TargetHealthDescription tell(
      TargetDescription description, TargetHealthStateEnum state) {
    TargetHealthReasonEnum reason =
        switch (state) {
          case INITIAL -> TargetHealthReasonEnum.ELB_REGISTRATION_IN_PROGRESS;
          case UNHEALTHY -> TargetHealthReasonEnum.TARGET_FAILED_HEALTH_CHECKS;
          case DRAINING -> TargetHealthReasonEnum.TARGET_DEREGISTRATION_IN_PROGRESS;
          case UNUSED -> TargetHealthReasonEnum.TARGET_NOT_REGISTERED;
          default -> null;
        };
    return TargetHealthDescription.builder()
        .target(description)
        .healthCheckPort(String.valueOf(description.port()))
        .targetHealth(health -> health.state(state).reason(reason))
        .build();
  }

  private static TargetDescription key(TargetDescription description) {
    return TargetDescription.builder().id(description.id()).port(description.port()).build();
  }

  @Override
  public DescribeTargetGroupsResponse describeTargetGroups(DescribeTargetGroupsRequest request) {
    request.targetGroupArns().forEach(this::group);
    return DescribeTargetGroupsResponse.builder()
        .targetGroups(request.targetGroupArns().stream().map(described::get).toList())
        .build();
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {}
}
