package dev.muelle.services.cloudwatchlogs;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.cloudwatchlogs.insights.Query;
import dev.muelle.services.cloudwatchlogs.insights.QueryError;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeQueriesRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeQueriesResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetQueryResultsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.GetQueryResultsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.MalformedQueryException;
import software.amazon.awssdk.services.cloudwatchlogs.model.QueryInfo;
import software.amazon.awssdk.services.cloudwatchlogs.model.QueryLanguage;
import software.amazon.awssdk.services.cloudwatchlogs.model.QueryStatus;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResultField;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartQueryRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.StartQueryResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.StopQueryRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.StopQueryResponse;

/**
 * Queries of Logs Insights. They run by themselves, a few at once; what came of them is kept for a
 * week. A server that dies leaves those that ran to the next one, which begins them anew.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_StartQuery.html">StartQuery</a>
 */
final class Insights implements AutoCloseable {

  private static final int AT_ONCE = 2; // of the machine's work
  private static final int MOST_WAITING = 30;
  private static final int MOST_GROUPS = 50;
  private static final int MOST_RESULTS = 10_000;
  private static final int MOST_DESCRIBED = 1_000;
  private static final int LONGEST_QUERY = 10_000;
  private static final Duration KEPT = Duration.ofDays(7);
  private static final Duration LONGEST_RUN = Duration.ofMinutes(60);

  private static final Table<Started> QUERIES =
      Table.of("logs.queries", StoredJson.codec(Started.class));
  private static final Table<Results> RESULTS =
      Table.of("logs.query_results", StoredJson.codec(Results.class));

  private final Scope scope;
  private final Store store;
  private final Timers timers;
  private final Ids ids;
  private final Names names;
  private final Loop<String> loop;
  private final Map<String, Work> running = new ConcurrentHashMap<>();

  /** How much a query has read. */
  record Work(long scanned, long matched, long bytes) {}

  /**
   * A query.
   *
   * @param from epoch milliseconds, inclusive
   * @param to epoch milliseconds, inclusive
   * @param created epoch milliseconds
   */
  record Started(
      String id,
      List<String> groups,
      long from,
      long to,
      String text,
      int limit,
      long created,
      QueryStatus status,
      Work work) {

    Started with(QueryStatus other, Work done) {
      return new Started(id, groups, from, to, text, limit, created, other, done);
    }

    boolean over() {
      return status != QueryStatus.SCHEDULED && status != QueryStatus.RUNNING;
    }
  }

  record Results(List<Map<String, String>> rows) {}

  Insights(Scope scope, Store store, Timers timers, Ids ids, RandomGenerator random, Names names) {
    this.scope = scope;
    this.store = store;
    this.timers = timers;
    this.ids = ids;
    this.names = names;
    loop = new Loop<>("logs-insights", timers, random, AT_ONCE, this::run);
  }

  /** Takes up what an earlier server left. */
  void start() {
    store.read(tx -> tx.list(QUERIES)).stream()
        .filter(row -> !row.value().over())
        .forEach(row -> loop.wake(row.key()));
  }

  static void language(@Nullable QueryLanguage language, @Nullable String written) {
    if (language == QueryLanguage.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          written, "queryLanguage", "Member must satisfy enum value set: [CWLI, SQL, PPL]");
    }
    if (language != null && language != QueryLanguage.CWLI) {
      throw Refuse.unsupported("queryLanguage " + written);
    }
  }

  static String text(@Nullable String query) {
    if (query == null || query.isEmpty()) {
      throw Refuse.constraint(
          query, "queryString", "Member must have length greater than or equal to 1");
    }
    if (query.length() > LONGEST_QUERY) {
      throw Refuse.constraint(
          query, "queryString", "Member must have length less than or equal to " + LONGEST_QUERY);
    }
    return query;
  }

  StartQueryResponse start(StartQueryRequest request) {
    language(request.queryLanguage(), request.queryLanguageAsString());
    String text = text(request.queryString());
    List<String> groups = groups(request);
    int limit = Names.limit(request.limit(), MOST_RESULTS, MOST_RESULTS);
    if (request.startTime() == null || request.endTime() == null) {
      throw Refuse.constraint(
          null, request.startTime() == null ? "startTime" : "endTime", "Member must not be null");
    }
    long from = Names.time(request.startTime(), "startTime", 0);
    long to = Names.time(request.endTime(), "endTime", 0);
    if (from > to) {
      throw Refuse.invalid("The start time of a query must not be after its end time.");
    }
    parse(text, limit);
    String id = ids.uuid();
    store.write(tx -> {
      groups.forEach(group -> Names.require(tx, group));
      long now = timers.millis();
      List<Row<Started>> all = tx.list(QUERIES);
      if (all.stream().filter(row -> !row.value().over()).count() >= MOST_WAITING) {
        throw Refuse.limit();
      }
      all.stream()
          .filter(row -> row.value().created() < now - KEPT.toMillis())
          .forEach(row -> {
            tx.delete(QUERIES, row.key());
            tx.delete(RESULTS, row.key());
          });
      return tx.put(
          QUERIES,
          id,
          new Started(
              id,
              groups,
              millis(from),
              millis(to),
              text,
              limit,
              now,
              QueryStatus.SCHEDULED,
              new Work(0, 0, 0)));
    });
    loop.wake(id);
    return StartQueryResponse.builder().queryId(id).build();
  }

  /** Documented as seconds; the console and many clients send milliseconds, which AWS takes too. */
  private static long millis(long time) {
    return time > 99_999_999_999L ? time : time * 1_000;
  }

  private Query parse(String text, int limit) {
    try {
      return Query.parse(text, limit, timers.instant().getEpochSecond());
    } catch (QueryError e) {
      throw MalformedQueryException.builder()
          .message(e.getMessage())
          .queryCompileError(error ->
              error
                  .message(e.getMessage())
                  .location(at -> at.startCharOffset(e.from()).endCharOffset(e.to())))
          .build();
    }
  }

  private List<String> groups(StartQueryRequest request) {
    long ways =
        Stream.of(
                request.logGroupName() != null,
                !request.logGroupNames().isEmpty(),
                !request.logGroupIdentifiers().isEmpty())
            .filter(given -> given)
            .count();
    if (ways != 1) {
      throw Refuse.invalid(
          "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be specified.");
    }
    Set<String> groups = new LinkedHashSet<>();
    if (request.logGroupName() != null) {
      groups.add(Names.group(request.logGroupName(), "logGroupName"));
    }
    request.logGroupNames().forEach(name -> groups.add(Names.group(name, "logGroupNames")));
    request.logGroupIdentifiers().forEach(each -> groups.add(names.identified(each)));
    if (groups.size() > MOST_GROUPS) {
      throw Refuse.constraint(
          groups, "logGroupNames", "Member must have length less than or equal to " + MOST_GROUPS);
    }
    return List.copyOf(groups);
  }

  private @Nullable Duration run(String id) {
    Started query = store.read(tx -> tx.get(QUERIES, id)).map(Row::value).orElse(null);
    if (query == null || query.over()) {
      return null;
    }
    Work work = new Work(0, 0, 0);
    running.put(id, work);
    try {
      change(id, query.with(QueryStatus.RUNNING, work), null);
      Query table = parse(query.text(), query.limit());
      Scan scan = new Scan(store, query.groups(), query.from(), query.to(), timers.millis());
      Instant end =
          timers.toMachine(Instant.ofEpochMilli(query.created())).plus(LONGEST_RUN); // it works
      for (List<Scan.Found> some = scan.next(); !some.isEmpty(); some = scan.next()) {
        if (!running.containsKey(id)) {
          return null; // stopped
        }
        if (timers.machine().instant().isAfter(end)) {
          change(id, query.with(QueryStatus.TIMEOUT, work), null);
          return null;
        }
        long bytes = work.bytes();
        for (Scan.Found found : some) {
          table.take(Pointer.of(found).row(scope, found.event()));
          bytes += found.event().message().getBytes(StandardCharsets.UTF_8).length;
        }
        work = new Work(work.scanned() + some.size(), table.matched(), bytes);
        running.replace(id, work);
      }
      change(id, query.with(QueryStatus.COMPLETE, work), new Results(table.end()));
    } catch (QueryError | ResourceNotFoundException e) {
      change(id, query.with(QueryStatus.FAILED, work), null);
    } finally {
      running.remove(id);
    }
    return null;
  }

  /** Unless somebody has stopped it meanwhile. */
  private void change(String id, Started to, @Nullable Results results) {
    store.write(tx -> {
      if (tx.get(QUERIES, id).filter(row -> !row.value().over()).isPresent()) {
        tx.put(QUERIES, id, to);
        if (results != null) {
          tx.put(RESULTS, id, results);
        }
      }
      return true;
    });
  }

  private static Started find(Tx tx, @Nullable String id) {
    if (id == null) {
      throw Refuse.constraint(null, "queryId", "Member must not be null");
    }
    return tx.get(QUERIES, id).map(Row::value).orElseThrow(() -> Refuse.missing("query"));
  }

  GetQueryResultsResponse results(GetQueryResultsRequest request) {
    return store.read(tx -> {
      Started query = find(tx, request.queryId());
      Work work = running.getOrDefault(query.id(), query.work());
      List<List<ResultField>> rows = new ArrayList<>();
      tx.get(RESULTS, query.id())
          .ifPresent(results -> results.value().rows().forEach(row -> rows.add(fields(row))));
      return GetQueryResultsResponse.builder()
          .queryLanguage(QueryLanguage.CWLI)
          .status(query.status())
          .results(rows)
          .statistics(s ->
              s.recordsScanned((double) work.scanned())
                  .recordsMatched((double) work.matched())
                  .bytesScanned((double) work.bytes())
                  .estimatedRecordsSkipped(0.0)
                  .estimatedBytesSkipped(0.0)
                  .logGroupsScanned((double) query.groups().size()))
          .build();
    });
  }

  private static List<ResultField> fields(Map<String, String> row) {
    return row.entrySet().stream()
        .map(field -> ResultField.builder().field(field.getKey()).value(field.getValue()).build())
        .toList();
  }

  StopQueryResponse stop(StopQueryRequest request) {
    store.write(tx -> {
      Started query = find(tx, request.queryId());
      if (query.over()) {
        throw Refuse.invalid(
            "Query is already ended with " + query.status().toString() + " status");
      }
      Work work = running.getOrDefault(query.id(), query.work());
      return tx.put(QUERIES, query.id(), query.with(QueryStatus.CANCELLED, work));
    });
    running.remove(request.queryId());
    return StopQueryResponse.builder().success(true).build();
  }

  DescribeQueriesResponse describe(DescribeQueriesRequest request) {
    language(request.queryLanguage(), request.queryLanguageAsString());
    int limit = Names.limit(request.maxResults(), MOST_DESCRIBED, MOST_DESCRIBED);
    if (request.status() == QueryStatus.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          request.statusAsString(),
          "status",
          "Member must satisfy enum value set: " + QueryStatus.knownValues());
    }
    String group =
        request.logGroupName() == null ? null : Names.group(request.logGroupName(), "logGroupName");
    List<Started> all =
        store.read(tx ->
            tx.list(QUERIES).stream()
                .map(Row::value)
                .filter(query -> group == null || query.groups().contains(group))
                .filter(query -> request.status() == null || query.status() == request.status())
                .sorted(
                    Comparator.comparingLong(Started::created)
                        .reversed()
                        .thenComparing(Started::id))
                .toList());
    int first = 0;
    String after = Tokens.position(request);
    if (after != null) {
      first = all.stream().map(Started::id).toList().indexOf(after) + 1;
      if (first == 0) {
        throw Refuse.badToken();
      }
    }
    List<Started> page = all.subList(first, Math.min(all.size(), first + limit));
    return DescribeQueriesResponse.builder()
        .queries(
            page.stream()
                .map(query ->
                    QueryInfo.builder()
                        .queryLanguage(QueryLanguage.CWLI)
                        .queryId(query.id())
                        .queryString(query.text())
                        .status(query.status())
                        .createTime(query.created())
                        .logGroupName(query.groups().getFirst())
                        .build())
                .toList())
        .nextToken(first + limit < all.size() ? Tokens.of(request, page.getLast().id()) : null)
        .build();
  }

  @Override
  public void close() {
    running.clear(); // so that those that run end at their next step
    loop.close();
  }
}
