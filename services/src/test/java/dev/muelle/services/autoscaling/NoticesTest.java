package dev.muelle.services.autoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.autoscaling.model.Activity;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.NotificationConfiguration;

/** What groups tell topics. */
class NoticesTest {

  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 7);
  }

  @AfterEach
  void close() {
    world.close();
  }

  private void tell(String... types) {
    world.scaling.putNotificationConfiguration(
        r -> r.autoScalingGroupName(World.GROUP).topicARN(Topics.TOPIC).notificationTypes(types));
  }

  private JsonNode last(String subject) throws JsonProcessingException {
    world.until(subject, () -> world.topics.subjects().contains(subject));
    return JSON.readTree(world.topics.messages().get(world.topics.subjects().lastIndexOf(subject)));
  }

  @Test
  void launchesAndTerminationsAreTold() throws Exception {
    world.scaling.createAutoScalingGroup(world.group(0, 4, 0).build());
    tell(
        "autoscaling:EC2_INSTANCE_LAUNCH",
        "autoscaling:EC2_INSTANCE_TERMINATE",
        "autoscaling:TEST_NOTIFICATION");
    JsonNode test = last("Auto Scaling: test notification for group \"web\"");
    assertEquals("AWS Auto Scaling", test.path("Service").asText());
    assertEquals("autoscaling:TEST_NOTIFICATION", test.path("Event").asText());
    assertEquals("000000000000", test.path("AccountId").asText());
    assertEquals("web", test.path("AutoScalingGroupName").asText());
    assertEquals(world.group().autoScalingGroupARN(), test.path("AutoScalingGroupARN").asText());

    world.scaling.setDesiredCapacity(r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(1));
    JsonNode launch = last("Auto Scaling: launch for group \"web\"");
    Activity activity = world.activities().getFirst();
    String instance = world.serving().getFirst();
    assertEquals("autoscaling:EC2_INSTANCE_LAUNCH", launch.path("Event").asText());
    assertEquals(instance, launch.path("EC2InstanceId").asText());
    assertEquals(activity.activityId(), launch.path("ActivityId").asText());
    assertEquals(activity.activityId(), launch.path("RequestId").asText());
    assertEquals("Launching a new EC2 instance: " + instance, launch.path("Description").asText());
    assertEquals(activity.cause(), launch.path("Cause").asText());
    assertEquals("InProgress", launch.path("StatusCode").asText());
    assertEquals("", launch.path("StatusMessage").asText());
    assertEquals(50, launch.path("Progress").asInt());
    assertEquals(activity.startTime().toString(), launch.path("StartTime").asText());
    assertEquals(activity.endTime().toString(), launch.path("EndTime").asText());
    assertEquals(
        world.group().instances().getFirst().availabilityZone(),
        launch.path("Details").path("Availability Zone").asText());
    assertEquals("EC2", launch.path("Origin").asText());
    assertEquals("AutoScalingGroup", launch.path("Destination").asText());

    world.scaling.deleteAutoScalingGroup(
        r -> r.autoScalingGroupName(World.GROUP).forceDelete(true));
    JsonNode end = last("Auto Scaling: termination for group \"web\"");
    assertEquals("autoscaling:EC2_INSTANCE_TERMINATE", end.path("Event").asText());
    assertEquals(instance, end.path("EC2InstanceId").asText());
    world.pass(Duration.ofMinutes(1));
    assertEquals(
        List.of(),
        world.scaling.describeNotificationConfigurations(r -> {}).notificationConfigurations());
    assertEquals(3, world.topics.subjects().size(), world.topics.subjects()::toString);
  }

  @Test
  void aFailureIsTold() throws Exception {
    world.scaling.createAutoScalingGroup(world.group(0, 4, 0).build());
    tell("autoscaling:EC2_INSTANCE_LAUNCH_ERROR");
    world.ec2.deleteLaunchTemplate(r -> r.launchTemplateName("web"));
    world.scaling.setDesiredCapacity(r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(1));
    JsonNode failed = last("Auto Scaling: failed launch for group \"web\"");
    assertEquals("autoscaling:EC2_INSTANCE_LAUNCH_ERROR", failed.path("Event").asText());
    assertEquals("Failed", failed.path("StatusCode").asText());
    assertEquals(100, failed.path("Progress").asInt());
    assertEquals("", failed.path("EC2InstanceId").asText());
    String why = failed.path("StatusMessage").asText();
    assertTrue(why.endsWith("Launching EC2 instance failed."), why);
    assertEquals(
        "Launching a new EC2 instance.  Status Reason: " + why,
        failed.path("Description").asText());
  }

  @Test
  void aTopicThatIsGoneStopsNothing() {
    world.topics.known.add(Topics.TOPIC + "2");
    world.scaling.createAutoScalingGroup(world.group(0, 4, 0).build());
    world.scaling.putNotificationConfiguration(r ->
        r.autoScalingGroupName(World.GROUP)
            .topicARN(Topics.TOPIC + "2")
            .notificationTypes("autoscaling:EC2_INSTANCE_LAUNCH"));
    tell("autoscaling:EC2_INSTANCE_LAUNCH");
    world.topics.known.remove(Topics.TOPIC + "2");
    world.scaling.setDesiredCapacity(r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(2));
    world.until("both are told", () -> world.topics.subjects().size() == 2);
  }

  @Test
  void alsoGroupsWithLongNamesAreHeard() {
    String name = "g".repeat(200);
    world.scaling.createAutoScalingGroup(world.group(0, 4, 0).autoScalingGroupName(name).build());
    world.scaling.putNotificationConfiguration(r ->
        r.autoScalingGroupName(name)
            .topicARN(Topics.TOPIC)
            .notificationTypes("autoscaling:TEST_NOTIFICATION"));
    world.until("a test", () -> world.topics.subjects().size() == 1);
    assertTrue(world.topics.messages().getFirst().contains(name));
  }

  @Test
  void theLastWordCounts() {
    world.scaling.createAutoScalingGroup(world.group(0, 4, 0).build());
    tell("autoscaling:EC2_INSTANCE_LAUNCH");
    tell("autoscaling:EC2_INSTANCE_TERMINATE", "autoscaling:EC2_INSTANCE_LAUNCH_ERROR");
    assertEquals(
        List.of("autoscaling:EC2_INSTANCE_LAUNCH_ERROR", "autoscaling:EC2_INSTANCE_TERMINATE"),
        world
            .scaling
            .describeNotificationConfigurations(r -> r.autoScalingGroupNames(World.GROUP))
            .notificationConfigurations()
            .stream()
            .map(NotificationConfiguration::notificationType)
            .toList());
    world.scaling.setDesiredCapacity(r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(1));
    world.serves(1);
    assertEquals(List.of(), world.topics.subjects());
    world.scaling.deleteNotificationConfiguration(
        r -> r.autoScalingGroupName(World.GROUP).topicARN(Topics.TOPIC));
    world.scaling.setDesiredCapacity(r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(0));
    world.serves(0);
    assertEquals(List.of(), world.topics.subjects());
    assertTrue(
        world
            .scaling
            .describeAutoScalingNotificationTypes()
            .autoScalingNotificationTypes()
            .contains("autoscaling:TEST_NOTIFICATION"));
  }

  @Test
  void whatIsWrongIsRefused() {
    world.scaling.createAutoScalingGroup(world.group(0, 4, 0).build());
    refused("Notification type \"launch\" is not valid", () -> tell("launch"));
    refused("At least one notification type", () -> tell());
    refused(
        "Unable to publish test message to notification target arn:none",
        () ->
            world.scaling.putNotificationConfiguration(r ->
                r.autoScalingGroupName(World.GROUP)
                    .topicARN("arn:none")
                    .notificationTypes("autoscaling:EC2_INSTANCE_LAUNCH")));
    refused(
        "AutoScalingGroup 'none' not found",
        () ->
            world.scaling.putNotificationConfiguration(r ->
                r.autoScalingGroupName("none")
                    .topicARN(Topics.TOPIC)
                    .notificationTypes("autoscaling:EC2_INSTANCE_LAUNCH")));
  }

  private static void refused(String message, Executable call) {
    AutoScalingException refusal = assertThrows(AutoScalingException.class, call);
    assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
  }

  private String role(String service) {
    return world
        .iam
        .createRole(r ->
            r.roleName("publisher")
                .assumeRolePolicyDocument(
                    """
                    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                     "Principal": {"Service": "%s"}, "Action": "sts:AssumeRole"}]}
                    """
                        .formatted(service)))
        .role()
        .arn();
  }

  private void hook(String target, String role) {
    world.scaling.putLifecycleHook(r ->
        r.autoScalingGroupName(World.GROUP)
            .lifecycleHookName("prepare")
            .lifecycleTransition("autoscaling:EC2_INSTANCE_LAUNCHING")
            .notificationMetadata("more to know")
            .notificationTargetARN(target)
            .roleARN(role));
  }

  @Test
  void aHookTellsItsTopic() throws Exception {
    world.scaling.createAutoScalingGroup(world.group(0, 4, 0).build());
    String role = role("autoscaling.amazonaws.com");
    hook(Topics.TOPIC, role);
    JsonNode test = last("Auto Scaling: test notification for group \"web\"");
    assertEquals("autoscaling:TEST_NOTIFICATION", test.path("Event").asText());
    assertEquals("AWS Auto Scaling", test.path("Service").asText());
    world.scaling.setDesiredCapacity(r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(1));
    world.until("it waits", () -> !world.in(LifecycleState.PENDING_WAIT).isEmpty());
    String id = world.in(LifecycleState.PENDING_WAIT).getFirst();
    JsonNode told =
        last("Auto Scaling:  Lifecycle action 'LAUNCHING' for instance " + id + " in progress.");
    assertEquals(id, told.path("EC2InstanceId").asText());
    assertEquals("more to know", told.path("NotificationMetadata").asText());
    assertEquals("prepare", told.path("LifecycleHookName").asText());
    assertEquals("000000000000", told.path("AccountId").asText());
    world.scaling.completeLifecycleAction(r ->
        r.autoScalingGroupName(World.GROUP)
            .lifecycleHookName("prepare")
            .lifecycleActionToken(told.path("LifecycleActionToken").asText())
            .lifecycleActionResult("CONTINUE"));
    world.serves(1);
    hook("", null);
    int before = world.topics.published.size();
    world.scaling.setDesiredCapacity(r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(2));
    world.until("another waits", () -> !world.in(LifecycleState.PENDING_WAIT).isEmpty());
    world.pass(Duration.ofMinutes(1));
    assertEquals(before, world.topics.published.size(), "nobody is told any more");
  }

  @Test
  void aHookThatCouldTellNobodyIsRefused() {
    world.scaling.createAutoScalingGroup(world.group(0, 4, 0).build());
    String stranger = role("lambda.amazonaws.com");
    String words = "Unable to publish test message to notification target";
    assertTrue(refusal(() -> hook(Topics.TOPIC, stranger)).contains(words));
    assertTrue(refusal(() -> hook(Topics.TOPIC, null)).contains(words));
    assertTrue(refusal(() -> hook(Topics.TOPIC + "s", stranger)).contains(words));
    assertTrue(
        refusal(() -> hook("arn:aws:sqs:us-east-1:000000000000:queue", stranger))
            .contains("with a queue of Amazon SQS"));
    assertEquals(
        List.of(),
        world
            .scaling
            .describeLifecycleHooks(r -> r.autoScalingGroupName(World.GROUP))
            .lifecycleHooks());
  }

  private static String refusal(Executable call) {
    return String.valueOf(assertThrows(AutoScalingException.class, call).getMessage());
  }
}
