package dev.muelle.services.autoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.services.EventOutbox;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.autoscaling.model.Activity;
import software.amazon.awssdk.services.autoscaling.model.AutoScalingException;
import software.amazon.awssdk.services.autoscaling.model.CreateAutoScalingGroupRequest;
import software.amazon.awssdk.services.autoscaling.model.Instance;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateOverrides;
import software.amazon.awssdk.services.autoscaling.model.LaunchTemplateSpecification;
import software.amazon.awssdk.services.autoscaling.model.LifecycleState;
import software.amazon.awssdk.services.autoscaling.model.ScalingActivityStatusCode;
import software.amazon.awssdk.services.autoscaling.model.Tag;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;

/** Groups and what becomes of their instances, on virtual time. */
@SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
class AutoScalingTest {

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

  private static void refused(String code, String message, Executable call) {
    AutoScalingException refusal = assertThrows(AutoScalingException.class, call);
    assertEquals(code, refusal.awsErrorDetails().errorCode(), refusal.getMessage());
    assertTrue(refusal.getMessage().contains(message), refusal.getMessage());
  }

  private AutoScaling scaling() {
    return world.scaling;
  }

  private void desire(int count) {
    scaling().setDesiredCapacity(r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(count));
  }

  private Map<String, Long> zones() {
    return world.group().instances().stream()
        .filter(i -> i.lifecycleState() == LifecycleState.IN_SERVICE)
        .collect(Collectors.groupingBy(Instance::availabilityZone, Collectors.counting()));
  }

  @Test
  void aGroupGrowsEvenlyAndSaysWhy() {
    scaling()
        .createAutoScalingGroup(
            world
                .group(1, 5, 4)
                .tags(
                    Tag.builder().key("team").value("a").propagateAtLaunch(true).build(),
                    Tag.builder().key("own").value("b").propagateAtLaunch(false).build())
                .build());
    world.serves(4);
    assertEquals(Set.of(2L), Set.copyOf(zones().values()));
    assertEquals(new TreeSet<>(world.serving()), new TreeSet<>(world.alive()));
    Activity first = world.activities().getFirst();
    assertEquals(ScalingActivityStatusCode.SUCCESSFUL, first.statusCode());
    assertTrue(first.description().matches("Launching a new EC2 instance: i-[0-9a-f]{17}"));
    assertTrue(
        first
            .cause()
            .matches(
                "At \\S+Z a user request created an AutoScalingGroup changing the desired capacity"
                    + " from 0 to 4\\.  At \\S+Z an instance was started in response to a difference"
                    + " between desired and actual capacity, increasing the capacity from 0 to 4\\."),
        first.cause());
    Map<String, String> tags =
        world
            .ec2
            .describeTags(
                r -> r.filters(f -> f.name("resource-id").values(world.serving().getFirst())))
            .tags()
            .stream()
            .collect(Collectors.toMap(t -> t.key(), t -> t.value()));
    assertEquals("a", tags.get("team"));
    assertEquals("web", tags.get("aws:autoscaling:groupName"));
    assertFalse(tags.containsKey("own"));
    assertEquals("1", world.group().instances().getFirst().launchTemplate().version());

    for (String id : world.serving()) { // from callers, not from Auto Scaling
      world.ec2.modifyInstanceAttribute(
          r -> r.instanceId(id).disableApiTermination(v -> v.value(true)));
    }
    desire(2);
    world.serves(2);
    assertEquals(Set.of(1L), Set.copyOf(zones().values()));
    world.until("two alive", () -> world.alive().size() == 2);
    assertTrue(
        world.activities().stream()
            .anyMatch(a ->
                a.cause().contains("explicitly set group desired capacity")
                    && a.cause().contains("shrinking the capacity from 4 to 2.")
                    && a.cause().contains("was selected for termination.")));
    Map<String, Long> events =
        world.events().stream()
            .collect(Collectors.groupingBy(e -> e.detailType(), Collectors.counting()));
    assertEquals(
        Map.of("EC2 Instance Launch Successful", 4L, "EC2 Instance Terminate Successful", 2L),
        events);
    EventOutbox.Event launched = world.events().getFirst();
    JsonNode detail = detail(launched);
    String id = detail.path("EC2InstanceId").asText();
    assertEquals(
        List.of(
            world.group().autoScalingGroupARN(),
            "arn:aws:ec2:us-east-1:000000000000:instance/" + id),
        launched.resources());
    assertEquals(
        Set.of(
            "ActivityId",
            "AutoScalingGroupName",
            "Cause",
            "Description",
            "Destination",
            "Details",
            "EC2InstanceId",
            "EndTime",
            "Origin",
            "RequestId",
            "StartTime",
            "StatusCode",
            "StatusMessage"),
        names(detail));
    assertEquals("InProgress", detail.path("StatusCode").asText(), "though it is over");
    assertEquals("Launching a new EC2 instance: " + id, detail.path("Description").asText());
    assertEquals(Set.of("Availability Zone", "Subnet ID"), names(detail.path("Details")));
    for (String time : List.of("StartTime", "EndTime")) {
      assertTrue(
          detail.path(time).asText().matches("\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z"),
          detail::toString);
    }
  }

  private static JsonNode detail(EventOutbox.Event event) {
    try {
      return new ObjectMapper().readTree(event.detail());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Set<String> names(JsonNode object) {
    Set<String> names = new TreeSet<>();
    object.fieldNames().forEachRemaining(names::add);
    return names;
  }

  @Test
  void whatIsLostIsReplaced() {
    scaling().createAutoScalingGroup(world.group(0, 5, 2).build());
    world.serves(2);
    String lost = world.serving().getFirst();
    world.ec2.terminateInstances(r -> r.instanceIds(lost));
    world.until("replaced", () -> world.serving().size() == 2 && !world.serving().contains(lost));
    assertTrue(
        world.activities().stream()
            .anyMatch(a ->
                a.description().equals("Terminating EC2 instance: " + lost)
                    && a.cause().contains("EC2 health check")));
    assertTrue(
        world.activities().stream()
            .anyMatch(a -> a.cause().contains("unhealthy instance needing to be replaced")));

    String ill = world.serving().getFirst();
    scaling().setInstanceHealth(r -> r.instanceId(ill).healthStatus("Unhealthy"));
    world.until("replaced", () -> world.serving().size() == 2 && !world.serving().contains(ill));
    world.until("gone", () -> world.state(ill) == InstanceStateName.TERMINATED);
  }

  @Test
  void loadBalancersAreServedAndAsked() {
    String web = world.balancer.group("web");
    scaling()
        .createAutoScalingGroup(
            world
                .group(0, 3, 2)
                .targetGroupARNs(web)
                .healthCheckType("ELB")
                .healthCheckGracePeriod(60)
                .build());
    world.serves(2);
    Map<String, TargetHealthStateEnum> targets = world.balancer.groups.get(web);
    assertEquals(Set.copyOf(world.serving()), targets.keySet());

    String ill = world.serving().getFirst();
    targets.put(ill, TargetHealthStateEnum.UNHEALTHY);
    world.pass(Duration.ofSeconds(20));
    assertTrue(world.serving().contains(ill), "its grace period is not over");
    world.until("taken out", () -> targets.get(ill) == TargetHealthStateEnum.DRAINING);
    world.pass(Duration.ofSeconds(20));
    assertEquals(InstanceStateName.RUNNING, world.state(ill), "it drains");
    world.balancer.drained();
    world.until("gone", () -> world.state(ill) == InstanceStateName.TERMINATED);
    world.serves(2);

    String api = world.balancer.group("api");
    scaling()
        .attachTrafficSources(
            r -> r.autoScalingGroupName(World.GROUP).trafficSources(s -> s.identifier(api)));
    world.until("in both", () -> world.balancer.groups.get(api).size() == 2);
    scaling()
        .detachLoadBalancerTargetGroups(
            r -> r.autoScalingGroupName(World.GROUP).targetGroupARNs(web));
    world.until(
        "draining",
        () -> targets.values().stream().allMatch(s -> s == TargetHealthStateEnum.DRAINING));
    world.balancer.drained();
    world.until(
        "left",
        () ->
            scaling()
                .describeLoadBalancerTargetGroups(r -> r.autoScalingGroupName(World.GROUP))
                .loadBalancerTargetGroups()
                .stream()
                .allMatch(g -> g.loadBalancerTargetGroupARN().equals(api)));
  }

  @Test
  void hooksHoldInstances() {
    scaling()
        .createAutoScalingGroup(
            world
                .group(0, 3, 0)
                .lifecycleHookSpecificationList(
                    h ->
                        h.lifecycleHookName("in")
                            .lifecycleTransition("autoscaling:EC2_INSTANCE_LAUNCHING")
                            .defaultResult("ABANDON")
                            .heartbeatTimeout(120),
                    h ->
                        h.lifecycleHookName("out")
                            .lifecycleTransition("autoscaling:EC2_INSTANCE_TERMINATING")
                            .defaultResult("CONTINUE")
                            .heartbeatTimeout(60))
                .build());
    desire(1);
    world.until("waits", () -> world.in(LifecycleState.PENDING_WAIT).size() == 1);
    String one = world.in(LifecycleState.PENDING_WAIT).getFirst();
    refused(
        "ValidationError",
        "No active Lifecycle Action found with instance ID i-1",
        () ->
            scaling()
                .completeLifecycleAction(r ->
                    r.autoScalingGroupName(World.GROUP)
                        .lifecycleHookName("in")
                        .instanceId("i-1")
                        .lifecycleActionResult("CONTINUE")));
    world.pass(Duration.ofSeconds(90));
    scaling()
        .recordLifecycleActionHeartbeat(
            r -> r.autoScalingGroupName(World.GROUP).lifecycleHookName("in").instanceId(one));
    world.pass(Duration.ofSeconds(90));
    assertEquals(List.of(one), world.in(LifecycleState.PENDING_WAIT), "the heartbeat counts");
    scaling()
        .completeLifecycleAction(r ->
            r.autoScalingGroupName(World.GROUP)
                .lifecycleHookName("in")
                .instanceId(one)
                .lifecycleActionResult("CONTINUE"));
    world.serves(1);

    desire(0);
    world.until("waits", () -> world.in(LifecycleState.TERMINATING_WAIT).size() == 1);
    assertEquals(InstanceStateName.RUNNING, world.state(one));
    world.until("default", () -> world.state(one) == InstanceStateName.TERMINATED);

    desire(1);
    world.until("waits", () -> world.in(LifecycleState.PENDING_WAIT).size() == 1);
    String two = world.in(LifecycleState.PENDING_WAIT).getFirst();
    world.until("abandoned", () -> world.state(two) == InstanceStateName.TERMINATED);
    assertTrue(
        world.activities().stream()
            .anyMatch(a ->
                a.description().equals("Launching a new EC2 instance: " + two)
                    && a.statusCode() == ScalingActivityStatusCode.FAILED));
    EventOutbox.Event going =
        world.events().stream()
            .filter(e -> e.detailType().equals("EC2 Instance-terminate Lifecycle Action"))
            .findFirst()
            .orElseThrow();
    assertEquals(List.of(world.group().autoScalingGroupARN()), going.resources());
    assertEquals(
        Set.of(
            "AutoScalingGroupName",
            "Destination",
            "EC2InstanceId",
            "LifecycleActionToken",
            "LifecycleHookName",
            "LifecycleTransition",
            "Origin"),
        names(detail(going)));
    assertEquals("AutoScalingGroup", detail(going).path("Origin").asText());
    assertEquals("EC2", detail(going).path("Destination").asText());
  }

  @Test
  void protectionStandbyAttachAndDetach() {
    scaling().createAutoScalingGroup(world.group(0, 4, 3).build());
    world.serves(3);
    String dear = world.serving().getFirst();
    scaling()
        .setInstanceProtection(
            r -> r.autoScalingGroupName(World.GROUP).instanceIds(dear).protectedFromScaleIn(true));
    desire(0);
    world.until("only the dear one", () -> world.serving().equals(List.of(dear)));
    world.pass(Duration.ofMinutes(2));
    assertEquals(List.of(dear), world.serving());
    desire(1);

    scaling()
        .enterStandby(r ->
            r.autoScalingGroupName(World.GROUP)
                .instanceIds(dear)
                .shouldDecrementDesiredCapacity(true));
    world.until("stands by", () -> world.in(LifecycleState.STANDBY).equals(List.of(dear)));
    assertEquals(0, world.group().desiredCapacity());
    scaling().exitStandby(r -> r.autoScalingGroupName(World.GROUP).instanceIds(dear));
    world.serves(1);
    assertEquals(1, world.group().desiredCapacity());

    scaling()
        .detachInstances(r ->
            r.autoScalingGroupName(World.GROUP)
                .instanceIds(dear)
                .shouldDecrementDesiredCapacity(true));
    world.serves(0);
    assertEquals(InstanceStateName.RUNNING, world.state(dear));
    scaling().attachInstances(r -> r.autoScalingGroupName(World.GROUP).instanceIds(dear));
    world.serves(1);
    refused(
        "ValidationError",
        "is already part of AutoScalingGroup:web",
        () ->
            scaling().attachInstances(r -> r.autoScalingGroupName(World.GROUP).instanceIds(dear)));

    String id = world.serving().getFirst();
    scaling()
        .terminateInstanceInAutoScalingGroup(
            r -> r.instanceId(id).shouldDecrementDesiredCapacity(false));
    world.until("another", () -> world.serving().size() == 1 && !world.serving().contains(id));
  }

  @Test
  void terminationPoliciesChoose() {
    scaling()
        .createAutoScalingGroup(
            world
                .group(0, 4, 1)
                .vpcZoneIdentifier(world.subnets().getFirst())
                .terminationPolicies("NewestInstance")
                .build());
    world.serves(1);
    String oldest = world.serving().getFirst();
    world.pass(Duration.ofMinutes(1));
    world.ec2.createLaunchTemplateVersion(
        r -> r.launchTemplateName("web").sourceVersion("1").launchTemplateData(d -> {}));
    scaling()
        .updateAutoScalingGroup(r ->
            r.autoScalingGroupName(World.GROUP)
                .launchTemplate(t -> t.launchTemplateName("web").version("$Latest"))
                .desiredCapacity(2));
    world.serves(2);
    desire(1);
    world.serves(1);
    assertEquals(List.of(oldest), world.serving());
    desire(2);
    world.serves(2);
    scaling()
        .updateAutoScalingGroup(
            r -> r.autoScalingGroupName(World.GROUP).terminationPolicies("OldestLaunchTemplate"));
    desire(1);
    world.serves(1);
    assertNotEquals(List.of(oldest), world.serving());
    assertEquals("2", world.group().instances().getFirst().launchTemplate().version());
  }

  @Test
  void zonesAreRebalancedAndProcessesSuspended() {
    scaling()
        .createAutoScalingGroup(
            world.group(0, 4, 4).vpcZoneIdentifier(world.subnets().getFirst()).build());
    world.serves(4);
    scaling()
        .suspendProcesses(
            r -> r.autoScalingGroupName(World.GROUP).scalingProcesses("AZRebalance", "Launch"));
    scaling()
        .updateAutoScalingGroup(r ->
            r.autoScalingGroupName(World.GROUP)
                .vpcZoneIdentifier(String.join(",", world.subnets().subList(0, 2))));
    world.pass(Duration.ofMinutes(3));
    assertEquals(Set.of(4L), Set.copyOf(zones().values()));
    scaling().resumeProcesses(r -> r.autoScalingGroupName(World.GROUP));
    world.until(
        "even", () -> zones().size() == 2 && Set.copyOf(zones().values()).equals(Set.of(2L)));
    world.serves(4);
  }

  @Test
  void launchesThatFailAreTriedAgain() {
    scaling().createAutoScalingGroup(world.group(0, 3, 0).build());
    world.ec2.deleteLaunchTemplate(r -> r.launchTemplateName("web"));
    desire(2);
    world.until(
        "failed",
        () ->
            world.activities().stream()
                .anyMatch(a -> a.statusCode() == ScalingActivityStatusCode.FAILED));
    assertTrue(
        world.activities().stream()
            .filter(a -> a.statusCode() == ScalingActivityStatusCode.FAILED)
            .allMatch(a -> a.statusMessage().endsWith("Launching EC2 instance failed.")));
    assertTrue(world.activities().size() <= 10, "it waits between its tries");
    JsonNode failed =
        world.events().stream()
            .filter(e -> e.detailType().equals("EC2 Instance Launch Unsuccessful"))
            .map(AutoScalingTest::detail)
            .findFirst()
            .orElseThrow();
    assertEquals("Failed", failed.path("StatusCode").asText());
    assertTrue(failed.path("StatusMessage").asText().endsWith("Launching EC2 instance failed."));
    scaling()
        .createLaunchConfiguration(
            r -> r.launchConfigurationName("old").imageId(world.image).instanceType("t3.small"));
    scaling()
        .updateAutoScalingGroup(
            r -> r.autoScalingGroupName(World.GROUP).launchConfigurationName("old"));
    world.serves(2);
    assertEquals("old", world.group().instances().getFirst().launchConfigurationName());
    refused(
        "ResourceInUse",
        "attached to AutoScalingGroup",
        () -> scaling().deleteLaunchConfiguration(r -> r.launchConfigurationName("old")));
  }

  @Test
  void deletion() {
    scaling().createAutoScalingGroup(world.group(1, 3, 2).build());
    world.serves(2);
    refused(
        "ResourceInUse",
        "You cannot delete an AutoScalingGroup while there are instances",
        () -> scaling().deleteAutoScalingGroup(r -> r.autoScalingGroupName(World.GROUP)));
    scaling().deleteAutoScalingGroup(r -> r.autoScalingGroupName(World.GROUP).forceDelete(true));
    world.until("gone", () -> scaling().describeAutoScalingGroups().autoScalingGroups().isEmpty());
    assertEquals(List.of(), world.alive());
    assertEquals(
        "Deleted",
        scaling()
            .describeScalingActivities(r -> r.includeDeletedGroups(true))
            .activities()
            .getFirst()
            .autoScalingGroupState());
  }

  @Test
  void metrics() {
    scaling().createAutoScalingGroup(world.group(1, 3, 2).build());
    world.serves(2);
    scaling()
        .enableMetricsCollection(r -> r.autoScalingGroupName(World.GROUP).granularity("1Minute"));
    world.pass(Duration.ofMinutes(2));
    assertEquals(2.0, world.measured.get("GroupInServiceInstances"));
    assertEquals(3.0, world.measured.get("GroupMaxSize"));
    assertEquals(0.0, world.measured.get("GroupPendingInstances"));
  }

  @Test
  void everyFilterOfTagsCounts() {
    scaling().createAutoScalingGroup(world.group(0, 1, 0).build());
    scaling()
        .createOrUpdateTags(r ->
            r.tags(
                t -> t.resourceId(World.GROUP).key("a").value("1"),
                t -> t.resourceId(World.GROUP).key("b").value("2")));
    assertEquals(
        List.of(),
        scaling()
            .describeTags(
                r -> r.filters(f -> f.name("key").values("a"), f -> f.name("key").values("b")))
            .tags());
    refused(
        "ValidationError",
        "filters.name",
        () -> scaling().describeTags(r -> r.filters(f -> f.values("a"))));
    refused(
        "ValidationError",
        "Invalid resource type 'table'",
        () ->
            scaling()
                .deleteTags(
                    r -> r.tags(t -> t.resourceId(World.GROUP).resourceType("table").key("a"))));
    refused(
        "ValidationError",
        "tags.key",
        () -> scaling().deleteTags(r -> r.tags(t -> t.resourceId(World.GROUP))));
    assertEquals(
        List.of("b"),
        scaling()
            .describeTags(
                r -> r.filters(f -> f.name("key").values("b"), f -> f.name("value").values("2")))
            .tags()
            .stream()
            .map(tag -> tag.key())
            .toList());
  }

  @Test
  void whatIsWrongIsRefused() {
    refused(
        "ValidationError",
        "Valid requests must contain either LaunchTemplate",
        () ->
            scaling()
                .createAutoScalingGroup(r ->
                    r.autoScalingGroupName("x")
                        .minSize(0)
                        .maxSize(1)
                        .vpcZoneIdentifier(world.subnets().getFirst())));
    refused(
        "ValidationError",
        "Max bound, 1, must be greater than or equal to min bound, 2",
        () -> scaling().createAutoScalingGroup(world.group(2, 1, 1).build()));
    refused(
        "ValidationError",
        "Desired capacity:5 must be between the specified min size:0 and max size:1",
        () -> scaling().createAutoScalingGroup(world.group(0, 1, 5).build()));
    refused(
        "ValidationError",
        "You must use a valid fully-formed launch template.",
        () ->
            scaling()
                .createAutoScalingGroup(
                    world.group(0, 1, 1).launchTemplate(t -> t.launchTemplateName("no")).build()));
    refused(
        "ValidationError",
        "The subnet ID 'subnet-0123' does not exist",
        () ->
            scaling()
                .createAutoScalingGroup(
                    world.group(0, 1, 1).vpcZoneIdentifier("subnet-0123").build()));
    refused(
        "ValidationError",
        "MaxInstanceLifetime is not supported",
        () ->
            scaling()
                .createAutoScalingGroup(world.group(0, 1, 1).maxInstanceLifetime(86_400).build()));
    scaling().createAutoScalingGroup(world.group(0, 1, 0).build());
    refused(
        "AlreadyExists",
        "A group with the name web already exists",
        () -> scaling().createAutoScalingGroup(world.group(0, 1, 0).build()));
    refused("ValidationError", "is above max value 1", () -> desire(2));
    refused(
        "ValidationError",
        "AutoScalingGroup name not found",
        () -> scaling().setDesiredCapacity(r -> r.autoScalingGroupName("no").desiredCapacity(1)));
    desire(1);
    world.serves(1);
    refused(
        "ScalingActivityInProgress",
        "cooldown",
        () ->
            scaling()
                .setDesiredCapacity(r ->
                    r.autoScalingGroupName(World.GROUP).desiredCapacity(0).honorCooldown(true)));
    world.pass(Duration.ofMinutes(6));
    scaling()
        .setDesiredCapacity(
            r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(0).honorCooldown(true));
    world.serves(0);
  }

  /** Of which this region has none. */
  @Test
  void noClassicLoadBalancerCanBeFound() {
    world.scaling.createAutoScalingGroup(world.group(0, 1, 0).build());
    assertEquals(
        List.of(),
        scaling().describeLoadBalancers(r -> r.autoScalingGroupName(World.GROUP)).loadBalancers());
    refused(
        "ValidationError",
        "not found",
        () -> scaling().describeLoadBalancers(r -> r.autoScalingGroupName("nobody")));
    String unknown =
        "Provided Load Balancers may not be valid. Please ensure they exist and try again.";
    refused(
        "ValidationError",
        unknown,
        () ->
            scaling()
                .attachLoadBalancers(
                    r -> r.autoScalingGroupName(World.GROUP).loadBalancerNames("old")));
    refused(
        "ValidationError",
        unknown,
        () ->
            scaling()
                .createAutoScalingGroup(
                    world
                        .group(0, 1, 0)
                        .autoScalingGroupName("other")
                        .loadBalancerNames("old")
                        .build()));
    refused(
        "ValidationError",
        "not part of the group",
        () ->
            scaling()
                .detachLoadBalancers(
                    r -> r.autoScalingGroupName(World.GROUP).loadBalancerNames("old")));
  }

  @Test
  void aMixedGroupLaunchesItsFirstType() {
    world.ec2.createLaunchTemplate(r ->
        r.launchTemplateName("other")
            .launchTemplateData(d -> d.imageId(world.image).instanceType("t3.large")));
    scaling()
        .createAutoScalingGroup(
            mixed(
                LaunchTemplateOverrides.builder().instanceType("t3.medium").build(),
                LaunchTemplateOverrides.builder()
                    .instanceType("t3.micro")
                    .launchTemplateSpecification(t -> t.launchTemplateName("other"))
                    .build()));
    world.serves(2);
    assertEquals(List.of("t3.medium", "t3.medium"), types());
    assertEquals(
        "prioritized",
        world.group().mixedInstancesPolicy().instancesDistribution().onDemandAllocationStrategy());
    scaling()
        .updateAutoScalingGroup(r ->
            r.autoScalingGroupName(World.GROUP)
                .desiredCapacity(3)
                .mixedInstancesPolicy(p ->
                    p.launchTemplate(t ->
                        t.launchTemplateSpecification(s -> s.launchTemplateName("web"))
                            .overrides(
                                LaunchTemplateOverrides.builder()
                                    .instanceType("t3.micro")
                                    .launchTemplateSpecification(o -> o.launchTemplateName("other"))
                                    .build(),
                                LaunchTemplateOverrides.builder()
                                    .instanceType("t3.medium")
                                    .build()))));
    world.serves(3);
    assertEquals(1, types().stream().filter("t3.micro"::equals).count(), types()::toString);
    Instance fresh =
        world.group().instances().stream()
            .filter(one -> one.instanceType().equals("t3.micro"))
            .findFirst()
            .orElseThrow();
    assertEquals("other", fresh.launchTemplate().launchTemplateName(), "the override's own");
    // of the zone that has two, the one that is last in the list goes
    scaling().setDesiredCapacity(r -> r.autoScalingGroupName(World.GROUP).desiredCapacity(2));
    world.serves(2);
    assertEquals(Set.of("t3.micro", "t3.medium"), Set.copyOf(types()));
  }

  private List<String> types() {
    return world.group().instances().stream().map(Instance::instanceType).toList();
  }

  private CreateAutoScalingGroupRequest mixed(LaunchTemplateOverrides... overrides) {
    return world
        .group(0, 4, 2)
        .launchTemplate((LaunchTemplateSpecification) null)
        .mixedInstancesPolicy(p ->
            p.launchTemplate(t ->
                    t.launchTemplateSpecification(s -> s.launchTemplateName("web"))
                        .overrides(overrides))
                .instancesDistribution(d ->
                    d.onDemandBaseCapacity(1)
                        .onDemandAllocationStrategy("prioritized")
                        .onDemandPercentageAboveBaseCapacity(100)))
        .build();
  }

  @Test
  void whatAMixedGroupCannotLaunchIsRefused() {
    LaunchTemplateOverrides first =
        LaunchTemplateOverrides.builder().instanceType("t3.medium").build();
    refused(
        "ValidationError",
        "WeightedCapacity",
        () ->
            scaling()
                .createAutoScalingGroup(mixed(first.toBuilder().weightedCapacity("2").build())));
    refused(
        "ValidationError",
        "overrides.instanceType",
        () ->
            scaling().createAutoScalingGroup(mixed(first.toBuilder().instanceType(null).build())));
    refused(
        "ValidationError",
        "Spot Instances",
        () ->
            scaling()
                .createAutoScalingGroup(
                    mixed(first).toBuilder()
                        .mixedInstancesPolicy(p ->
                            p.launchTemplate(t ->
                                    t.launchTemplateSpecification(s -> s.launchTemplateName("web")))
                                .instancesDistribution(
                                    d -> d.onDemandPercentageAboveBaseCapacity(50)))
                        .build()));
    refused(
        "ValidationError",
        "t9.huge",
        () ->
            scaling()
                .createAutoScalingGroup(mixed(first.toBuilder().instanceType("t9.huge").build())));
  }
}
