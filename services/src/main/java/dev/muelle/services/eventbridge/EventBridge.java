package dev.muelle.services.eventbridge;

import dev.muelle.loop.Timers;
import dev.muelle.services.EventOutbox;
import dev.muelle.services.Ids;
import dev.muelle.services.Measurements;
import dev.muelle.services.Scope;
import dev.muelle.store.Store;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.services.cloudwatchlogs.CloudWatchLogsClient;
import software.amazon.awssdk.services.ecs.EcsClient;
import software.amazon.awssdk.services.eventbridge.EventBridgeClient;
import software.amazon.awssdk.services.eventbridge.model.CreateEventBusRequest;
import software.amazon.awssdk.services.eventbridge.model.CreateEventBusResponse;
import software.amazon.awssdk.services.eventbridge.model.DeleteEventBusRequest;
import software.amazon.awssdk.services.eventbridge.model.DeleteEventBusResponse;
import software.amazon.awssdk.services.eventbridge.model.DeleteRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.DeleteRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.DescribeEventBusRequest;
import software.amazon.awssdk.services.eventbridge.model.DescribeEventBusResponse;
import software.amazon.awssdk.services.eventbridge.model.DescribeRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.DescribeRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.DisableRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.DisableRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.EnableRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.EnableRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.ListEventBusesRequest;
import software.amazon.awssdk.services.eventbridge.model.ListEventBusesResponse;
import software.amazon.awssdk.services.eventbridge.model.ListRuleNamesByTargetRequest;
import software.amazon.awssdk.services.eventbridge.model.ListRuleNamesByTargetResponse;
import software.amazon.awssdk.services.eventbridge.model.ListRulesRequest;
import software.amazon.awssdk.services.eventbridge.model.ListRulesResponse;
import software.amazon.awssdk.services.eventbridge.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.eventbridge.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.eventbridge.model.ListTargetsByRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.ListTargetsByRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.PutEventsRequest;
import software.amazon.awssdk.services.eventbridge.model.PutEventsResponse;
import software.amazon.awssdk.services.eventbridge.model.PutRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.PutRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.PutTargetsRequest;
import software.amazon.awssdk.services.eventbridge.model.PutTargetsResponse;
import software.amazon.awssdk.services.eventbridge.model.RemoveTargetsRequest;
import software.amazon.awssdk.services.eventbridge.model.RemoveTargetsResponse;
import software.amazon.awssdk.services.eventbridge.model.TagResourceRequest;
import software.amazon.awssdk.services.eventbridge.model.TagResourceResponse;
import software.amazon.awssdk.services.eventbridge.model.TestEventPatternRequest;
import software.amazon.awssdk.services.eventbridge.model.TestEventPatternResponse;
import software.amazon.awssdk.services.eventbridge.model.UntagResourceRequest;
import software.amazon.awssdk.services.eventbridge.model.UntagResourceResponse;
import software.amazon.awssdk.services.iam.IamClient;
import software.amazon.awssdk.services.sns.SnsClient;

/** Amazon EventBridge of one account in one region. */
public final class EventBridge implements EventBridgeClient {

  private final EventOutbox outbox;
  private final Rulebook rulebook;
  private final Buses buses;
  private final Rules rules;
  private final Targets targets;
  private final Tags tags;
  private final Sent sent;
  private final Intake intake;
  private final Schedules schedules;
  private final Invocations invocations;

  /**
   * The service over what is stored; nothing runs before {@link #start}.
   *
   * @param random for the delays of retries
   * @param outbox where the region's services put their events down
   */
  public EventBridge(
      Scope scope,
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      EventOutbox outbox,
      SnsClient sns,
      CloudWatchLogsClient logs,
      EcsClient ecs,
      IamClient iam,
      Measurements measurements) {
    this.outbox = outbox;
    EventMetrics metrics = new EventMetrics(measurements);
    rulebook = new Rulebook(store);
    Matching matching = new Matching(scope, ids, rulebook);
    buses = new Buses(scope, store, timers);
    rules = new Rules(scope, store, timers, buses, this::changed);
    targets = new Targets(store, rules, new TargetRules(scope, iam));
    tags = new Tags(scope, store);
    invocations =
        new Invocations(store, timers, random, new Invoker(scope, ids, sns, logs, ecs), metrics);
    intake = new Intake(store, timers, random, matching, metrics, invocations::wake);
    sent = new Sent(store, timers, ids, buses, matching, metrics, invocations::wake);
    schedules =
        new Schedules(store, timers, ids, random, matching, metrics, rules, invocations::wake);
  }

  private void changed(String ruleKey) {
    rulebook.refresh();
    schedules.wake(ruleKey);
  }

  /** Listens from now on to what others put down: before they start. */
  public void listen() {
    rulebook.refresh();
    outbox.listen(rulebook::wants);
  }

  /** Takes up what an earlier server left: when there is everything that targets need. */
  public void start() {
    intake.start();
    schedules.start();
    invocations.start();
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {
    intake.close();
    schedules.close();
    invocations.close();
  }

  @Override
  public CreateEventBusResponse createEventBus(CreateEventBusRequest request) {
    return buses.create(request);
  }

  @Override
  public DeleteEventBusResponse deleteEventBus(DeleteEventBusRequest request) {
    return buses.delete(request);
  }

  @Override
  public DescribeEventBusResponse describeEventBus(DescribeEventBusRequest request) {
    return buses.describe(request);
  }

  @Override
  public ListEventBusesResponse listEventBuses(ListEventBusesRequest request) {
    return buses.list(request);
  }

  @Override
  public PutRuleResponse putRule(PutRuleRequest request) {
    return rules.put(request);
  }

  @Override
  public DeleteRuleResponse deleteRule(DeleteRuleRequest request) {
    return rules.delete(request);
  }

  @Override
  public DescribeRuleResponse describeRule(DescribeRuleRequest request) {
    return rules.describe(request);
  }

  @Override
  public EnableRuleResponse enableRule(EnableRuleRequest request) {
    return rules.enable(request);
  }

  @Override
  public DisableRuleResponse disableRule(DisableRuleRequest request) {
    return rules.disable(request);
  }

  @Override
  public ListRulesResponse listRules(ListRulesRequest request) {
    return rules.list(request);
  }

  @Override
  public ListRuleNamesByTargetResponse listRuleNamesByTarget(ListRuleNamesByTargetRequest request) {
    return rules.list(request);
  }

  @Override
  public PutTargetsResponse putTargets(PutTargetsRequest request) {
    return targets.put(request);
  }

  @Override
  public RemoveTargetsResponse removeTargets(RemoveTargetsRequest request) {
    return targets.remove(request);
  }

  @Override
  public ListTargetsByRuleResponse listTargetsByRule(ListTargetsByRuleRequest request) {
    return targets.list(request);
  }

  @Override
  public PutEventsResponse putEvents(PutEventsRequest request) {
    return sent.put(request);
  }

  @Override
  public TestEventPatternResponse testEventPattern(TestEventPatternRequest request) {
    return sent.test(request);
  }

  @Override
  public TagResourceResponse tagResource(TagResourceRequest request) {
    return tags.tag(request);
  }

  @Override
  public UntagResourceResponse untagResource(UntagResourceRequest request) {
    return tags.untag(request);
  }

  @Override
  public ListTagsForResourceResponse listTagsForResource(ListTagsForResourceRequest request) {
    return tags.list(request);
  }
}
