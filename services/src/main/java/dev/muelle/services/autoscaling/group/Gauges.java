package dev.muelle.services.autoscaling.group;

import dev.muelle.loop.Timers;
import dev.muelle.services.Measurements;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Member;
import dev.muelle.services.autoscaling.state.Pool;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.autoscaling.model.DescribeMetricCollectionTypesResponse;
import software.amazon.awssdk.services.autoscaling.model.DisableMetricsCollectionRequest;
import software.amazon.awssdk.services.autoscaling.model.DisableMetricsCollectionResponse;
import software.amazon.awssdk.services.autoscaling.model.EnableMetricsCollectionRequest;
import software.amazon.awssdk.services.autoscaling.model.EnableMetricsCollectionResponse;
import software.amazon.awssdk.services.autoscaling.model.EnabledMetric;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.MetricCollectionType;
import software.amazon.awssdk.services.autoscaling.model.MetricGranularityType;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/**
 * The metrics of groups, every minute, for those who want them.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-metrics.html">Metrics
 *     for groups</a>
 */
public final class Gauges implements AutoCloseable {

  private static final Duration PERIOD = Duration.ofMinutes(1);
  private static final String MINUTE = "1Minute";

  /** What each metric is. */
  private static final Map<String, ToLongFunction<Look>> METRICS = metrics();

  /**
   * A group in a moment.
   *
   * @param members those of the warm pool are not among them
   */
  private record Look(GroupRecord group, List<Member> members, List<Member> pool) {
    static Look of(Tx tx, GroupRecord group) {
      List<Member> pool = Member.of(tx, group.name()).stream().filter(Member::pooled).toList();
      return new Look(group, Member.live(tx, group.name()), pool);
    }

    long count(Predicate<Member> which) {
      return members.stream().filter(which).count();
    }

    long pooled(Predicate<Member> which) {
      return pool.stream().filter(which).count();
    }

    int desired() {
      return group.group().desiredCapacity();
    }

    /** What is said of warm pools is said only where there is one. */
    boolean says(String metric) {
      return metric.startsWith("Group") && !metric.startsWith("GroupAnd")
          || group.group().warmPoolConfiguration() != null;
    }
  }

  private final Store store;
  private final Timers timers;
  private final Measurements measurements;
  private volatile Timers.@Nullable Cancellable next;
  private volatile boolean closed;

  public Gauges(Store store, Timers timers, Measurements measurements) {
    this.store = store;
    this.timers = timers;
    this.measurements = measurements;
  }

  private static Map<String, ToLongFunction<Look>> metrics() {
    Map<String, ToLongFunction<Look>> all = new LinkedHashMap<>();
    Predicate<Member> serves = Member::inService;
    Predicate<Member> comes = Member::coming;
    Predicate<Member> stands = m -> m.state() == LifecycleState.STANDBY;
    Predicate<Member> goes = Member::going;
    all.put("GroupMinSize", look -> look.group().group().minSize());
    all.put("GroupMaxSize", look -> look.group().group().maxSize());
    all.put("GroupDesiredCapacity", Look::desired);
    all.put("GroupInServiceInstances", look -> look.count(serves));
    all.put("GroupPendingInstances", look -> look.count(comes));
    all.put("GroupStandbyInstances", look -> look.count(stands));
    all.put("GroupTerminatingInstances", look -> look.count(goes));
    all.put("GroupTotalInstances", look -> look.members().size());
    all.put("GroupInServiceCapacity", look -> look.count(serves));
    all.put("GroupPendingCapacity", look -> look.count(comes));
    all.put("GroupStandbyCapacity", look -> look.count(stands));
    all.put("GroupTerminatingCapacity", look -> look.count(goes));
    all.put("GroupTotalCapacity", look -> look.members().size());
    all.put(
        "WarmPoolMinSize",
        look ->
            Objects.requireNonNullElse(look.group().group().warmPoolConfiguration().minSize(), 0));
    all.put("WarmPoolDesiredCapacity", look -> Pool.wanted(look.group()));
    all.put("WarmPoolPendingCapacity", look -> look.pooled(m -> !m.warm() && !m.going()));
    all.put("WarmPoolTerminatingCapacity", look -> look.pooled(goes));
    all.put("WarmPoolWarmedCapacity", look -> look.pooled(Member::warm));
    all.put("WarmPoolTotalCapacity", look -> look.pool().size());
    all.put("GroupAndWarmPoolDesiredCapacity", look -> look.desired() + Pool.wanted(look.group()));
    all.put("GroupAndWarmPoolTotalCapacity", look -> look.members().size() + look.pool().size());
    return all;
  }

  public void start() {
    if (!closed) {
      next = timers.after(PERIOD, this::measure);
    }
  }

  private void measure() {
    try {
      List<Look> looks =
          store.read(tx ->
              tx.list(GroupRecord.TABLE).stream()
                  .map(Row::value)
                  .filter(group -> !group.group().enabledMetrics().isEmpty())
                  .map(group -> Look.of(tx, group))
                  .toList());
      looks.forEach(this::record);
    } finally {
      start();
    }
  }

  private void record(Look look) {
    for (EnabledMetric metric : look.group().group().enabledMetrics()) {
      ToLongFunction<Look> value = METRICS.get(metric.metric());
      if (value != null && look.says(metric.metric())) {
        measurements
            .of(
                new Measurements.Metric(
                    "AWS/AutoScaling",
                    metric.metric(),
                    Map.of("AutoScalingGroupName", look.group().name()),
                    StandardUnit.NONE))
            .record((double) value.applyAsLong(look));
      }
    }
  }

  private static List<String> asked(List<String> metrics) {
    for (String one : metrics) {
      if (!METRICS.containsKey(one)) {
        throw Refuse.invalid("Invalid metric type(s): [" + one + "]");
      }
    }
    return metrics.isEmpty() ? List.copyOf(METRICS.keySet()) : metrics;
  }

  public EnableMetricsCollectionResponse enable(EnableMetricsCollectionRequest request) {
    if (!MINUTE.equals(Refuse.required("granularity", request.granularity()))) {
      throw Refuse.invalid("Valid metric granularity type is: [1Minute]");
    }
    List<String> asked = asked(request.metrics());
    store.write(tx -> {
      GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
      List<String> all =
          Stream.concat(
                  group.group().enabledMetrics().stream().map(EnabledMetric::metric),
                  asked.stream())
              .distinct()
              .toList();
      return group.with(g -> g.enabledMetrics(enabled(all))).put(tx);
    });
    return EnableMetricsCollectionResponse.builder().build();
  }

  private static List<EnabledMetric> enabled(List<String> names) {
    List<EnabledMetric> all = new ArrayList<>();
    names.forEach(
        name -> all.add(EnabledMetric.builder().metric(name).granularity(MINUTE).build()));
    return all;
  }

  public DisableMetricsCollectionResponse disable(DisableMetricsCollectionRequest request) {
    List<String> asked = asked(request.metrics());
    store.write(tx -> {
      GroupRecord group = GroupRecord.changeable(tx, request.autoScalingGroupName());
      List<String> left =
          group.group().enabledMetrics().stream()
              .map(EnabledMetric::metric)
              .filter(name -> !asked.contains(name))
              .toList();
      return group.with(g -> g.enabledMetrics(enabled(left))).put(tx);
    });
    return DisableMetricsCollectionResponse.builder().build();
  }

  public DescribeMetricCollectionTypesResponse types() {
    return DescribeMetricCollectionTypesResponse.builder()
        .metrics(
            METRICS.keySet().stream()
                .map(name -> MetricCollectionType.builder().metric(name).build())
                .toList())
        .granularities(MetricGranularityType.builder().granularity(MINUTE).build())
        .build();
  }

  @Override
  public void close() {
    closed = true;
    Timers.Cancellable pending = next;
    if (pending != null) {
      pending.cancel();
    }
  }
}
