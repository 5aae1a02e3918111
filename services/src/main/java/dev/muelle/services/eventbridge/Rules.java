package dev.muelle.services.eventbridge;

import dev.muelle.scaling.Schedule;
import dev.muelle.services.Scope;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.eventbridge.model.DeleteRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.DeleteRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.DescribeRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.DescribeRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.DisableRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.DisableRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.EnableRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.EnableRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.LimitExceededException;
import software.amazon.awssdk.services.eventbridge.model.ListRuleNamesByTargetRequest;
import software.amazon.awssdk.services.eventbridge.model.ListRuleNamesByTargetResponse;
import software.amazon.awssdk.services.eventbridge.model.ListRulesRequest;
import software.amazon.awssdk.services.eventbridge.model.ListRulesResponse;
import software.amazon.awssdk.services.eventbridge.model.PutRuleRequest;
import software.amazon.awssdk.services.eventbridge.model.PutRuleResponse;
import software.amazon.awssdk.services.eventbridge.model.ResourceNotFoundException;
import software.amazon.awssdk.services.eventbridge.model.RuleState;

/** Rules: what they match and when they are due. */
final class Rules {

  private static final String NAME = "[\\.\\-_A-Za-z0-9]+";

  private static final int MAX_NAME = 64;
  private static final int MAX_RULES = 300;
  private static final int MAX_DESCRIPTION = 512;

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Buses buses;
  private final Consumer<String> changed;

  /**
   * Rules over a store.
   *
   * @param changed is told the key of a rule that is another one now
   */
  Rules(Scope scope, Store store, InstantSource clock, Buses buses, Consumer<String> changed) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.buses = buses;
    this.changed = changed;
  }

  static ResourceNotFoundException missing(String bus, String name) {
    return ResourceNotFoundException.builder()
        .message("Rule " + name + " does not exist on EventBus " + bus + ".")
        .build();
  }

  /** The rule that a request names. */
  Rule of(Tx tx, @Nullable String busName, @Nullable String name) {
    String bus = buses.name(tx, busName);
    String wanted = checkName(name);
    return tx.get(Rule.TABLE, Rule.key(bus, wanted))
        .map(Row::value)
        .orElseThrow(() -> missing(bus, wanted));
  }

  private static String checkName(@Nullable String name) {
    if (name == null) {
      throw Refuse.constraint("name", null, "not be null");
    }
    if (name.isEmpty() || name.length() > MAX_NAME) {
      throw Refuse.constraint(
          "name",
          name,
          name.isEmpty()
              ? "have length greater than or equal to 1"
              : "have length less than or equal to " + MAX_NAME);
    }
    if (!name.matches(NAME)) {
      throw Refuse.constraint("name", name, "satisfy regular expression pattern: " + NAME);
    }
    return name;
  }

  /**
   * Makes a rule, or makes another one of it: what is not said any more is gone.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html">PutRule</a>
   */
  PutRuleResponse put(PutRuleRequest request) {
    String name = checkName(request.name());
    boolean enabled = enabled(request);
    if (request.eventPattern() == null && request.scheduleExpression() == null) {
      throw Refuse.invalid("Parameter(s) EventPattern or ScheduleExpression must be specified.");
    }
    String pattern = request.eventPattern() == null ? null : Pattern.check(request.eventPattern());
    Refuse.ifSet(request, "RoleArn"); // what it is for, sending to other accounts, is not here
    if (request.description() != null && request.description().length() > MAX_DESCRIPTION) {
      throw Refuse.constraint(
          "description",
          request.description(),
          "have length less than or equal to " + MAX_DESCRIPTION);
    }
    Map<String, String> tags = Tags.read(request.tags());
    Instant now = clock.instant();
    Rule made =
        store.write(tx -> {
          String bus = buses.name(tx, request.eventBusName());
          checkSchedule(bus, request.scheduleExpression(), now);
          Optional<Rule> there = tx.get(Rule.TABLE, Rule.key(bus, name)).map(Row::value);
          if (there.isEmpty() && tx.list(Rule.TABLE, bus + "/").size() >= MAX_RULES) {
            throw LimitExceededException.builder()
                .message("The requested resource exceeds the maximum number allowed.")
                .build();
          }
          boolean sameSchedule =
              there.isPresent()
                  && Objects.equals(there.get().schedule(), request.scheduleExpression());
          Rule rule =
              new Rule(
                  bus,
                  name,
                  pattern,
                  request.scheduleExpression(),
                  enabled,
                  request.description(),
                  there
                      .map(Rule::tags)
                      .orElse(tags), // PutRule changes no tags of one that is there
                  sameSchedule ? there.get().created() : now,
                  sameSchedule ? there.get().ran() : null);
          tx.put(Rule.TABLE, rule.key(), rule);
          return rule;
        });
    changed.accept(made.key());
    return PutRuleResponse.builder().ruleArn(arn(made)).build();
  }

  private static boolean enabled(PutRuleRequest request) {
    return switch (request.state()) {
      case null -> true;
      case ENABLED -> true;
      case DISABLED -> false;
      case ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS ->
          throw Refuse.unsupported("The state " + request.stateAsString());
      case UNKNOWN_TO_SDK_VERSION ->
          throw Refuse.constraint(
              "state",
              request.stateAsString(),
              "satisfy enum value set: [ENABLED, DISABLED,"
                  + " ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS]");
    };
  }

  private static void checkSchedule(String bus, @Nullable String schedule, Instant now) {
    if (schedule == null) {
      return;
    }
    if (!bus.equals(Bus.DEFAULT)) {
      throw Refuse.invalid("ScheduleExpression is supported only on the default event bus.");
    }
    Optional<Schedule> read = Schedule.parse(schedule, null, now);
    if (read.isEmpty() || read.get() instanceof Schedule.At) {
      throw Refuse.invalid("Parameter ScheduleExpression is not valid.");
    }
  }

  String arn(Rule rule) {
    return scope.arn("events", rule.resource());
  }

  /** Deletes a rule without targets; one that is not there is gone. */
  DeleteRuleResponse delete(DeleteRuleRequest request) {
    String name = checkName(request.name());
    String key =
        store.write(tx -> {
          String rule = Rule.key(buses.name(tx, request.eventBusName()), name);
          if (!Aim.of(tx, rule).isEmpty()) {
            throw Refuse.invalid("Rule can't be deleted since it has targets.");
          }
          tx.delete(Rule.TABLE, rule);
          return rule;
        });
    changed.accept(key);
    return DeleteRuleResponse.builder().build();
  }

  EnableRuleResponse enable(EnableRuleRequest request) {
    set(request.eventBusName(), request.name(), true);
    return EnableRuleResponse.builder().build();
  }

  DisableRuleResponse disable(DisableRuleRequest request) {
    set(request.eventBusName(), request.name(), false);
    return DisableRuleResponse.builder().build();
  }

  private void set(@Nullable String bus, @Nullable String name, boolean enabled) {
    String key =
        store.write(tx -> {
          Rule rule = of(tx, bus, name);
          tx.put(Rule.TABLE, rule.key(), rule.withEnabled(enabled));
          return rule.key();
        });
    changed.accept(key);
  }

  DescribeRuleResponse describe(DescribeRuleRequest request) {
    Rule rule = store.read(tx -> of(tx, request.eventBusName(), request.name()));
    return DescribeRuleResponse.builder()
        .name(rule.name())
        .arn(arn(rule))
        .eventPattern(rule.pattern())
        .scheduleExpression(rule.schedule())
        .state(state(rule))
        .description(rule.description())
        .eventBusName(rule.bus())
        .createdBy(scope.account())
        .build();
  }

  private static RuleState state(Rule rule) {
    return rule.enabled() ? RuleState.ENABLED : RuleState.DISABLED;
  }

  ListRulesResponse list(ListRulesRequest request) {
    String prefix = request.namePrefix() == null ? "" : request.namePrefix();
    List<software.amazon.awssdk.services.eventbridge.model.Rule> all =
        store.read(tx ->
            tx.list(Rule.TABLE, Rule.key(buses.name(tx, request.eventBusName()), prefix)).stream()
                .map(row -> told(row.value()))
                .toList());
    Page<software.amazon.awssdk.services.eventbridge.model.Rule> page =
        Page.of(all, request.limit(), request.nextToken());
    return ListRulesResponse.builder().rules(page.items()).nextToken(page.next()).build();
  }

  private software.amazon.awssdk.services.eventbridge.model.Rule told(Rule rule) {
    return software.amazon.awssdk.services.eventbridge.model.Rule.builder()
        .name(rule.name())
        .arn(arn(rule))
        .eventPattern(rule.pattern())
        .scheduleExpression(rule.schedule())
        .state(state(rule))
        .description(rule.description())
        .eventBusName(rule.bus())
        .build();
  }

  ListRuleNamesByTargetResponse list(ListRuleNamesByTargetRequest request) {
    String target = request.targetArn();
    if (target == null || target.isEmpty()) {
      throw Refuse.constraint("targetArn", target, "have length greater than or equal to 1");
    }
    List<String> names =
        store.read(tx -> {
          String bus = buses.name(tx, request.eventBusName()) + "/";
          return tx.find(Aim.TABLE, "arn", target).stream()
              .map(row -> row.value().rule())
              .filter(rule -> rule.startsWith(bus))
              .map(rule -> rule.substring(bus.length()))
              .distinct()
              .sorted()
              .toList();
        });
    Page<String> page = Page.of(names, request.limit(), request.nextToken());
    return ListRuleNamesByTargetResponse.builder()
        .ruleNames(page.items())
        .nextToken(page.next())
        .build();
  }
}
