package dev.muelle.services.autoscaling.group;

import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pages;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Store;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.AttachLoadBalancerTargetGroupsRequest;
import software.amazon.awssdk.services.autoscaling.model.AttachLoadBalancerTargetGroupsResponse;
import software.amazon.awssdk.services.autoscaling.model.AttachTrafficSourcesRequest;
import software.amazon.awssdk.services.autoscaling.model.AttachTrafficSourcesResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeLoadBalancerTargetGroupsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeLoadBalancerTargetGroupsResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeTrafficSourcesRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeTrafficSourcesResponse;
import software.amazon.awssdk.services.autoscaling.model.DetachLoadBalancerTargetGroupsRequest;
import software.amazon.awssdk.services.autoscaling.model.DetachLoadBalancerTargetGroupsResponse;
import software.amazon.awssdk.services.autoscaling.model.DetachTrafficSourcesRequest;
import software.amazon.awssdk.services.autoscaling.model.DetachTrafficSourcesResponse;
import software.amazon.awssdk.services.autoscaling.model.LoadBalancerTargetGroupState;
import software.amazon.awssdk.services.autoscaling.model.TrafficSourceIdentifier;
import software.amazon.awssdk.services.autoscaling.model.TrafficSourceState;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;

/**
 * The target groups that a group's instances are in. The loop puts them in and takes them out.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/autoscaling-load-balancer.html">Use
 *     Elastic Load Balancing</a>
 */
public final class Traffic {

  private static final int MOST = 50; // of a group
  private static final int MOST_OF_A_REQUEST = 10;
  private static final String ELB_V2 = "elbv2";

  private final Store store;
  private final ElasticLoadBalancingV2Client elb;
  private final Consumer<String> wake;

  public Traffic(Store store, ElasticLoadBalancingV2Client elb, Consumer<String> wake) {
    this.store = store;
    this.elb = elb;
    this.wake = wake;
  }

  /** Refuses what is no target group of instances. */
  void mustExist(List<String> arns) {
    for (String arn : arns) {
      TargetGroup found;
      try {
        found = elb.describeTargetGroups(r -> r.targetGroupArns(arn)).targetGroups().getFirst();
      } catch (ElasticLoadBalancingV2Exception e) {
        throw Refuse.invalid(
            "Provided Target Groups may not be valid. Please ensure they exist and try again.");
      }
      if (found.targetType() != TargetTypeEnum.INSTANCE) {
        throw Refuse.invalid(
            "Provided Target Groups may not be valid. Please ensure they exist and have the target"
                + " type instance, and try again.");
      }
    }
  }

  static List<TrafficSourceIdentifier> sources(List<String> arns) {
    return arns.stream()
        .map(arn -> TrafficSourceIdentifier.builder().identifier(arn).type(ELB_V2).build())
        .toList();
  }

  public AttachLoadBalancerTargetGroupsResponse attach(
      AttachLoadBalancerTargetGroupsRequest request) {
    attach(request.autoScalingGroupName(), request.targetGroupARNs());
    return AttachLoadBalancerTargetGroupsResponse.builder().build();
  }

  public AttachTrafficSourcesResponse attach(AttachTrafficSourcesRequest request) {
    Refuse.unlessEffective(request, Set.of("AutoScalingGroupName", "TrafficSources"));
    attach(request.autoScalingGroupName(), GroupRules.targetGroups(request.trafficSources()));
    return AttachTrafficSourcesResponse.builder().build();
  }

  private void attach(@Nullable String name, List<String> arns) {
    some(arns);
    store.read(tx -> GroupRecord.changeable(tx, name));
    mustExist(arns);
    String group =
        store.write(tx -> {
          GroupRecord before = GroupRecord.changeable(tx, name);
          List<String> all = new ArrayList<>(before.group().targetGroupARNs());
          List<String> joining = new ArrayList<>(before.joining());
          List<String> leaving = new ArrayList<>(before.leaving());
          for (String arn : arns) {
            if (!all.contains(arn)) {
              all.add(arn);
              joining.add(arn);
            }
            leaving.remove(arn);
          }
          if (all.size() > MOST) {
            throw Refuse.tooMany("A group has at most " + MOST + " target groups.");
          }
          return change(before, all, joining, leaving).put(tx).name();
        });
    wake.accept(group);
  }

  private static GroupRecord change(
      GroupRecord before, List<String> all, List<String> joining, List<String> leaving) {
    return before
        .with(g -> g.targetGroupARNs(all).trafficSources(sources(all)))
        .withTraffic(joining, leaving);
  }

  private static void some(List<String> arns) {
    if (arns.isEmpty()) {
      throw Refuse.invalid("At least one target group must be specified.");
    }
    if (arns.size() > MOST_OF_A_REQUEST) {
      throw Refuse.invalid("At most " + MOST_OF_A_REQUEST + " target groups can be specified.");
    }
  }

  public DetachLoadBalancerTargetGroupsResponse detach(
      DetachLoadBalancerTargetGroupsRequest request) {
    detach(request.autoScalingGroupName(), request.targetGroupARNs());
    return DetachLoadBalancerTargetGroupsResponse.builder().build();
  }

  public DetachTrafficSourcesResponse detach(DetachTrafficSourcesRequest request) {
    detach(request.autoScalingGroupName(), GroupRules.targetGroups(request.trafficSources()));
    return DetachTrafficSourcesResponse.builder().build();
  }

  private void detach(@Nullable String name, List<String> arns) {
    some(arns);
    String group =
        store.write(tx -> {
          GroupRecord before = GroupRecord.changeable(tx, name);
          List<String> all = new ArrayList<>(before.group().targetGroupARNs());
          List<String> joining = new ArrayList<>(before.joining());
          List<String> leaving = new ArrayList<>(before.leaving());
          for (String arn : arns) {
            if (!all.remove(arn)) {
              throw Refuse.invalid(
                  "Trying to remove Target Groups that are not part of the group.");
            }
            joining.remove(arn);
            leaving.add(arn);
          }
          return change(before, all, joining, leaving).put(tx).name();
        });
    wake.accept(group);
  }

  private record State(String arn, String state) {}

  /** Which there are, in the order in which they came, and how far each is. */
  private Pages<State> states(
      @Nullable String name, @Nullable String token, @Nullable Integer most) {
    List<State> states =
        store.read(tx -> {
          GroupRecord group = GroupRecord.get(tx, name);
          boolean serves = Member.of(tx, group.name()).stream().anyMatch(Member::inService);
          List<State> all = new ArrayList<>();
          for (String arn : group.group().targetGroupARNs()) {
            boolean joins = group.joining().contains(arn);
            all.add(new State(arn, joins ? "Adding" : serves ? "InService" : "Added"));
          }
          group.leaving().forEach(arn -> all.add(new State(arn, "Removing")));
          return all;
        });
    return Pages.of(states, State::arn, token, most, Pages.MOST, Pages.MOST);
  }

  public DescribeLoadBalancerTargetGroupsResponse describe(
      DescribeLoadBalancerTargetGroupsRequest request) {
    Pages<State> page =
        states(request.autoScalingGroupName(), request.nextToken(), request.maxRecords());
    return DescribeLoadBalancerTargetGroupsResponse.builder()
        .loadBalancerTargetGroups(
            page.items().stream()
                .map(one ->
                    LoadBalancerTargetGroupState.builder()
                        .loadBalancerTargetGroupARN(one.arn())
                        .state(one.state())
                        .build())
                .toList())
        .nextToken(page.nextToken())
        .build();
  }

  public DescribeTrafficSourcesResponse describe(DescribeTrafficSourcesRequest request) {
    boolean others =
        request.trafficSourceType() != null && !request.trafficSourceType().equals(ELB_V2);
    Pages<State> page =
        states(request.autoScalingGroupName(), request.nextToken(), request.maxRecords());
    return DescribeTrafficSourcesResponse.builder()
        .trafficSources(
            page.items().stream()
                .filter(one -> !others)
                .map(one ->
                    TrafficSourceState.builder()
                        .identifier(one.arn())
                        .state(one.state())
                        .type(ELB_V2)
                        .build())
                .toList())
        .nextToken(page.nextToken())
        .build();
  }
}
