package dev.muelle.services.ecs.service;

import dev.muelle.services.Ids;
import dev.muelle.services.ecs.state.Eni;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.InstantSource;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.LoadBalancer;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupIpAddressTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealth;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthReasonEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;

/** Registers a task's address with its service's target groups, and drains it out of them. */
public final class Targets {

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final ElasticLoadBalancingV2Client elb;

  public Targets(Store store, InstantSource clock, Ids ids, ElasticLoadBalancingV2Client elb) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.elb = elb;
  }

  /** Registers with every group; gives the reason if that cannot be. */
  public @Nullable String register(TaskRecord task) {
    for (LoadBalancer balancer : task.targets()) {
      try {
        TargetDescription target = target(task, balancer);
        if (target.id().isEmpty()) {
          return "(target-group " + balancer.targetGroupArn() + ") The task has no IPv6 address";
        }
        elb.registerTargets(
            request -> request.targetGroupArn(balancer.targetGroupArn()).targets(target));
      } catch (ElasticLoadBalancingV2Exception e) {
        return "(target-group "
            + balancer.targetGroupArn()
            + ") "
            + e.awsErrorDetails().errorMessage();
      }
      say(task, "registered 1 targets in (target-group " + balancer.targetGroupArn() + ")");
    }
    return null;
  }

  /**
   * Deregisters from every group.
   *
   * @return whether no group has requests in flight to the task any more
   */
  public boolean drained(TaskRecord task) {
    boolean drained = true;
    for (LoadBalancer balancer : task.targets()) {
      drained &= id(task).isEmpty() || drained(task, balancer);
    }
    return drained;
  }

  private boolean drained(TaskRecord task, LoadBalancer balancer) {
    String group = balancer.targetGroupArn();
    try {
      TargetDescription target = target(task, balancer);
      if (target.id().isEmpty()) {
        return true; // it never was one
      }
      Optional<TargetHealthStateEnum> state = state(group, target);
      if (state.isEmpty()) {
        return true;
      }
      if (state.get() == TargetHealthStateEnum.DRAINING) {
        return false;
      }
      elb.deregisterTargets(request -> request.targetGroupArn(group).targets(target));
      say(task, "deregistered 1 targets in (target-group " + group + ")");
      return state(group, target).isEmpty();
    } catch (TargetGroupNotFoundException e) {
      return true;
    }
  }

  private Optional<TargetHealthStateEnum> state(String group, TargetDescription target) {
    return elb
        .describeTargetHealth(request -> request.targetGroupArn(group).targets(target))
        .targetHealthDescriptions()
        .stream()
        .map(TargetHealthDescription::targetHealth)
        .filter(health -> health.reason() != TargetHealthReasonEnum.TARGET_NOT_REGISTERED)
        .map(TargetHealth::state)
        .findFirst();
  }

  /** As what a task is registered; with an empty id if it has no address of the group's family. */
  private TargetDescription target(TaskRecord task, LoadBalancer balancer) {
    String id =
        task.host() == null && ipv6(balancer.targetGroupArn())
            ? Eni.ipv6(task).orElse("")
            : id(task);
    return TargetDescription.builder().id(id).port(port(task, balancer)).build();
  }

  private boolean ipv6(String group) {
    return elb.describeTargetGroups(request -> request.targetGroupArns(group))
            .targetGroups()
            .getFirst()
            .ipAddressType()
        == TargetGroupIpAddressTypeEnum.IPV6;
  }

  /** A task with an interface is registered by its address, any other by its instance. */
  private static String id(TaskRecord task) {
    return task.host() == null ? Eni.address(task) : task.host().ec2InstanceId();
  }

  private static int port(TaskRecord task, LoadBalancer balancer) {
    return task.host() == null
        ? balancer.containerPort()
        : task.host().port(balancer).orElse(balancer.containerPort());
  }

  /** How target groups of either family name a task's target: {@code id:port}. */
  static Stream<String> names(TaskRecord task, LoadBalancer balancer) {
    Stream<String> ids =
        task.host() == null
            ? Stream.concat(Stream.of(id(task)), Eni.ipv6(task).stream())
            : Stream.of(id(task));
    return ids.map(id -> id + ":" + port(task, balancer));
  }

  private void say(TaskRecord task, String event) {
    String key = task.serviceKey();
    if (key != null) {
      store.write(tx -> {
        Optional<ServiceRecord> service = tx.get(ServiceRecord.TABLE, key).map(Row::value);
        service.ifPresent(record ->
            tx.put(ServiceRecord.TABLE, key, record.withEvent(ids.uuid(), clock.instant(), event)));
        return service.isPresent();
      });
    }
  }
}
