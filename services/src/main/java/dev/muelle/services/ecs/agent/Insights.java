package dev.muelle.services.ecs.agent;

import dev.muelle.engine.Engine;
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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ClusterSetting;
import software.amazon.awssdk.services.ecs.model.ClusterSettingName;
import software.amazon.awssdk.services.ecs.model.Service;

/**
 * Container Insights, for the clusters whose setting {@code containerInsights} is {@code enabled}
 * or {@code enhanced}: what each of their tasks uses, and how many services, tasks and instances
 * there are.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Container-Insights-metrics-ECS.html">Amazon
 *     ECS Container Insights metrics</a>
 */
final class Insights {

  private static final String NAMESPACE = "ECS/ContainerInsights";
  static final String CLUSTER = "ClusterName";
  static final String SERVICE = "ServiceName";
  static final String FAMILY = "TaskDefinitionFamily";
  static final String TASK = "TaskId";
  static final String CONTAINER = "ContainerName";

  /** Takes one value of this period. */
  @FunctionalInterface
  interface Sink {
    void record(Metric metric, double value);
  }

  private final Store store;
  private final Sink sink;
  private final TaskInsights tasks;

  /** Those that are measured now, by their ARNs, and whether their tasks one by one. */
  private Map<String, Boolean> clusters = Map.of();

  Insights(Store store, Engine engine, Sink sink) {
    this.store = store;
    this.sink = sink;
    tasks = new TaskInsights(store, engine, sink);
  }

  /** Before the tasks of a period. */
  void begin() {
    clusters = new HashMap<>();
    for (Row<Cluster> row : store.read(tx -> tx.list(ClusterNames.TABLE))) {
      String insights = insights(row.value());
      if (row.value().status().equals("ACTIVE") && !insights.equals("disabled")) {
        clusters.put(row.value().clusterArn(), insights.equals("enhanced"));
      }
    }
    tasks.begin();
  }

  private static String insights(Cluster cluster) {
    return cluster.settings().stream()
        .filter(setting -> setting.name() == ClusterSettingName.CONTAINER_INSIGHTS)
        .map(ClusterSetting::value)
        .findFirst()
        .orElse("disabled");
  }

  /** A task of which something runs. */
  void task(TaskRecord task, TaskUse use) {
    Boolean enhanced = clusters.get(task.task().clusterArn());
    if (enhanced != null) {
      tasks.task(task, use, enhanced);
    }
  }

  /** After them: what there is. */
  void end() {
    tasks.end();
    for (String arn : clusters.keySet()) {
      store.read(tx -> {
        count(tx, arn);
        return arn;
      });
    }
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
    record(sink, name, unit, dimensions, value);
  }

  static void record(
      Sink sink,
      String name,
      StandardUnit unit,
      List<Map<String, String>> dimensions,
      double value) {
    dimensions.forEach(each -> sink.record(new Metric(NAMESPACE, name, each, unit), value));
  }
}
