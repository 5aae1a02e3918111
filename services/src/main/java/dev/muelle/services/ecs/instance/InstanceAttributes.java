package dev.muelle.services.ecs.instance;

import dev.muelle.services.ecs.state.ClusterNames;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.state.Pages;
import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Attribute;
import software.amazon.awssdk.services.ecs.model.AttributeLimitExceededException;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.DeleteAttributesRequest;
import software.amazon.awssdk.services.ecs.model.DeleteAttributesResponse;
import software.amazon.awssdk.services.ecs.model.ListAttributesRequest;
import software.amazon.awssdk.services.ecs.model.ListAttributesResponse;
import software.amazon.awssdk.services.ecs.model.PutAttributesRequest;
import software.amazon.awssdk.services.ecs.model.PutAttributesResponse;
import software.amazon.awssdk.services.ecs.model.TargetNotFoundException;
import software.amazon.awssdk.services.ecs.model.TargetType;

/**
 * What is said of container instances, for placement to go by.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-placement-constraints.html#attributes">Attributes</a>
 */
public final class InstanceAttributes {

  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_./\\\\-]{1,128}");
  private static final Pattern VALUE = Pattern.compile("[A-Za-z0-9_.@/\\\\: -]{0,128}");
  private static final int MOST_CUSTOM = 10;
  private static final int MOST_AT_ONCE = 10;

  private final Store store;
  private final ClusterNames clusters;

  public InstanceAttributes(Store store, ClusterNames clusters) {
    this.store = store;
    this.clusters = clusters;
  }

  /** Checks an attribute's name and value. */
  static void check(Attribute attribute) {
    String name = Objects.requireNonNullElse(attribute.name(), "");
    String value = Objects.requireNonNullElse(attribute.value(), "");
    if (!NAME.matcher(name).matches()) {
      throw Refuse.invalid("Invalid attribute name: '" + name + "'.");
    }
    if (!VALUE.matcher(value).matches() || !value.equals(value.strip())) {
      throw Refuse.invalid("Invalid value of attribute " + name + ": '" + value + "'.");
    }
  }

  public PutAttributesResponse put(PutAttributesRequest request) {
    request.attributes().forEach(InstanceAttributes::check);
    List<Attribute> put =
        store.write(tx ->
            change(
                tx,
                request.cluster(),
                request.attributes(),
                (all, attribute) -> {
                  Attribute kept =
                      Attribute.builder().name(attribute.name()).value(attribute.value()).build();
                  all.put(kept.name(), kept);
                  if (all.keySet().stream().filter(InstanceAttributes::custom).count()
                      > MOST_CUSTOM) {
                    throw AttributeLimitExceededException.builder()
                        .message("A container instance can have at most 10 custom attributes.")
                        .build();
                  }
                  return Optional.of(kept);
                }));
    return PutAttributesResponse.builder().attributes(put).build();
  }

  public DeleteAttributesResponse delete(DeleteAttributesRequest request) {
    List<Attribute> deleted =
        store.write(tx ->
            change(
                tx,
                request.cluster(),
                request.attributes(),
                (all, attribute) -> {
                  Attribute present = all.get(attribute.name());
                  boolean meant =
                      present != null
                          && (attribute.value() == null
                              || attribute.value().equals(present.value()));
                  return meant
                      ? Optional.ofNullable(all.remove(attribute.name()))
                      : Optional.empty();
                }));
    return DeleteAttributesResponse.builder().attributes(deleted).build();
  }

  /** Those that ECS and its agent set are not counted. */
  private static boolean custom(String name) {
    return !name.startsWith("ecs.") && !name.startsWith("com.amazonaws.");
  }

  private interface Change {
    /** Changes an instance's attributes; gives the one that was put or deleted. */
    Optional<Attribute> apply(Map<String, Attribute> all, Attribute asked);
  }

  private List<Attribute> change(
      Tx tx, @Nullable String clusterName, List<Attribute> asked, Change change) {
    if (asked.isEmpty() || asked.size() > MOST_AT_ONCE) {
      throw Refuse.invalid("Between 1 and 10 attributes must be specified.");
    }
    Cluster cluster = clusters.active(tx, clusterName);
    List<Attribute> done = new ArrayList<>();
    for (Attribute attribute : asked) {
      InstanceRecord instance = target(tx, cluster, attribute);
      Map<String, Attribute> all = new LinkedHashMap<>();
      instance.instance().attributes().forEach(each -> all.put(each.name(), each));
      Optional<Attribute> result = change.apply(all, attribute);
      if (result.isPresent()) {
        InstanceRecord next = instance.with(i -> i.attributes(List.copyOf(all.values())));
        tx.put(InstanceRecord.TABLE, next.id(), next);
        done.add(of(instance, result.get()));
      }
    }
    return done;
  }

  private static InstanceRecord target(Tx tx, Cluster cluster, Attribute attribute) {
    String target = attribute.targetId();
    if (target == null || target.isEmpty()) {
      throw Refuse.invalid("An attribute's targetId can not be blank.");
    }
    if (attribute.targetType() == TargetType.UNKNOWN_TO_SDK_VERSION) {
      throw Refuse.invalid("Invalid targetType: " + attribute.targetTypeAsString());
    }
    return InstanceRecord.find(tx, cluster, target)
        .filter(instance -> !instance.inactive())
        .orElseThrow(() ->
            TargetNotFoundException.builder()
                .message("The specified target was not found: " + target)
                .build());
  }

  public ListAttributesResponse list(ListAttributesRequest request) {
    if (request.targetType() != TargetType.CONTAINER_INSTANCE) {
      throw Refuse.invalid("targetType must be container-instance.");
    }
    if (request.attributeValue() != null && request.attributeName() == null) {
      throw Refuse.invalid("attributeName must be specified with attributeValue.");
    }
    List<Attribute> found =
        store.read(tx -> {
          Cluster cluster = clusters.active(tx, request.cluster());
          List<Attribute> all = new ArrayList<>();
          for (Row<InstanceRecord> row :
              tx.find(InstanceRecord.TABLE, "cluster", cluster.clusterArn())) {
            for (Attribute attribute : row.value().instance().attributes()) {
              if (asked(request, attribute)) {
                all.add(of(row.value(), attribute));
              }
            }
          }
          return all;
        });
    Pages.Page<Attribute> page =
        Pages.of(
            found,
            attribute -> attribute.targetId() + " " + attribute.name(),
            Comparator.naturalOrder(),
            request.nextToken(),
            request.maxResults());
    return ListAttributesResponse.builder()
        .attributes(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static boolean asked(ListAttributesRequest request, Attribute attribute) {
    return (request.attributeName() == null || request.attributeName().equals(attribute.name()))
        && (request.attributeValue() == null || request.attributeValue().equals(attribute.value()));
  }

  private static Attribute of(InstanceRecord instance, Attribute attribute) {
    return attribute.toBuilder().targetId(instance.instance().containerInstanceArn()).build();
  }
}
