package dev.muelle.services.ecs.event;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.ecs.instance.ContainerInstances;
import dev.muelle.services.ecs.state.InstanceRecord;
import dev.muelle.services.ecs.task.TaskFactory;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.List;
import software.amazon.awssdk.core.SdkField;
import software.amazon.awssdk.core.SdkPojo;
import software.amazon.awssdk.core.util.SdkAutoConstructList;
import software.amazon.awssdk.services.ecs.model.ContainerInstance;
import software.amazon.awssdk.services.ecs.model.Task;

/**
 * The {@code detail} of events: what DescribeTasks and DescribeContainerInstances show, with times
 * in ISO 8601, without tags, and of a task without its health and platform family, which events do
 * not have.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html">Task
 *     state change events</a>
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_container_instance_events.html">Container
 *     instance state change events</a>
 */
final class Details {

  private static final DateTimeFormatter TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSS'Z'").withZone(ZoneOffset.UTC);
  private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
  private static final String HEALTH = "healthStatus";
  private static final String AGENTS = "managedAgents"; // of execute-command

  private Details() {}

  static ObjectNode of(Task task, Instant now) {
    ObjectNode detail = object(task);
    detail.remove(List.of("tags", HEALTH, "platformFamily"));
    ArrayNode overrides = detail.withObject("overrides").withArray("containerOverrides");
    for (JsonNode container : detail.path("containers")) {
      ((ObjectNode) container).remove(HEALTH);
      if (container.path(AGENTS).isEmpty()) {
        ((ObjectNode) container).remove(AGENTS);
      }
      String name = container.path("name").asText();
      if (TaskFactory.override(task.overrides(), name).isEmpty()) {
        overrides.addObject().put("name", name); // each has one here
      }
    }
    for (JsonNode attachment : detail.path("attachments")) {
      // DescribeTasks says ElasticNetworkInterface.
      if (attachment.path("type").asText().equals("ElasticNetworkInterface")) {
        ((ObjectNode) attachment).put("type", "eni");
      }
    }
    return detail.put("updatedAt", time(now));
  }

  static ObjectNode of(Tx tx, InstanceRecord record, Instant now) {
    ObjectNode detail = object(ContainerInstances.shown(tx, record, false));
    detail.remove(List.of("tags", "runningTasksCount", "pendingTasksCount"));
    return detail.put("clusterArn", record.clusterArn()).put("updatedAt", time(now));
  }

  /** Whether two states of a task would be told alike. */
  static boolean same(Task one, Task other) {
    return plain(one).equals(plain(other));
  }

  private static Task plain(Task task) {
    return task.toBuilder()
        .version(null)
        .tags(List.of())
        .healthStatus((String) null)
        .containers(
            task.containers().stream()
                .map(container -> container.toBuilder().healthStatus((String) null).build())
                .toList())
        .build();
  }

  /** Whether two states of an instance would be told alike, but for the room on it. */
  static boolean same(ContainerInstance one, ContainerInstance other) {
    return plain(one).equals(plain(other));
  }

  private static ContainerInstance plain(ContainerInstance instance) {
    return instance.toBuilder().version(null).tags(List.of()).build();
  }

  static String time(Instant time) {
    return TIME.format(time);
  }

  static ArrayNode array(List<String> values) {
    ArrayNode array = JSON.arrayNode();
    values.forEach(array::add);
    return array;
  }

  private static ObjectNode object(SdkPojo pojo) {
    ObjectNode object = JSON.objectNode();
    for (SdkField<?> field : pojo.sdkFields()) {
      Object value = field.getValueOrDefault(pojo);
      if (value != null && !(value instanceof SdkAutoConstructList)) {
        object.set(field.locationName(), value(value));
      }
    }
    return object;
  }

  /** Of the kinds of values that tasks and container instances have. */
  private static JsonNode value(Object value) {
    return switch (value) {
      case String text -> JSON.textNode(text);
      case Boolean flag -> JSON.booleanNode(flag);
      case Integer number -> JSON.numberNode(number);
      case Long number -> JSON.numberNode(number);
      case Instant time -> JSON.textNode(time(time));
      case SdkPojo pojo -> object(pojo);
      case List<?> list -> {
        ArrayNode array = JSON.arrayNode();
        list.forEach(element -> array.add(value(element)));
        yield array;
      }
      default -> throw new IllegalArgumentException("no JSON form: " + value.getClass().getName());
    };
  }
}
