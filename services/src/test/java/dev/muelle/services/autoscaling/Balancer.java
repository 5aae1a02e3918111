package dev.muelle.services.autoscaling;

import java.util.Map;
import java.util.TreeMap;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeregisterTargetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeregisterTargetsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetHealthRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetHealthResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RegisterTargetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RegisterTargetsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/** Target groups of instances, in memory; draining takes until somebody says that it is over. */
final class Balancer implements ElasticLoadBalancingV2Client {

  private static final String BALANCER =
      "arn:aws:elasticloadbalancing:us-east-1:000000000000:loadbalancer/app/web/50dc6c495c0c9188";

  final Map<String, Map<String, TargetHealthStateEnum>> groups = new TreeMap<>();

  String group(String name) {
    String arn =
        "arn:aws:elasticloadbalancing:us-east-1:000000000000:targetgroup/" + name + "/0123456789";
    groups.put(arn, new TreeMap<>());
    return arn;
  }

  /** What drains is gone. */
  void drained() {
    groups.values().forEach(g -> g.values().removeIf(s -> s == TargetHealthStateEnum.DRAINING));
  }

  private Map<String, TargetHealthStateEnum> get(String arn) {
    Map<String, TargetHealthStateEnum> found = groups.get(arn);
    if (found == null) {
      throw TargetGroupNotFoundException.builder().message("not found").build();
    }
    return found;
  }

  @Override
  public DescribeTargetGroupsResponse describeTargetGroups(DescribeTargetGroupsRequest request) {
    request.targetGroupArns().forEach(this::get);
    return DescribeTargetGroupsResponse.builder()
        .targetGroups(
            TargetGroup.builder()
                .targetGroupArn(request.targetGroupArns().getFirst())
                .loadBalancerArns(BALANCER)
                .targetType(TargetTypeEnum.INSTANCE)
                .build())
        .build();
  }

  @Override
  public DescribeTargetHealthResponse describeTargetHealth(DescribeTargetHealthRequest request) {
    return DescribeTargetHealthResponse.builder()
        .targetHealthDescriptions(
            get(request.targetGroupArn()).entrySet().stream()
                .map(each ->
                    TargetHealthDescription.builder()
                        .target(t -> t.id(each.getKey()))
                        .targetHealth(h -> h.state(each.getValue()))
                        .build())
                .toList())
        .build();
  }

  @Override
  public RegisterTargetsResponse registerTargets(RegisterTargetsRequest request) {
    request
        .targets()
        .forEach(t -> get(request.targetGroupArn()).put(t.id(), TargetHealthStateEnum.HEALTHY));
    return RegisterTargetsResponse.builder().build();
  }

  @Override
  public DeregisterTargetsResponse deregisterTargets(DeregisterTargetsRequest request) {
    request
        .targets()
        .forEach(
            t -> get(request.targetGroupArn()).replace(t.id(), TargetHealthStateEnum.DRAINING));
    return DeregisterTargetsResponse.builder().build();
  }

  @Override
  public String serviceName() {
    return "elasticloadbalancing";
  }

  @Override
  public void close() {}
}
