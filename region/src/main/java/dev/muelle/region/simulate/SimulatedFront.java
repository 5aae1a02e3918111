package dev.muelle.region.simulate;

import dev.muelle.services.RequestLabel;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.DescribeServicesRequest;
import software.amazon.awssdk.services.ecs.model.DescribeServicesResponse;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.ecs.model.UpdateServiceRequest;
import software.amazon.awssdk.services.ecs.model.UpdateServiceResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;

/**
 * What stands before the simulated service: it has no load balancer, but to those who ask for its
 * scaling it has each that a policy names. Its requests are counted under that name.
 */
final class SimulatedFront {

  private final EcsClient ecs;
  private final List<RequestLabel> labels = new CopyOnWriteArrayList<>();

  SimulatedFront(EcsClient ecs) {
    this.ecs = ecs;
  }

  void sendsTo(RequestLabel label) {
    labels.add(label);
  }

  private static String arn(String resource) {
    return SimulatedRegion.SCOPE.arn("elasticloadbalancing", resource);
  }

  /** The services as they are behind it. */
  EcsClient behind() {
    return new Behind();
  }

  ElasticLoadBalancingV2Client balancer() {
    return new Balancer();
  }

  private final class Behind implements EcsClient {
    @Override
    public DescribeServicesResponse describeServices(DescribeServicesRequest request) {
      List<LoadBalancer> all =
          labels.stream()
              .map(label -> LoadBalancer.builder().targetGroupArn(arn(label.targetGroup())).build())
              .toList();
      DescribeServicesResponse found = ecs.describeServices(request);
      return found.toBuilder()
          .services(
              found.services().stream()
                  .map(service -> service.toBuilder().loadBalancers(all).build())
                  .toList())
          .build();
    }

    @Override
    public UpdateServiceResponse updateService(UpdateServiceRequest request) {
      return ecs.updateService(request);
    }

    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

  private final class Balancer implements ElasticLoadBalancingV2Client {
    @Override
    public DescribeTargetGroupsResponse describeTargetGroups(DescribeTargetGroupsRequest request) {
      return DescribeTargetGroupsResponse.builder()
          .targetGroups(
              labels.stream()
                  .filter(label -> request.targetGroupArns().contains(arn(label.targetGroup())))
                  .map(label ->
                      TargetGroup.builder()
                          .targetGroupArn(arn(label.targetGroup()))
                          .loadBalancerArns(arn("loadbalancer/" + label.loadBalancer()))
                          .build())
                  .toList())
          .build();
    }

    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }
}
