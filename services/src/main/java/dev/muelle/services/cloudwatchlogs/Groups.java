package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.Ids;
import dev.muelle.services.cloudwatchlogs.Tables.Deleted;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.services.cloudwatchlogs.Tables.Stream;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteRetentionPolicyRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DeleteRetentionPolicyResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogGroupsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.DescribeLogGroupsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListLogGroupsRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListLogGroupsResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogGroup;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogGroupClass;
import software.amazon.awssdk.services.cloudwatchlogs.model.LogGroupSummary;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogGroupDeletionProtectionRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutLogGroupDeletionProtectionResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutRetentionPolicyRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.PutRetentionPolicyResponse;

/**
 * Log groups and how long they keep what they hold.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_CreateLogGroup.html">CreateLogGroup</a>
 */
final class Groups {

  private static final List<Integer> RETENTIONS =
      List.of(
          1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557,
          2922, 3288, 3653);

  private static final int DESCRIBED = 50;
  private static final int LISTED = 1_000;
  private static final int MOST_IDENTIFIERS = 50;
  private static final Pattern ALTERNATIVES =
      Pattern.compile("(\\^?[.\\-_/#A-Za-z0-9]{3,24})(\\|\\^?[.\\-_/#A-Za-z0-9]{3,24}){0,4}");

  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Names names;
  private final Sweeper sweeper;

  Groups(Store store, InstantSource clock, Ids ids, Names names, Sweeper sweeper) {
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.names = names;
    this.sweeper = sweeper;
  }

  CreateLogGroupResponse create(CreateLogGroupRequest request) {
    String name = Names.group(request.logGroupName(), "logGroupName");
    if (name.startsWith("aws/")) {
      throw Refuse.invalid("Log groups starting with aws/ are reserved for AWS.");
    }
    if (request.kmsKeyId() != null) {
      throw Refuse.unsupported("kmsKeyId");
    }
    checkClass(request.logGroupClass(), request.logGroupClassAsString());
    if (request.logGroupClass() != null && request.logGroupClass() != LogGroupClass.STANDARD) {
      throw Refuse.invalid(
          "The log group class "
              + request.logGroupClassAsString()
              + " is not supported by this region yet.");
    }
    Tags.check(request.tags());
    boolean deletionProtected = Boolean.TRUE.equals(request.deletionProtectionEnabled());
    store.write(tx -> {
      if (tx.get(Tables.GROUPS, name).isPresent()) {
        throw Refuse.exists("log group");
      }
      Group group =
          new Group(ids.hex(16), name, clock.millis(), null, request.tags(), deletionProtected);
      return tx.insert(Tables.GROUPS, name, group);
    });
    return CreateLogGroupResponse.builder().build();
  }

  /** The events go later, little by little: there may be millions. */
  DeleteLogGroupResponse delete(DeleteLogGroupRequest request) {
    String name = Names.group(request.logGroupName(), "logGroupName");
    store.write(tx -> {
      Group group = Names.require(tx, name);
      if (group.deletionProtected()) {
        throw Refuse.protectedFromDeletion(name);
      }
      for (Row<Stream> stream : tx.list(Tables.STREAMS, group.id() + "/")) {
        tx.put(Tables.DELETED, stream.value().id(), new Deleted(clock.millis()));
      }
      tx.deletePrefix(Tables.STREAMS, group.id() + "/");
      tx.deletePrefix(Tables.METRIC_FILTERS, group.id() + "/");
      return tx.delete(Tables.GROUPS, name);
    });
    sweeper.streamsDeleted();
    return DeleteLogGroupResponse.builder().build();
  }

  PutLogGroupDeletionProtectionResponse protect(PutLogGroupDeletionProtectionRequest request) {
    String name = names.meant(null, request.logGroupIdentifier());
    Boolean enabled = request.deletionProtectionEnabled();
    if (enabled == null) {
      throw Refuse.constraint(null, "deletionProtectionEnabled", "Member must not be null");
    }
    change(name, group -> group.withProtection(enabled));
    return PutLogGroupDeletionProtectionResponse.builder().build();
  }

  PutRetentionPolicyResponse retain(PutRetentionPolicyRequest request) {
    String name = Names.group(request.logGroupName(), "logGroupName");
    Integer days = request.retentionInDays();
    if (days == null) {
      throw Refuse.constraint(null, "retentionInDays", "Member must not be null");
    }
    if (!RETENTIONS.contains(days)) {
      throw Refuse.invalid("Invalid retention value. Valid values are: " + RETENTIONS);
    }
    change(name, group -> group.withRetention(days));
    sweeper.retentionChanged(name);
    return PutRetentionPolicyResponse.builder().build();
  }

  DeleteRetentionPolicyResponse retainForever(DeleteRetentionPolicyRequest request) {
    String name = Names.group(request.logGroupName(), "logGroupName");
    change(name, group -> group.withRetention(null));
    return DeleteRetentionPolicyResponse.builder().build();
  }

  private void change(String name, UnaryOperator<Group> change) {
    store.write(tx -> tx.put(Tables.GROUPS, name, change.apply(Names.require(tx, name))));
  }

  DescribeLogGroupsResponse describe(DescribeLogGroupsRequest request) {
    int limit = Names.limit(request.limit(), DESCRIBED, DESCRIBED);
    String prefix = request.logGroupNamePrefix();
    String pattern = request.logGroupNamePattern();
    checkClass(request.logGroupClass(), request.logGroupClassAsString());
    if (!request.accountIdentifiers().isEmpty()) {
      throw Refuse.unsupported("accountIdentifiers");
    }
    if (prefix != null && pattern != null) {
      throw Refuse.invalid(
          "LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters.");
    }
    if (prefix != null) {
      Names.group(prefix, "logGroupNamePrefix");
    }
    if (pattern != null && !pattern.isEmpty()) {
      Names.group(pattern, "logGroupNamePattern");
    }
    Set<String> wanted = identified(request);
    String after = Tokens.position(request);
    return store.read(tx -> {
      List<Group> rest =
          groups(
              tx,
              prefix,
              after,
              group ->
                  (wanted.isEmpty() || wanted.contains(group.name()))
                      && (pattern == null || group.name().contains(pattern))
                      && isOf(request.logGroupClass()));
      List<Group> page = rest.subList(0, Math.min(limit, rest.size()));
      return DescribeLogGroupsResponse.builder()
          .logGroups(
              page.stream()
                  .map(group -> pattern == null ? shown(tx, group) : named(group))
                  .toList())
          .nextToken(rest.size() > limit ? Tokens.of(request, page.getLast().name()) : null)
          .build();
    });
  }

  private Set<String> identified(DescribeLogGroupsRequest request) {
    List<String> identifiers = request.logGroupIdentifiers();
    boolean more =
        request.logGroupNamePrefix() != null
            || request.logGroupNamePattern() != null
            || request.logGroupClass() != null;
    if (!identifiers.isEmpty() && more) {
      throw Refuse.invalid(
          "logGroupIdentifiers cannot be combined with logGroupNamePrefix, logGroupNamePattern or"
              + " logGroupClass.");
    }
    if (identifiers.size() > MOST_IDENTIFIERS) {
      throw Refuse.constraint(
          identifiers,
          "logGroupIdentifiers",
          "Member must have length less than or equal to " + MOST_IDENTIFIERS);
    }
    Set<String> wanted = new TreeSet<>();
    identifiers.forEach(identifier -> wanted.add(names.identified(identifier)));
    return wanted;
  }

  ListLogGroupsResponse list(ListLogGroupsRequest request) {
    int limit = Names.limit(request.limit(), DESCRIBED, LISTED);
    checkClass(request.logGroupClass(), request.logGroupClassAsString());
    if (!request.accountIdentifiers().isEmpty()) {
      throw Refuse.unsupported("accountIdentifiers");
    }
    if (!request.dataSources().isEmpty()) {
      throw Refuse.unsupported("dataSources");
    }
    if (!request.fieldIndexNames().isEmpty()) {
      throw Refuse.unsupported("fieldIndexNames");
    }
    Predicate<String> pattern = alternatives(request.logGroupNamePattern());
    String after = Tokens.position(request);
    return store.read(tx -> {
      List<Group> rest =
          groups(
              tx,
              null,
              after,
              group -> pattern.test(group.name()) && isOf(request.logGroupClass()));
      List<Group> page = rest.subList(0, Math.min(limit, rest.size()));
      return ListLogGroupsResponse.builder()
          .logGroups(page.stream().map(this::summary).toList())
          .nextToken(rest.size() > limit ? Tokens.of(request, page.getLast().name()) : null)
          .build();
    });
  }

  /** Parts of names, or starts of names after a {@code ^}; one of them is enough. */
  private static Predicate<String> alternatives(@Nullable String pattern) {
    if (pattern == null) {
      return name -> true;
    }
    if (!ALTERNATIVES.matcher(pattern).matches()) {
      throw Refuse.constraint(
          pattern,
          "logGroupNamePattern",
          "Member must satisfy regular expression pattern:"
              + " (\\^?[\\.\\-_\\/#A-Za-z0-9]{3,24})(\\|\\^?[\\.\\-_\\/#A-Za-z0-9]{3,24}){0,4}");
    }
    return name ->
        Arrays.stream(pattern.split("\\|", -1))
            .anyMatch(part ->
                part.startsWith("^") ? name.startsWith(part.substring(1)) : name.contains(part));
  }

  private static List<Group> groups(
      Tx tx, @Nullable String prefix, @Nullable String after, Predicate<Group> wanted) {
    return tx.list(Tables.GROUPS, prefix == null ? "" : prefix).stream()
        .map(Row::value)
        .filter(group -> after == null || group.name().compareTo(after) > 0)
        .filter(wanted)
        .toList();
  }

  private static void checkClass(@Nullable LogGroupClass wanted, @Nullable String written) {
    if (wanted == LogGroupClass.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.constraint(
          written,
          "logGroupClass",
          "Member must satisfy enum value set: [STANDARD, INFREQUENT_ACCESS, DELIVERY]");
    }
  }

  /** Every group is of the standard class. */
  private static boolean isOf(@Nullable LogGroupClass wanted) {
    return wanted == null || wanted == LogGroupClass.STANDARD;
  }

  private LogGroup shown(Tx tx, Group group) {
    long bytes =
        tx.list(Tables.STREAMS, group.id() + "/").stream()
            .mapToLong(row -> row.value().storedBytes())
            .sum();
    String arn = names.arn(group.name());
    return LogGroup.builder()
        .logGroupName(group.name())
        .creationTime(group.created())
        .retentionInDays(group.retentionDays())
        .metricFilterCount(MetricFilters.of(tx, group).size())
        .arn(arn + ":*")
        .logGroupArn(arn)
        .storedBytes(bytes)
        .logGroupClass(LogGroupClass.STANDARD)
        .deletionProtectionEnabled(group.deletionProtected())
        .build();
  }

  /** What a search by pattern gives, which AWS keeps short. */
  private LogGroup named(Group group) {
    return LogGroup.builder()
        .logGroupName(group.name())
        .creationTime(group.created())
        .arn(names.arn(group.name()) + ":*")
        .build();
  }

  private LogGroupSummary summary(Group group) {
    return LogGroupSummary.builder()
        .logGroupName(group.name())
        .logGroupArn(names.arn(group.name()))
        .logGroupClass(LogGroupClass.STANDARD)
        .build();
  }
}
