package dev.muelle.services.eventbridge;

import dev.muelle.services.Scope;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.eventbridge.model.AssignPublicIp;
import software.amazon.awssdk.services.eventbridge.model.EcsParameters;
import software.amazon.awssdk.services.eventbridge.model.InputTransformer;
import software.amazon.awssdk.services.eventbridge.model.LaunchType;
import software.amazon.awssdk.services.eventbridge.model.NetworkConfiguration;
import software.amazon.awssdk.services.eventbridge.model.PlacementConstraintType;
import software.amazon.awssdk.services.eventbridge.model.PlacementStrategyType;
import software.amazon.awssdk.services.eventbridge.model.PropagateTags;
import software.amazon.awssdk.services.eventbridge.model.RetryPolicy;
import software.amazon.awssdk.services.eventbridge.model.Target;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.iam.model.NoSuchEntityException;

/**
 * Which targets there may be: what each says has its effect, or is refused by name.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html">Target</a>
 */
final class TargetRules {

  private static final String ID = "[\\.\\-_A-Za-z0-9]{1,64}";
  private static final int MAX_INPUT = 8192;
  private static final int MAX_PATH = 256;
  private static final int MAX_PATHS = 100;
  private static final int MAX_TASKS = 10;
  private static final int MAX_ATTEMPTS = 185;
  private static final int MIN_AGE = 60;
  private static final int MAX_AGE = 86_400;

  private final Scope scope;
  private final IamClient iam;

  TargetRules(Scope scope, IamClient iam) {
    this.scope = scope;
    this.iam = iam;
  }

  /** What stands behind an ARN. */
  enum Kind {
    TOPIC,
    LOG_GROUP,
    CLUSTER
  }

  static @Nullable Kind kind(Scope scope, String arn) {
    if (arn.startsWith(scope.arn("sns", ""))) {
      return Kind.TOPIC;
    }
    if (arn.startsWith(scope.arn("logs", "log-group:"))) {
      return Kind.LOG_GROUP;
    }
    return arn.startsWith(scope.arn("ecs", "cluster/")) ? Kind.CLUSTER : null;
  }

  void check(Target target) {
    if (target.id() == null || !target.id().matches(ID)) {
      throw Refuse.constraint(
          "targets.id", target.id(), "satisfy regular expression pattern: " + ID);
    }
    String arn = target.arn() == null ? "" : target.arn();
    if (!arn.matches("arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:(\\d{12})?:.+")) {
      throw Refuse.invalid(
          "Parameter " + arn + " is not valid. Reason: Provided Arn is not in correct format.");
    }
    Kind kind = kind(scope, arn);
    if (kind == null) {
      throw Refuse.unsupported("The target " + arn);
    }
    Refuse.ifSet(
        target,
        "KinesisParameters",
        "RunCommandParameters",
        "BatchParameters",
        "SqsParameters",
        "HttpParameters",
        "RedshiftDataParameters",
        "SageMakerPipelineParameters",
        "DeadLetterConfig",
        "AppSyncParameters");
    checkInput(target);
    checkRetries(target.retryPolicy());
    switch (kind) {
      case CLUSTER -> checkTask(target);
      case TOPIC, LOG_GROUP -> {
        if (target.ecsParameters() != null) {
          throw Refuse.invalid(
              "Parameter(s) EcsParameters not valid for target: " + target.id() + ".");
        }
      }
    }
    checkRole(target.roleArn());
  }

  private static void checkInput(Target target) {
    int said =
        (target.input() == null ? 0 : 1)
            + (target.inputPath() == null ? 0 : 1)
            + (target.inputTransformer() == null ? 0 : 1);
    if (said > 1) {
      throw Refuse.invalid(
          "Only one of Input, InputPath, or InputTransformer must be provided for target "
              + target.id()
              + ".");
    }
    if (target.input() != null) {
      if (target.input().length() > MAX_INPUT) {
        throw Refuse.constraint(
            "targets.input", target.input(), "have length less than or equal to " + MAX_INPUT);
      }
      if (Json.read(target.input()).isEmpty()) {
        throw Refuse.invalid("JSON syntax error in input for target " + target.id() + ".");
      }
    }
    if (target.inputPath() != null) {
      checkPath(target, target.inputPath());
    }
    if (target.inputTransformer() != null) {
      checkTransformer(target, target.inputTransformer());
    }
  }

  private static void checkPath(Target target, @Nullable String path) {
    if (path == null || path.length() > MAX_PATH || !Path.isValid(path)) {
      throw Refuse.invalid("Invalid InputPath for target " + target.id() + ".");
    }
  }

  private static void checkTransformer(Target target, InputTransformer transformer) {
    String template = transformer.inputTemplate();
    if (template == null || template.isEmpty() || template.length() > MAX_INPUT) {
      throw Refuse.constraint(
          "targets.inputTransformer.inputTemplate",
          template,
          "have length between 1 and " + MAX_INPUT);
    }
    if (transformer.inputPathsMap().size() > MAX_PATHS) {
      throw Refuse.constraint(
          "targets.inputTransformer.inputPathsMap",
          transformer.inputPathsMap().size(),
          "have length less than or equal to " + MAX_PATHS);
    }
    transformer
        .inputPathsMap()
        .forEach((name, path) -> {
          if (name.toUpperCase(java.util.Locale.ROOT).startsWith("AWS")
              || !name.matches("[A-Za-z0-9_-]+")) {
            throw Refuse.invalid(
                "Invalid InputPathsMap key " + name + " for target " + target.id() + ".");
          }
          checkPath(target, path);
        });
    for (String name : Input.placeholders(template)) {
      if (!transformer.inputPathsMap().containsKey(name) && !Input.RESERVED.contains(name)) {
        throw Refuse.invalid(
            "InputTemplate for target "
                + target.id()
                + " contains invalid placeholder "
                + name
                + ".");
      }
    }
  }

  private static void checkRetries(@Nullable RetryPolicy policy) {
    if (policy == null) {
      return;
    }
    Integer attempts = policy.maximumRetryAttempts();
    if (attempts != null && (attempts < 0 || attempts > MAX_ATTEMPTS)) {
      throw Refuse.constraint(
          "targets.retryPolicy.maximumRetryAttempts",
          attempts,
          "have value between 0 and " + MAX_ATTEMPTS);
    }
    Integer age = policy.maximumEventAgeInSeconds();
    if (age != null && (age < MIN_AGE || age > MAX_AGE)) {
      throw Refuse.constraint(
          "targets.retryPolicy.maximumEventAgeInSeconds",
          age,
          "have value between " + MIN_AGE + " and " + MAX_AGE);
    }
  }

  private static void checkTask(Target target) {
    EcsParameters ecs = target.ecsParameters();
    if (ecs == null) {
      throw Refuse.invalid(
          "Parameter(s) EcsParameters must be specified for target: " + target.id() + ".");
    }
    if (ecs.taskDefinitionArn() == null || ecs.taskDefinitionArn().isEmpty()) {
      throw Refuse.constraint("targets.ecsParameters.taskDefinitionArn", null, "not be null");
    }
    if (target.roleArn() == null) {
      throw Refuse.invalid("RoleArn is required for target " + target.arn() + ".");
    }
    if (ecs.taskCount() != null && (ecs.taskCount() < 1 || ecs.taskCount() > MAX_TASKS)) {
      throw Refuse.constraint(
          "targets.ecsParameters.taskCount",
          ecs.taskCount(),
          "have value between 1 and " + MAX_TASKS);
    }
    known("launchType", ecs.launchTypeAsString(), LaunchType.knownValues());
    known("propagateTags", ecs.propagateTagsAsString(), PropagateTags.knownValues());
    NetworkConfiguration network = ecs.networkConfiguration();
    if (network != null && network.awsvpcConfiguration() != null) {
      known(
          "networkConfiguration.awsvpcConfiguration.assignPublicIp",
          network.awsvpcConfiguration().assignPublicIpAsString(),
          AssignPublicIp.knownValues());
    }
    ecs.placementConstraints()
        .forEach(one ->
            known(
                "placementConstraints.type",
                one.typeAsString(),
                PlacementConstraintType.knownValues()));
    ecs.placementStrategy()
        .forEach(one ->
            known(
                "placementStrategy.type", one.typeAsString(), PlacementStrategyType.knownValues()));
  }

  /** What only fails when the rule is due, each time anew, is refused at once. */
  private static void known(String member, @Nullable String value, Set<?> values) {
    if (value != null && values.stream().noneMatch(one -> one.toString().equals(value))) {
      throw Refuse.constraint(
          "targets.ecsParameters." + member, value, "satisfy enum value set: " + values);
    }
  }

  private void checkRole(@Nullable String arn) {
    if (arn == null) {
      return;
    }
    String prefix = scope.globalArn("iam", "role/");
    try {
      if (!arn.startsWith(prefix)) {
        throw Refuse.invalid("RoleArn " + arn + " is not a role of this account.");
      }
      iam.getRole(get -> get.roleName(arn.substring(arn.lastIndexOf('/') + 1)));
    } catch (NoSuchEntityException e) {
      throw Refuse.invalid("RoleArn " + arn + " does not exist.");
    }
  }
}
