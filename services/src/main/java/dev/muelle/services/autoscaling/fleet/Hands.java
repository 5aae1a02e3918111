package dev.muelle.services.autoscaling.fleet;

import dev.muelle.services.autoscaling.activity.Activities;
import dev.muelle.services.autoscaling.launch.Recipes;
import dev.muelle.services.autoscaling.refresh.RefreshRecord;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pool;
import dev.muelle.services.autoscaling.state.ScalingProcess;
import dev.muelle.services.autoscaling.state.Side;
import dev.muelle.store.Store;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateSpecification;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.ScalingActivityStatusCode;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.RunInstancesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ElasticLoadBalancingV2Exception;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;

/**
 * Does in EC2 and at load balancers what is decided. Everything may be done again: a launch is
 * asked for in the same words under the same token until its answer is written down.
 */
final class Hands {

  private static final Logger LOG = LoggerFactory.getLogger(Hands.class);
  private static final int FIRST_PAUSE = 10; // s, after a launch that failed
  private static final int LONGEST_PAUSE = 300; // s
  private static final int MOST_DOUBLINGS = 5;

  private final Store store;
  private final InstantSource clock;
  private final Ec2Client ec2;
  private final ElasticLoadBalancingV2Client elb;
  private final Recipes recipes;
  private final Activities activities;

  Hands(
      Store store,
      InstantSource clock,
      Ec2Client ec2,
      ElasticLoadBalancingV2Client elb,
      Recipes recipes,
      Activities activities) {
    this.store = store;
    this.clock = clock;
    this.ec2 = ec2;
    this.elb = elb;
    this.recipes = recipes;
    this.activities = activities;
  }

  /** Does what there is to be done for an instance; says whether that changed anything. */
  boolean tend(GroupRecord group, Member member, Seen seen) {
    return switch (member.state()) {
      case PENDING -> member.id() == null ? launch(group, member) : wake(member, seen);
      case WARMED_PENDING -> member.id() == null ? launch(group, member) : deregister(member, seen);
      case WARMED_PENDING_PROCEED -> Pool.stops(group) && halt(member, seen);
      case PENDING_PROCEED ->
          ScalingProcess.ADD_TO_LOAD_BALANCER.runs(group.group())
              && register(group.group().targetGroupARNs(), member, seen);
      case IN_SERVICE -> register(group.joining(), member, seen);
      case ENTERING_STANDBY, TERMINATING, WARMED_TERMINATING -> deregister(member, seen);
      case TERMINATING_PROCEED, WARMED_TERMINATING_PROCEED -> terminate(member, seen);
      case DETACHING ->
          deregister(member, seen) || (!seen.isTarget(member) && letGo(group, member));
      default -> false;
    };
  }

  /**
   * Takes a group's instances out of the target groups that it leaves; forgets those it has left.
   */
  void traffic(GroupRecord group, List<Member> members, Seen seen) {
    List<String> leaving = new ArrayList<>(group.leaving());
    leaving.removeIf(arn -> {
      Map<String, TargetHealthStateEnum> targets = seen.targets().getOrDefault(arn, Map.of());
      List<Member> inside = members.stream().filter(m -> targets.containsKey(m.id())).toList();
      inside.stream()
          .filter(member -> targets.get(member.id()) != TargetHealthStateEnum.DRAINING)
          .forEach(member -> elb.deregisterTargets(r -> r.targetGroupArn(arn).targets(of(member))));
      return inside.isEmpty();
    });
    List<String> joining = new ArrayList<>(group.joining());
    joining.removeIf(arn ->
        members.stream().filter(Member::inService).allMatch(m -> seen.isTarget(m, List.of(arn))));
    if (leaving.size() != group.leaving().size() || joining.size() != group.joining().size()) {
      store.write(tx -> {
        Optional<GroupRecord> now = GroupRecord.find(tx, group.name());
        return now.filter(
                g -> g.leaving().equals(group.leaving()) && g.joining().equals(group.joining()))
            .map(g -> g.withTraffic(joining, leaving).put(tx));
      });
    }
  }

  private static TargetDescription of(Member member) {
    return TargetDescription.builder().id(member.id()).build();
  }

  private boolean register(List<String> groups, Member member, Seen seen) {
    boolean done = false;
    for (String arn : groups) {
      if (!seen.isTarget(member, List.of(arn))) {
        try {
          elb.registerTargets(r -> r.targetGroupArn(arn).targets(of(member)));
          done = true;
        } catch (ElasticLoadBalancingV2Exception e) {
          LOG.warn("{} cannot be registered with {}: {}", member.id(), arn, e.getMessage());
        }
      }
    }
    return done;
  }

  private boolean deregister(Member member, Seen seen) {
    boolean done = false;
    for (Map.Entry<String, Map<String, TargetHealthStateEnum>> each : seen.targets().entrySet()) {
      TargetHealthStateEnum state = each.getValue().get(member.id());
      if (state != null && state != TargetHealthStateEnum.DRAINING) {
        elb.deregisterTargets(r -> r.targetGroupArn(each.getKey()).targets(of(member)));
        done = true;
      }
    }
    return done;
  }

  private boolean terminate(Member member, Seen seen) {
    if (!seen.present(member)) {
      return false;
    }
    Recipes.onOwnBehalf(() -> ec2.terminateInstances(r -> r.instanceIds(member.id())));
    return true;
  }

  /** Starts what waited in the warm pool; what EC2 does not start is replaced. */
  private boolean wake(Member member, Seen seen) {
    if (member.from() != Side.POOL || !seen.stopped(member)) {
      return false;
    }
    try {
      ec2.startInstances(r -> r.instanceIds(member.id()));
    } catch (Ec2Exception e) {
      LOG.warn("{} cannot be started: {}", member.id(), e.getMessage());
      store.write(tx ->
          tx.get(Member.TABLE, member.token())
              .map(row -> row.value().sick("a failure to start it").put(tx)));
    }
    return true;
  }

  private boolean halt(Member member, Seen seen) {
    if (!seen.running(member)) {
      return false;
    }
    Recipes.onOwnBehalf(() -> ec2.stopInstances(r -> r.instanceIds(member.id())));
    return true;
  }

  private boolean letGo(GroupRecord group, Member member) {
    if (seenTag(member)) {
      Recipes.onOwnBehalf(
          () -> ec2.deleteTags(r -> r.resources(member.id()).tags(Recipes.groupTag(group.name()))));
    }
    return store.write(tx -> {
      activities.succeed(tx, group, member, clock.instant());
      return tx.delete(Member.TABLE, member.token());
    });
  }

  private boolean seenTag(Member member) {
    return ec2
        .describeTags(
            r -> r.filters(Filter.builder().name("resource-id").values(member.id()).build()))
        .tags()
        .stream()
        .anyMatch(tag -> tag.key().equals(Recipes.groupTag("").key()));
  }

  private boolean launch(GroupRecord group, Member slot) {
    attempt(group, slot);
    return true;
  }

  /** Asks EC2 for the instance of a slot; gives why, if it refused. */
  Optional<AwsServiceException> attempt(GroupRecord group, Member slot) {
    try {
      Member written = slot.launch() == null ? write(slot, request(group, slot)) : slot;
      RunInstancesRequest request = Objects.requireNonNull(written.launch());
      AutoScalingGroup asked = asked(group);
      Instance made = Recipes.onOwnBehalf(() -> ec2.runInstances(request)).instances().getFirst();
      store.write(tx -> {
        Member now = tx.get(Member.TABLE, slot.token()).orElseThrow().value();
        Member named = now.with(i -> launched(i, group.group(), asked, request, made)).put(tx);
        activities.proceed(tx, named, ScalingActivityStatusCode.PRE_IN_SERVICE, 30);
        return named;
      });
      return Optional.empty();
    } catch (AwsServiceException e) {
      failed(slot, e);
      return Optional.of(e);
    }
  }

  private RunInstancesRequest request(GroupRecord group, Member slot) {
    return recipes.of(asked(group), slot.subnet(), slot.token());
  }

  /** As a refresh wants it, if there is one. */
  private AutoScalingGroup asked(GroupRecord group) {
    return store.read(tx -> RefreshRecord.configured(tx, group.group()));
  }

  private Member write(Member slot, RunInstancesRequest request) {
    return store.write(
        tx -> tx.get(Member.TABLE, slot.token()).orElseThrow().value().launching(request).put(tx));
  }

  private static software.amazon.awssdk.services.autoscaling.model.Instance.Builder launched(
      software.amazon.awssdk.services.autoscaling.model.Instance.Builder instance,
      AutoScalingGroup group,
      AutoScalingGroup asked,
      RunInstancesRequest request,
      Instance made) {
    if (request.launchTemplate() == null) {
      instance.launchConfigurationName(group.launchConfigurationName());
    } else {
      String id = request.launchTemplate().launchTemplateId();
      @Nullable String name = // a launch may be older than a refresh
          Stream.of(asked, group)
              .map(Recipes::template)
              .filter(meant -> meant != null && id.equals(meant.launchTemplateId()))
              .map(LaunchTemplateSpecification::launchTemplateName)
              .filter(Objects::nonNull)
              .findFirst()
              .orElse(null);
      instance.launchTemplate(t ->
          t.launchTemplateId(id)
              .launchTemplateName(name)
              .version(request.launchTemplate().version()));
    }
    return instance
        .instanceId(made.instanceId())
        .instanceType(made.instanceTypeAsString())
        .availabilityZone(made.placement().availabilityZone());
  }

  /** EC2 refused, so it has made nothing. */
  private void failed(Member slot, AwsServiceException e) {
    String said =
        String.valueOf(
            e instanceof Ec2Exception ? e.awsErrorDetails().errorMessage() : e.getMessage());
    String why = said + (said.endsWith(".") ? "" : ".") + " Launching EC2 instance failed.";
    Instant now = clock.instant();
    store.write(tx -> {
      GroupRecord group = GroupRecord.find(tx, slot.group()).orElseThrow();
      @Nullable Instant paused = group.launchAfter();
      long pause =
          Math.min(LONGEST_PAUSE, (long) FIRST_PAUSE << Math.min(group.failures(), MOST_DOUBLINGS));
      Instant next = paused != null && now.isBefore(paused) ? paused : now.plusSeconds(pause);
      group.failed(slot.subnet(), next).put(tx);
      activities.fail(tx, group, slot, why, now);
      return tx.delete(Member.TABLE, slot.token());
    });
  }

  /** Whether an instance's state is one in which something is under way. */
  static boolean busy(Member member) {
    return member.state() != LifecycleState.IN_SERVICE
        && member.state() != LifecycleState.STANDBY
        && !member.warm()
        && member.waits().isEmpty();
  }
}
