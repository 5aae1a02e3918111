package dev.muelle.services.ecs.agent;

import dev.muelle.engine.ContainerStatus;
import dev.muelle.engine.Engine;
import dev.muelle.engine.Statistics;
import dev.muelle.engine.Statistics.Device;
import dev.muelle.engine.Statistics.Traffic;
import dev.muelle.services.ecs.definition.Restarts;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.EphemeralStorage;
import software.amazon.awssdk.services.ecs.model.HealthStatus;

/**
 * What Container Insights tells of tasks: each is a sample of its cluster, its service and its
 * family; with enhanced observability of itself, too, and so is each of its containers.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html">Amazon
 *     ECS Container Insights metrics</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-enhanced-observability-metrics-ECS.html">Amazon
 *     ECS Container Insights with enhanced observability metrics</a>
 */
final class TaskInsights {

  private static final double GIGABYTE = 1e9;
  private static final double GIB = 1L << 30;

  private final Store store;
  private final Engine engine;
  private final Insights.Sink sink;

  /** By the engine's id of the container. */
  private Map<String, Statistics> before = new HashMap<>();

  private Map<String, Statistics> now = new HashMap<>();

  /**
   * What a container moved.
   *
   * @param read bytes since its start, and so {@code written}
   * @param rate null if it has no network, or nothing to compare with
   */
  private record Moved(double read, double written, @Nullable Rate rate) {}

  /** Bytes a second. */
  private record Rate(double received, double sent) {
    Rate plus(Rate other) {
      return new Rate(received + other.received, sent + other.sent);
    }

    Rate by(int parts) {
      return new Rate(received / parts, sent / parts);
    }
  }

  TaskInsights(Store store, Engine engine, Insights.Sink sink) {
    this.store = store;
    this.engine = engine;
    this.sink = sink;
  }

  /** Before the tasks of a period. */
  void begin() {
    now = new HashMap<>();
  }

  /** After them. */
  void end() {
    before = now;
  }

  /** A task of which something runs. */
  void task(TaskRecord task, TaskUse use, boolean enhanced) {
    List<Map<String, String>> whole = dimensions(task, enhanced);
    Map<String, Moved> moved = moved(task, use.parts().keySet());
    Reserved reserved = Reserved.of(task);
    if (enhanced) {
      reserved = reserved.or(instance(task));
    }
    if (reserved.cpu() > 0) {
      record("CpuReserved", StandardUnit.NONE, whole, reserved.cpu());
      record("CpuUtilized", StandardUnit.NONE, whole, use.cpu());
    }
    if (reserved.memory() > 0) {
      record("MemoryReserved", StandardUnit.MEGABYTES, whole, reserved.memory());
      record("MemoryUtilized", StandardUnit.MEGABYTES, whole, use.memory());
    }
    record("StorageReadBytes", StandardUnit.BYTES, whole, sum(moved, Moved::read));
    record("StorageWriteBytes", StandardUnit.BYTES, whole, sum(moved, Moved::written));
    Rate rate =
        moved.values().stream()
            .map(Moved::rate)
            .filter(Objects::nonNull)
            .reduce(Rate::plus)
            .orElse(null);
    rates("Network", whole, rate);
    storage(task, whole, enhanced);
    Map<String, ContainerDefinition> definitions = definitions(task);
    for (Container container : task.task().containers()) {
      restarts(task, container, definitions.get(container.name()), enhanced);
    }
    if (enhanced) {
      percent("TaskCpuUtilization", whole, use.cpu(), reserved.cpu());
      percent("TaskMemoryUtilization", whole, use.memory(), reserved.memory());
      for (Container container : task.task().containers()) {
        TaskUse.Part part = use.parts().get(container.name());
        Moved its = moved.get(container.name());
        if (part != null && its != null) {
          container(task, container, part, its, Reserved.of(container).or(reserved));
        }
        health(task, container);
      }
    }
  }

  private void container(
      TaskRecord task, Container container, TaskUse.Part part, Moved moved, Reserved reserved) {
    List<Map<String, String>> named = named(task, container.name());
    record("ContainerCpuReserved", StandardUnit.NONE, named, reserved.cpu());
    record("ContainerCpuUtilized", StandardUnit.NONE, named, part.cpu());
    record("ContainerMemoryReserved", StandardUnit.MEGABYTES, named, reserved.memory());
    record("ContainerMemoryUtilized", StandardUnit.MEGABYTES, named, part.memory());
    record("ContainerStorageReadBytes", StandardUnit.BYTES, named, moved.read());
    record("ContainerStorageWriteBytes", StandardUnit.BYTES, named, moved.written());
    percent("ContainerMemoryUtilization", named, part.memory(), reserved.memory());
    List<Map<String, String>> both = both(task, container.name());
    percent("ContainerCpuUtilization", both, part.cpu(), reserved.cpu());
    rates("ContainerNetwork", both, moved.rate());
  }

  /** What there is of disk is reserved on Fargate only. */
  private void storage(TaskRecord task, List<Map<String, String>> whole, boolean enhanced) {
    EphemeralStorage storage = task.task().ephemeralStorage();
    if (storage == null) {
      return;
    }
    double reserved = storage.sizeInGiB() * GIB;
    double used = engine.storageUsed(task.id());
    record("EphemeralStorageReserved", StandardUnit.GIGABYTES, whole, reserved / GIGABYTE);
    record("EphemeralStorageUtilized", StandardUnit.GIGABYTES, whole, used / GIGABYTE);
    if (enhanced) {
      percent("TaskEphemeralStorageUtilization", whole, used, reserved);
    }
  }

  private void restarts(
      TaskRecord task,
      Container container,
      @Nullable ContainerDefinition definition,
      boolean enhanced) {
    ContainerStatus status = engine.container(task.containerId(container.name())).orElse(null);
    if (definition != null && status != null && Restarts.enabled(definition)) {
      record(
          "RestartCount",
          StandardUnit.COUNT,
          enhanced ? both(task, container.name()) : dimensions(task, false),
          (double) status.restarts());
    }
  }

  /** Those that have a health check, once it has said something. */
  private void health(TaskRecord task, Container container) {
    HealthStatus health = container.healthStatus();
    if (health == HealthStatus.HEALTHY || health == HealthStatus.UNHEALTHY) {
      record(
          "UnHealthyContainerHealthStatus",
          StandardUnit.COUNT,
          named(task, container.name()),
          health == HealthStatus.UNHEALTHY ? 1.0 : 0.0);
    }
  }

  private Map<String, ContainerDefinition> definitions(TaskRecord task) {
    String key = TaskDefinitions.keyOf(TaskRecord.idOf(task.task().taskDefinitionArn()));
    return store
        .read(tx -> tx.get(TaskDefinitions.TABLE, key))
        .map(row ->
            row.value().definition().containerDefinitions().stream()
                .collect(Collectors.toMap(ContainerDefinition::name, one -> one)))
        .orElse(Map.of());
  }

  /** What the task's instance has registered; nothing on Fargate. */
  private Reserved instance(TaskRecord task) {
    return Optional.ofNullable(task.booking())
        .flatMap(booking ->
            store.read(tx -> tx.get(InstanceRecord.TABLE, booking.machine())).map(Row::value))
        .map(on -> new Reserved(on.total(InstanceRecord.CPU), on.total(InstanceRecord.MEMORY)))
        .orElse(new Reserved(0, 0));
  }

  /**
   * By container. Those that share the task's own interface have equal parts of what it carried.
   */
  private Map<String, Moved> moved(TaskRecord task, Set<String> containers) {
    Map<String, Moved> moved = new LinkedHashMap<>();
    boolean own = !task.task().attachments().isEmpty();
    for (String name : containers) {
      String id = task.containerId(name);
      Statistics statistics = engine.statistics(id).orElse(null);
      if (statistics == null) {
        continue;
      }
      now.put(id, statistics);
      Rate rate = own || bridged(task, name) ? rate(before.get(id), statistics) : null;
      moved.put(
          name,
          new Moved(
              statistics.devices().stream().mapToDouble(Device::readBytes).sum(),
              statistics.devices().stream().mapToDouble(Device::writtenBytes).sum(),
              rate));
    }
    if (own) {
      int sharing = (int) moved.values().stream().filter(one -> one.rate() != null).count();
      moved.replaceAll((name, one) -> {
        Rate rate = one.rate();
        return new Moved(one.read(), one.written(), rate == null ? null : rate.by(sharing));
      });
    }
    return moved;
  }

  private static boolean bridged(TaskRecord task, String container) {
    return task.host() != null
        && task.host().of(container).filter(place -> !place.address().isEmpty()).isPresent();
  }

  private static @Nullable Rate rate(@Nullable Statistics earlier, Statistics later) {
    double seconds =
        earlier == null ? 0 : Duration.between(earlier.read(), later.read()).toNanos() / 1e9;
    if (earlier == null || seconds <= 0) {
      return null;
    }
    return new Rate(
        Math.max(0, received(later) - received(earlier)) / seconds,
        Math.max(0, sent(later) - sent(earlier)) / seconds);
  }

  private static double received(Statistics statistics) {
    return statistics.networks().values().stream().mapToDouble(Traffic::receivedBytes).sum();
  }

  private static double sent(Statistics statistics) {
    return statistics.networks().values().stream().mapToDouble(Traffic::sentBytes).sum();
  }

  private static double sum(
      Map<String, Moved> moved, java.util.function.ToDoubleFunction<Moved> what) {
    return moved.values().stream().mapToDouble(what).sum();
  }

  /** What a task is a sample of. */
  private static List<Map<String, String>> dimensions(TaskRecord task, boolean enhanced) {
    Map<String, String> cluster =
        Map.of(Insights.CLUSTER, TaskRecord.idOf(task.task().clusterArn()));
    List<Map<String, String>> parts = new ArrayList<>();
    String definition = TaskRecord.idOf(task.task().taskDefinitionArn());
    parts.add(with(cluster, Insights.FAMILY, definition.substring(0, definition.indexOf(':'))));
    if (task.serviceKey() != null) {
      parts.add(with(cluster, Insights.SERVICE, TaskRecord.idOf(task.serviceKey())));
    }
    return Stream.of(
            Stream.of(cluster),
            parts.stream(),
            parts.stream()
                .filter(any -> enhanced)
                .map(each -> with(each, Insights.TASK, task.id())))
        .flatMap(each -> each)
        .toList();
  }

  /** What a container is a sample of. */
  private static List<Map<String, String>> named(TaskRecord task, String container) {
    List<Map<String, String>> all = new ArrayList<>(dimensions(task, true));
    all.replaceAll(each -> each.size() == 1 ? each : with(each, Insights.CONTAINER, container));
    return all;
  }

  /** What a container is a sample of where AWS names its task's dimensions, too. */
  private static List<Map<String, String>> both(TaskRecord task, String container) {
    return Stream.concat(dimensions(task, true).stream(), named(task, container).stream())
        .distinct()
        .toList();
  }

  private static Map<String, String> with(Map<String, String> some, String name, String value) {
    Map<String, String> all = new TreeMap<>(some);
    all.put(name, value);
    return all;
  }

  private void rates(String of, List<Map<String, String>> dimensions, @Nullable Rate rate) {
    if (rate != null) {
      record(of + "RxBytes", StandardUnit.BYTES_SECOND, dimensions, rate.received());
      record(of + "TxBytes", StandardUnit.BYTES_SECOND, dimensions, rate.sent());
    }
  }

  private void percent(
      String name, List<Map<String, String>> dimensions, @Nullable Double part, double whole) {
    if (part != null && whole > 0) {
      record(name, StandardUnit.PERCENT, dimensions, 100 * part / whole);
    }
  }

  private void record(
      String name,
      StandardUnit unit,
      List<Map<String, String>> dimensions,
      @Nullable Double value) {
    if (value != null) {
      Insights.record(sink, name, unit, dimensions, value);
    }
  }
}
