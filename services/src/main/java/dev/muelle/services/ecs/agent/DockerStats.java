package dev.muelle.services.ecs.agent;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.Engine;
import dev.muelle.engine.Statistics;
import dev.muelle.engine.Statistics.Cpu;
import dev.muelle.engine.Statistics.Device;
import dev.muelle.engine.Statistics.Traffic;
import dev.muelle.services.ecs.state.TaskRecord;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Container;

/**
 * What containers use, in the form of Docker's statistics, which is what the task metadata endpoint
 * gives. Docker compares with the sample before: that is the one that was asked for last, if it is
 * at least a second old. The first has none, and says so as Docker does, with the year 1.
 *
 * @see <a
 *     href="https://docs.docker.com/reference/api/engine/version/v1.30/#tag/Container/operation/ContainerStats">ContainerStats</a>
 */
public final class DockerStats {

  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final String NEVER = "0001-01-01T00:00:00Z";
  private static final Duration APART = Duration.ofSeconds(1);

  /**
   * Samples of one container.
   *
   * @param before null at first
   */
  private record Pair(@Nullable Statistics before, Statistics last) {

    /** The pair to tell of, given what is so now. */
    Pair then(Statistics now) {
      boolean another = now.cpu().total() < last.cpu().total(); // it was started again
      if (another) {
        return new Pair(null, now);
      }
      return Duration.between(last.read(), now.read()).compareTo(APART) >= 0
          ? new Pair(last, now)
          : new Pair(before, now);
    }
  }

  private final Engine engine;

  /** By the engine's id of the container. */
  private final Map<String, Pair> samples = new ConcurrentHashMap<>();

  public DockerStats(Engine engine) {
    this.engine = engine;
  }

  /** Of all containers, by their ids; null for those that do not run. */
  ObjectNode task(TaskRecord task) {
    ObjectNode node = JSON.objectNode();
    for (Container container : task.task().containers()) {
      ObjectNode stats = container(task, container);
      String id = task.containerId(container.name());
      node.set(id, stats.isEmpty() ? JSON.nullNode() : stats);
    }
    return node;
  }

  /** Of one; empty if it does not run. */
  ObjectNode container(TaskRecord task, Container container) {
    String id = task.containerId(container.name());
    ObjectNode node = JSON.objectNode();
    engine
        .statistics(id)
        .ifPresent(now -> {
          Pair pair =
              samples.compute(id, (key, old) -> old == null ? new Pair(null, now) : old.then(now));
          write(node, pair.before(), pair.last());
          node.put("name", container.name());
          node.put("id", id);
        });
    return node;
  }

  /** A task has ended. */
  void forget(TaskRecord task) {
    task.task()
        .containers()
        .forEach(container -> samples.remove(task.containerId(container.name())));
  }

  private static void write(ObjectNode node, @Nullable Statistics before, Statistics now) {
    node.put("read", now.read().toString());
    node.put("preread", before == null ? NEVER : before.read().toString());
    node.putObject("pids_stats").put("current", now.processes());
    devices(node.putObject("blkio_stats"), now);
    node.put("num_procs", 0); // Windows only
    node.putObject("storage_stats"); // Windows only
    cpu(node.putObject("cpu_stats"), now.cpu());
    ObjectNode earlier = node.putObject("precpu_stats");
    if (before != null) {
      cpu(earlier, before.cpu());
    }
    ObjectNode memory = node.putObject("memory_stats");
    memory.put("usage", now.memory().usage());
    memory.put("max_usage", now.memory().peak());
    ObjectNode details = memory.putObject("stats");
    now.memory().details().forEach(details::put);
    memory.put("limit", now.memory().limit());
    ObjectNode networks = node.putObject("networks");
    now.networks().forEach((name, traffic) -> network(networks.putObject(name), traffic));
    if (before != null) {
      ObjectNode rates = node.putObject("network_rate_stats");
      rates.put("rx_bytes_per_sec", rate(before, now, Traffic::receivedBytes));
      rates.put("tx_bytes_per_sec", rate(before, now, Traffic::sentBytes));
    }
  }

  private static double rate(Statistics before, Statistics now, ToLongFunction<Traffic> bytes) {
    Instant from = before.read();
    double seconds = Duration.between(from, now.read()).toNanos() / 1e9;
    return (sum(now, bytes) - sum(before, bytes)) / seconds;
  }

  private static long sum(Statistics statistics, ToLongFunction<Traffic> bytes) {
    return statistics.networks().values().stream().mapToLong(bytes).sum();
  }

  private static void cpu(ObjectNode node, Cpu cpu) {
    ObjectNode usage = node.putObject("cpu_usage");
    usage.put("total_usage", cpu.total());
    if (!cpu.perCpu().isEmpty()) {
      ArrayNode each = usage.putArray("percpu_usage");
      cpu.perCpu().forEach(each::add);
    }
    usage.put("usage_in_kernelmode", cpu.kernel());
    usage.put("usage_in_usermode", cpu.user());
    node.put("system_cpu_usage", cpu.system());
    node.put("online_cpus", cpu.online());
    node.putObject("throttling_data")
        .put("periods", cpu.periods())
        .put("throttled_periods", cpu.throttledPeriods())
        .put("throttled_time", cpu.throttled());
  }

  private static void devices(ObjectNode node, Statistics now) {
    ArrayNode bytes = node.putArray("io_service_bytes_recursive");
    ArrayNode operations = node.putArray("io_serviced_recursive");
    for (Device device : now.devices()) {
      operation(bytes, device, "Read", device.readBytes());
      operation(bytes, device, "Write", device.writtenBytes());
      operation(bytes, device, "Total", device.readBytes() + device.writtenBytes());
      operation(operations, device, "Read", device.reads());
      operation(operations, device, "Write", device.writes());
      operation(operations, device, "Total", device.reads() + device.writes());
    }
    for (String unknown : // of schedulers that today's kernels do not have
        new String[] {
          "io_queue_recursive",
          "io_service_time_recursive",
          "io_wait_time_recursive",
          "io_merged_recursive",
          "io_time_recursive",
          "sectors_recursive"
        }) {
      node.putArray(unknown);
    }
  }

  private static void operation(ArrayNode list, Device device, String name, long value) {
    list.addObject()
        .put("major", device.major())
        .put("minor", device.minor())
        .put("op", name)
        .put("value", value);
  }

  private static void network(ObjectNode node, Traffic traffic) {
    node.put("rx_bytes", traffic.receivedBytes());
    node.put("rx_packets", traffic.receivedPackets());
    node.put("rx_errors", traffic.receiveErrors());
    node.put("rx_dropped", traffic.receiveDropped());
    node.put("tx_bytes", traffic.sentBytes());
    node.put("tx_packets", traffic.sentPackets());
    node.put("tx_errors", traffic.sendErrors());
    node.put("tx_dropped", traffic.sendDropped());
  }
}
