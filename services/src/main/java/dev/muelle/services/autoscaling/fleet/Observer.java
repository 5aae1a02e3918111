package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;

/** Sees what is of a group: in EC2, and at load balancers. */
public final class Observer {

  private final Ec2Client ec2;
  private final ElasticLoadBalancingV2Client elb;

  public Observer(Ec2Client ec2, ElasticLoadBalancingV2Client elb) {
    this.ec2 = ec2;
    this.elb = elb;
  }

  Seen see(GroupRecord group, List<Member> members) {
    List<String> ids = members.stream().map(Member::id).filter(Objects::nonNull).toList();
    Map<String, Instance> instances = new HashMap<>();
    if (!ids.isEmpty()) {
      ec2.describeInstancesPaginator(
              r -> r.filters(Filter.builder().name("instance-id").values(ids).build()))
          .reservations()
          .forEach(one -> one.instances().forEach(i -> instances.put(i.instanceId(), i)));
    }
    Map<String, Map<String, TargetHealthStateEnum>> targets = new HashMap<>();
    Set<String> balanced = new LinkedHashSet<>(group.group().targetGroupARNs());
    balanced.addAll(group.leaving());
    for (String arn : balanced) {
      states(arn).ifPresent(states -> targets.put(arn, states));
    }
    return new Seen(instances, targets, places(group));
  }

  /** Empty if the group is gone: there is nothing to put anything into, or to take it out of. */
  private Optional<Map<String, TargetHealthStateEnum>> states(String targetGroup) {
    try {
      Map<String, TargetHealthStateEnum> states = new HashMap<>();
      for (TargetHealthDescription one :
          elb.describeTargetHealth(r -> r.targetGroupArn(targetGroup)).targetHealthDescriptions()) {
        states.put(one.target().id(), one.targetHealth().state());
      }
      return Optional.of(states);
    } catch (TargetGroupNotFoundException e) {
      return Optional.empty();
    }
  }

  /** Where a group may launch: in its subnets, or in the default ones of its zones. */
  public List<Place> places(GroupRecord group) {
    List<String> subnets = group.subnets();
    Filter filter =
        subnets.isEmpty()
            ? Filter.builder()
                .name("availability-zone")
                .values(group.group().availabilityZones())
                .build()
            : Filter.builder().name("subnet-id").values(subnets).build();
    List<Filter> filters = new ArrayList<>(List.of(filter));
    if (subnets.isEmpty()) {
      filters.add(Filter.builder().name("default-for-az").values("true").build());
    }
    List<Place> places = new ArrayList<>();
    for (Subnet subnet : ec2.describeSubnets(r -> r.filters(filters)).subnets()) {
      places.add(new Place(subnet.availabilityZone(), subnet.subnetId()));
    }
    return List.copyOf(places);
  }
}
