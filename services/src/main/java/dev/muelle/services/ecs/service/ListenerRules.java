package dev.muelle.services.ecs.service;

import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.Traffic;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AdvancedConfiguration;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Rule;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;

/**
 * The listener rules through which a service's traffic comes, and that ECS changes to shift it.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/alb-resources-for-blue-green.html">Application
 *     Load Balancer resources for blue/green deployments</a>
 */
final class ListenerRules {

  private final ElasticLoadBalancingV2Client elb;

  ListenerRules(ElasticLoadBalancingV2Client elb) {
    this.elb = elb;
  }

  /**
   * How a rule is to share.
   *
   * @param percent what the first of the two target groups gets
   */
  record Share(String rule, String group, String other, double percent) {

    List<TargetGroupTuple> tuples() {
      int tenths = (int) Math.round(percent * 10);
      return tenths == 1000
          ? List.of(tuple(group, 100), tuple(other, 0))
          : tenths == 0
              ? List.of(tuple(group, 0), tuple(other, 100))
              : List.of(tuple(group, tenths), tuple(other, 1000 - tenths));
    }

    private static TargetGroupTuple tuple(String arn, int weight) {
      return TargetGroupTuple.builder().targetGroupArn(arn).weight(weight).build();
    }
  }

  /**
   * What each rule is to do.
   *
   * @param groups of the primary deployment, in the order of the load balancers
   */
  static List<Share> shares(List<LoadBalancer> balancers, List<String> groups, Traffic traffic) {
    List<Share> shares = new ArrayList<>();
    double percent = traffic.from() == null ? 100 : traffic.percent();
    boolean tested =
        switch (traffic.stage()) {
          case TEST_TRAFFIC_SHIFT, PRODUCTION_TRAFFIC_SHIFT, BAKE_TIME, CLEAN_UP -> true;
          default -> false;
        };
    for (int i = 0; i < balancers.size(); i++) {
      LoadBalancer balancer = balancers.get(i);
      AdvancedConfiguration advanced = balancer.advancedConfiguration();
      String group = groups.get(i);
      String other = other(balancer, group);
      shares.add(new Share(advanced.productionListenerRule(), group, other, percent));
      if (advanced.testListenerRule() != null) {
        shares.add(
            new Share(
                advanced.testListenerRule(),
                group,
                other,
                tested || traffic.from() == null ? 100 : 0));
      }
    }
    return shares;
  }

  /** Whether a target group is one of a load balancer's. */
  static boolean isOf(LoadBalancer balancer, String group) {
    return balancer.targetGroupArn().equals(group)
        || (balancer.advancedConfiguration() != null
            && group.equals(balancer.advancedConfiguration().alternateTargetGroupArn()));
  }

  /** The one of a load balancer's two target groups that is not this one. */
  static String other(LoadBalancer balancer, @Nullable String group) {
    return balancer.targetGroupArn().equals(group)
        ? balancer.advancedConfiguration().alternateTargetGroupArn()
        : balancer.targetGroupArn();
  }

  /**
   * Makes the rules so.
   *
   * @return why that cannot be; null if it is so
   */
  @Nullable String apply(List<Share> shares) {
    for (Share share : shares) {
      try {
        Rule rule = rule(share.rule());
        if (!isSo(rule, share)) {
          change(rule, share);
        }
      } catch (ElasticLoadBalancingV2Exception e) {
        return "was unable to shift traffic in (listener-rule "
            + share.rule()
            + "): "
            + e.awsErrorDetails().errorMessage();
      }
    }
    return null;
  }

  private static boolean isSo(Rule rule, Share share) {
    return rule.actions().size() == 1
        && rule.actions().getFirst().forwardConfig() != null
        && rule.actions().getFirst().forwardConfig().targetGroups().equals(share.tuples());
  }

  /** A listener's default rule is changed by its listener. */
  private void change(Rule rule, Share share) {
    Action action =
        Action.builder()
            .type(ActionTypeEnum.FORWARD)
            .forwardConfig(f -> f.targetGroups(share.tuples()))
            .build();
    if (Boolean.TRUE.equals(rule.isDefault())) {
      String listener =
          rule.ruleArn()
              .substring(0, rule.ruleArn().lastIndexOf('/'))
              .replace(":listener-rule/", ":listener/");
      elb.modifyListener(r -> r.listenerArn(listener).defaultActions(action));
    } else {
      elb.modifyRule(r -> r.ruleArn(rule.ruleArn()).actions(action));
    }
  }

  private Rule rule(String arn) {
    return elb.describeRules(r -> r.ruleArns(arn)).rules().getFirst();
  }

  /** Refuses a rule that is not there, or belongs to another load balancer than this one. */
  void check(@Nullable String arn, String member, String loadBalancerArn) {
    if (arn == null || arn.isEmpty()) {
      throw Refuse.invalid("advancedConfiguration." + member + " can not be blank.");
    }
    String rules = loadBalancerArn.replace(":loadbalancer/", ":listener-rule/") + "/";
    if (!arn.startsWith(rules)) {
      throw Refuse.invalid(
          "The "
              + member
              + " "
              + arn
              + " does not belong to the load balancer of the target group: "
              + loadBalancerArn);
    }
    try {
      Action action = rule(arn).actions().getFirst();
      if (action.type() != ActionTypeEnum.FORWARD) {
        throw Refuse.invalid("The " + member + " " + arn + " does not forward to target groups.");
      }
    } catch (RuleNotFoundException e) {
      throw Refuse.invalid("The " + member + " " + arn + " was not found.");
    }
  }
}
