package dev.muelle.services.applicationautoscaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.AlarmReceivers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.NoLoadBalancers;
import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatch.CloudWatch;
import dev.muelle.store.SqliteStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.applicationautoscaling.model.ApplicationAutoScalingException;
import software.amazon.awssdk.services.applicationautoscaling.model.InvalidNextTokenException;
import software.amazon.awssdk.services.applicationautoscaling.model.LimitExceededException;
import software.amazon.awssdk.services.applicationautoscaling.model.PutScheduledActionRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.RegisterScalableTargetRequest;
import software.amazon.awssdk.services.applicationautoscaling.model.ScheduledAction;
import software.amazon.awssdk.services.applicationautoscaling.model.ValidationException;

/** What requests say has its effect, or is refused. */
class RequestsTest {

  private static final Instant BEGIN = Instant.parse("2026-11-21T12:00:00Z");
  private static final String TABLES = "dynamodb:table:ReadCapacityUnits";

  @TempDir Path directory;
  private final VirtualTimers time = new VirtualTimers(BEGIN);
  private SqliteStore store;
  private CloudWatch cloudWatch;
  private ApplicationAutoScaling scaling;

  @BeforeEach
  void open() {
    Scope scope = new Scope("000000000000", "us-east-1");
    Random random = new Random(3);
    Ids ids = new Ids(random);
    EventOutbox events = new EventOutbox(ids);
    store = SqliteStore.open(directory.resolve("store.db"));
    cloudWatch =
        new CloudWatch(
            scope, store.in(scope.storeScope()), time, random, new AlarmReceivers(), events);
    scaling =
        new ApplicationAutoScaling(
            scope,
            store.in(scope.storeScope()),
            time,
            ids,
            random,
            new Tasks(time, 4, Duration.ofSeconds(20)),
            new NoLoadBalancers(),
            cloudWatch,
            events);
    scaling.start();
  }

  @AfterEach
  void close() {
    scaling.close();
    cloudWatch.close();
    store.close();
  }

  private void register(Consumer<RegisterScalableTargetRequest.Builder> more) {
    scaling.registerScalableTarget(r ->
        r.serviceNamespace("ecs")
            .resourceId("service/c/s")
            .scalableDimension(TargetKey.DIMENSION)
            .minCapacity(2)
            .maxCapacity(10)
            .applyMutation(more));
  }

  private void act(Consumer<PutScheduledActionRequest.Builder> more) {
    scaling.putScheduledAction(r ->
        r.serviceNamespace("ecs")
            .resourceId("service/c/s")
            .scalableDimension(TargetKey.DIMENSION)
            .scheduledActionName("early")
            .applyMutation(more));
  }

  private static <E extends ApplicationAutoScalingException> void refused(
      Class<E> type, String message, Executable call) {
    String said = String.valueOf(assertThrows(type, call).getMessage());
    assertTrue(said.contains(message), said);
  }

  @Test
  void anUpdateWithoutTimesDeletesThem() {
    register(r -> {});
    act(r ->
        r.schedule("rate(1 hour)")
            .startTime(BEGIN.plusSeconds(600))
            .endTime(BEGIN.plusSeconds(90_000))
            .scalableTargetAction(a -> a.minCapacity(3)));
    act(r -> r.scalableTargetAction(a -> a.minCapacity(5)));
    ScheduledAction action =
        scaling
            .describeScheduledActions(r -> r.serviceNamespace("ecs"))
            .scheduledActions()
            .getFirst();
    assertNull(action.startTime());
    assertNull(action.endTime());
    assertEquals("rate(1 hour)", action.schedule());
    assertEquals(5, action.scalableTargetAction().minCapacity());
  }

  @Test
  void schedulesAndNamesAreAmazons() {
    register(r -> {});
    for (String schedule : new String[] {"rate(5 minute)", "rate(1 hours)", "rate(0 days)", ""}) {
      refused(
          ValidationException.class,
          "Invalid schedule expression: " + schedule,
          () -> act(r -> r.schedule(schedule).scalableTargetAction(a -> a.minCapacity(3))));
    }
    for (String name : new String[] {"a/b", "a\n", "a\n:b", " a", "a ", "a|b", ""}) {
      refused(
          ValidationException.class,
          "at 'scheduledActionName'",
          () ->
              act(r ->
                  r.scheduledActionName(name)
                      .schedule("rate(1 hour)")
                      .scalableTargetAction(a -> a.minCapacity(3))));
    }
  }

  @Test
  void zonesAreNamesAndTokensAreOurs() {
    register(r -> {});
    for (String zone : new String[] {"+02:00", "UTC+2", "Z", "europe/madrid", ""}) {
      refused(
          ValidationException.class,
          "Invalid timezone: " + zone,
          () ->
              act(r ->
                  r.schedule("cron(0 9 * * ? *)")
                      .timezone(zone)
                      .scalableTargetAction(a -> a.minCapacity(3))));
    }
    for (String token : new String[] {"garbage", "x!"}) {
      refused(
          InvalidNextTokenException.class,
          "Invalid nextToken",
          () -> scaling.describeScheduledActions(r -> r.serviceNamespace("ecs").nextToken(token)));
    }
    for (String name : new String[] {"one", "two"}) {
      act(r ->
          r.scheduledActionName(name)
              .schedule("rate(1 hour)")
              .scalableTargetAction(a -> a.minCapacity(3)));
    }
    assertEquals(
        List.of("one", "two"),
        scaling
            .describeScheduledActionsPaginator(r -> r.serviceNamespace("ecs").maxResults(1))
            .scheduledActions()
            .stream()
            .map(ScheduledAction::scheduledActionName)
            .toList());
  }

  @Test
  void anotherDimensionIsNotPassedOver() {
    register(r -> {});
    String message = "Unsupported service namespace, resource type or scalable dimension";
    refused(
        ValidationException.class,
        message,
        () ->
            scaling.describeScalableTargets(r ->
                r.serviceNamespace("ecs").resourceIds("service/c/s").scalableDimension(TABLES)));
    refused(
        ValidationException.class,
        message,
        () ->
            scaling.describeScalingPolicies(r ->
                r.serviceNamespace("ecs").resourceId("service/c/s").scalableDimension(TABLES)));
    refused(
        ValidationException.class,
        message,
        () ->
            scaling.describeScheduledActions(r ->
                r.serviceNamespace("ecs").resourceId("service/c/s").scalableDimension(TABLES)));
    refused(
        ValidationException.class,
        message,
        () ->
            scaling.describeScalingActivities(r ->
                r.serviceNamespace("ecs").resourceId("service/c/s").scalableDimension(TABLES)));
    refused(ValidationException.class, message, () -> register(r -> r.scalableDimension(TABLES)));
  }

  @Test
  void fiftyTagsAreEnough() {
    Map<String, String> tags =
        IntStream.range(0, 51).boxed().collect(Collectors.toMap(i -> "k" + i, i -> "v"));
    refused(LimitExceededException.class, "50", () -> register(r -> r.tags(tags)));
  }
}
