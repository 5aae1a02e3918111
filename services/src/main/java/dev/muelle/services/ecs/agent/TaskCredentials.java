package dev.muelle.services.ecs.agent;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.Scope;
import dev.muelle.services.SessionKeys;
import dev.muelle.services.ecs.definition.TaskDefinitions;
import dev.muelle.services.ecs.state.TaskRecord;
import java.util.Optional;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;
import software.amazon.awssdk.services.iam.model.Role;

/**
 * The keys that a task's containers speak with for the task's role.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-iam-roles.html">Task
 *     IAM role</a>
 */
public final class TaskCredentials {

  private final Scope scope;
  private final TaskDefinitions definitions;
  private final IamClient iam;
  private final SessionKeys sessions;

  public TaskCredentials(
      Scope scope, TaskDefinitions definitions, IamClient iam, SessionKeys sessions) {
    this.scope = scope;
    this.definitions = definitions;
    this.iam = iam;
    this.sessions = sessions;
  }

  /** The role's ARN, if the task has one. */
  private Optional<String> role(TaskRecord task) {
    return Optional.ofNullable(task.task().overrides().taskRoleArn())
        .or(() ->
            definitions
                .byArn(task.task().taskDefinitionArn())
                .flatMap(definition -> Optional.ofNullable(definition.taskRoleArn())));
  }

  /** The keys that are good now; empty if the task has no role, or the role is gone. */
  Optional<ObjectNode> keys(TaskRecord task) {
    return role(task).flatMap(arn -> find(arn).map(role -> keys(task, arn, role)));
  }

  private Optional<Role> find(String arn) {
    try {
      String name = arn.substring(arn.lastIndexOf('/') + 1);
      return Optional.of(iam.getRole(request -> request.roleName(name)).role());
    } catch (NoSuchEntityException e) {
      return Optional.empty();
    }
  }

  private ObjectNode keys(TaskRecord task, String arn, Role role) {
    SessionKeys.Session session =
        sessions.of(
            holder(task),
            scope.account(),
            scope.globalArn("sts", "assumed-role/" + role.roleName() + "/" + task.id()),
            role.roleId() + ":" + task.id());
    return JsonNodeFactory.instance
        .objectNode()
        .put("RoleArn", arn)
        .put("AccessKeyId", session.accessKeyId())
        .put("SecretAccessKey", session.secretAccessKey())
        .put("Token", session.token())
        .put("Expiration", session.expires().toString());
  }

  private String holder(TaskRecord task) {
    return scope.storeScope() + "/task/" + task.id();
  }

  /** A task has ended. */
  void forget(TaskRecord task) {
    if (role(task).isPresent()) {
      sessions.forget(holder(task));
    }
  }
}
