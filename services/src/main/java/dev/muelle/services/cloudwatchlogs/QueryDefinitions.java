package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.Ids;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteQueryDefinitionRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteQueryDefinitionResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeQueryDefinitionsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeQueryDefinitionsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutQueryDefinitionRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutQueryDefinitionResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.QueryDefinition;
import software.amazon.awssdk.services.cloudwatchlogs.model.QueryLanguage;

/**
 * Queries that are saved by name.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutQueryDefinition.html">PutQueryDefinition</a>
 */
final class QueryDefinitions {

  private static final int MOST = 1_000;
  private static final int LONGEST_NAME = 255;

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;

  QueryDefinitions(Store store, InstantSource clock, Ids ids) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
  }

  PutQueryDefinitionResponse put(PutQueryDefinitionRequest request) {
    Insights.language(request.queryLanguage(), request.queryLanguageAsString());
    String name = request.name();
    if (name == null || name.isEmpty() || name.length() > LONGEST_NAME) {
      throw Refuse.constraint(
          name, "name", "Member must have length between 1 and " + LONGEST_NAME);
    }
    String text = Insights.text(request.queryString());
    request.logGroupNames().forEach(group -> Names.group(group, "logGroupNames"));
    String id = id(request.queryDefinitionId(), request.clientToken());
    store.write(tx -> {
      boolean exists = tx.get(Tables.QUERY_DEFINITIONS, id).isPresent();
      if (request.queryDefinitionId() != null && !exists) {
        throw Refuse.missing("query definition");
      }
      if (!exists && tx.count(Tables.QUERY_DEFINITIONS) >= MOST) {
        throw Refuse.limit();
      }
      return tx.put(
          Tables.QUERY_DEFINITIONS,
          id,
          QueryDefinition.builder()
              .queryDefinitionId(id)
              .queryLanguage(QueryLanguage.CWLI)
              .name(name)
              .queryString(text)
              .logGroupNames(request.logGroupNames())
              .lastModified(clock.millis())
              .build());
    });
    return PutQueryDefinitionResponse.builder().queryDefinitionId(id).build();
  }

  /** A client that asks again with the same token means the same definition. */
  private String id(@Nullable String id, @Nullable String token) {
    if (id != null) {
      return id;
    }
    return token == null
        ? ids.uuid()
        : UUID.nameUUIDFromBytes(token.getBytes(StandardCharsets.UTF_8)).toString();
  }

  DescribeQueryDefinitionsResponse describe(DescribeQueryDefinitionsRequest request) {
    Insights.language(request.queryLanguage(), request.queryLanguageAsString());
    int limit = Names.limit(request.maxResults(), MOST, MOST);
    String prefix = request.queryDefinitionNamePrefix();
    Comparator<QueryDefinition> order =
        Comparator.comparing(QueryDefinition::name)
            .thenComparing(QueryDefinition::queryDefinitionId);
    List<QueryDefinition> all =
        store.read(tx ->
            tx.list(Tables.QUERY_DEFINITIONS).stream()
                .map(Row::value)
                .filter(each -> prefix == null || each.name().startsWith(prefix))
                .sorted(order)
                .toList());
    List<QueryDefinition> rest = all;
    String after = Tokens.position(request);
    if (after != null) {
      List<String> known = all.stream().map(QueryDefinition::queryDefinitionId).toList();
      int at = known.indexOf(after);
      if (at < 0) {
        throw Refuse.badToken();
      }
      rest = all.subList(at + 1, all.size());
    }
    List<QueryDefinition> page = rest.subList(0, Math.min(limit, rest.size()));
    return DescribeQueryDefinitionsResponse.builder()
        .queryDefinitions(page)
        .nextToken(
            rest.size() > limit ? Tokens.of(request, page.getLast().queryDefinitionId()) : null)
        .build();
  }

  DeleteQueryDefinitionResponse delete(DeleteQueryDefinitionRequest request) {
    String id = request.queryDefinitionId();
    if (id == null) {
      throw Refuse.constraint(null, "queryDefinitionId", "Member must not be null");
    }
    boolean gone = store.write(tx -> tx.delete(Tables.QUERY_DEFINITIONS, id));
    if (!gone) {
      throw Refuse.missing("query definition");
    }
    return DeleteQueryDefinitionResponse.builder().success(true).build();
  }
}
