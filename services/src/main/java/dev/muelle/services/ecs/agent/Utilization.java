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
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.ecs.model.Container;

/**
 * Measures, each minute, what part of their reserved CPU and memory the tasks of services use, and
 * what part of their registered CPU and memory the instances of clusters do: one sample for each
 * task, so that Minimum and Maximum tell of single tasks.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service_utilization.html">Amazon
 *     ECS service utilization metrics</a>
 */
public final class Utilization implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Utilization.class);
  private static final long MINUTE = 60_000; // ms
  private static final long WHEN = 50_000; // ms into the minute, which is then nearly over
  private static final double UNITS = 1_024; // of a vCPU
  private static final double MIB = 1 << 20;

  private final Store store;
  private final Timers timers;
  private final Engine engine;
  private final Measurements measurements;
  private final Insights insights;
  private boolean closed;
  private @Nullable Cancellable next;

  /** CPU time of containers a minute ago. */
  private Map<String, Sample> before = new HashMap<>();

  /** How many vCPUs tasks kept busy, by EC2 instance. */
  private volatile Map<String, Double> busy = Map.of();

  /** Of the present minute. */
  private final Map<Metric, Recorder> recorders = new HashMap<>();

  /** CPU time is the machine's, and so is the time in which it was used. */
  private record Sample(long cpuNanos, long millis) {}

  /**
   * What a task uses.
   *
   * @param cpu in CPU units; null as long as there is nothing to compare with
   * @param memory in MiB
   */
  private record Use(@Nullable Double cpu, double memory) {}

  /** Adds up what the tasks on a cluster's instances use. */
  private static final class Total {
    double cpu;
    double memory;
  }

  public Utilization(Store store, Timers timers, Engine engine, Measurements measurements) {
    this.store = store;
    this.timers = timers;
    this.engine = engine;
    this.measurements = measurements;
    insights = new Insights(store, engine, this::record);
  }

  /** Measures from now on, if anybody wants to know. */
  public synchronized void start() {
    if (!closed && !measurements.equals(Measurements.NONE)) {
      long into = Math.floorMod(timers.millis() - WHEN, MINUTE);
      next = timers.after(Duration.ofMillis(MINUTE - into), this::run);
    }
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
    Map<String, Double> instances = new HashMap<>();
    for (Row<TaskRecord> row : store.read(tx -> tx.list(TaskRecord.TABLE))) {
      TaskRecord task = row.value();
      Use use = use(task, now);
      if (use == null) {
        continue;
      }
      double cpu = reservedCpu(task);
      double memory = reservedMemory(task);
      if (task.serviceKey() != null) {
        service(task, use, cpu, memory);
      }
      insights.task(task, new Insights.Use(use.cpu(), use.memory(), cpu, memory));
      if (task.booking() != null && use.cpu() != null) {
        Total total = clusters.computeIfAbsent(task.task().clusterArn(), any -> new Total());
        double units = use.cpu();
        total.cpu += units;
        total.memory += use.memory();
        String machine = task.booking().machine();
        store
            .read(tx -> tx.get(InstanceRecord.TABLE, machine))
            .map(on -> on.value().instance().ec2InstanceId())
            .ifPresent(id -> instances.merge(id, units / UNITS, Double::sum));
      }
    }
    before = now;
    busy = Map.copyOf(instances);
    clusters(clusters);
    insights.end();
    recorders.clear();
  }

  /** Null if nothing of the task runs. */
  private @Nullable Use use(TaskRecord task, Map<String, Sample> now) {
    boolean running = false;
    boolean known = true;
    double cpu = 0;
    double memory = 0;
    for (Container container : task.task().containers()) {
      String id = task.containerId(container.name());
      Engine.Usage usage = engine.usage(id).orElse(null);
      if (usage == null) {
        continue;
      }
      running = true;
      memory += usage.memoryBytes() / MIB;
      Sample sample = new Sample(usage.cpuNanos(), timers.machine().millis());
      now.put(id, sample);
      Sample earlier = before.get(id);
      if (earlier == null
          || earlier.cpuNanos() > sample.cpuNanos()
          || earlier.millis() >= sample.millis()) {
        known = false; // it has just started
      } else {
        double nanos = (sample.millis() - earlier.millis()) * 1e6;
        cpu += (sample.cpuNanos() - earlier.cpuNanos()) / nanos * UNITS;
      }
    }
    return running ? new Use(known ? cpu : null, memory) : null;
  }

  private static double reservedCpu(TaskRecord task) {
    return reserved(task, task.task().cpu(), Container::cpu);
  }

  private static double reservedMemory(TaskRecord task) {
    return reserved(
        task,
        task.task().memory(),
        container ->
            container.memoryReservation() == null
                ? container.memory()
                : container.memoryReservation());
  }

  private void service(TaskRecord task, Use use, double cpu, double memory) {
    Map<String, String> dimensions =
        Map.of(
            "ClusterName", TaskRecord.idOf(task.task().clusterArn()),
            "ServiceName", serviceName(task));
    if (use.cpu() != null && cpu > 0) {
      record("CPUUtilization", dimensions, 100 * use.cpu() / cpu);
    }
    if (memory > 0) {
      record("MemoryUtilization", dimensions, 100 * use.memory() / memory);
    }
  }

  private static String serviceName(TaskRecord task) {
    String group = Objects.requireNonNullElse(task.task().group(), "");
    return group.substring(group.indexOf(':') + 1);
  }

  /** What the task as a whole reserves, or else its containers together. */
  private static double reserved(
      TaskRecord task, @Nullable String ofTask, Function<Container, @Nullable String> ofOne) {
    if (ofTask != null) {
      return Double.parseDouble(ofTask);
    }
    double sum = 0;
    for (Container container : task.task().containers()) {
      String one = ofOne.apply(container);
      sum += one == null ? 0 : Double.parseDouble(one);
    }
    return sum;
  }

  private void clusters(Map<String, Total> used) {
    used.forEach((cluster, total) -> {
      List<Row<InstanceRecord>> instances =
          store.read(tx -> tx.find(InstanceRecord.TABLE, "cluster", cluster));
      Map<String, String> dimensions = Map.of("ClusterName", TaskRecord.idOf(cluster));
      double cpu = registered(instances, InstanceRecord.CPU);
      if (cpu > 0) {
        record("CPUUtilization", dimensions, 100 * total.cpu / cpu);
      }
      double memory = registered(instances, InstanceRecord.MEMORY);
      if (memory > 0) {
        record("MemoryUtilization", dimensions, 100 * total.memory / memory);
      }
    });
  }

  private static double registered(List<Row<InstanceRecord>> instances, String name) {
    return instances.stream().mapToInt(row -> row.value().total(name)).sum();
  }

  private void record(String name, Map<String, String> dimensions, double percent) {
    record(new Metric("AWS/ECS", name, dimensions, StandardUnit.PERCENT), percent);
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
