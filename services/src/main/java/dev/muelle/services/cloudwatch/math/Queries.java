package dev.muelle.services.cloudwatch.math;

import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatch.series.Metric;
import dev.muelle.services.cloudwatch.series.Names;
import dev.muelle.services.cloudwatch.series.Refuse;
import dev.muelle.services.cloudwatch.series.Series;
import dev.muelle.services.cloudwatch.series.SeriesStore;
import dev.muelle.services.cloudwatch.series.Statistic;
import dev.muelle.services.cloudwatch.series.Summary;
import dev.muelle.services.cloudwatch.series.Units;
import java.time.DateTimeException;
import java.time.InstantSource;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.MetricDataQuery;
import software.amazon.awssdk.services.cloudwatch.model.MetricStat;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

/** Answers the queries of GetMetricData, of alarms and of graphs. */
public final class Queries {

  static final int MOST = 500;
  private static final int MOST_FOUND = 100;
  private static final int DEFAULT_PERIOD = 300;

  /** That the expressions of one request may work on: some 80 bytes each. */
  private static final int MOST_POINTS = 1_000_000;

  private static final Pattern ID = Pattern.compile("[a-z][a-zA-Z0-9_]{0,254}");
  private static final Pattern MEMBER = Pattern.compile("(.)(\\w+)\\.member\\.(\\d+)\\.MetricStat");
  private static final Pattern SQL = Pattern.compile("\\s*SELECT\\s.*", Pattern.DOTALL);
  private static final Pattern ZONE = Pattern.compile("[+-]\\d{4}");

  private final SeriesStore store;
  private final InstantSource clock;
  private final Scope scope;

  public Queries(SeriesStore store, InstantSource clock, Scope scope) {
    this.store = store;
    this.clock = clock;
    this.scope = scope;
  }

  /**
   * One series of an answer.
   *
   * @param id of the query
   */
  public record Result(String id, TimeSeries series) {}

  /**
   * Refuses queries that cannot be answered.
   *
   * @param where for messages, for example {@code MetricDataQueries}
   */
  public void check(List<MetricDataQuery> queries, String where) {
    if (queries.isEmpty()) {
      throw Refuse.missing(where);
    }
    if (queries.size() > MOST) {
      throw Refuse.validation(
          queries.size(), where, "Member must have length less than or equal to " + MOST);
    }
    Set<String> ids = new HashSet<>();
    for (int i = 0; i < queries.size(); i++) {
      MetricDataQuery query = queries.get(i);
      String member = where + ".member." + (i + 1);
      if (query.id() == null) {
        throw Refuse.missing(member + ".Id");
      }
      if (!ID.matcher(query.id()).matches()) {
        throw Refuse.validation(
            "The value %s for parameter %s.Id is not matching the expected pattern %s."
                .formatted(query.id(), member, "^[a-z][a-zA-Z0-9_]*$"));
      }
      if (!ids.add(query.id())) {
        throw Refuse.validation("The values for parameter id in " + where + " are not unique.");
      }
      check(query, member);
    }
    for (MetricDataQuery query : queries) {
      checkReferences(query, ids);
    }
  }

  private void check(MetricDataQuery query, String member) {
    if ((query.expression() == null) == (query.metricStat() == null)) {
      throw Refuse.combination(
          "The parameters "
              + member
              + ".Expression and "
              + member
              + ".MetricStat are mutually"
              + " exclusive and exactly one of them must be specified.");
    }
    if (query.accountId() != null && !query.accountId().equals(scope.account())) {
      throw Refuse.unsupported("The AccountId of another account");
    }
    if (query.period() != null && !Ranges.isPeriod(query.period())) {
      throw Refuse.value(member + ".Period", query.period());
    }
    if (query.metricStat() != null) {
      check(query.metricStat(), member + ".MetricStat");
    } else if (SQL.matcher(query.expression()).matches()) {
      throw Refuse.unsupported("Metrics Insights (an expression that starts with SELECT)");
    } else if (query.expression().length() > 2_048 || query.expression().isEmpty()) {
      throw Refuse.validation(
          query.expression(), member + ".Expression", "Member must have length between 1 and 2048");
    }
  }

  private static void check(MetricStat stat, String member) {
    if (stat.metric() == null) {
      throw Refuse.missing(member + ".Metric");
    }
    if (stat.metric().namespace() == null) {
      throw Refuse.missing(member + ".Metric.Namespace");
    }
    if (stat.metric().metricName() == null) {
      throw Refuse.missing(member + ".Metric.MetricName");
    }
    Names.dimensions(stat.metric().dimensions(), member + ".Metric.Dimensions");
    if (stat.stat() == null) {
      throw Refuse.missing(member + ".Stat");
    }
    if (Statistic.parse(stat.stat()).isEmpty()) {
      throw Refuse.validation(
          "The value %s for parameter %s.Stat is not a valid statistic."
              .formatted(stat.stat(), member));
    }
    if (stat.period() == null) {
      throw Refuse.missing(member + ".Period");
    }
    if (!Ranges.isPeriod(stat.period())) {
      throw Refuse.value(member + ".Period", stat.period());
    }
    if (stat.unitAsString() != null && !Units.ALL.contains(stat.unitAsString())) {
      throw Refuse.noneOf(stat.unitAsString(), path(member) + ".unit", StandardUnit.knownValues());
    }
  }

  /** As constraints of the model say it: {@code metrics.1.member.metricStat}. */
  private static String path(String member) {
    return MEMBER
        .matcher(member)
        .replaceFirst(found ->
            found.group(1).toLowerCase(Locale.ROOT)
                + found.group(2)
                + "."
                + found.group(3)
                + ".member.metricStat");
  }

  private void checkReferences(MetricDataQuery query, Set<String> ids) {
    if (query.expression() == null) {
      return;
    }
    try {
      Set<String> used = new LinkedHashSet<>();
      references(Parser.parse(query.expression()), used);
      used.removeAll(ids);
      if (!used.isEmpty()) {
        throw new MathException("Undefined ID '" + used.iterator().next() + "'");
      }
    } catch (MathException e) {
      throw wrong(query, e);
    }
  }

  /**
   * Refuses queries whose answer no alarm can watch: it takes one time series, and no search.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create-alarm-on-metric-math-expression.html">Alarms
   *     on metric math expressions</a>
   */
  public void checkWatched(List<MetricDataQuery> queries) {
    for (MetricDataQuery query : queries) {
      if (query.expression() != null && searches(Parser.parse(query.expression()))) {
        throw Refuse.validation("SEARCH is not supported on Metric Alarms.");
      }
    }
    long now = clock.instant().getEpochSecond();
    Request request = new Request(queries, now - DEFAULT_PERIOD, now, new Labels(ZoneOffset.UTC));
    for (MetricDataQuery query : queries) {
      try {
        if (!(request.reference(query.id()) instanceof Value.One)
            && !Boolean.FALSE.equals(query.returnData())) {
          throw new MathException("The expression of an alarm must result in one time series");
        }
      } catch (MathException e) {
        throw wrong(query, e);
      }
    }
  }

  private static boolean searches(Node node) {
    return switch (node) {
      case Node.Call call ->
          call.function().equals("SEARCH") || call.arguments().stream().anyMatch(Queries::searches);
      case Node.Negative negative -> searches(negative.operand());
      case Node.Binary binary -> searches(binary.left()) || searches(binary.right());
      case Node.Array array -> array.elements().stream().anyMatch(Queries::searches);
      case Node.Reference _, Node.Literal _, Node.Text _, Node.Word _ -> false;
    };
  }

  private static void references(Node node, Set<String> ids) {
    switch (node) {
      case Node.Reference reference -> ids.add(reference.id());
      case Node.Negative negative -> references(negative.operand(), ids);
      case Node.Binary binary -> {
        references(binary.left(), ids);
        references(binary.right(), ids);
      }
      case Node.Array array -> array.elements().forEach(each -> references(each, ids));
      case Node.Call call -> call.arguments().forEach(each -> references(each, ids));
      case Node.Literal _, Node.Text _, Node.Word _ -> {}
    }
  }

  private static RuntimeException wrong(MetricDataQuery query, MathException e) {
    return Refuse.validation(
        query.expression(),
        "Expression",
        "Error in expression '" + query.id() + "': " + e.getMessage());
  }

  /**
   * Answers those queries whose data are asked for, after {@link #check}.
   *
   * @param from epoch second
   * @param to epoch second, exclusive
   * @param timezone {@code +0130}, for labels; null for UTC
   */
  public List<Result> answer(
      List<MetricDataQuery> queries, long from, long to, @Nullable String timezone) {
    Answers answers = open(queries, from, to, timezone);
    return answers.ids().stream().flatMap(id -> answers.of(id).stream()).toList();
  }

  /** The same, one query after the other: who has enough need not have the rest worked out. */
  public Answers open(
      List<MetricDataQuery> queries, long from, long to, @Nullable String timezone) {
    return new Answers(queries, new Request(queries, from, to, new Labels(zone(timezone))));
  }

  /** What queries are answered with. */
  public static final class Answers {
    private final List<MetricDataQuery> asked;
    private final Request request;

    private Answers(List<MetricDataQuery> queries, Request request) {
      asked = queries.stream().filter(query -> !Boolean.FALSE.equals(query.returnData())).toList();
      this.request = request;
    }

    /** Of the queries whose data are asked for, in their order. */
    public List<String> ids() {
      return asked.stream().map(MetricDataQuery::id).toList();
    }

    /** One query's series. */
    public List<Result> of(String id) {
      return request.labelled(Objects.requireNonNull(request.queries.get(id))).stream()
          .map(series -> new Result(id, series))
          .toList();
    }
  }

  private static ZoneOffset zone(@Nullable String timezone) {
    if (timezone == null) {
      return ZoneOffset.UTC;
    }
    try {
      if (ZONE.matcher(timezone).matches()) {
        return ZoneOffset.of(timezone);
      }
    } catch (DateTimeException e) {
      // said below
    }
    throw Refuse.value("LabelOptions.Timezone", timezone);
  }

  /** One metric by its statistic; all units together if none is named. */
  public TimeSeries stat(MetricStat stat, long from, long to) {
    return stat(
        Metric.of(stat.metric()), stat.stat(), stat.period(), stat.unitAsString(), from, to);
  }

  private TimeSeries stat(
      Metric metric, String stat, int period, @Nullable String unit, long from, long to) {
    TreeMap<Long, Double> points = new TreeMap<>();
    Statistic statistic = Statistic.parse(stat).orElseThrow();
    summaries(metric, period, unit, from, to)
        .forEach((second, summary) ->
            statistic.of(summary).ifPresent(value -> TimeSeries.put(points, second, value)));
    return new TimeSeries(metric.name(), period, points, about(metric, stat, period));
  }

  /** What the periods of one metric saw. */
  public NavigableMap<Long, Summary> summaries(
      Metric metric, int period, @Nullable String unit, long from, long to) {
    long start = Ranges.start(from, period, clock.instant().getEpochSecond());
    TreeMap<Long, Summary> all = new TreeMap<>();
    for (Series series : store.of(metric, unit)) {
      store
          .read(series, start, to, period)
          .forEach((second, summary) ->
              all.merge(
                  second,
                  summary,
                  (a, b) -> {
                    a.merge(b);
                    return a;
                  }));
    }
    return all;
  }

  private Map<String, String> about(Metric metric, String stat, int period) {
    Map<String, String> about = new LinkedHashMap<>();
    about.put("MetricName", metric.name());
    about.put("Namespace", metric.namespace());
    about.put("Stat", stat);
    about.put("Period", Integer.toString(period));
    about.put("Region", scope.region());
    about.put("AccountId", scope.account());
    about.put("AccountLabel", scope.account());
    for (Dimension dimension : metric.dimensions()) {
      about.put("Dim." + dimension.name(), dimension.value());
    }
    return about;
  }

  /** The queries of one request; what expressions may refer to is answered once. */
  private final class Request implements Evaluation.World {
    private final Map<String, MetricDataQuery> queries = new LinkedHashMap<>();
    private final Map<String, Value> known = new HashMap<>();
    private final Set<String> open = new LinkedHashSet<>();
    private final boolean anyExpression;
    private long points;
    private final long from;
    private final long to;
    private final int period;
    private final Labels labels;

    Request(List<MetricDataQuery> all, long from, long to, Labels labels) {
      all.forEach(query -> queries.put(query.id(), query));
      anyExpression = all.stream().anyMatch(query -> query.expression() != null);
      period =
          all.stream()
              .map(query ->
                  query.metricStat() == null ? query.period() : query.metricStat().period())
              .filter(Objects::nonNull)
              .min(Comparator.naturalOrder())
              .orElse(DEFAULT_PERIOD);
      this.from = from;
      this.to = to;
      this.labels = labels;
    }

    List<TimeSeries> labelled(MetricDataQuery query) {
      String label = query.label();
      try {
        return switch (reference(query.id())) {
          case Value.One one ->
              List.of(labels.apply(label == null ? byDefault(query) : label, one.series()));
          case Value.Many many ->
              many.series().stream().map(series -> several(query, series)).toList();
          case Value other ->
              throw new MathException(
                  "The result is a " + other.type() + ", it must be a time series");
        };
      } catch (MathException e) {
        throw wrong(query, e);
      }
    }

    private static String byDefault(MetricDataQuery query) {
      return query.metricStat() == null ? query.id() : query.metricStat().metric().metricName();
    }

    private TimeSeries several(MetricDataQuery query, TimeSeries series) {
      String label = query.label();
      if (label == null) {
        return labels.apply("${LABEL}", series);
      }
      return labels.apply(
          label.contains("${") || series.label().isEmpty() ? label : label + " ${LABEL}", series);
    }

    @Override
    public Value reference(String id) {
      Value value = known.get(id);
      if (value == null) {
        if (!open.add(id)) {
          throw new MathException("Circular reference of ID '" + id + "'");
        }
        value = evaluate(Objects.requireNonNull(queries.get(id)));
        open.remove(id);
        if (anyExpression) {
          known.put(id, value);
        }
      }
      return value;
    }

    private Value counted(Value value) {
      switch (value) {
        case Value.One one -> counted(one.series());
        case Value.Many many -> many.series().forEach(this::counted);
        case Value.Scalar _, Value.Text _, Value.Word _ -> {}
      }
      return value;
    }

    /** What is in hand for one request has a bound; who asks for less gets an answer. */
    private TimeSeries counted(TimeSeries series) {
      points += anyExpression ? series.points().size() : 0;
      if (points > MOST_POINTS) {
        throw Refuse.combination(
            String.format(
                Locale.ROOT,
                "The expressions of the request need more than %,d datapoints. You may reduce the"
                    + " datapoints requested by increasing Period, or decreasing the time range.",
                MOST_POINTS));
      }
      return series;
    }

    private Value evaluate(MetricDataQuery query) {
      return query.metricStat() != null
          ? new Value.One(counted(stat(query.metricStat(), from, to)))
          : counted(new Evaluation(this).of(Parser.parse(query.expression())));
    }

    @Override
    public List<TimeSeries> metrics(String part) {
      List<TimeSeries> found = new ArrayList<>();
      queries.forEach((id, query) -> {
        if (query.metricStat() != null && id.contains(part)) {
          found.add(((Value.One) reference(id)).series());
        }
      });
      return found;
    }

    @Override
    public List<TimeSeries> search(String query, String statistic, int searched) {
      if (Statistic.parse(statistic).isEmpty()) {
        throw new MathException("Unknown statistic '" + statistic + "'");
      }
      if (!Ranges.isPeriod(searched)) {
        throw new MathException("Invalid period " + searched);
      }
      Predicate<Metric> wanted = Search.parse(query);
      return store.all().stream()
          .map(Series::metric)
          .filter(wanted)
          .distinct()
          .sorted(Comparator.comparing(Metric::toString))
          .limit(MOST_FOUND)
          .map(metric ->
              counted(stat(metric, statistic, searched, null, from, to)).labelled(found(metric)))
          .toList();
    }

    private static String found(Metric metric) {
      StringBuilder label = new StringBuilder();
      metric.dimensions().forEach(dimension -> label.append(dimension.value()).append(' '));
      return label.append(metric.name()).toString();
    }

    @Override
    public long from(int wanted) {
      return Ranges.first(from, wanted, clock.instant().getEpochSecond());
    }

    @Override
    public long to() {
      return Ranges.last(to, clock.instant().getEpochSecond());
    }

    @Override
    public int period() {
      return period;
    }
  }
}
