package dev.muelle.services.ecs;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.AlarmActions;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.store.SqliteStore;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatch.model.ComparisonOperator;
import software.amazon.awssdk.services.cloudwatch.model.StateValue;
import software.amazon.awssdk.services.cloudwatch.model.Statistic;
import software.amazon.awssdk.services.ecs.model.ServiceDeployment;
import software.amazon.awssdk.services.ecs.model.ServiceDeploymentStatus;

/** A measurement, an alarm, a deployment: all of it real but the containers, in virtual time. */
class AlarmRollbackTest {

  @TempDir Path directory;

  @Test
  @SuppressWarnings("unchecked") // of consumers, in the SDK's variable arguments
  void aDeploymentRollsBackWhenItsMetricBreaches() {
    try (World world = new World(directory, 5);
        SqliteStore store = SqliteStore.open(directory.resolve("cloudwatch.db"));
        CloudWatch cloudWatch =
            new CloudWatch(
                World.SCOPE,
                store,
                world.time,
                new Random(5),
                AlarmActions.NONE,
                new EventOutbox(new Ids(new Random(5))))) {
      cloudWatch.start();
      world.cloudWatch.real = cloudWatch.platform();
      cloudWatch.putMetricAlarm(r ->
          r.alarmName("errors")
              .namespace("Alba")
              .metricName("Errors")
              .statistic(Statistic.SUM)
              .period(60)
              .evaluationPeriods(2)
              .threshold(3.0)
              .comparisonOperator(ComparisonOperator.GREATER_THAN_THRESHOLD)
              .treatMissingData("notBreaching"));
      world.lab(2);
      world.until(
          "the first deployment",
          Duration.ofMinutes(30),
          () -> world.settled() && calm(cloudWatch));
      String good = world.service().taskDefinition();
      world
          .ecs()
          .updateService(r ->
              r.cluster(World.CLUSTER)
                  .service(World.SERVICE)
                  .taskDefinition(world.register(World.container().command("new").build()))
                  .deploymentConfiguration(c ->
                      c.minimumHealthyPercent(100)
                          .maximumPercent(200)
                          .alarms(a -> a.alarmNames("errors").enable(true).rollback(true))));
      String arn = world.service().currentServiceDeployment();
      for (int minute = 0; minute < 2; minute++) {
        cloudWatch.putMetricData(r ->
            r.namespace("Alba")
                .metricData(
                    d -> d.metricName("Errors").value(10.0).timestamp(world.time.instant())));
        world.pass(Duration.ofMinutes(1));
      }
      world.until(
          "rolled back",
          Duration.ofMinutes(30),
          () -> deployment(world, arn).status() == ServiceDeploymentStatus.ROLLBACK_SUCCESSFUL);
      assertEquals(List.of("errors"), deployment(world, arn).alarms().triggeredAlarmNames());
      assertEquals(good, world.service().taskDefinition());
      assertTrue(world.saysEvent("deployment failed: alarm detected."));
      world.time.settle();
    }
  }

  private static boolean calm(CloudWatch cloudWatch) {
    return cloudWatch
            .describeAlarms(r -> r.alarmNames("errors"))
            .metricAlarms()
            .getFirst()
            .stateValue()
        == StateValue.OK;
  }

  private static ServiceDeployment deployment(World world, String arn) {
    return world
        .ecs()
        .describeServiceDeployments(r -> r.serviceDeploymentArns(arn))
        .serviceDeployments()
        .getFirst();
  }
}
