package dev.muelle.services.ecs.definition;

import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.ecs.state.Pages;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.Tags;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.state.TaskStatus;
import dev.muelle.store.Codec;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.DeleteTaskDefinitionsRequest;
import software.amazon.awssdk.services.ecs.model.DeleteTaskDefinitionsResponse;
import software.amazon.awssdk.services.ecs.model.DeregisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.DeregisterTaskDefinitionResponse;
import software.amazon.awssdk.services.ecs.model.DescribeTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.DescribeTaskDefinitionResponse;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.ListTaskDefinitionFamiliesRequest;
import software.amazon.awssdk.services.ecs.model.ListTaskDefinitionFamiliesResponse;
import software.amazon.awssdk.services.ecs.model.ListTaskDefinitionsRequest;
import software.amazon.awssdk.services.ecs.model.ListTaskDefinitionsResponse;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionRequest;
import software.amazon.awssdk.services.ecs.model.RegisterTaskDefinitionResponse;
import software.amazon.awssdk.services.ecs.model.SortOrder;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.TaskDefinition;
import software.amazon.awssdk.services.ecs.model.TaskDefinitionFamilyStatus;
import software.amazon.awssdk.services.ecs.model.TaskDefinitionField;
import software.amazon.awssdk.services.ecs.model.TaskDefinitionStatus;

/**
 * Families of task definitions and their revisions, which are counted up and never used again.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_RegisterTaskDefinition.html">RegisterTaskDefinition</a>
 */
public final class TaskDefinitions {

  /** A revision and its tags, which DescribeTaskDefinition shows only when asked. */
  public record Registered(TaskDefinition definition, List<Tag> tags) {}

  /** Keyed {@code family:0000000001}, so that revisions sort as numbers. */
  public static final Table<Registered> TABLE =
      Table.of("ecs.task_definitions", StoredJson.codec(Registered.class)).remember();

  /** The last revision given to each family. */
  private static final Table<Integer> REVISIONS =
      Table.of(
          "ecs.revisions",
          new Codec<>() {
            @Override
            public byte[] encode(Integer value) {
              return value.toString().getBytes(java.nio.charset.StandardCharsets.US_ASCII);
            }

            @Override
            public Integer decode(byte[] bytes) {
              return Integer.valueOf(new String(bytes, java.nio.charset.StandardCharsets.US_ASCII));
            }
          });

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final TaskDefinitionRules rules;

  public TaskDefinitions(Scope scope, Store store, InstantSource clock, TaskDefinitionRules rules) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.rules = rules;
  }

  /** {@code family:7} as the table's key. */
  public static String keyOf(String familyAndRevision) {
    int colon = familyAndRevision.lastIndexOf(':');
    try {
      int revision = Integer.parseInt(familyAndRevision.substring(colon + 1));
      return "%s:%010d".formatted(familyAndRevision.substring(0, Math.max(0, colon)), revision);
    } catch (NumberFormatException e) {
      throw Refuse.client(
          "Invalid revision number. Number: " + familyAndRevision.substring(colon + 1));
    }
  }

  public RegisterTaskDefinitionResponse register(
      RegisterTaskDefinitionRequest request, String caller) {
    Tags.check(request.tags());
    TaskDefinition.Builder checked = rules.check(request);
    TaskDefinition registered =
        store.write(tx -> {
          int revision = tx.get(REVISIONS, request.family()).map(row -> row.value() + 1).orElse(1);
          tx.put(REVISIONS, request.family(), revision);
          TaskDefinition definition =
              checked
                  .revision(revision)
                  .taskDefinitionArn(
                      scope.arn("ecs", "task-definition/" + request.family() + ":" + revision))
                  .status(TaskDefinitionStatus.ACTIVE)
                  .registeredAt(clock.instant())
                  .registeredBy(caller)
                  .build();
          tx.insert(
              TABLE,
              keyOf(request.family() + ":" + revision),
              new Registered(definition, request.tags()));
          return definition;
        });
    return RegisterTaskDefinitionResponse.builder()
        .taskDefinition(registered)
        .tags(request.tags())
        .build();
  }

  public DescribeTaskDefinitionResponse describe(DescribeTaskDefinitionRequest request) {
    Registered found =
        store
            .read(tx -> find(tx, request.taskDefinition()))
            .orElseThrow(() -> Refuse.client("Unable to describe task definition."));
    DescribeTaskDefinitionResponse.Builder response =
        DescribeTaskDefinitionResponse.builder().taskDefinition(found.definition());
    return request.include().contains(TaskDefinitionField.TAGS)
        ? response.tags(found.tags()).build()
        : response.build();
  }

  public DeregisterTaskDefinitionResponse deregister(DeregisterTaskDefinitionRequest request) {
    String key = exactKey(request.taskDefinition());
    TaskDefinition gone =
        store.write(tx -> {
          Registered present =
              tx.get(TABLE, key)
                  .map(Row::value)
                  .orElseThrow(
                      () -> Refuse.client("The specified task definition does not exist."));
          if (present.definition().status() != TaskDefinitionStatus.ACTIVE) {
            return present.definition(); // it is that, or is being deleted already
          }
          TaskDefinition inactive =
              present.definition().toBuilder()
                  .status(TaskDefinitionStatus.INACTIVE)
                  .deregisteredAt(clock.instant())
                  .build();
          tx.put(TABLE, key, new Registered(inactive, present.tags()));
          return inactive;
        });
    return DeregisterTaskDefinitionResponse.builder().taskDefinition(gone).build();
  }

  /**
   * Inactive revisions are deleted; while tasks or services use one it stays DELETE_IN_PROGRESS.
   */
  public DeleteTaskDefinitionsResponse delete(DeleteTaskDefinitionsRequest request) {
    if (request.taskDefinitions().isEmpty() || request.taskDefinitions().size() > 10) {
      throw Refuse.invalid("Specify between 1 and 10 task definitions.");
    }
    List<TaskDefinition> deleted = new ArrayList<>();
    List<Failure> failures = new ArrayList<>();
    for (String reference : request.taskDefinitions()) {
      String key = exactKey(reference);
      store.write(tx -> {
        Optional<Registered> present = tx.get(TABLE, key).map(Row::value);
        if (present.isEmpty()) {
          failures.add(
              Failure.builder()
                  .arn(reference)
                  .reason(
                      "The specified task definition does not exist. Specify a valid account, family, revision and try again.")
                  .build());
        } else if (present.get().definition().status() == TaskDefinitionStatus.ACTIVE) {
          failures.add(
              Failure.builder()
                  .arn(present.get().definition().taskDefinitionArn())
                  .reason(
                      "The specified task definition is still in ACTIVE status. Please"
                          + " deregister the target and try again.")
                  .build());
        } else {
          TaskDefinition going =
              present.get().definition().toBuilder()
                  .status(TaskDefinitionStatus.DELETE_IN_PROGRESS)
                  .build();
          if (inUse(tx, going.taskDefinitionArn())) {
            tx.put(TABLE, key, new Registered(going, present.get().tags()));
          } else {
            tx.delete(TABLE, key);
          }
          deleted.add(going);
        }
        return true;
      });
    }
    return DeleteTaskDefinitionsResponse.builder()
        .taskDefinitions(deleted)
        .failures(failures)
        .build();
  }

  /**
   * A task or a service lets go of a revision: if it is to be deleted, it goes with its last user.
   */
  public static void release(Tx tx, String arn) {
    String key = keyOf(TaskRecord.idOf(arn));
    boolean going =
        tx.get(TABLE, key)
            .filter(
                row -> row.value().definition().status() == TaskDefinitionStatus.DELETE_IN_PROGRESS)
            .isPresent();
    if (going && !inUse(tx, arn)) {
      tx.delete(TABLE, key);
    }
  }

  private static boolean inUse(Tx tx, String arn) {
    return tx.list(TaskRecord.TABLE).stream()
            .anyMatch(task ->
                task.value().status() != TaskStatus.STOPPED
                    && task.value().task().taskDefinitionArn().equals(arn))
        || tx.list(ServiceRecord.TABLE).stream()
            .anyMatch(service -> service.value().definitions().anyMatch(arn::equals));
  }

  public ListTaskDefinitionsResponse list(ListTaskDefinitionsRequest request) {
    TaskDefinitionStatus status =
        request.status() == null ? TaskDefinitionStatus.ACTIVE : request.status();
    Predicate<TaskDefinition> wanted =
        definition ->
            definition.status() == status
                && (request.familyPrefix() == null
                    || definition.family().equals(request.familyPrefix()));
    List<TaskDefinition> found =
        store.read(tx -> tx.list(TABLE)).stream()
            .map(row -> row.value().definition())
            .filter(wanted)
            .toList();
    Comparator<String> ascending = Comparator.naturalOrder();
    Pages.Page<TaskDefinition> page =
        Pages.of(
            found,
            definition -> "%s %010d".formatted(definition.family(), definition.revision()),
            request.sort() == SortOrder.DESC ? ascending.reversed() : ascending,
            request.nextToken(),
            request.maxResults());
    return ListTaskDefinitionsResponse.builder()
        .taskDefinitionArns(page.items().stream().map(TaskDefinition::taskDefinitionArn).toList())
        .nextToken(page.nextToken())
        .build();
  }

  public ListTaskDefinitionFamiliesResponse families(ListTaskDefinitionFamiliesRequest request) {
    TaskDefinitionFamilyStatus status =
        request.status() == null ? TaskDefinitionFamilyStatus.ACTIVE : request.status();
    TreeSet<String> active = new TreeSet<>();
    TreeSet<String> all = new TreeSet<>();
    for (Row<Registered> row : store.read(tx -> tx.list(TABLE))) {
      TaskDefinition definition = row.value().definition();
      if (request.familyPrefix() == null
          || definition.family().startsWith(request.familyPrefix())) {
        all.add(definition.family());
        if (definition.status() == TaskDefinitionStatus.ACTIVE) {
          active.add(definition.family());
        }
      }
    }
    TreeSet<String> chosen =
        switch (status) {
          case ACTIVE -> active;
          case ALL -> all;
          case INACTIVE -> {
            all.removeAll(active);
            yield all;
          }
          case UNKNOWN_TO_SDK_VERSION ->
              throw Refuse.invalid("Invalid status: " + request.statusAsString());
        };
    Pages.Page<String> page =
        Pages.of(List.copyOf(chosen), request.nextToken(), request.maxResults());
    return ListTaskDefinitionFamiliesResponse.builder()
        .families(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /** The revision that a task or service is to run: {@code family}, {@code family:7} or an ARN. */
  public Registered runnable(Tx tx, @Nullable String reference) {
    if (reference == null || reference.isEmpty()) {
      throw Refuse.invalid("TaskDefinition can not be blank.");
    }
    Registered found =
        find(tx, reference).orElseThrow(() -> Refuse.client("TaskDefinition not found."));
    if (found.definition().status() != TaskDefinitionStatus.ACTIVE) {
      throw Refuse.client("TaskDefinition is inactive");
    }
    return found;
  }

  /** Any revision by its ARN, whatever its status. */
  public Optional<TaskDefinition> byArn(String arn) {
    return store.read(tx -> find(tx, arn)).map(Registered::definition);
  }

  /** A revision that something was made of, by its ARN. */
  public TaskDefinition in(Tx tx, String arn) {
    return find(tx, arn).orElseThrow().definition();
  }

  private Optional<Registered> find(Tx tx, @Nullable String reference) {
    String name = strip(reference);
    if (name.contains(":")) {
      return tx.get(TABLE, keyOf(name)).map(Row::value);
    }
    return tx.list(TABLE, name + ":").stream()
        .map(Row::value)
        .filter(registered -> registered.definition().status() == TaskDefinitionStatus.ACTIVE)
        .reduce((first, second) -> second);
  }

  private String exactKey(@Nullable String reference) {
    String name = strip(reference);
    if (!name.contains(":")) {
      throw Refuse.client("Missing revision");
    }
    return keyOf(name);
  }

  private String strip(@Nullable String reference) {
    if (reference == null || reference.isEmpty()) {
      throw Refuse.client("TaskDefinition can not be blank.");
    }
    String prefix = scope.arn("ecs", "task-definition/");
    return reference.startsWith(prefix) ? reference.substring(prefix.length()) : reference;
  }
}
