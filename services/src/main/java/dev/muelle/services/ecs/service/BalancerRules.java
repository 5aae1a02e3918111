package dev.muelle.services.ecs.service;

import dev.muelle.services.ecs.definition.Roles;
import dev.muelle.services.ecs.state.Refuse;
import java.util.List;
import java.util.Set;
import software.amazon.awssdk.services.ecs.model.AdvancedConfiguration;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.NetworkMode;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/**
 * Whether what a request says of load balancers can be: they are there, fit the tasks, and say all
 * that a shift of their traffic needs.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LoadBalancer.html">LoadBalancer</a>
 */
public final class BalancerRules {

  private final ElasticLoadBalancingV2Client elb;
  private final Roles roles;
  private final ListenerRules listenerRules;

  public BalancerRules(ElasticLoadBalancingV2Client elb, Roles roles) {
    this.elb = elb;
    this.roles = roles;
    this.listenerRules = new ListenerRules(elb);
  }

  /** A task set's: whoever deploys it shifts its traffic himself. */
  void ofTaskSet(List<LoadBalancer> balancers, TaskDefinition definition) {
    if (balancers.stream().anyMatch(balancer -> balancer.advancedConfiguration() != null)) {
      throw Refuse.invalid("advancedConfiguration is not valid for a task set.");
    }
    check(balancers, definition);
  }

  /**
   * A service's. One that is to change from rolling to blue/green may say the second target group
   * before.
   *
   * @param shifted whether its traffic is shifted, which needs to know where to
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/update-rolling-to-bluegreen.html">Update
   *     the deployment strategy from rolling update to blue/green</a>
   */
  void ofDeployments(List<LoadBalancer> balancers, TaskDefinition definition, boolean shifted) {
    if (shifted && balancers.stream().anyMatch(b -> b.advancedConfiguration() == null)) {
      throw Refuse.invalid(
          "The deployment strategies BLUE_GREEN, LINEAR and CANARY need advancedConfiguration in"
              + " each load balancer.");
    }
    check(balancers, definition);
    for (LoadBalancer balancer : balancers) {
      if (balancer.advancedConfiguration() != null) {
        checkAdvanced(
            balancer.targetGroupArn(), balancer.advancedConfiguration(), definition.networkMode());
      }
    }
  }

  private void checkAdvanced(String group, AdvancedConfiguration advanced, NetworkMode mode) {
    String alternate = advanced.alternateTargetGroupArn();
    if (alternate == null || alternate.isEmpty() || alternate.equals(group)) {
      throw Refuse.invalid(
          "advancedConfiguration.alternateTargetGroupArn must be another target group than "
              + group
              + ".");
    }
    if (advanced.roleArn() == null || advanced.roleArn().isEmpty()) {
      throw Refuse.invalid("advancedConfiguration.roleArn can not be blank.");
    }
    roles.arn(advanced.roleArn()); // refused if there is none
    TargetGroup first = group(group, mode);
    if (!group(alternate, mode).vpcId().equals(first.vpcId())) {
      throw Refuse.invalid("Both target groups must be in the same VPC: " + alternate);
    }
    String balancer = first.loadBalancerArns().getFirst();
    listenerRules.check(advanced.productionListenerRule(), "productionListenerRule", balancer);
    if (advanced.testListenerRule() != null) {
      listenerRules.check(advanced.testListenerRule(), "testListenerRule", balancer);
    }
  }

  private void check(List<LoadBalancer> balancers, TaskDefinition definition) {
    if (balancers.size() > 5) {
      throw Refuse.invalid("loadBalancers can have at most 5 items.");
    }
    for (LoadBalancer balancer : balancers) {
      Refuse.unlessEffective(
          "LoadBalancer",
          balancer,
          Set.of("targetGroupArn", "containerName", "containerPort", "advancedConfiguration"));
      if (balancer.targetGroupArn() == null) {
        throw Refuse.invalid("Target group ARN can not be blank.");
      }
      ContainerDefinition container =
          definition.containerDefinitions().stream()
              .filter(c -> c.name().equals(balancer.containerName()))
              .findFirst()
              .orElseThrow(() ->
                  Refuse.invalid(
                      "The container "
                          + balancer.containerName()
                          + " does not exist in the task definition."));
      boolean mapped =
          container.portMappings().stream()
              .anyMatch(port -> port.containerPort().equals(balancer.containerPort()));
      if (!mapped) {
        throw Refuse.invalid(
            "The container "
                + balancer.containerName()
                + " did not have a container port "
                + balancer.containerPort()
                + " defined.");
      }
      checkTargetGroup(balancer.targetGroupArn(), definition.networkMode());
    }
  }

  private void checkTargetGroup(String arn, NetworkMode mode) {
    if (group(arn, mode).loadBalancerArns().isEmpty()) {
      throw Refuse.invalid(
          "The target group with targetGroupArn "
              + arn
              + " does not have an associated load balancer.");
    }
  }

  private TargetGroup group(String arn, NetworkMode mode) {
    try {
      TargetGroup group =
          elb.describeTargetGroups(request -> request.targetGroupArns(arn))
              .targetGroups()
              .getFirst();
      TargetTypeEnum wanted =
          mode == NetworkMode.AWSVPC ? TargetTypeEnum.IP : TargetTypeEnum.INSTANCE;
      if (group.targetType() != wanted) {
        throw Refuse.invalid(
            "The provided target group "
                + arn
                + " has target type "
                + group.targetTypeAsString()
                + ", which is incompatible with the "
                + mode
                + " network mode specified in the task definition.");
      }
      return group;
    } catch (TargetGroupNotFoundException e) {
      throw Refuse.invalid(
          "Unable to assume role and validate the specified targetGroupArn. The target group "
              + arn
              + " was not found.");
    }
  }
}
