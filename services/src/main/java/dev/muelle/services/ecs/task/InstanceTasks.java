package dev.muelle.services.ecs.task;

import dev.muelle.services.ecs.capacity.CapacityProviders;
import dev.muelle.services.ecs.placement.Booking;
import dev.muelle.services.ecs.placement.Demand;
import dev.muelle.services.ecs.placement.Fleet;
import dev.muelle.services.ecs.placement.Request;
import dev.muelle.services.ecs.placement.Strategy;
import dev.muelle.services.ecs.placement.Verdict;
import dev.muelle.services.ecs.state.HostNetwork;
import dev.muelle.services.ecs.state.Identifiers;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.AssignPublicIp;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.PlacementStrategy;
import software.amazon.awssdk.services.ecs.model.Service;
import software.amazon.awssdk.services.ecs.model.Task;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;

/**
 * Makes tasks on container instances. What a task takes of its instance is part of the task: it is
 * booked by the write that makes the task, and free again by the one that says STOPPED.
 */
public final class InstanceTasks {

  private final Store store;
  private final InstantSource clock;
  private final TaskFactory factory;
  private final Fleets fleets;
  private final RandomGenerator random;

  public InstanceTasks(
      Store store,
      InstantSource clock,
      TaskFactory factory,
      Fleets fleets,
      RandomGenerator random) {
    this.store = store;
    this.clock = clock;
    this.factory = factory;
    this.fleets = fleets;
    this.random = random;
  }

  /** What came of the wish for one task. */
  public sealed interface Outcome {
    record Made(TaskRecord task) implements Outcome {}

    /** Nowhere; {@code provider} is null where any instance of the cluster would have done. */
    record Refused(Verdict.Refused why, @Nullable String provider) implements Outcome {

      /** What a service's event says. */
      public String event() {
        return provider == null
            ? why.event()
            : why.event().replace("found in your cluster", "found in your capacity provider");
      }
    }

    /** As many tasks of the cluster wait for instances as may. */
    record Crowded() implements Outcome {}
  }

  /** Refuses what a task on an instance cannot have. */
  static void check(TaskDefinition definition, AwsVpcConfiguration network) {
    if (!definition.compatibilitiesAsStrings().contains("EC2")) {
      throw Refuse.invalid("Task definition does not support launch_type EC2.");
    }
    checkNetwork(network);
  }

  public static void checkNetwork(AwsVpcConfiguration network) {
    if (network.assignPublicIp() == AssignPublicIp.ENABLED) {
      throw Refuse.invalid("Assign public IP is not supported for this launch type.");
    }
  }

  /** Those of a service's tasks whose instance is draining or gone, by id. */
  public static Set<String> leaving(Tx tx, List<TaskRecord> tasks) {
    Map<String, Boolean> stays = new HashMap<>();
    Set<String> leaving = new HashSet<>();
    for (TaskRecord task : tasks) {
      String machine = task.bookedOn();
      if (machine != null
          && !stays.computeIfAbsent(
              machine,
              id ->
                  tx.get(InstanceRecord.TABLE, id)
                      .filter(row -> row.value().instance().status().equals(InstanceRecord.ACTIVE))
                      .isPresent())) {
        leaving.add(task.id());
      }
    }
    return leaving;
  }

  /**
   * How much is left on the instance of each task, by the tasks' ids, if the service packs them:
   * where there is most a scale-in begins, so that instances become empty.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-placement-strategies.html">Use
   *     strategies to define Amazon ECS task placement</a>
   */
  public static Map<String, Integer> room(Tx tx, Service service, List<TaskRecord> tasks) {
    ToIntFunction<Fleet.Slot> left = left(service.placementStrategy());
    if (left == null) {
      return Map.of();
    }
    Map<String, Integer> ofMachine = new HashMap<>();
    Map<String, Integer> room = new HashMap<>();
    for (TaskRecord task : tasks) {
      String machine = task.bookedOn();
      if (machine != null) {
        room.put(
            task.id(),
            ofMachine.computeIfAbsent(
                machine,
                id ->
                    tx.get(InstanceRecord.TABLE, id)
                        .flatMap(row -> Fleets.of(tx, row.value()).slot(id))
                        .map(left::applyAsInt)
                        .orElse(Integer.MAX_VALUE)));
      }
    }
    return room;
  }

  /** Null where tasks are not packed before all else. */
  private static @Nullable ToIntFunction<Fleet.Slot> left(List<PlacementStrategy> given) {
    if (given.isEmpty()) {
      return null;
    }
    return switch (PlacementRules.strategies(given, true).getFirst()) {
      case Strategy.BinpackCpu cpu -> Fleet.Slot::freeCpu;
      case Strategy.BinpackMemory memory -> Fleet.Slot::freeMemory;
      case Strategy.SpreadInstances any -> null;
      case Strategy.SpreadAttribute any -> null;
      case Strategy.AtRandom any -> null;
    };
  }

  /** Whether a cluster has any instance, even if none that takes tasks. */
  public static boolean any(Tx tx, String clusterArn) {
    return !tx.find(InstanceRecord.TABLE, "cluster", clusterArn).isEmpty();
  }

  /** Runs a transaction that places tasks; if it comes to nothing, what it placed is forgotten. */
  public <R> R write(String clusterArn, Function<Tx, R> work) {
    return undoing(clusterArn, () -> store.write(work));
  }

  private <R> R undoing(String clusterArn, Supplier<R> write) {
    boolean done = false;
    try {
      R result = write.get();
      done = true;
      return result;
    } finally {
      if (!done) {
        fleets.forget(clusterArn);
      }
    }
  }

  /**
   * Places one task, and makes and inserts it.
   *
   * @param order for any subnet; the task gets one in its instance's zone
   * @param zones of each of the network's subnets
   * @param wish how the task may wait if its capacity provider gets instances for it; null if it
   *     may not
   */
  public Outcome place(
      Tx tx,
      TaskFactory.Order order,
      Request request,
      Map<String, String> zones,
      WaitingTasks.@Nullable Wish wish) {
    return switch (fleets.place(tx, order.clusterArn(), request)) {
      case Verdict.Placed placed -> {
        InstanceRecord instance =
            tx.get(InstanceRecord.TABLE, placed.machine()).orElseThrow().value();
        yield new Outcome.Made(make(tx, instance, order, request, zones));
      }
      case Verdict.Refused refused -> {
        String provider = request.provider();
        if (wish == null || provider == null || !CapacityProviders.scales(tx, provider)) {
          yield new Outcome.Refused(refused, provider);
        }
        if (WaitingTasks.crowded(tx, order.clusterArn())) {
          yield new Outcome.Crowded();
        }
        TaskRecord task = factory.make(order, clock.instant()).waitingFor(provider);
        tx.insert(TaskRecord.TABLE, task.id(), task);
        WaitingTasks.put(tx, task, provider, wish);
        yield new Outcome.Made(task);
      }
    };
  }

  /** Places a task that waited. */
  Outcome settle(
      Tx tx,
      TaskRecord task,
      TaskDefinition definition,
      Request request,
      Map<String, String> zones) {
    return switch (fleets.place(tx, task.task().clusterArn(), request)) {
      case Verdict.Placed placed -> {
        InstanceRecord instance =
            tx.get(InstanceRecord.TABLE, placed.machine()).orElseThrow().value();
        List<TaskRecord> there = on(tx, instance);
        TaskRecord settled =
            booked(
                task.in(subnet(instance, task.network(), zones, there), instance.zone()),
                instance,
                definition,
                request,
                there);
        tx.put(TaskRecord.TABLE, task.id(), settled);
        fleets.booked(settled);
        yield new Outcome.Made(settled);
      }
      case Verdict.Refused refused -> new Outcome.Refused(refused, request.provider());
    };
  }

  private static List<TaskRecord> on(Tx tx, InstanceRecord instance) {
    return tx.find(TaskRecord.TABLE, "instance", instance.id()).stream().map(Row::value).toList();
  }

  /** One of the network's subnets in the instance's zone; the empty string if there are none. */
  private static String subnet(
      InstanceRecord instance,
      AwsVpcConfiguration network,
      Map<String, String> zones,
      List<TaskRecord> there) {
    List<String> taken = there.stream().map(TaskRecord::subnet).toList();
    List<String> subnets =
        network.subnets().stream()
            .filter(subnet -> instance.zone().equals(zones.get(subnet)))
            .toList();
    return subnets.isEmpty() ? "" : Networks.subnet(subnets, taken);
  }

  private TaskRecord booked(
      TaskRecord task,
      InstanceRecord instance,
      TaskDefinition definition,
      Request request,
      List<TaskRecord> there) {
    HostNetwork host = host(instance, definition, request.demand(), there);
    Demand demand = host == null ? request.demand() : host.with(request.demand());
    return task.on(
        instance.instance().containerInstanceArn(),
        new Booking(instance.id(), request.group(), demand),
        host);
  }

  /** Makes a task on an instance that was found to have room for it. */
  private TaskRecord make(
      Tx tx,
      InstanceRecord instance,
      TaskFactory.Order order,
      Request request,
      Map<String, String> zones) {
    List<TaskRecord> there = on(tx, instance);
    String subnet = subnet(instance, order.network(), zones, there);
    TaskRecord task =
        booked(
            factory.make(order.in(subnet, instance.zone()), clock.instant()).by(request.provider()),
            instance,
            order.definition(),
            request,
            there);
    tx.insert(TaskRecord.TABLE, task.id(), task);
    fleets.booked(task);
    return task;
  }

  private @Nullable HostNetwork host(
      InstanceRecord instance, TaskDefinition definition, Demand wanted, List<TaskRecord> there) {
    Set<Integer> tcp = new HashSet<>(instance.ports(InstanceRecord.PORTS));
    Set<Integer> udp = new HashSet<>(instance.ports(InstanceRecord.PORTS_UDP));
    tcp.addAll(wanted.tcp());
    udp.addAll(wanted.udp());
    List<HostNetwork> neighbours = new ArrayList<>();
    for (TaskRecord task : there) {
      Booking booking = Objects.requireNonNull(task.booking());
      tcp.addAll(booking.demand().tcp());
      udp.addAll(booking.demand().udp());
      if (task.host() != null) {
        neighbours.add(task.host());
      }
    }
    return HostNetwork.choose(
        definition, instance.instance().ec2InstanceId(), tcp, udp, neighbours, random);
  }

  /** The result of StartTask: on exactly these instances, whatever strategies would say. */
  public record Started(List<Task> tasks, List<Failure> failures) {}

  public Started start(
      Tx tx,
      List<String> instances,
      TaskFactory.Order order,
      Request request,
      Map<String, String> zones) {
    List<Task> tasks = new ArrayList<>();
    List<Failure> failures = new ArrayList<>();
    for (String reference : instances) {
      Optional<InstanceRecord> instance =
          tx.get(
                  InstanceRecord.TABLE,
                  Identifiers.of(order.clusterArn(), "container-instance", reference))
              .map(Row::value)
              .filter(i -> i.clusterArn().equals(order.clusterArn()));
      if (instance.isEmpty()) {
        failures.add(failure(InstanceRecord.arn(order.clusterArn(), reference), "MISSING"));
        continue;
      }
      String arn = instance.get().instance().containerInstanceArn();
      if (instance.get().inactive()) {
        failures.add(failure(arn, "INACTIVE"));
        continue;
      }
      Fleets.against(tx, instance.get(), request)
          .ifPresentOrElse(
              reason -> failures.add(failure(arn, reason.failure())),
              () -> tasks.add(make(tx, instance.get(), order, request, zones).task()));
    }
    return new Started(tasks, failures);
  }

  /** RunTask's failures for one task that found no place. */
  static List<Failure> failures(String clusterArn, Outcome.Refused refused) {
    if (refused.provider() != null && refused.why().rejections().isEmpty()) {
      return List.of(
          failure(
              clusterArn.substring(0, clusterArn.indexOf(":cluster/"))
                  + ":capacity-provider/"
                  + refused.provider(),
              WaitingTasks.EMPTY));
    }
    return refused.why().rejections().stream()
        .map(rejection ->
            failure(
                InstanceRecord.arn(clusterArn, rejection.machine()), rejection.reason().failure()))
        .toList();
  }

  private static Failure failure(String arn, String reason) {
    return Failure.builder().arn(arn).reason(reason).build();
  }
}
