package dev.muelle.services.ecs.agent;

import dev.muelle.engine.Engine;
import dev.muelle.engine.Statistics;
import dev.muelle.engine.Statistics.Device;
import dev.muelle.engine.Statistics.Traffic;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.ecs.service.TaskSets;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ClusterSettingName;
import software.amazon.awssdk.services.ecs.model.Container;
import software.amazon.awssdk.services.ecs.model.Service;

/**
 * Container Insights, for the clusters whose setting {@code containerInsights} is {@code enabled}:
 * what each of their tasks uses, as a sample of its cluster, its service and its family, and how
 * many services, tasks and instances there are.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html">Amazon
 *     ECS Container Insights metrics</a>
 */
final class Insights {

  private static final String NAMESPACE = "ECS/ContainerInsights";
  private static final String CLUSTER = "ClusterName";
  private static final String SERVICE = "ServiceName";
  private static final String FAMILY = "TaskDefinitionFamily";

  /** Takes one value of this minute. */
  @FunctionalInterface
  interface Sink {
    void record(Metric metric, double value);
  }

  /**
   * What a task uses of what it reserves; 0 is reserved where nothing is said.
   *
   * @param cpu in CPU units; null as long as there is nothing to compare with
   * @param memory in MiB
   */
  record Use(@Nullable Double cpu, double memory, double reservedCpu, double reservedMemory) {}

  private final Store store;
  private final Engine engine;
  private final Sink sink;

  /** The clusters that this minute is measured for, by their ARNs. */
  private Set<String> clusters = Set.of();

  /** By the engine's id of the container. */
  private Map<String, Statistics> before = new HashMap<>();

  private Map<String, Statistics> now = new HashMap<>();

  Insights(Store store, Engine engine, Sink sink) {
    this.store = store;
    this.engine = engine;
    this.sink = sink;
  }

  /** Before a minute's tasks. */
  void begin() {
    clusters = new HashSet<>();
    for (Row<Cluster> row : store.read(tx -> tx.list(ClusterNames.TABLE))) {
      if (row.value().status().equals("ACTIVE") && enabled(row.value())) {
        clusters.add(row.value().clusterArn());
      }
    }
    now = new HashMap<>();
  }

  private static boolean enabled(Cluster cluster) {
    return cluster.settings().stream()
        .anyMatch(setting ->
            setting.name() == ClusterSettingName.CONTAINER_INSIGHTS
                && setting.value().equals("enabled"));
  }

  /** A task of which something runs. */
  void task(TaskRecord task, Use use) {
    if (!clusters.contains(task.task().clusterArn())) {
      return;
    }
    List<Map<String, String>> dimensions = dimensions(task);
    if (use.reservedCpu() > 0) {
      record("CpuReserved", StandardUnit.NONE, dimensions, use.reservedCpu());
      if (use.cpu() != null) {
        record("CpuUtilized", StandardUnit.NONE, dimensions, use.cpu());
      }
    }
    if (use.reservedMemory() > 0) {
      record("MemoryReserved", StandardUnit.MEGABYTES, dimensions, use.reservedMemory());
      record("MemoryUtilized", StandardUnit.MEGABYTES, dimensions, use.memory());
    }
    traffic(task, dimensions);
  }

  /** What came and went, a second since the minute before, and all that was read and written. */
  private void traffic(TaskRecord task, List<Map<String, String>> dimensions) {
    long read = 0;
    long written = 0;
    boolean network = false;
    double received = 0;
    double sent = 0;
    for (Container container : task.task().containers()) {
      String id = task.containerId(container.name());
      Statistics statistics = engine.statistics(id).orElse(null);
      if (statistics == null) {
        continue;
      }
      now.put(id, statistics);
      for (Device device : statistics.devices()) {
        read += device.readBytes();
        written += device.writtenBytes();
      }
      Statistics earlier = before.get(id);
      boolean counted = !network || !ownInterface(task); // its containers share the task's own
      if (earlier != null && counted && hasNetwork(task, container)) {
        double seconds = Duration.between(earlier.read(), statistics.read()).toNanos() / 1e9;
        if (seconds > 0) {
          network = true;
          received += Math.max(0, received(statistics) - received(earlier)) / seconds;
          sent += Math.max(0, sent(statistics) - sent(earlier)) / seconds;
        }
      }
    }
    record("StorageReadBytes", StandardUnit.BYTES, dimensions, (double) read);
    record("StorageWriteBytes", StandardUnit.BYTES, dimensions, (double) written);
    if (network) {
      record("NetworkRxBytes", StandardUnit.BYTES_SECOND, dimensions, received);
      record("NetworkTxBytes", StandardUnit.BYTES_SECOND, dimensions, sent);
    }
  }

  private static boolean ownInterface(TaskRecord task) {
    return !task.task().attachments().isEmpty();
  }

  /** Whether it is in network mode {@code awsvpc} or {@code bridge}. */
  private static boolean hasNetwork(TaskRecord task, Container container) {
    return ownInterface(task)
        || (task.host() != null
            && task.host()
                .of(container.name())
                .filter(place -> !place.address().isEmpty())
                .isPresent());
  }

  private static double received(Statistics statistics) {
    return statistics.networks().values().stream().mapToDouble(Traffic::receivedBytes).sum();
  }

  private static double sent(Statistics statistics) {
    return statistics.networks().values().stream().mapToDouble(Traffic::sentBytes).sum();
  }

  private static List<Map<String, String>> dimensions(TaskRecord task) {
    String cluster = TaskRecord.idOf(task.task().clusterArn());
    String definition = TaskRecord.idOf(task.task().taskDefinitionArn());
    List<Map<String, String>> all = new ArrayList<>();
    all.add(Map.of(CLUSTER, cluster));
    all.add(Map.of(CLUSTER, cluster, FAMILY, definition.substring(0, definition.indexOf(':'))));
    String service = task.serviceKey();
    if (service != null) {
      all.add(Map.of(CLUSTER, cluster, SERVICE, TaskRecord.idOf(service)));
    }
    return all;
  }

  /** After a minute's tasks: what there is. */
  void end() {
    before = now;
    clusters.forEach(arn ->
        store.read(tx -> {
          count(tx, arn);
          return arn;
        }));
  }

  private void count(Tx tx, String cluster) {
    List<Map<String, String>> whole = List.of(Map.of(CLUSTER, TaskRecord.idOf(cluster)));
    long running =
        tx.find(TaskRecord.TABLE, "cluster", cluster).stream()
            .filter(row -> row.value().status() == TaskStatus.RUNNING)
            .count();
    long instances =
        tx.find(InstanceRecord.TABLE, "cluster", cluster).stream()
            .filter(row -> !row.value().inactive())
            .count();
    List<ServiceRecord> services =
        tx.find(ServiceRecord.TABLE, "cluster", cluster).stream()
            .map(Row::value)
            .filter(service -> !service.service().status().equals(ServiceRecord.INACTIVE))
            .toList();
    count("TaskCount", whole, running);
    count("ContainerInstanceCount", whole, instances);
    count("ServiceCount", whole, services.size());
    services.forEach(service -> count(tx, service, TaskRecord.idOf(cluster)));
  }

  private void count(Tx tx, ServiceRecord record, String cluster) {
    Service service = record.service();
    List<Map<String, String>> one =
        List.of(Map.of(CLUSTER, cluster, SERVICE, service.serviceName()));
    List<TaskStatus> tasks =
        tx.find(TaskRecord.TABLE, "service", record.key()).stream()
            .map(row -> row.value().status())
            .toList();
    count("DesiredTaskCount", one, Objects.requireNonNullElse(service.desiredCount(), 0));
    count("PendingTaskCount", one, tasks.stream().filter(TaskStatus::pending).count());
    count("RunningTaskCount", one, tasks.stream().filter(s -> s == TaskStatus.RUNNING).count());
    count("DeploymentCount", one, service.deployments().size());
    count("TaskSetCount", one, tx.list(TaskSets.TABLE, record.key() + "/").size());
  }

  private void count(String name, List<Map<String, String>> dimensions, long value) {
    record(name, StandardUnit.COUNT, dimensions, (double) value);
  }

  private void record(
      String name, StandardUnit unit, List<Map<String, String>> dimensions, double value) {
    dimensions.forEach(each -> sink.record(new Metric(NAMESPACE, name, each, unit), value));
  }
}
