package dev.muelle.services.eventbridge;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.services.cloudwatchlogs.CloudWatchLogs;
import dev.muelle.services.elasticloadbalancingv2.Loopback;
import dev.muelle.services.iam.Iam;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import dev.muelle.wire.Access;
import dev.muelle.wire.AwsHandler;
import dev.muelle.wire.Mounts;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatchlogs.model.CreateLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.FilterLogEventsRequest;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.ecs.model.Failure;
import software.amazon.awssdk.services.ecs.model.RunTaskRequest;
import software.amazon.awssdk.services.ecs.model.RunTaskResponse;
import software.amazon.awssdk.services.eventbridge.EventBridgeClient;
import software.amazon.awssdk.services.eventbridge.model.EventBridgeException;
import software.amazon.awssdk.services.eventbridge.model.LaunchType;
import software.amazon.awssdk.services.eventbridge.model.PutEventsRequestEntry;
import software.amazon.awssdk.services.eventbridge.model.PutEventsResponse;
import software.amazon.awssdk.services.eventbridge.model.RuleState;
import software.amazon.awssdk.services.eventbridge.model.Tag;
import software.amazon.awssdk.services.eventbridge.model.Target;
import software.amazon.awssdk.services.iam.model.CreateRoleRequest;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.PublishRequest;
import software.amazon.awssdk.services.sns.model.PublishResponse;

/** Rules and their targets, asked for with the SDK's client. */
@Timeout(60)
class EventBridgeTest {

  private static final Scope SCOPE = new Scope("000000000000", "us-east-1");
  private static final String TOPIC = SCOPE.arn("sns", "news");
  private static final String GROUP = SCOPE.arn("logs", "log-group:/events");
  private static final String CLUSTER = SCOPE.arn("ecs", "cluster/c");
  private static final String ROLE = "arn:aws:iam::000000000000:role/events";
  private static final String OURS = "{\"source\":[\"shop\"]}";

  @TempDir private Path directory;
  private final VirtualTimers timers = new VirtualTimers(Instant.parse("2026-11-21T08:00:00Z"));
  private final Random random = new Random(1);
  private final Map<String, Double> measured = new ConcurrentHashMap<>();

  /** What was published, and the tasks that were asked for. */
  private final List<String> published = new ArrayList<>();

  private final List<RunTaskRequest> tasks = new ArrayList<>();

  /** How often publishing and running fails from now on. */
  private int failures;

  private SqliteStore store;
  private Store view;
  private Iam iam;
  private CloudWatchLogs logs;
  private EventOutbox outbox;
  private EventBridge service;
  private EventBridgeClient events;

  @BeforeEach
  void open() {
    store = SqliteStore.open(directory.resolve("db"));
    view = store.in(SCOPE.storeScope());
    iam = new Iam(SCOPE, store.in("global"), timers, new Ids(random));
    logs =
        new CloudWatchLogs(
            SCOPE, view, timers, new Ids(random), random, metric -> {}, Measurements.NONE);
    up();
    logs.createLogGroup(CreateLogGroupRequest.builder().logGroupName("/events").build());
    iam.createRole(
        CreateRoleRequest.builder()
            .roleName("events")
            .assumeRolePolicyDocument(
                """
                {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",
                 "Principal":{"Service":"events.amazonaws.com"}}]}
                """)
            .build());
  }

  private void up() {
    Ids ids = new Ids(random);
    outbox = new EventOutbox(ids);
    Measurements measurements =
        metric -> (value, times) -> measured.merge(metric.name(), value * times, Double::sum);
    service =
        new EventBridge(
            SCOPE,
            view,
            timers,
            ids,
            random,
            outbox,
            new Topics(),
            logs,
            new Cluster(),
            iam,
            measurements);
    service.listen();
    service.start();
    events =
        EventBridgeClient.builder()
            .region(Region.US_EAST_1)
            .endpointOverride(URI.create("http://localhost:4566"))
            .credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("000000000000", "x")))
            .httpClient(
                new Loopback(
                    new AwsHandler(
                        new Mounts().mount(EventBridgeClient.class, caller -> service),
                        Access.open(),
                        timers,
                        random)))
            .build();
  }

  private void restart() {
    down();
    up();
  }

  private void down() {
    timers.settle(); // a loop that closes waits for what it has begun
    events.close();
    service.close();
  }

  @AfterEach
  void close() {
    down();
    logs.close();
    iam.close();
    store.close();
  }

  private final class Topics implements SnsClient {
    @Override
    public PublishResponse publish(PublishRequest request) {
      if (failures-- > 0) {
        throw new IllegalStateException("not now");
      }
      published.add(request.message());
      return PublishResponse.builder().messageId("m").build();
    }

    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

  private final class Cluster implements EcsClient {
    @Override
    public RunTaskResponse runTask(RunTaskRequest request) {
      tasks.add(request);
      return failures-- > 0
          ? RunTaskResponse.builder()
              .failures(Failure.builder().reason("RESOURCE:MEMORY").build())
              .build()
          : RunTaskResponse.builder().build();
    }

    @Override
    public String serviceName() {
      return SERVICE_NAME;
    }

    @Override
    public void close() {}
  }

  private void rule(String name, String pattern, Target... targets) {
    events.putRule(put -> put.name(name).eventPattern(pattern));
    events.putTargets(put -> put.rule(name).targets(targets));
  }

  private static Target target(String id, String arn) {
    return Target.builder().id(id).arn(arn).build();
  }

  private void send(String detail) {
    PutEventsResponse response = events.putEvents(put -> put.entries(entry("shop", detail)));
    assertEquals(0, response.failedEntryCount());
    timers.settle();
  }

  private static PutEventsRequestEntry entry(String source, String detail) {
    return PutEventsRequestEntry.builder()
        .source(source)
        .detailType("Order")
        .detail(detail)
        .resources("r1")
        .build();
  }

  private static void refused(String code, String message, Runnable call) {
    EventBridgeException refused = assertThrows(EventBridgeException.class, call::run);
    assertEquals(code, refused.awsErrorDetails().errorCode());
    assertEquals(message, refused.awsErrorDetails().errorMessage());
  }

  @Test
  void whatMatchesReachesEachTarget() {
    rule("ours", OURS, target("t", TOPIC), target("l", GROUP));
    send("{\"price\":1.50}");
    JsonNode event = Json.read(published.getFirst()).orElseThrow();
    assertEquals("0", event.path("version").asText());
    assertEquals("Order", event.path("detail-type").asText());
    assertEquals("2026-11-21T08:00:00Z", event.path("time").asText());
    assertEquals("[\"r1\"]", event.path("resources").toString());
    assertEquals("000000000000", event.path("account").asText());
    assertEquals(published, logged());
    assertEquals(2.0, measured.get("Invocations"));
    assertEquals(1.0, measured.get("TriggeredRules"));
    events.disableRule(disable -> disable.name("ours"));
    send("{}");
    assertEquals(1, published.size());
    events.enableRule(enable -> enable.name("ours"));
    events.removeTargets(remove -> remove.rule("ours").ids("t"));
    send("{}");
    assertEquals(1, published.size());
    assertEquals(2, logged().size());
  }

  private List<String> logged() {
    return logs
        .filterLogEvents(FilterLogEventsRequest.builder().logGroupName("/events").build())
        .events()
        .stream()
        .map(one -> one.message())
        .toList();
  }

  /** The region's own services put an event down in a transaction of theirs. */
  private void happens(String source, String type) {
    view.write(tx -> {
      outbox.put(tx, source, type, List.of(), timers.instant(), () -> "{\"a\":1}");
      return true;
    });
  }

  private int waiting() {
    return view.read(tx -> tx.list(EventOutbox.TABLE)).size();
  }

  @Test
  void onlyWhatARuleCouldWantIsPutDown() {
    happens("aws.ecs", "ECS Task State Change");
    assertEquals(0, waiting());
    rule(
        "tasks",
        "{\"source\":[\"aws.ecs\"],\"detail-type\":[{\"prefix\":\"ECS Task\"}]}",
        target("t", TOPIC));
    happens("aws.ec2", "ECS Task State Change");
    happens("aws.ecs", "ECS Service Action");
    assertEquals(0, waiting());
    down(); // as if killed between the two: the outbox still has its listener
    happens("aws.ecs", "ECS Task State Change");
    assertEquals(1, waiting());
    up();
    timers.settle();
    assertEquals(0, waiting());
    assertEquals(1, published.size());
    events.deleteRule(delete -> delete.name("nobody"));
    rule("any", "{\"detail\":{\"a\":[1]}}", target("t", TOPIC));
    down();
    happens("aws.elasticloadbalancing", "whatever");
    up();
    timers.settle();
    assertEquals(2, published.size());
  }

  @Test
  void whatFailsIsTriedAgainAlsoByTheNextServer() {
    rule("ours", OURS, target("t", TOPIC));
    failures = 2;
    send("{}");
    restart();
    assertEquals(0, published.size());
    timers.advance(Duration.ofSeconds(1));
    assertEquals(0, published.size());
    timers.advance(Duration.ofSeconds(2));
    assertEquals(1, published.size());
    restart();
    timers.advance(Duration.ofHours(1));
    assertEquals(1, published.size());
    assertEquals(2.0, measured.get("RetryInvocationAttempts"));
  }

  @Test
  void aPolicyEndsRetries() {
    rule(
        "ours",
        OURS,
        target("t", TOPIC).toBuilder()
            .retryPolicy(policy -> policy.maximumRetryAttempts(3).maximumEventAgeInSeconds(3600))
            .build());
    failures = 4;
    send("{}");
    timers.advance(Duration.ofHours(1));
    assertEquals(0, failures);
    assertEquals(0, published.size());
    assertEquals(1.0, measured.get("FailedInvocations"));
  }

  @Test
  void whatCannotSucceedIsNotTriedAgain() {
    rule("ours", OURS, target("l", SCOPE.arn("logs", "log-group:/nobody")));
    send("{}");
    assertEquals(1.0, measured.get("FailedInvocations"));
    assertNull(measured.get("RetryInvocationAttempts"));
  }

  @Test
  void inputsAreTransformed() {
    rule(
        "ours",
        OURS,
        target("a", TOPIC).toBuilder().input("{\"fixed\":true}").build(),
        target("b", TOPIC).toBuilder().inputPath("$.detail.items[1]").build(),
        target("c", TOPIC).toBuilder()
            .inputTransformer(to ->
                to.inputPathsMap(
                        Map.of(
                            "price", "$.detail.price",
                            "names", "$.detail.items[*].name",
                            "who", "$.detail['who']"))
                    .inputTemplate(
                        "{\"p\": <price>, \"n\": <names>, \"w\": <who>, \"text\": \"<who> pays"
                            + " <price> by <aws.events.rule-name>\"}"))
            .build());
    send("{\"price\":7,\"who\":\"An \\\"a\\\"\",\"items\":[{\"name\":\"x\"},{\"name\":\"y\"}]}");
    assertEquals(
        Set.of(
            "{\"fixed\":true}",
            "{\"name\":\"y\"}",
            "{\"p\": 7, \"n\": [\"x\",\"y\"], \"w\": \"An \\\"a\\\"\", \"text\": \"An \\\"a\\\" pays 7"
                + " by ours\"}"),
        Set.copyOf(published));
  }

  private static Target task() {
    return target("task", CLUSTER).toBuilder()
        .roleArn(ROLE)
        .ecsParameters(ecs ->
            ecs.taskDefinitionArn("web:1")
                .taskCount(2)
                .launchType(LaunchType.FARGATE)
                .networkConfiguration(network ->
                    network.awsvpcConfiguration(
                        vpc -> vpc.subnets("subnet-1").assignPublicIp("ENABLED"))))
        .build();
  }

  @Test
  void tasksAreRunOnceHoweverOften() {
    rule(
        "ours",
        OURS,
        task().toBuilder()
            .input("{\"containerOverrides\":[{\"name\":\"web\",\"command\":[\"run\"]}]}")
            .build());
    failures = 1;
    send("{}");
    timers.advance(Duration.ofSeconds(1));
    assertEquals(2, tasks.size());
    assertEquals(tasks.getFirst(), tasks.getLast(), "the same token, so that ECS runs it once");
    RunTaskRequest run = tasks.getFirst();
    assertEquals(CLUSTER, run.cluster());
    assertEquals(2, run.count());
    assertEquals("FARGATE", run.launchTypeAsString());
    assertEquals("events-rule/ours", run.startedBy());
    assertEquals(
        "ENABLED", run.networkConfiguration().awsvpcConfiguration().assignPublicIpAsString());
    assertEquals(List.of("run"), run.overrides().containerOverrides().getFirst().command());
  }

  @Test
  void schedulesAreDue() {
    events.putRule(put -> put.name("often").scheduleExpression("rate(5 minutes)"));
    events.putTargets(put -> put.rule("often").targets(target("t", TOPIC)));
    events.putRule(put -> put.name("daily").scheduleExpression("cron(30 8 * * ? *)"));
    events.putTargets(put -> put.rule("daily").targets(task()));
    timers.advance(Duration.ofMinutes(4));
    assertEquals(0, published.size());
    timers.advance(Duration.ofMinutes(1));
    assertEquals(1, published.size());
    JsonNode event = Json.read(published.getFirst()).orElseThrow();
    assertEquals("Scheduled Event", event.path("detail-type").asText());
    assertEquals("2026-11-21T08:05:00Z", event.path("time").asText());
    assertEquals(
        "[\"arn:aws:events:us-east-1:000000000000:rule/often\"]",
        event.path("resources").toString());
    restart();
    timers.advance(Duration.ofMinutes(25));
    assertEquals(6, published.size());
    assertEquals(1, tasks.size());
    events.disableRule(disable -> disable.name("often"));
    timers.advance(Duration.ofDays(1));
    assertEquals(6, published.size());
    assertEquals(2, tasks.size());
    down();
    timers.advance(Duration.ofHours(75)); // no server runs
    up();
    timers.settle();
    assertEquals(2, tasks.size(), "what was missed is not made up for");
  }

  @Test
  void whatNamesNothingIsRefused() {
    events.putRule(put -> put.name("ours").eventPattern(OURS));
    refused(
        "ValidationException",
        "1 validation error detected: Value '[]' at 'ids' failed to satisfy constraint: Member must"
            + " have length greater than or equal to 1",
        () -> events.removeTargets(remove -> remove.rule("ours").ids(List.of())));
    refused(
        "ValidationException",
        "1 validation error detected: Value null at 'targetArn' failed to satisfy constraint: Member"
            + " must have length greater than or equal to 1",
        () -> events.listRuleNamesByTarget(list -> {}));
    refused(
        "ValidationException",
        "1 validation error detected: Value 'MOON' at 'targets.ecsParameters.launchType' failed to"
            + " satisfy constraint: Member must satisfy enum value set: [EC2, FARGATE, EXTERNAL]",
        () ->
            events.putTargets(put ->
                put.rule("ours")
                    .targets(
                        task()
                            .copy(t ->
                                t.ecsParameters(
                                    task().ecsParameters().copy(e -> e.launchType("MOON")))))));
  }

  @Test
  void numbersWithoutMeasureAreNoFault() {
    events.putRule(
        put -> put.name("many").eventPattern("{\"detail\":{\"n\":[{\"numeric\":[\">\",1]}]}}"));
    events.putTargets(put -> put.rule("many").targets(target("t", TOPIC)));
    for (String number : List.of("1e400", "1e999999999", "-1e-999999999", "9".repeat(500))) {
      PutEventsResponse response =
          events.putEvents(put ->
              put.entries(
                  PutEventsRequestEntry.builder()
                      .source("shop")
                      .detailType("d")
                      .detail("{\"n\":" + number + "}")
                      .build()));
      assertEquals(0, response.failedEntryCount(), number);
    }
  }

  @Test
  void schedulesAreChecked() {
    for (String wrong :
        List.of(
            "rate(5 minute)",
            "rate(0 minutes)",
            "cron(* * * * * *)",
            "at(2030-01-01T00:00:00)",
            "cron(0 25 * * ? *)",
            "every day",
            "")) {
      refused(
          "ValidationException",
          "Parameter ScheduleExpression is not valid.",
          () -> events.putRule(put -> put.name("r").scheduleExpression(wrong)));
    }
    events.createEventBus(create -> create.name("b"));
    refused(
        "ValidationException",
        "ScheduleExpression is supported only on the default event bus.",
        () ->
            events.putRule(
                put -> put.name("r").eventBusName("b").scheduleExpression("rate(1 minute)")));
  }

  @Test
  void busesAreApart() {
    String bus = events.createEventBus(create -> create.name("b").description("d")).eventBusArn();
    refused(
        "ResourceAlreadyExistsException",
        "Event bus b already exists.",
        () -> events.createEventBus(create -> create.name("b")));
    events.putRule(put -> put.name("ours").eventBusName(bus).eventPattern(OURS));
    events.putTargets(put -> put.rule("ours").eventBusName("b").targets(target("t", TOPIC)));
    send("{}");
    assertEquals(0, published.size());
    events.putEvents(put -> put.entries(entry("shop", "{}").toBuilder().eventBusName("b").build()));
    timers.settle();
    assertEquals(1, published.size());
    refused(
        "ValidationException",
        "Event bus b cannot be deleted since it has rules.",
        () -> events.deleteEventBus(delete -> delete.name("b")));
    refused(
        "ValidationException",
        "Cannot delete event bus default.",
        () -> events.deleteEventBus(delete -> delete.name("default")));
    assertEquals(
        List.of("default", "b"),
        events.listEventBuses(list -> list.limit(10)).eventBuses().stream()
            .map(one -> one.name())
            .toList());
    assertEquals(
        List.of("ours"),
        events.listRuleNamesByTarget(list -> list.targetArn(TOPIC).eventBusName("b")).ruleNames());
    assertEquals(
        "arn:aws:events:us-east-1:000000000000:rule/b/ours",
        events.describeRule(describe -> describe.name("ours").eventBusName("b")).arn());
  }

  @Test
  void whatIsWrongIsSaid() {
    refused(
        "ValidationException",
        "Parameter(s) EventPattern or ScheduleExpression must be specified.",
        () -> events.putRule(put -> put.name("r")));
    refused(
        "ResourceNotFoundException",
        "Rule r does not exist on EventBus default.",
        () -> events.describeRule(describe -> describe.name("r")));
    refused(
        "ResourceNotFoundException",
        "Event bus x does not exist.",
        () -> events.putRule(put -> put.name("r").eventBusName("x").eventPattern(OURS)));
    EventBridgeException pattern =
        assertThrows(
            EventBridgeException.class,
            () -> events.putRule(put -> put.name("r").eventPattern("{\"source\":\"x\"}")));
    assertEquals("InvalidEventPatternException", pattern.awsErrorDetails().errorCode());
    assertTrue(
        pattern
            .awsErrorDetails()
            .errorMessage()
            .startsWith(
                "Event pattern is not valid. Reason: \"source\" must be an object or an array"),
        pattern.awsErrorDetails().errorMessage());
    rule("r", OURS, target("t", TOPIC));
    refused(
        "ValidationException",
        "Rule can't be deleted since it has targets.",
        () -> events.deleteRule(delete -> delete.name("r")));
    targetRefused(
        target("t", "arn:aws:sqs:us-east-1:000000000000:q"),
        "The target arn:aws:sqs:us-east-1:000000000000:q is not supported in this region.");
    targetRefused(
        target("t", "queue"),
        "Parameter queue is not valid. Reason: Provided Arn is not in correct format.");
    targetRefused(
        target("t", CLUSTER), "Parameter(s) EcsParameters must be specified for target: t.");
    targetRefused(
        task().toBuilder().roleArn("arn:aws:iam::000000000000:role/nobody").build(),
        "RoleArn arn:aws:iam::000000000000:role/nobody does not exist.");
    targetRefused(
        target("t", TOPIC).toBuilder().deadLetterConfig(to -> to.arn("a")).build(),
        "The parameter DeadLetterConfig is not supported in this region.");
    targetRefused(
        target("t", TOPIC).toBuilder().input("{}").inputPath("$").build(),
        "Only one of Input, InputPath, or InputTransformer must be provided for target t.");
    targetRefused(
        target("t", TOPIC).toBuilder().inputPath("$..x").build(),
        "Invalid InputPath for target t.");
    targetRefused(
        target("t", TOPIC).toBuilder().inputTransformer(to -> to.inputTemplate("\"<x>\"")).build(),
        "InputTemplate for target t contains invalid placeholder x.");
    assertEquals(
        1, events.removeTargets(remove -> remove.rule("r").ids("t", "nobody")).failedEntryCount());
  }

  private void targetRefused(Target target, String message) {
    refused(
        "ValidationException",
        message,
        () -> events.putTargets(put -> put.rule("r").targets(target)));
  }

  @Test
  void ofEventsTheGoodAreTaken() {
    PutEventsResponse response =
        events.putEvents(put ->
            put.entries(
                entry("shop", "{}"),
                entry("aws.ecs", "{}"),
                entry("shop", "[]"),
                entry("shop", "{}").toBuilder().source(null).build(),
                entry("shop", "{}").toBuilder().detailType("x".repeat(129)).build()));
    assertEquals(4, response.failedEntryCount());
    assertFalse(response.entries().getFirst().eventId().isEmpty());
    assertEquals("NotAuthorizedForSource", response.entries().get(1).errorCode());
    assertEquals("MalformedDetail", response.entries().get(2).errorCode());
    assertEquals("InvalidArgument", response.entries().get(3).errorCode());
    assertEquals("InvalidArgument", response.entries().get(4).errorCode());
    refused(
        "ValidationException",
        "Total size of the entries in the request is over the limit.",
        () ->
            events.putEvents(
                put -> put.entries(entry("shop", "{\"a\":\"" + "x".repeat(256 * 1024) + "\"}"))));
  }

  @Test
  void aRuleIsAnotherOneWhenItIsPutAgain() {
    events.putRule(put ->
        put.name("r")
            .eventPattern(OURS)
            .description("d")
            .tags(Tag.builder().key("k").value("v").build()));
    events.putRule(put -> put.name("r").eventPattern(OURS).state(RuleState.DISABLED));
    assertNull(events.describeRule(describe -> describe.name("r")).description());
    assertEquals(RuleState.DISABLED, events.describeRule(describe -> describe.name("r")).state());
    assertEquals(
        "v",
        events
            .listTagsForResource(
                list -> list.resourceARN("arn:aws:events:us-east-1:000000000000:rule/r"))
            .tags()
            .getFirst()
            .value());
    for (int i = 0; i < 120; i++) {
      int number = i;
      events.putRule(put -> put.name("x" + number).eventPattern(OURS));
    }
    String next = events.listRules(list -> list.namePrefix("x")).nextToken();
    assertEquals(20, events.listRules(list -> list.namePrefix("x").nextToken(next)).rules().size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{'source':['aws.ec2']}                                             | true",
        "{'source':['aws.ecs']}                                             | false",
        "{'detail':{'state':['running','pending']}}                         | true",
        "{'detail':{'state':[{'anything-but':'running'}]}}                  | false",
        "{'detail':{'state':[{'anything-but':{'wildcard':'run*'}}]}}        | false",
        "{'detail':{'state':[{'prefix':{'equals-ignore-case':'RUN'}}]}}     | true",
        "{'detail':{'c-count':[{'numeric':['>',0,'<=',5]}]}}                | true",
        "{'detail':{'x':[{'exists':false}]}}                                | true",
        "{'detail':{'ip':[{'cidr':'10.0.0.0/24'}]}}                         | true",
        "{'resources':[{'wildcard':'arn:*:instance/*'}]}                    | true",
        "{'$or':[{'source':['x']},{'detail':{'c-count':[5]}}]}              | true",
        "{'$or':[{'source':['x']},{'detail':{'c-count':[6]}}]}              | false",
        "{'detail':{'none':[null]}}                                         | true",
        "{'detail':{'empty':['']}}                                          | true",
      })
  void patternsAreTested(String pattern, boolean matches) {
    String event =
        """
        {"version":"0","id":"1","detail-type":"EC2 Instance State-change Notification",
         "source":"aws.ec2","account":"000000000000","time":"2026-11-21T08:00:00Z",
         "region":"us-east-1","resources":["arn:aws:ec2:us-east-1:000000000000:instance/i-1"],
         "detail":{"state":"running","c-count":5,"ip":"10.0.0.9","none":null,"empty":""}}
        """;
    assertEquals(
        matches,
        events
            .testEventPattern(test -> test.eventPattern(pattern.replace('\'', '"')).event(event))
            .result());
  }
}
