package dev.muelle.services.ecs.agent;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.Ids;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.services.ecs.task.Protections;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.GetTaskProtectionRequest;
import software.amazon.awssdk.services.ecs.model.GetTaskProtectionResponse;
import software.amazon.awssdk.services.ecs.model.ProtectedTask;
import software.amazon.awssdk.services.ecs.model.UpdateTaskProtectionRequest;
import software.amazon.awssdk.services.ecs.model.UpdateTaskProtectionResponse;

/**
 * How a task protects itself, at {@code $ECS_AGENT_URI/task-protection/v1/state}. The agent asks in
 * the name of the task's role, so that a task without one may not.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-scale-in-protection-endpoint.html">Amazon
 *     ECS task scale-in protection endpoint</a>
 */
public final class AgentProtection {

  /** A status and a document. */
  record Answer(int status, ObjectNode body) {}

  private final Protections protections;
  private final TaskDefinitions definitions;
  private final Ids ids;
  private final ObjectMapper json = new ObjectMapper();

  public AgentProtection(Protections protections, TaskDefinitions definitions, Ids ids) {
    this.protections = protections;
    this.definitions = definitions;
    this.ids = ids;
  }

  Answer get(TaskRecord task) {
    if (roleless(task)) {
      return denied(task);
    }
    GetTaskProtectionResponse response =
        protections.get(
            GetTaskProtectionRequest.builder()
                .cluster(task.task().clusterArn())
                .tasks(task.task().taskArn())
                .build());
    return answer(response.protectedTasks(), response.failures());
  }

  Answer put(TaskRecord task, byte[] body) {
    JsonNode request;
    try {
      request = json.readTree(body);
    } catch (IOException e) {
      return error(
          task, 400, "InvalidParameterException", "UpdateTaskProtection: failed to decode request");
    }
    JsonNode enabled = request.path("ProtectionEnabled");
    JsonNode minutes = request.path("ExpiresInMinutes");
    if (!enabled.isBoolean()) {
      return error(
          task,
          400,
          "InvalidParameterException",
          "Invalid request: does not contain 'ProtectionEnabled' field");
    }
    if (!minutes.isMissingNode() && !minutes.isNull() && !minutes.canConvertToInt()) {
      return error(
          task, 400, "InvalidParameterException", "UpdateTaskProtection: failed to decode request");
    }
    if (roleless(task)) {
      return denied(task);
    }
    try {
      UpdateTaskProtectionResponse response =
          protections.update(
              UpdateTaskProtectionRequest.builder()
                  .cluster(task.task().clusterArn())
                  .tasks(task.task().taskArn())
                  .protectionEnabled(enabled.asBoolean())
                  .expiresInMinutes(minutes.isNumber() ? minutes.asInt() : null)
                  .build());
      return answer(response.protectedTasks(), response.failures());
    } catch (EcsException e) {
      return error(task, 400, "InvalidParameterException", e.getMessage());
    }
  }

  private boolean roleless(TaskRecord task) {
    String override = task.task().overrides().taskRoleArn();
    return override == null
        && definitions.byArn(task.task().taskDefinitionArn()).orElseThrow().taskRoleArn() == null;
  }

  private Answer denied(TaskRecord task) {
    return error(
        task,
        403,
        "AccessDeniedException",
        "Invalid Request: no task IAM role credentials available for task");
  }

  private static Answer answer(List<ProtectedTask> tasks, List<Failure> failures) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    if (tasks.isEmpty()) {
      Failure failure = failures.getFirst();
      node.putObject("failure")
          .put("Arn", failure.arn())
          .put("Detail", failure.detail())
          .put("Reason", failure.reason());
    } else {
      ProtectedTask task = tasks.getFirst();
      ObjectNode protection = node.putObject("protection");
      if (task.expirationDate() != null) {
        protection.put("ExpirationDate", task.expirationDate().toString());
      } else {
        protection.putNull("ExpirationDate");
      }
      protection.put("ProtectionEnabled", task.protectionEnabled());
      protection.put("TaskArn", task.taskArn());
    }
    return new Answer(200, node);
  }

  private Answer error(TaskRecord task, int status, String code, @Nullable String message) {
    ObjectNode node = JsonNodeFactory.instance.objectNode();
    node.put("requestID", ids.uuid());
    node.putObject("error")
        .put("Arn", task.task().taskArn())
        .put("Code", code)
        .put("Message", message);
    return new Answer(status, node);
  }
}
