package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.sim.Behaviour;
import dev.muelle.services.ecs.state.TaskRecord;
import dev.muelle.wire.Caller;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.ecs.model.Cluster;
import software.amazon.awssdk.services.ecs.model.ClusterField;
import software.amazon.awssdk.services.ecs.model.ClusterSetting;
import software.amazon.awssdk.services.ecs.model.ClusterSettingName;
import software.amazon.awssdk.services.ecs.model.EcsException;
import software.amazon.awssdk.services.ecs.model.ExecuteCommandLogging;
import software.amazon.awssdk.services.ecs.model.MissingVersionException;
import software.amazon.awssdk.services.ecs.model.NamespaceNotFoundException;
import software.amazon.awssdk.services.ecs.model.Setting;
import software.amazon.awssdk.services.ecs.model.SettingName;
import software.amazon.awssdk.services.ecs.model.SettingType;

/** What accounts and clusters are set to, and what comes of it. */
@Timeout(120)
class AccountSettingsTest {

  private static final String ROOT = "arn:aws:iam::000000000000:root";
  private static final String USER = "arn:aws:iam::000000000000:user/ana";

  @TempDir Path directory;
  private World world;

  @BeforeEach
  void open() {
    world = new World(directory, 1);
    world.createCluster();
  }

  @AfterEach
  void close() {
    world.close();
  }

  private static String refused(Executable call) {
    return assertThrows(EcsException.class, call).getMessage();
  }

  private static <T> T as(String principal, ScopedValue.CallableOp<T, RuntimeException> call) {
    Caller caller = new Caller("000000000000", "us-east-1", principal, "id", "", "r");
    return ScopedValue.where(Caller.CURRENT, caller).call(call);
  }

  private List<Setting> list(boolean effective) {
    return world.ecs().listAccountSettings(r -> r.effectiveSettings(effective)).settings();
  }

  private Setting put(SettingName name, String value) {
    return world.ecs().putAccountSetting(r -> r.name(name).value(value)).setting();
  }

  private String effective(SettingName name) {
    return world
        .ecs()
        .listAccountSettings(r -> r.name(name).effectiveSettings(true))
        .settings()
        .getFirst()
        .value();
  }

  @Test
  void aPrincipalHasItsOwnSettingOrTheAccounts() {
    assertEquals(List.of(), list(false));
    assertEquals(11, list(true).size());
    assertEquals("disabled", effective(SettingName.AWSVPC_TRUNKING));
    Setting byDefault =
        world
            .ecs()
            .putAccountSettingDefault(r -> r.name(SettingName.AWSVPC_TRUNKING).value("enabled"))
            .setting();
    assertEquals(ROOT, byDefault.principalArn());
    assertEquals(SettingType.USER, byDefault.type());
    as(
        USER,
        () -> {
          assertEquals("enabled", effective(SettingName.AWSVPC_TRUNKING));
          assertEquals(List.of(), list(false));
          assertEquals(USER, put(SettingName.AWSVPC_TRUNKING, "disabled").principalArn());
          assertEquals("disabled", effective(SettingName.AWSVPC_TRUNKING));
          assertEquals(1, list(false).size());
          return null;
        });
    assertEquals("enabled", effective(SettingName.AWSVPC_TRUNKING));
    Setting deleted =
        world
            .ecs()
            .deleteAccountSetting(r -> r.name(SettingName.AWSVPC_TRUNKING).principalArn(USER))
            .setting();
    assertEquals("enabled", deleted.value());
    assertEquals(USER, deleted.principalArn());
    assertEquals("enabled", as(USER, () -> effective(SettingName.AWSVPC_TRUNKING)));
    world.restart();
    assertEquals("enabled", as(USER, () -> effective(SettingName.AWSVPC_TRUNKING)));
  }

  @Test
  void whatIsNoValueOrHasNoEffectIsRefused() {
    assertEquals(
        "Invalid setting 'value'", refused(() -> put(SettingName.AWSVPC_TRUNKING, "ENABLED")));
    assertEquals(
        "Invalid setting 'value'", refused(() -> put(SettingName.CONTAINER_INSIGHTS, "enhaced")));
    assertTrue(
        refused(() -> world.ecs().putAccountSetting(r -> r.name("colour").value("blue")))
            .startsWith("Invalid setting 'name'"));
    for (String[] one :
        new String[][] {
          {"serviceLongArnFormat", "disabled"},
          {"fargateFIPSMode", "enabled"},
          {"tagResourceAuthorization", "on"},
          {"fargateTaskRetirementWaitPeriod", "14"}
        }) {
      String message =
          refused(() -> world.ecs().putAccountSetting(r -> r.name(one[0]).value(one[1])));
      assertTrue(message.contains(one[0]) && message.contains("not supported"), message);
    }
    assertTrue(
        refused(() -> put(SettingName.GUARD_DUTY_ACTIVATE, "on")).contains("managed by AWS"));
    assertTrue(
        refused(() ->
                world
                    .ecs()
                    .putAccountSetting(r ->
                        r.name(SettingName.AWSVPC_TRUNKING)
                            .value("enabled")
                            .principalArn("arn:aws:iam::999999999999:root")))
            .startsWith("Invalid principalArn"));
    assertTrue(
        refused(() -> world.ecs().listAccountSettings(r -> r.value("on"))).contains("'name'"));
    // What holds anyhow can be said.
    put(SettingName.SERVICE_LONG_ARN_FORMAT, "enabled");
    put(SettingName.FARGATE_TASK_RETIREMENT_WAIT_PERIOD, "7");
  }

  @Test
  void withTrunkingAnInstanceTakesMoreTasksWithInterfaces() {
    world.register(World.container().build());
    Instances instances = new Instances(world);
    String before =
        instances.register(Instances.request("i-1", "us-east-1a", 20, "m5.large").build());
    put(SettingName.AWSVPC_TRUNKING, "enabled");
    String after =
        instances.register(Instances.request("i-2", "us-east-1a", 20, "m5.large").build());
    String small =
        instances.register(Instances.request("i-3", "us-east-1a", 20, "t3.large").build());
    assertEquals(2, started(before));
    assertEquals(10, started(after));
    assertEquals(2, started(small));
    assertEquals(
        List.of(after),
        world
            .ecs()
            .listContainerInstances(
                r -> r.cluster(World.CLUSTER).filter("attribute:ecs.awsvpc-trunk-id exists"))
            .containerInstanceArns());
  }

  private int started(String instance) {
    int started = 0;
    for (int i = 0; i < 12; i++) {
      started +=
          world
              .ecs()
              .startTask(r ->
                  r.cluster(World.CLUSTER)
                      .containerInstances(instance)
                      .taskDefinition(World.FAMILY)
                      .networkConfiguration(Instances.net()))
              .tasks()
              .size();
    }
    return started;
  }

  @Test
  void aClusterIsSetAndShownAsAsked() {
    Cluster plain = describe();
    assertEquals(List.of(), plain.settings());
    assertNull(plain.configuration());
    Cluster shown = describe(ClusterField.SETTINGS);
    assertEquals(ClusterSettingName.CONTAINER_INSIGHTS, shown.settings().getFirst().name());
    assertEquals("disabled", shown.settings().getFirst().value());
    assertEquals(
        "Invalid setting 'value'",
        refused(() ->
            world
                .ecs()
                .updateClusterSettings(
                    r -> r.cluster(World.CLUSTER).settings(insights("enhaced")))));
    assertEquals(
        "enhanced",
        world
            .ecs()
            .updateClusterSettings(r -> r.cluster(World.CLUSTER).settings(insights("enhanced")))
            .cluster()
            .settings()
            .getFirst()
            .value());
    Cluster updated =
        world
            .ecs()
            .updateCluster(r ->
                r.cluster(World.CLUSTER)
                    .configuration(c ->
                        c.executeCommandConfiguration(e -> e.logging(ExecuteCommandLogging.NONE))))
            .cluster();
    assertEquals(
        ExecuteCommandLogging.NONE,
        updated.configuration().executeCommandConfiguration().logging());
    assertEquals(1, updated.settings().size());
    for (ExecuteCommandLogging logging :
        List.of(ExecuteCommandLogging.DEFAULT, ExecuteCommandLogging.OVERRIDE)) {
      assertTrue(
          refused(() ->
                  world
                      .ecs()
                      .updateCluster(r ->
                          r.cluster(World.CLUSTER)
                              .configuration(
                                  c -> c.executeCommandConfiguration(e -> e.logging(logging)))))
              .contains("logging " + logging));
    }
    assertTrue(
        refused(() ->
                world
                    .ecs()
                    .updateCluster(r ->
                        r.cluster(World.CLUSTER).serviceConnectDefaults(s -> s.namespace("ours"))))
            .contains("serviceConnectDefaults"));
  }

  private static ClusterSetting insights(String value) {
    return ClusterSetting.builder().name("containerInsights").value(value).build();
  }

  private Cluster describe(ClusterField... include) {
    return world
        .ecs()
        .describeClusters(r -> r.clusters(World.CLUSTER).include(include))
        .clusters()
        .getFirst();
  }

  @Test
  void agentsAreNeverOldAndNamespacesNeverThere() {
    Instances instances = new Instances(world);
    String arn = instances.register("i-1", "us-east-1a", 1);
    assertThrows(
        MissingVersionException.class,
        () ->
            world.ecs().updateContainerAgent(r -> r.cluster(World.CLUSTER).containerInstance(arn)));
    assertThrows(
        NamespaceNotFoundException.class,
        () -> world.ecs().listServicesByNamespace(r -> r.namespace("ours")));
  }

  @Test
  void theAccountsLogModeHoldsForTasksThatStart() {
    world.register(World.container().build());
    put(SettingName.DEFAULT_LOG_DRIVER_MODE, "non-blocking");
    world.logs.beforePut = () -> world.time.sleep(Duration.ofSeconds(60));
    world.script.put(
        World.CONTAINER,
        Behaviour.runs()
            .printing(Duration.ofSeconds(1), "first")
            .printing(Duration.ofSeconds(2), "second"));
    String arn = world.ecs().runTask(world.runTask().build()).tasks().getFirst().taskArn();
    Duration atMost = Duration.ofMinutes(5);
    world.until("runs", atMost, () -> world.task(arn).lastStatus().equals("RUNNING"));
    world.pass(Duration.ofSeconds(10));
    // All of it was taken in, though nothing could be delivered.
    assertEquals(List.of(), world.engine.output(TaskRecord.idOf(arn) + "-0", 0, 10));
    world.logs.beforePut = () -> {};
    put(SettingName.DEFAULT_LOG_DRIVER_MODE, "blocking"); // not for tasks that run
    world.until(
        "delivered",
        atMost,
        () ->
            world
                    .logs
                    .lines(World.LOG_GROUP, "ecs/" + World.CONTAINER + "/" + TaskRecord.idOf(arn))
                    .size()
                == 2);
  }
}
