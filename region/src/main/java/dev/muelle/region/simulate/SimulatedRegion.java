package dev.muelle.region.simulate;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.engine.sim.SimEngine;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.region.EcsGroups;
import dev.muelle.services.AlarmReceivers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.NoLoadBalancers;
import dev.muelle.services.ObjectFiles;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.applicationautoscaling.ApplicationAutoScaling;
import dev.muelle.services.autoscaling.AutoScaling;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.services.cloudwatchlogs.CloudWatchLogs;
import dev.muelle.services.ec2.Ec2;
import dev.muelle.services.ecs.Ecs;
import dev.muelle.services.ecs.capacity.AutoScalingGroups;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.SplittableRandom;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.sns.SnsClient;

/**
 * What scales in a region, joined as there, in virtual time: containers and packets are simulated,
 * nobody is told anything, and there are no load balancers.
 */
public final class SimulatedRegion implements AutoCloseable {

  static final Scope SCOPE = new Scope("000000000000", "us-east-1");

  private final VirtualTimers time;
  private final SqliteStore base;
  private final CloudWatch cloudWatch;
  private final CloudWatchLogs logs;
  private final Iam iam;
  private final Ec2 ec2;
  private final AutoScaling groups;
  private final Ecs ecs;
  private final SimulatedFront front;
  private final ApplicationAutoScaling scaling;

  /**
   * How long things take to start.
   *
   * @param task until its containers run
   * @param instance until its agent, if it has {@code ECS_WARM_POOLS_CHECK}, registers it
   */
  public record Starts(Duration task, Duration instance) {
    /** Everything starts at once. */
    public static final Starts AT_ONCE = new Starts(Duration.ZERO, Duration.ZERO);
  }

  /** Nobody is told anything here. */
  private static final class NoTopics implements SnsClient {
    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

  /** Groups whose instances take a while until they can be used. */
  private final class Groups extends EcsGroups {
    private final Duration starting;

    Groups(Duration starting) {
      super(groups, ec2);
      this.starting = starting;
    }

    @Override
    public boolean isWarm(String instanceId) {
      Instance instance =
          ec2.describeInstances(r -> r.instanceIds(instanceId))
              .reservations()
              .getFirst()
              .instances()
              .getFirst();
      return super.isWarm(instanceId)
          || time.instant().isBefore(instance.launchTime().plus(starting));
    }
  }

  /**
   * A region in which nothing runs yet.
   *
   * @param directory empty, for the store
   */
  public SimulatedRegion(Path directory, Instant begin, Starts starts) {
    time = new VirtualTimers(begin);
    SplittableRandom random = new SplittableRandom(1);
    base = SqliteStore.open(directory.resolve("store.db"));
    Store store = base.in(SCOPE.storeScope());
    Ids ids = new Ids(random);
    EventOutbox events = new EventOutbox(ids);
    AlarmReceivers receivers = new AlarmReceivers();
    SimNetwork network = new SimNetwork(time);
    NoLoadBalancers balancers = new NoLoadBalancers();
    cloudWatch = new CloudWatch(SCOPE, store, time, random, receivers, events);
    logs = new CloudWatchLogs(SCOPE, store, time, ids, random, metrics -> {}, Measurements.NONE);
    iam = new Iam(SCOPE, base.in(SCOPE.account()), time, ids);
    ec2 = new Ec2(SCOPE, store, time, ids, random, iam, network);
    groups =
        new AutoScaling(
            SCOPE,
            store,
            time,
            ids,
            random,
            ec2,
            balancers,
            cloudWatch,
            new NoTopics(),
            iam,
            events,
            cloudWatch.measurements());
    AutoScalingGroups joined = new Groups(starts.instance());
    ecs =
        new Ecs(
            SCOPE,
            store,
            time,
            ids,
            random,
            ec2,
            balancers,
            logs,
            iam,
            cloudWatch.platform(),
            Measurements.NONE, // what simulated containers use is nothing
            events,
            new ObjectFiles(directory, time, random, "localhost"),
            joined,
            ec2.boots(),
            new SimEngine(time, image -> Behaviour.runs().startedIn(starts.task())),
            network,
            (vpc, address, port, handler) -> () -> {},
            new SessionKeys(store, time, random),
            "localhost");
    front = new SimulatedFront(ecs);
    scaling =
        new ApplicationAutoScaling(
            SCOPE, store, time, ids, random, front.behind(), front.balancer(), cloudWatch, events);
    receivers.add(scaling.actions());
    receivers.add(groups.alarmActions());
    cloudWatch.start();
    logs.start();
    ec2.start();
    groups.start();
    ecs.start();
    scaling.start();
  }

  public VirtualTimers time() {
    return time;
  }

  public CloudWatch cloudWatch() {
    return cloudWatch;
  }

  public Ec2 ec2() {
    return ec2;
  }

  public AutoScaling groups() {
    return groups;
  }

  public Ecs ecs() {
    return ecs;
  }

  SimulatedFront front() {
    return front;
  }

  public ApplicationAutoScaling scaling() {
    return scaling;
  }

  @Override
  public void close() {
    time.settle();
    scaling.close();
    ecs.close();
    groups.close();
    ec2.close();
    logs.close();
    cloudWatch.close();
    iam.close();
    base.close();
    time.close();
  }
}
