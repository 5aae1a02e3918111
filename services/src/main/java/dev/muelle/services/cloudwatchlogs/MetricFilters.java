package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteMetricFilterRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteMetricFilterResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeMetricFiltersRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeMetricFiltersResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.MetricFilter;
import software.amazon.awssdk.services.cloudwatchlogs.model.MetricFilterMatchRecord;
import software.amazon.awssdk.services.cloudwatchlogs.model.MetricTransformation;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutMetricFilterRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutMetricFilterResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.StandardUnit;
import software.amazon.awssdk.services.cloudwatchlogs.model.TestMetricFilterRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.TestMetricFilterResponse;

/**
 * Metric filters: which messages of a group count for which metric.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutMetricFilter.html">PutMetricFilter</a>
 */
final class MetricFilters {

  private static final int MOST = 100; // of one group
  private static final int PAGE = 50;
  private static final int MOST_TESTED = 50;
  private static final int LONGEST_NAME = 512;
  private static final int MOST_DIMENSIONS = 3;
  private static final int LONGEST_METRIC = 255;
  private static final int LONGEST_VALUE = 100;
  private static final Pattern NAME = Pattern.compile("[^:*]+");
  private static final Pattern METRIC = Pattern.compile("[^:*$]+");

  private final Store store;
  private final InstantSource clock;

  MetricFilters(Store store, InstantSource clock) {
    this.store = store;
    this.clock = clock;
  }

  /** Those of a group. */
  static List<MetricFilter> of(Tx tx, Group group) {
    return tx.list(Tables.METRIC_FILTERS, group.id() + "/").stream().map(Row::value).toList();
  }

  private static String key(Group group, String name) {
    return group.id() + "/" + name;
  }

  PutMetricFilterResponse put(PutMetricFilterRequest request) {
    String groupName = Names.group(request.logGroupName(), "logGroupName");
    String name = name(request.filterName());
    FilterPattern pattern = pattern(request.filterPattern());
    if (Boolean.TRUE.equals(request.applyOnTransformedLogs())) {
      throw Refuse.unsupported("applyOnTransformedLogs");
    }
    if (request.fieldSelectionCriteria() != null) {
      throw Refuse.unsupported("fieldSelectionCriteria");
    }
    if (!request.emitSystemFieldDimensions().isEmpty()) {
      throw Refuse.unsupported("emitSystemFieldDimensions");
    }
    check(request.metricTransformations(), pattern);
    store.write(tx -> {
      Group group = Names.require(tx, groupName);
      boolean isNew = tx.get(Tables.METRIC_FILTERS, key(group, name)).isEmpty();
      if (isNew && of(tx, group).size() >= MOST) {
        throw Refuse.limit();
      }
      return tx.put(
          Tables.METRIC_FILTERS,
          key(group, name),
          MetricFilter.builder()
              .logGroupName(groupName)
              .filterName(name)
              .filterPattern(request.filterPattern())
              .metricTransformations(request.metricTransformations())
              .creationTime(clock.millis())
              .applyOnTransformedLogs(false)
              .build());
    });
    return PutMetricFilterResponse.builder().build();
  }

  private static String name(@Nullable String name) {
    if (name == null) {
      throw Refuse.constraint(null, "filterName", "Member must not be null");
    }
    if (name.length() > LONGEST_NAME) {
      throw Refuse.constraint(
          name, "filterName", "Member must have length less than or equal to " + LONGEST_NAME);
    }
    if (!NAME.matcher(name).matches()) {
      throw Refuse.constraint(
          name, "filterName", "Member must satisfy regular expression pattern: [^:*]*");
    }
    return name;
  }

  private static FilterPattern pattern(@Nullable String pattern) {
    if (pattern == null) {
      throw Refuse.constraint(null, "filterPattern", "Member must not be null");
    }
    return FilterPattern.parse(pattern);
  }

  private static void check(List<MetricTransformation> transformations, FilterPattern pattern) {
    if (transformations.size() != 1) {
      throw Refuse.constraint(
          transformations,
          "metricTransformations",
          "Member must have length "
              + (transformations.isEmpty()
                  ? "greater than or equal to 1"
                  : "less than or equal to 1"));
    }
    MetricTransformation one = transformations.getFirst();
    metric(one.metricName(), "metricName");
    String namespace = metric(one.metricNamespace(), "metricNamespace");
    if (namespace.startsWith("AWS/")) {
      throw Refuse.invalid("Invalid metric transformation: namespace cannot start with AWS/");
    }
    String value = one.metricValue();
    if (value == null) {
      throw Refuse.constraint(
          null, "metricTransformations.1.member.metricValue", "Member must not be null");
    }
    boolean usable =
        value.length() <= LONGEST_VALUE
            && (value.startsWith("$")
                ? pattern.selector(value) != null
                : Comparison.number(value) != null);
    if (!usable) {
      throw Refuse.invalid(
          "Invalid metric transformation: metricValue must be a number or a field of the filter"
              + " pattern, not "
              + value);
    }
    if (one.unit() == StandardUnit.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          one.unitAsString(),
          "metricTransformations.1.member.unit",
          "Member must satisfy enum value set: " + StandardUnit.knownValues());
    }
    if (!one.dimensions().isEmpty()) {
      dimensions(one, pattern);
    }
  }

  private static void dimensions(MetricTransformation one, FilterPattern pattern) {
    if (one.defaultValue() != null) {
      throw Refuse.invalid(
          "Invalid metric transformation: dimensions and default value are mutually exclusive"
              + " properties.");
    }
    if (one.dimensions().size() > MOST_DIMENSIONS) {
      throw Refuse.invalid(
          "Invalid metric transformation: at most " + MOST_DIMENSIONS + " dimensions.");
    }
    one.dimensions()
        .forEach((name, value) -> {
          if (name.isEmpty() || name.length() > LONGEST_METRIC || pattern.selector(value) == null) {
            throw Refuse.invalid(
                "Invalid metric transformation: the dimension "
                    + name
                    + " must be a field of a JSON or space-delimited filter pattern, not "
                    + value);
          }
        });
  }

  private static String metric(@Nullable String name, String member) {
    String path = "metricTransformations.1.member." + member;
    if (name == null) {
      throw Refuse.constraint(null, path, "Member must not be null");
    }
    if (name.length() > LONGEST_METRIC) {
      throw Refuse.constraint(
          name, path, "Member must have length less than or equal to " + LONGEST_METRIC);
    }
    if (!METRIC.matcher(name).matches()) {
      throw Refuse.constraint(
          name, path, "Member must satisfy regular expression pattern: [^:*$]*");
    }
    return name;
  }

  DeleteMetricFilterResponse delete(DeleteMetricFilterRequest request) {
    String groupName = Names.group(request.logGroupName(), "logGroupName");
    String name = name(request.filterName());
    store.write(tx -> {
      Group group = Names.require(tx, groupName);
      if (!tx.delete(Tables.METRIC_FILTERS, key(group, name))) {
        throw Refuse.missing("metric filter");
      }
      return true;
    });
    return DeleteMetricFilterResponse.builder().build();
  }

  DescribeMetricFiltersResponse describe(DescribeMetricFiltersRequest request) {
    int limit = Names.limit(request.limit(), PAGE, PAGE);
    String prefix = request.filterNamePrefix();
    if (prefix != null) {
      name(prefix);
      if (request.logGroupName() == null) {
        throw Refuse.invalid("filterNamePrefix can be used only with logGroupName.");
      }
    }
    if ((request.metricName() == null) != (request.metricNamespace() == null)) {
      throw Refuse.invalid("metricName and metricNamespace must be specified together.");
    }
    Predicate<MetricFilter> wanted =
        filter ->
            (prefix == null || filter.filterName().startsWith(prefix))
                && (request.metricName() == null || emits(filter, request));
    String group =
        request.logGroupName() == null ? null : Names.group(request.logGroupName(), "logGroupName");
    String after = Tokens.position(request);
    return store.read(tx -> {
      List<Row<MetricFilter>> rows =
          group == null
              ? tx.list(Tables.METRIC_FILTERS)
              : tx.list(Tables.METRIC_FILTERS, Names.require(tx, group).id() + "/");
      List<Row<MetricFilter>> rest =
          rows.stream()
              .filter(row -> wanted.test(row.value()))
              .filter(row -> after == null || row.key().compareTo(after) > 0)
              .toList();
      List<Row<MetricFilter>> page = rest.subList(0, Math.min(limit, rest.size()));
      return DescribeMetricFiltersResponse.builder()
          .metricFilters(page.stream().map(Row::value).toList())
          .nextToken(rest.size() > limit ? Tokens.of(request, page.getLast().key()) : null)
          .build();
    });
  }

  private static boolean emits(MetricFilter filter, DescribeMetricFiltersRequest request) {
    MetricTransformation one = filter.metricTransformations().getFirst();
    return one.metricName().equals(request.metricName())
        && one.metricNamespace().equals(request.metricNamespace());
  }

  static TestMetricFilterResponse test(TestMetricFilterRequest request) {
    FilterPattern pattern = pattern(request.filterPattern());
    List<String> messages = request.logEventMessages();
    if (messages.isEmpty() || messages.size() > MOST_TESTED) {
      throw Refuse.constraint(
          messages.size() + " messages",
          "logEventMessages",
          "Member must have length between 1 and " + MOST_TESTED);
    }
    List<MetricFilterMatchRecord> matches = new ArrayList<>();
    for (int i = 0; i < messages.size(); i++) {
      String message = messages.get(i);
      if (message == null || message.isEmpty()) {
        throw Refuse.constraint(
            message,
            "logEventMessages." + (i + 1) + ".member",
            "Member must have length greater than or equal to 1");
      }
      if (pattern.matches(message)) {
        Map<String, String> extracted = pattern.extracted(message);
        matches.add(
            MetricFilterMatchRecord.builder()
                .eventNumber((long) i + 1)
                .eventMessage(message)
                .extractedValues(extracted)
                .build());
      }
    }
    return TestMetricFilterResponse.builder().matches(matches).build();
  }
}
