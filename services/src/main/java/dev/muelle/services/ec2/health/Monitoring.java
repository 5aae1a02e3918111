package dev.muelle.services.ec2.health;

import dev.muelle.loop.Timers;
import dev.muelle.loop.Timers.Cancellable;
import dev.muelle.network.Network.Link;
import dev.muelle.services.InstanceGroups;
import dev.muelle.services.InstanceLoads;
import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Metric;
import dev.muelle.services.ec2.image.InstanceTypes;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.state.InstanceRecord;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;
import software.amazon.awssdk.services.ec2.model.InstanceMonitoring;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.MonitorInstancesRequest;
import software.amazon.awssdk.services.ec2.model.MonitorInstancesResponse;
import software.amazon.awssdk.services.ec2.model.MonitoringState;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.ec2.model.UnmonitorInstancesRequest;
import software.amazon.awssdk.services.ec2.model.UnmonitorInstancesResponse;

/**
 * Measures instances: their status checks every minute, and what they carry every minute or every
 * five, as each was told.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/viewing_metrics_with_cloudwatch.html">Metrics
 *     of instances</a>
 */
public final class Monitoring implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Monitoring.class);
  private static final long MINUTE = 60_000; // ms
  private static final long WHEN = 55_000; // ms into the minute, which is then nearly over

  /** Minutes between two values of an instance without detailed monitoring. */
  private static final int BASIC = 5;

  private final Store store;
  private final Timers timers;
  private final DataPlane plane;
  private final InstanceStatuses statuses;
  private final InstanceLoads loads;
  private final InstanceGroups groups;
  private final Measurements measurements;
  private boolean closed;
  private @Nullable Cancellable next;

  /** What interfaces had carried a minute ago. */
  private Map<String, Link> before = new HashMap<>();

  /** What instances have carried since their last values. */
  private final Map<String, Sums> sums = new HashMap<>();

  /** What an instance has carried for some minutes. */
  private static final class Sums {
    double cpu; // percent, of all minutes together
    double bytesIn;
    double bytesOut;
    double packetsIn;
    double packetsOut;
    int minutes;
  }

  public Monitoring(
      Store store,
      Timers timers,
      DataPlane plane,
      InstanceStatuses statuses,
      InstanceLoads loads,
      InstanceGroups groups,
      Measurements measurements) {
    this.store = store;
    this.timers = timers;
    this.plane = plane;
    this.statuses = statuses;
    this.loads = loads;
    this.groups = groups;
    this.measurements = measurements;
  }

  public MonitorInstancesResponse monitor(MonitorInstancesRequest request) {
    return MonitorInstancesResponse.builder()
        .instanceMonitorings(
            tell(
                request.instanceIds(),
                MonitoringState.ENABLED,
                MonitoringState.PENDING,
                request.dryRun()))
        .build();
  }

  public UnmonitorInstancesResponse unmonitor(UnmonitorInstancesRequest request) {
    return UnmonitorInstancesResponse.builder()
        .instanceMonitorings(
            tell(
                request.instanceIds(),
                MonitoringState.DISABLED,
                MonitoringState.DISABLING,
                request.dryRun()))
        .build();
  }

  /**
   * All or none.
   *
   * @param meanwhile what is answered where something changes
   */
  private List<InstanceMonitoring> tell(
      List<String> ids, MonitoringState wanted, MonitoringState meanwhile, @Nullable Boolean dry) {
    if (ids.isEmpty()) {
      throw Refuse.missing("InstanceId");
    }
    ids.forEach(InstanceRecord::wellFormed);
    return store.write(tx -> {
      List<InstanceMonitoring> told =
          Kind.INSTANCE.list(tx, ids).stream()
              .map(record -> {
                boolean same = state(record) == wanted;
                if (!same) {
                  tx.put(
                      Tables.INSTANCES,
                      record.id(),
                      record.with(i -> i.monitoring(m -> m.state(wanted))));
                }
                return InstanceMonitoring.builder()
                    .instanceId(record.id())
                    .monitoring(m -> m.state(same ? wanted : meanwhile))
                    .build();
              })
              .toList();
      Refuse.ifDryRun(dry);
      return told;
    });
  }

  private static MonitoringState state(InstanceRecord record) {
    return record.instance().monitoring() == null
        ? MonitoringState.DISABLED
        : record.instance().monitoring().state();
  }

  /** Measures from now on, if anybody wants to know. */
  public synchronized void start() {
    if (!closed && !measurements.equals(Measurements.NONE)) {
      long into = Math.floorMod(timers.millis() - WHEN, MINUTE);
      next = timers.after(Duration.ofMillis(MINUTE - into), this::run);
    }
  }

  private void run() {
    try {
      measure();
    } catch (RuntimeException e) {
      LOG.warn("A minute of the instances could not be measured", e);
    }
    start();
  }

  private synchronized void measure() {
    if (closed) {
      return;
    }
    boolean fifth = Math.floorMod(timers.millis() / MINUTE, (long) BASIC) == BASIC - 1;
    Map<String, Link> now = new HashMap<>();
    Function<InstanceRecord, InstanceStatuses.Check> checks = statuses.checks();
    List<InstanceRecord> running =
        store.read(tx -> tx.list(Tables.INSTANCES)).stream()
            .map(Row::value)
            .filter(record -> record.state() == InstanceStateName.RUNNING)
            .toList();
    running.stream()
        .map(record -> record.instance().vpcId())
        .distinct()
        .forEach(vpcId -> now.putAll(plane.links(vpcId)));
    for (InstanceRecord record : running) {
      status(record, checks.apply(record));
      Sums sum = sums.computeIfAbsent(record.id(), id -> new Sums());
      carried(record, now, sum);
      if (fifth || state(record) == MonitoringState.ENABLED) {
        tell(record, sum);
        sums.remove(record.id());
      }
    }
    sums.keySet().retainAll(running.stream().map(InstanceRecord::id).toList());
    before = now;
  }

  private void status(InstanceRecord record, InstanceStatuses.Check check) {
    double failed = check == InstanceStatuses.Check.FAILED ? 1 : 0;
    List<Map<String, String>> of = dimensions(record);
    record(of, "StatusCheckFailed", StandardUnit.COUNT, failed);
    record(of, "StatusCheckFailed_Instance", StandardUnit.COUNT, failed);
    record(of, "StatusCheckFailed_System", StandardUnit.COUNT, 0);
  }

  /** Adds a minute. */
  private void carried(InstanceRecord record, Map<String, Link> now, Sums sum) {
    sum.minutes++;
    int vcpus = InstanceTypes.find(record.instance().instanceTypeAsString()).orElseThrow().vcpus();
    sum.cpu += Math.min(100, 100 * loads.vcpus(record.id()) / vcpus);
    List<NetworkInterface> all =
        store.read(tx -> Tables.of(tx, Tables.INTERFACES, "instance", record.id()));
    for (NetworkInterface eni : all) {
      Link link = now.get(eni.networkInterfaceId());
      Link earlier = before.get(eni.networkInterfaceId());
      if (link != null && earlier != null) {
        boolean anew = link.bytesIn() < earlier.bytesIn() || link.bytesOut() < earlier.bytesOut();
        Link from = anew ? new Link(true, 0, 0, 0, 0) : earlier;
        sum.bytesIn += link.bytesIn() - from.bytesIn();
        sum.bytesOut += link.bytesOut() - from.bytesOut();
        sum.packetsIn += link.packetsIn() - from.packetsIn();
        sum.packetsOut += link.packetsOut() - from.packetsOut();
      }
    }
  }

  private void tell(InstanceRecord record, Sums sum) {
    List<Map<String, String>> of = new ArrayList<>(dimensions(record));
    if (state(record) == MonitoringState.ENABLED) {
      of.add(Map.of());
      of.add(Map.of("ImageId", record.instance().imageId()));
      of.add(Map.of("InstanceType", record.instance().instanceTypeAsString()));
    }
    record(of, "CPUUtilization", StandardUnit.PERCENT, sum.cpu / sum.minutes);
    record(of, "NetworkIn", StandardUnit.BYTES, sum.bytesIn);
    record(of, "NetworkOut", StandardUnit.BYTES, sum.bytesOut);
    record(of, "NetworkPacketsIn", StandardUnit.COUNT, sum.packetsIn);
    record(of, "NetworkPacketsOut", StandardUnit.COUNT, sum.packetsOut);
  }

  /** The instance's id, and its Auto Scaling group's name. */
  private List<Map<String, String>> dimensions(InstanceRecord record) {
    List<Map<String, String>> all = new ArrayList<>();
    all.add(Map.of("InstanceId", record.id()));
    groups.of(record.id()).ifPresent(group -> all.add(Map.of("AutoScalingGroupName", group)));
    return all;
  }

  private void record(
      List<Map<String, String>> dimensions, String name, StandardUnit unit, double value) {
    for (Map<String, String> each : dimensions) {
      measurements.of(new Metric("AWS/EC2", name, each, unit)).record(value);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (next != null) {
      next.cancel();
    }
  }
}
