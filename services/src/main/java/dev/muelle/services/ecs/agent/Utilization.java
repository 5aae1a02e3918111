package dev.muelle.services.ecs.agent;

import dev.muelle.engine.Engine;
import dev.muelle.loop.Timers;
import dev.muelle.loop.Timers.Cancellable;
import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.Measurements.Recorder;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.ecs.model.Container;

/**
 * Measures, each minute or as often as the region is asked to, what part of their reserved CPU and
 * memory the tasks of services use, one sample for each task, so that Minimum and Maximum tell of
 * single tasks; and what part of a cluster's registered CPU and memory is used, and is reserved.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_utilization.html">Amazon
 *     ECS service utilization metrics</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cluster_reservation.html">Amazon
 *     ECS cluster reservation metrics</a>
 */
public final class Utilization implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Utilization.class);
  private static final long MINUTE = 60_000; // ms
  private static final double UNITS = 1_024; // of a vCPU
  private static final double MIB = 1 << 20;

  private final Store store;
  private final Timers timers;
  private final Engine engine;
  private final Measurements measurements;
  private final Insights insights;
  private final long period; // ms
  private boolean closed;
  private @Nullable Cancellable next;

  /** CPU time of containers a period ago. */
  private Map<String, Sample> before = new HashMap<>();

  /** How many vCPUs tasks kept busy in the last minute, by EC2 instance. */
  private volatile Map<String, Double> busy = Map.of();

  /** The same of the periods of a minute that is not over, added up. */
  private final Map<String, Double> gathered = new HashMap<>();

  private int periods;

  /** Of the present period. */
  private final Map<Metric, Recorder> recorders = new HashMap<>();

  /** CPU time is the machine's, and so is the time in which it was used. */
  private record Sample(long cpuNanos, long millis) {}

  /** Adds up what the tasks on a cluster's instances use, and what they reserve. */
  private static final class Total {
    double cpu;
    double memory;
    boolean compared; // whether there is anything to say of CPU yet
    double reservedCpu;
    double reservedMemory;
  }

  public Utilization(Store store, Timers timers, Engine engine, Measurements measurements) {
    this.store = store;
    this.timers = timers;
    this.engine = engine;
    this.measurements = measurements;
    period = measurements.period().toMillis();
    insights = new Insights(store, engine, this::record);
  }

  /** Measures from now on, if anybody wants to know. */
  public synchronized void start() {
    if (!closed && !measurements.equals(Measurements.NONE)) {
      long into = Math.floorMod(timers.millis() - when(), period);
      next = timers.after(Duration.ofMillis(period - into), this::run);
    }
  }

  /** How far into the period, which is then nearly over. */
  private long when() {
    return period * 5 / 6;
  }

  /** How many vCPUs the tasks on an EC2 instance kept busy in the last minute. */
  public double vcpus(String ec2InstanceId) {
    return busy.getOrDefault(ec2InstanceId, 0.0);
  }

  private void run() {
    try {
      measure();
    } catch (RuntimeException e) {
      LOG.warn("The use of a minute could not be measured", e);
    }
    start();
  }

  private synchronized void measure() {
    if (closed) {
      return;
    }
    Map<String, Sample> now = new HashMap<>();
    Map<String, Total> clusters = new TreeMap<>();
    insights.begin();
    for (Row<TaskRecord> row : store.read(tx -> tx.list(TaskRecord.TABLE))) {
      TaskRecord task = row.value();
      TaskUse use = use(task, now);
      if (use.parts().isEmpty()) {
        continue;
      }
      Reserved reserved = Reserved.of(task);
      if (task.serviceKey() != null) {
        service(task, use, reserved);
      }
      insights.task(task, use);
      if (task.booking() != null) {
        Total total = clusters.computeIfAbsent(task.task().clusterArn(), any -> new Total());
        add(total, use, reserved);
        busy(task.booking().machine(), use);
      }
    }
    before = now;
    minute();
    clusters.forEach(this::cluster);
    insights.end();
    recorders.clear();
  }

  private static void add(Total total, TaskUse use, Reserved reserved) {
    Double cpu = use.cpu();
    if (cpu != null) {
      total.compared = true;
      total.cpu += cpu;
    }
    total.memory += use.memory();
    total.reservedCpu += reserved.cpu();
    total.reservedMemory += reserved.memory();
  }

  private void busy(String machine, TaskUse use) {
    Double cpu = use.cpu();
    if (cpu != null) {
      store
          .read(tx -> tx.get(InstanceRecord.TABLE, machine))
          .map(on -> on.value().instance().ec2InstanceId())
          .ifPresent(id -> gathered.merge(id, cpu / UNITS, Double::sum));
    }
  }

  private void minute() {
    periods++;
    if (periods * period >= MINUTE) {
      Map<String, Double> mean = new HashMap<>();
      gathered.forEach((id, sum) -> mean.put(id, sum / periods));
      busy = Map.copyOf(mean);
      gathered.clear();
      periods = 0;
    }
  }

  private TaskUse use(TaskRecord task, Map<String, Sample> now) {
    Map<String, TaskUse.Part> parts = new LinkedHashMap<>();
    for (Container container : task.task().containers()) {
      String id = task.containerId(container.name());
      Engine.Usage usage = engine.usage(id).orElse(null);
      if (usage == null) {
        continue;
      }
      Sample sample = new Sample(usage.cpuNanos(), timers.machine().millis());
      now.put(id, sample);
      parts.put(
          container.name(),
          new TaskUse.Part(cpu(before.get(id), sample), usage.memoryBytes() / MIB));
    }
    return new TaskUse(parts);
  }

  /** In CPU units; null for a container that has just started. */
  private static @Nullable Double cpu(@Nullable Sample earlier, Sample later) {
    if (earlier == null
        || earlier.cpuNanos() > later.cpuNanos()
        || earlier.millis() >= later.millis()) {
      return null;
    }
    double nanos = (later.millis() - earlier.millis()) * 1e6;
    return (later.cpuNanos() - earlier.cpuNanos()) / nanos * UNITS;
  }

  private void service(TaskRecord task, TaskUse use, Reserved reserved) {
    Map<String, String> dimensions =
        Map.of(
            "ClusterName", TaskRecord.idOf(task.task().clusterArn()),
            "ServiceName", serviceName(task));
    Double cpu = use.cpu();
    if (cpu != null) {
      record("CPUUtilization", dimensions, cpu, reserved.cpu());
    }
    record("MemoryUtilization", dimensions, use.memory(), reserved.memory());
  }

  private static String serviceName(TaskRecord task) {
    String group = Objects.requireNonNullElse(task.task().group(), "");
    return group.substring(group.indexOf(':') + 1);
  }

  private void cluster(String arn, Total total) {
    List<Row<InstanceRecord>> instances =
        store.read(tx -> tx.find(InstanceRecord.TABLE, "cluster", arn));
    Map<String, String> dimensions = Map.of("ClusterName", TaskRecord.idOf(arn));
    double cpu = registered(instances, InstanceRecord.CPU);
    double memory = registered(instances, InstanceRecord.MEMORY);
    if (total.compared) {
      record("CPUUtilization", dimensions, total.cpu, cpu);
    }
    record("MemoryUtilization", dimensions, total.memory, memory);
    record("CPUReservation", dimensions, total.reservedCpu, cpu);
    record("MemoryReservation", dimensions, total.reservedMemory, memory);
  }

  private static double registered(List<Row<InstanceRecord>> instances, String name) {
    return instances.stream().mapToInt(row -> row.value().total(name)).sum();
  }

  private void record(String name, Map<String, String> dimensions, double part, double whole) {
    if (whole > 0) {
      record(new Metric("AWS/ECS", name, dimensions, StandardUnit.PERCENT), 100 * part / whole);
    }
  }

  private void record(Metric metric, double value) {
    recorders.computeIfAbsent(metric, measurements::of).record(value);
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (next != null) {
      next.cancel();
    }
  }
}
