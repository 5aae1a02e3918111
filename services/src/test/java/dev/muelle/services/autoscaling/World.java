package dev.muelle.services.autoscaling;

import dev.muelle.loop.Timers;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.network.sim.SimNetwork;
import dev.muelle.services.AlarmActions;
import dev.muelle.services.AlarmReceivers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.InstanceGroups;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.services.ec2.Ec2;
import dev.muelle.services.ec2.eni.NetworkInterfaces;
import dev.muelle.services.ecs.Life;
import dev.muelle.services.ecs.StoreInStep;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.Row;
import dev.muelle.store.SqliteStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import software.amazon.awssdk.services.autoscaling.model.Activity;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingGroup;
import software.amazon.awssdk.services.autoscaling.model.CreateAutoScalingGroupRequest;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.cloudwatch.CloudWatchClient;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;
import software.amazon.awssdk.services.sns.SnsClient;

/** Auto Scaling with the real EC2 and CloudWatch; the network is in memory, and time is virtual. */
final class World implements AutoCloseable {

  static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  static final String GROUP = "web";
  private static final int VCPUS = 2; // of a t3.small

  final VirtualTimers time = new VirtualTimers(Instant.parse("2026-11-21T08:00:00Z"));
  final Balancer balancer = new Balancer();
  final Topics topics = new Topics();
  final Map<String, Double> measured = new TreeMap<>();
  final String image;
  final CloudWatch cloudWatch;
  final Iam iam;
  final Ec2 ec2;
  private final SimNetwork network = new SimNetwork(time);
  private final SqliteStore base;
  private final Random random;
  private StoreInStep store;
  private Life life = new Life();
  private int deaths;
  AutoScaling scaling;

  /** What there is to do, in instances that are wholly busy; those in service share it. */
  double load;

  World(Path directory, int seed) {
    random = new Random(seed);
    base = SqliteStore.open(directory.resolve("store.db"));
    Ids ids = new Ids(random);
    iam = new Iam(SCOPE, base.in("000000000000/global"), time, ids);
    EventOutbox unheard = new EventOutbox(ids);
    AlarmReceivers receivers = new AlarmReceivers();
    receivers.add(new Connected());
    cloudWatch =
        new CloudWatch(SCOPE, base.in(SCOPE.storeScope()), time, random, receivers, unheard);
    ec2 =
        new Ec2(
            SCOPE,
            inStep(new Life()),
            time,
            ids,
            random,
            iam,
            network,
            NetworkInterfaces.MOST,
            new Ec2.Around(
                (vpcId, address, port, handler) -> () -> {},
                new SessionKeys(base.in("sessions"), time, random),
                unheard,
                cloudWatch.measurements(),
                this::busy,
                new Grouping(),
                Ec2.NO_LOGS));
    cloudWatch.start();
    ec2.start();
    image = ec2.describeImages(r -> r.owners("amazon")).images().getFirst().imageId();
    boot();
    ec2.createLaunchTemplate(r ->
        r.launchTemplateName("web")
            .launchTemplateData(
                d -> d.imageId(image).instanceType("t3.small").monitoring(m -> m.enabled(true))));
  }

  private double busy(String instanceId) {
    if (load == 0) {
      return 0;
    }
    List<String> serving = serving();
    return serving.contains(instanceId) ? Math.min(1, load / serving.size()) * VCPUS : 0;
  }

  private final class Grouping implements InstanceGroups {
    @Override
    public Optional<String> of(String instanceId) {
      try {
        return scaling.instanceGroups().of(instanceId);
      } catch (Life.Killed e) {
        return Optional.empty(); // EC2 lives on, here
      }
    }

    @Override
    public Optional<String> target(String instanceId) {
      return scaling.instanceGroups().target(instanceId);
    }
  }

  /** Alarms call whoever is there: the server of this life. */
  private final class Connected implements AlarmActions {
    @Override
    public boolean takes(String action) {
      return scaling.alarmActions().takes(action);
    }

    @Override
    public void perform(String action, Transition transition) {
      scaling.alarmActions().perform(action, transition);
    }
  }

  private StoreInStep inStep(Life of) {
    return new StoreInStep(base.in(SCOPE.storeScope()), of);
  }

  private void boot() {
    store = inStep(life);
    Ids ids = new Ids(random);
    Timers timers = life.guard((Timers) time);
    EventOutbox events = new EventOutbox(ids);
    events.listen((source, type) -> true);
    Measurements measurements =
        metric ->
            (value, times) -> {
              measured.put(metric.name(), value);
              cloudWatch.measurements().of(metric).record(value, times);
            };
    scaling =
        new AutoScaling(
            SCOPE,
            store,
            timers,
            ids,
            random,
            life.guard(Ec2Client.class, ec2),
            life.guard(ElasticLoadBalancingV2Client.class, balancer),
            life.guard(CloudWatchClient.class, cloudWatch),
            life.guard(SnsClient.class, topics),
            iam,
            events,
            measurements);
    scaling.start();
  }

  Life life() {
    return life;
  }

  /** Asks until a server lives long enough to answer. */
  <T> T asked(Supplier<T> question) {
    while (true) {
      try {
        revive();
        return question.get();
      } catch (Life.Killed e) {
        life.end();
      }
    }
  }

  /** The same of what may be refused: it happened before the server died, or it is over. */
  void ask(Runnable call) {
    try {
      asked(() -> {
        call.run();
        return true;
      });
    } catch (AutoScalingException e) {
      return;
    }
  }

  /** Starts a server if the last one has died. */
  void revive() {
    if (life.over()) {
      deaths++;
      restart();
    }
  }

  /** How many servers have died. */
  int deaths() {
    return deaths;
  }

  /** After the server's death. */
  void restart() {
    life.end();
    store.close();
    life = new Life();
    boot();
  }

  List<String> subnets() {
    return ec2.describeSubnets().subnets().stream()
        .sorted((a, b) -> a.availabilityZone().compareTo(b.availabilityZone()))
        .map(Subnet::subnetId)
        .toList();
  }

  /** A group in two zones. */
  CreateAutoScalingGroupRequest.Builder group(int least, int most, int desired) {
    return CreateAutoScalingGroupRequest.builder()
        .autoScalingGroupName(GROUP)
        .launchTemplate(t -> t.launchTemplateName("web"))
        .vpcZoneIdentifier(String.join(",", subnets().subList(0, 2)))
        .minSize(least)
        .maxSize(most)
        .desiredCapacity(desired);
  }

  AutoScalingGroup group() {
    return scaling
        .describeAutoScalingGroups(r -> r.autoScalingGroupNames(GROUP))
        .autoScalingGroups()
        .getFirst();
  }

  List<String> in(LifecycleState state) {
    return group().instances().stream()
        .filter(i -> i.lifecycleState() == state)
        .map(Instance::instanceId)
        .toList();
  }

  List<String> serving() {
    return in(LifecycleState.IN_SERVICE);
  }

  /** What is in the group's warm pool. */
  List<Instance> pool() {
    return scaling.describeWarmPool(r -> r.autoScalingGroupName(GROUP)).instances();
  }

  /** Those that EC2 runs, of all groups. */
  List<String> alive() {
    return known("pending", "running");
  }

  List<String> stopped() {
    return known("stopping", "stopped");
  }

  private List<String> known(String... states) {
    List<String> ids = new ArrayList<>();
    ec2.describeInstances(
            r -> r.filters(Filter.builder().name("instance-state-name").values(states).build()))
        .reservations()
        .forEach(one -> one.instances().forEach(i -> ids.add(i.instanceId())));
    return ids;
  }

  InstanceStateName state(String id) {
    return ec2.describeInstances(r -> r.instanceIds(id))
        .reservations()
        .getFirst()
        .instances()
        .getFirst()
        .state()
        .name();
  }

  List<Activity> activities() {
    return scaling.describeScalingActivities(r -> r.autoScalingGroupName(GROUP)).activities();
  }

  List<EventOutbox.Event> events() {
    return base.in(SCOPE.storeScope()).read(tx -> tx.list(EventOutbox.TABLE)).stream()
        .map(Row::value)
        .toList();
  }

  void pass(Duration duration) {
    Instant end = time.instant().plus(duration);
    while (time.instant().isBefore(end)) {
      time.advance(Duration.ofMillis(500));
    }
  }

  void until(String what, BooleanSupplier condition) {
    for (int i = 0; i < 1200; i++) {
      if (condition.getAsBoolean()) {
        return;
      }
      time.advance(Duration.ofMillis(500));
    }
    throw new AssertionError(what + ": not within 10 minutes; " + group() + activities());
  }

  void serves(int count) {
    until(
        count + " in service",
        () -> serving().size() == count && group().instances().size() == count);
  }

  @Override
  public void close() {
    time.settle(); // what has begun, closing would wait for
    cloudWatch.close();
    life.end();
    store.close();
    ec2.close();
    base.close();
    time.close();
  }
}
