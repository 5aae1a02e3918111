package dev.muelle.services.ecs;

import dev.muelle.services.Scope;
import dev.muelle.services.ecs.capacity.CapacityProviders;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.service.Revisions;
import dev.muelle.services.ecs.service.TaskSets;
import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.Identifiers;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.ServiceRecord;
import dev.muelle.services.ecs.state.Tags;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.CapacityProvider;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.ecs.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.TagResourceRequest;
import software.amazon.awssdk.services.ecs.model.TagResourceResponse;
import software.amazon.awssdk.services.ecs.model.TaskSet;
import software.amazon.awssdk.services.ecs.model.UntagResourceRequest;
import software.amazon.awssdk.services.ecs.model.UntagResourceResponse;

/**
 * Lists and changes tags of clusters, capacity providers, services, tasks, container instances and
 * task definitions.
 */
final class Tagging {

  private final Scope scope;
  private final Store store;

  Tagging(Scope scope, Store store) {
    this.scope = scope;
    this.store = store;
  }

  ListTagsForResourceResponse list(ListTagsForResourceRequest request) {
    List<Tag> tags =
        store.read(tx -> change(tx, request.resourceArn(), Function.identity(), false));
    return ListTagsForResourceResponse.builder().tags(tags).build();
  }

  TagResourceResponse tag(TagResourceRequest request) {
    Tags.check(request.tags());
    store.write(tx ->
        change(
            tx,
            request.resourceArn(),
            present -> {
              Map<String, Tag> all = new LinkedHashMap<>();
              present.forEach(tag -> all.put(tag.key(), tag));
              request.tags().forEach(tag -> all.put(tag.key(), tag));
              Tags.checkNumber(List.copyOf(all.values()));
              return List.copyOf(all.values());
            },
            true));
    return TagResourceResponse.builder().build();
  }

  UntagResourceResponse untag(UntagResourceRequest request) {
    for (String key : request.tagKeys()) {
      if (Tags.isManaged(key)) {
        throw Refuse.invalid(
            "Tag keys starting with the reserved prefix aws: are not allowed: " + key);
      }
    }
    store.write(tx ->
        change(
            tx,
            request.resourceArn(),
            present -> {
              List<Tag> left = new ArrayList<>(present);
              left.removeIf(tag -> request.tagKeys().contains(tag.key()));
              return List.copyOf(left);
            },
            true));
    return UntagResourceResponse.builder().build();
  }

  private List<Tag> change(
      Tx tx, @Nullable String arn, Function<List<Tag>, List<Tag>> change, boolean write) {
    if (arn == null || arn.isEmpty()) {
      throw Refuse.invalid("Resource ARN can not be blank.");
    }
    String[] parts = Identifiers.checked(arn, scope.region(), scope.account());
    String kind = parts[5].substring(0, Math.max(0, parts[5].indexOf('/')));
    String id = parts[5].substring(parts[5].indexOf('/') + 1);
    return switch (kind) {
      case "cluster" ->
          on(
              tx,
              ClusterNames.TABLE,
              id,
              arn,
              write,
              change,
              Cluster::clusterArn,
              Cluster::tags,
              (c, tags) -> c.toBuilder().tags(tags).build());
      case "capacity-provider" ->
          on(
              tx,
              CapacityProviders.TABLE,
              id,
              arn,
              write,
              change,
              CapacityProvider::capacityProviderArn,
              CapacityProvider::tags,
              (provider, tags) -> provider.toBuilder().tags(tags).build());
      case "service" ->
          on(
              tx,
              ServiceRecord.TABLE,
              id,
              arn,
              write,
              change,
              s -> s.service().serviceArn(),
              s -> s.service().tags(),
              (s, tags) -> s.with(builder -> builder.tags(tags)));
      case "task" ->
          on(
              tx,
              TaskRecord.TABLE,
              TaskRecord.idOf(arn),
              arn,
              write,
              change,
              t -> t.task().taskArn(),
              t -> t.task().tags(),
              (t, tags) -> t.with(builder -> builder.tags(tags)));
      case "container-instance" ->
          on(
              tx,
              InstanceRecord.TABLE,
              TaskRecord.idOf(arn),
              arn,
              write,
              change,
              i -> i.instance().containerInstanceArn(),
              i -> i.instance().tags(),
              (i, tags) -> i.with(builder -> builder.tags(tags)));
      case "task-set" ->
          on(
              tx,
              TaskSets.TABLE,
              Revisions.keyOf(arn),
              arn,
              write,
              change,
              TaskSet::taskSetArn,
              TaskSet::tags,
              (set, tags) -> set.toBuilder().tags(tags).build());
      case "task-definition" ->
          on(
              tx,
              TaskDefinitions.TABLE,
              TaskDefinitions.keyOf(id),
              arn,
              write,
              change,
              d -> d.definition().taskDefinitionArn(),
              TaskDefinitions.Registered::tags,
              (d, tags) -> new TaskDefinitions.Registered(d.definition(), tags));
      default -> throw Refuse.invalid("Resource type " + kind + " is not supported for tagging.");
    };
  }

  private static <T> List<Tag> on(
      Tx tx,
      Table<T> table,
      String key,
      String arn,
      boolean write,
      Function<List<Tag>, List<Tag>> change,
      Function<T, String> arnOf,
      Function<T, List<Tag>> get,
      BiFunction<T, List<Tag>, T> set) {
    Row<T> row =
        tx.get(table, key)
            .filter(found -> arnOf.apply(found.value()).equals(arn)) // a task's names its cluster
            .orElseThrow(() -> Refuse.invalid("The specified resource was not found: " + key));
    List<Tag> changed = change.apply(get.apply(row.value()));
    if (write) {
      tx.put(table, key, set.apply(row.value(), changed));
    }
    return changed;
  }
}
