package dev.muelle.services.eventbridge;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.services.eventbridge.TargetRules.Kind;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.cloudwatchlogs.model.InputLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceAlreadyExistsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.ResourceNotFoundException;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.AssignPublicIp;
import software.amazon.awssdk.services.ecs.model.AwsVpcConfiguration;
import software.amazon.awssdk.services.ecs.model.NetworkConfiguration;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;
import software.amazon.awssdk.services.ecs.model.RunTaskResponse;
import software.amazon.awssdk.services.ecs.model.Tag;
import software.amazon.awssdk.services.ecs.model.TaskOverride;
import software.amazon.awssdk.services.eventbridge.model.EcsParameters;
import software.amazon.awssdk.services.eventbridge.model.Target;
import software.amazon.awssdk.services.sns.SnsClient;

/**
 * Performs what a rule asks of a target: publishes, logs, runs tasks.
 *
 * @see <a href="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-targets.html">Event bus
 *     targets</a>
 */
final class Invoker {

  private final Scope scope;
  private final SnsClient sns;
  private final CloudWatchLogsClient logs;
  private final EcsClient ecs;
  private final String stream;

  Invoker(Scope scope, Ids ids, SnsClient sns, CloudWatchLogsClient logs, EcsClient ecs) {
    this.scope = scope;
    this.sns = sns;
    this.logs = logs;
    this.ecs = ecs;
    stream = ids.uuid();
  }

  /** Nobody could be found who runs it, now. */
  static final class NotRun extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NotRun(String why) {
      super(why);
    }
  }

  /**
   * Performs an invocation.
   *
   * @throws RuntimeException if it cannot be
   */
  void invoke(Rule rule, Target target, Invocation invocation, Instant now) {
    JsonNode event = Json.read(invocation.event()).orElseGet(Json::object);
    String input =
        Input.of(
            target, event, scope.arn("events", rule.resource()), rule.name(), invocation.begun());
    Kind kind = TargetRules.kind(scope, target.arn());
    switch (kind) {
      case null -> throw Refuse.unsupported("The target " + target.arn());
      case TOPIC -> sns.publish(publish -> publish.topicArn(target.arn()).message(input));
      case LOG_GROUP -> log(target, input, now);
      case CLUSTER -> run(rule, target, invocation, Input.isOwn(target) ? input : null);
    }
  }

  /**
   * As log events an input is told as it is; one that has exactly a time and a message is told as
   * these.
   */
  private void log(Target target, String input, Instant now) {
    String group =
        target.arn().substring(scope.arn("logs", "log-group:").length()).replaceFirst(":\\*$", "");
    JsonNode read = Json.read(input).orElseGet(Json::object);
    boolean shaped =
        read.isObject()
            && read.size() == 2
            && read.path("timestamp").isIntegralNumber()
            && read.has("message");
    JsonNode message = read.path("message");
    InputLogEvent event =
        InputLogEvent.builder()
            .timestamp(shaped ? read.path("timestamp").longValue() : now.toEpochMilli())
            .message(
                !shaped ? input : message.isTextual() ? message.textValue() : message.toString())
            .build();
    try {
      logs.putLogEvents(put -> put.logGroupName(group).logStreamName(stream).logEvents(event));
    } catch (ResourceNotFoundException e) {
      try {
        logs.createLogStream(create -> create.logGroupName(group).logStreamName(stream));
      } catch (ResourceAlreadyExistsException there) {
        // somebody was quicker
      }
      logs.putLogEvents(put -> put.logGroupName(group).logStreamName(stream).logEvents(event));
    }
  }

  private void run(Rule rule, Target target, Invocation invocation, @Nullable String input) {
    RunTaskResponse response = ecs.runTask(request(rule, target, invocation, input));
    if (!response.failures().isEmpty()) {
      throw new NotRun(response.failures().getFirst().reason());
    }
  }

  static RunTaskRequest request(
      Rule rule, Target target, Invocation invocation, @Nullable String input) {
    EcsParameters ecs = target.ecsParameters();
    RunTaskRequest.Builder run =
        RunTaskRequest.builder()
            .cluster(target.arn())
            .taskDefinition(ecs.taskDefinitionArn())
            .count(ecs.taskCount() == null ? 1 : ecs.taskCount())
            .launchType(ecs.launchTypeAsString())
            .platformVersion(ecs.platformVersion())
            .group(ecs.group())
            .enableECSManagedTags(ecs.enableECSManagedTags())
            .enableExecuteCommand(ecs.enableExecuteCommand())
            .propagateTags(ecs.propagateTagsAsString())
            .referenceId(ecs.referenceId())
            .startedBy("events-rule/" + rule.name())
            .clientToken(invocation.id()); // so that a second attempt runs no second task
    if (ecs.networkConfiguration() != null
        && ecs.networkConfiguration().awsvpcConfiguration() != null) {
      var vpc = ecs.networkConfiguration().awsvpcConfiguration();
      AwsVpcConfiguration.Builder made =
          AwsVpcConfiguration.builder()
              .subnets(vpc.subnets())
              .assignPublicIp(
                  vpc.assignPublicIp() == null
                      ? null
                      : AssignPublicIp.fromValue(vpc.assignPublicIpAsString()));
      if (vpc.hasSecurityGroups()) {
        made.securityGroups(vpc.securityGroups());
      }
      run.networkConfiguration(
          NetworkConfiguration.builder().awsvpcConfiguration(made.build()).build());
    }
    if (ecs.hasCapacityProviderStrategy()) {
      run.capacityProviderStrategy(
          ecs.capacityProviderStrategy().stream()
              .map(one ->
                  software.amazon.awssdk.services.ecs.model.CapacityProviderStrategyItem.builder()
                      .capacityProvider(one.capacityProvider())
                      .weight(one.weight())
                      .base(one.base())
                      .build())
              .toList());
    }
    if (ecs.hasPlacementConstraints()) {
      run.placementConstraints(
          ecs.placementConstraints().stream()
              .map(one ->
                  software.amazon.awssdk.services.ecs.model.PlacementConstraint.builder()
                      .type(one.typeAsString())
                      .expression(one.expression())
                      .build())
              .toList());
    }
    if (ecs.hasPlacementStrategy()) {
      run.placementStrategy(
          ecs.placementStrategy().stream()
              .map(one ->
                  software.amazon.awssdk.services.ecs.model.PlacementStrategy.builder()
                      .type(one.typeAsString())
                      .field(one.field())
                      .build())
              .toList());
    }
    if (ecs.hasTags()) {
      List<Tag> tags =
          ecs.tags().stream()
              .map(one -> Tag.builder().key(one.key()).value(one.value()).build())
              .toList();
      run.tags(tags);
    }
    if (input != null) {
      run.overrides(
          StoredJson.codec(TaskOverride.class).decode(input.getBytes(StandardCharsets.UTF_8)));
    }
    return run.build();
  }
}
