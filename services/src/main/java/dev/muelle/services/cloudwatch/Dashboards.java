package dev.muelle.services.cloudwatch;

import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.cloudwatch.series.Refuse;
import dev.muelle.services.cloudwatch.series.Tokens;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.DashboardEntry;
import software.amazon.awssdk.services.cloudwatch.model.DashboardInvalidInputErrorException;
import software.amazon.awssdk.services.cloudwatch.model.DashboardNotFoundErrorException;
import software.amazon.awssdk.services.cloudwatch.model.DeleteDashboardsRequest;
import software.amazon.awssdk.services.cloudwatch.model.DeleteDashboardsResponse;
import software.amazon.awssdk.services.cloudwatch.model.GetDashboardRequest;
import software.amazon.awssdk.services.cloudwatch.model.GetDashboardResponse;
import software.amazon.awssdk.services.cloudwatch.model.ListDashboardsRequest;
import software.amazon.awssdk.services.cloudwatch.model.ListDashboardsResponse;
import software.amazon.awssdk.services.cloudwatch.model.PutDashboardRequest;
import software.amazon.awssdk.services.cloudwatch.model.PutDashboardResponse;

/**
 * Keeps dashboards.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html">PutDashboard</a>
 */
final class Dashboards {

  /** Keyed by name. */
  static final Table<Dashboard> TABLE =
      Table.of("cloudwatch.dashboards", StoredJson.codec(Dashboard.class));

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,255}");
  private static final int LARGEST = 1 << 20; // bytes
  private static final int PAGE = 1_000;
  private static final int MOST = 2_000;

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;

  record Dashboard(String body, Instant modified) {}

  Dashboards(Scope scope, Store store, InstantSource clock) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
  }

  private String arn(String name) {
    return scope.globalArn("cloudwatch", "dashboard/" + name);
  }

  private static String name(@Nullable String name) {
    if (name == null || name.isEmpty()) {
      throw Refuse.missing("DashboardName");
    }
    if (!NAME.matcher(name).matches()) {
      throw Refuse.value("DashboardName", name);
    }
    return name;
  }

  PutDashboardResponse put(PutDashboardRequest request) {
    String name = name(request.dashboardName());
    String text = request.dashboardBody();
    if (text == null) {
      throw Refuse.missing("DashboardBody");
    }
    if (text.getBytes(StandardCharsets.UTF_8).length > LARGEST) {
      throw Refuse.invalid("The dashboard body must not be larger than 1 MB.");
    }
    DashboardBody body = DashboardBody.check(text);
    if (!body.errors.isEmpty()) {
      throw DashboardInvalidInputErrorException.builder()
          .message(body.told())
          .dashboardValidationMessages(body.errors)
          .build();
    }
    store.write(tx -> {
      if (tx.get(TABLE, name).isEmpty() && tx.count(TABLE) >= MOST) {
        throw Refuse.limit("The maximum number of dashboards, " + MOST + ", is reached.");
      }
      return tx.put(TABLE, name, new Dashboard(text, clock.instant()));
    });
    return PutDashboardResponse.builder().dashboardValidationMessages(body.warnings).build();
  }

  GetDashboardResponse get(GetDashboardRequest request) {
    String name = name(request.dashboardName());
    Dashboard dashboard =
        store
            .read(tx -> tx.get(TABLE, name))
            .map(Row::value)
            .orElseThrow(() -> notFound(List.of(name)));
    return GetDashboardResponse.builder()
        .dashboardName(name)
        .dashboardArn(arn(name))
        .dashboardBody(dashboard.body())
        .build();
  }

  ListDashboardsResponse list(ListDashboardsRequest request) {
    String prefix = request.dashboardNamePrefix() == null ? "" : request.dashboardNamePrefix();
    ListDashboardsRequest question = request.toBuilder().nextToken(null).build();
    String after = Tokens.position(question, request.nextToken());
    List<Row<Dashboard>> found =
        store.read(tx -> tx.list(TABLE, prefix)).stream()
            .filter(row -> after == null || row.key().compareTo(after) > 0)
            .limit(PAGE + 1L)
            .toList();
    boolean more = found.size() > PAGE;
    List<Row<Dashboard>> page = more ? found.subList(0, PAGE) : found;
    return ListDashboardsResponse.builder()
        .dashboardEntries(
            page.stream()
                .map(row ->
                    DashboardEntry.builder()
                        .dashboardName(row.key())
                        .dashboardArn(arn(row.key()))
                        .lastModified(row.value().modified())
                        .size((long) row.value().body().getBytes(StandardCharsets.UTF_8).length)
                        .build())
                .toList())
        .nextToken(more ? Tokens.of(question, page.getLast().key()) : null)
        .build();
  }

  /** All of them or an error. */
  DeleteDashboardsResponse delete(DeleteDashboardsRequest request) {
    if (request.dashboardNames().isEmpty()) {
      throw Refuse.missing("DashboardNames");
    }
    store.write(tx -> {
      List<String> unknown =
          request.dashboardNames().stream()
              .filter(name -> tx.get(TABLE, name(name)).isEmpty())
              .toList();
      if (!unknown.isEmpty()) {
        throw notFound(unknown);
      }
      request.dashboardNames().forEach(name -> tx.delete(TABLE, name));
      return true;
    });
    return DeleteDashboardsResponse.builder().build();
  }

  private static DashboardNotFoundErrorException notFound(List<String> names) {
    return DashboardNotFoundErrorException.builder()
        .message(
            names.size() == 1
                ? "Dashboard " + names.getFirst() + " does not exist"
                : "Dashboards " + names + " do not exist")
        .build();
  }
}
