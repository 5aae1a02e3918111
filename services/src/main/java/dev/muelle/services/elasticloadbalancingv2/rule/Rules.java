package dev.muelle.services.elasticloadbalancingv2.rule;

import dev.muelle.services.Ids;
import dev.muelle.services.elasticloadbalancingv2.request.Pages;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.Associations;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Listening;
import dev.muelle.services.elasticloadbalancingv2.state.State.Ruling;
import dev.muelle.services.elasticloadbalancingv2.state.Tags;
import dev.muelle.services.elasticloadbalancingv2.state.Wakes;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateRuleRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateRuleResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteRuleRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteRuleResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeRulesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeRulesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyRuleRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyRuleResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.OperationNotPermittedException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.PriorityInUseException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Rule;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RulePriorityPair;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetRulePrioritiesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.SetRulePrioritiesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyRulesException;

/**
 * The rules of listeners: each with a priority, tried from the lowest, and the default one last.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-rules.html">Listener
 *     rules</a>
 */
public final class Rules {

  public static final int MAX = 100; // of a load balancer, default rules not counted
  private static final int MAX_PRIORITY = 50_000;
  private static final String KIND = "listener-rule/(?:app|net)/";

  private final Store store;
  private final Ids ids;
  private final Wakes wakes;

  public Rules(Store store, Ids ids, Wakes wakes) {
    this.store = store;
    this.ids = ids;
    this.wakes = wakes;
  }

  public CreateRuleResponse create(CreateRuleRequest request) {
    Refuse.unlessEffective(
        request, Set.of("ListenerArn", "Conditions", "Priority", "Actions", "Tags", "Transforms"));
    int priority = priority(request.priority());
    Tags.check(request.tags());
    Ruling made =
        store.write(tx -> {
          Listening listening = Existing.listener(tx, request.listenerArn());
          String balancerArn = listening.listener().loadBalancerArn();
          Balancing balancer = Existing.balancer(tx, balancerArn);
          if (balancer.network()) {
            throw Refuse.invalid("Rules cannot be created for listeners of Network Load Balancers");
          }
          if (tx.find(State.RULES, "balancer", balancerArn).size() >= MAX) {
            throw TooManyRulesException.builder()
                .message("The maximum number of rules has been reached")
                .build();
          }
          unlessTaken(tx, request.listenerArn(), priority);
          String arn =
              request.listenerArn().replace(":listener/", ":listener-rule/") + "/" + ids.hex(16);
          Rule rule =
              Rule.builder()
                  .ruleArn(arn)
                  .priority(String.valueOf(priority))
                  .conditions(Conditions.check(request.conditions()))
                  .actions(
                      Actions.check(
                          tx, balancer, listening.listener().protocol(), arn, request.actions()))
                  .transforms(Transforms.check(request.transforms()))
                  .isDefault(false)
                  .build();
          Ruling ruling = new Ruling(rule, request.listenerArn(), balancerArn, request.tags());
          tx.insert(State.RULES, arn, ruling);
          Associations.update(tx, balancerArn);
          return ruling;
        });
    wakes.now(List.of(made.balancerArn()));
    return CreateRuleResponse.builder().rules(made.rule()).build();
  }

  public ModifyRuleResponse modify(ModifyRuleRequest request) {
    Refuse.unlessEffective(
        request, Set.of("RuleArn", "Conditions", "Actions", "Transforms", "ResetTransforms"));
    boolean reset = Boolean.TRUE.equals(request.resetTransforms());
    if (reset && !request.transforms().isEmpty()) {
      throw Refuse.invalid("You cannot specify both 'Transforms' and 'ResetTransforms'");
    }
    Ruling changed =
        store.write(tx -> {
          unlessDefault(tx, request.ruleArn(), "modified; modify its listener");
          Ruling old = Existing.rule(tx, request.ruleArn());
          Rule.Builder next = old.rule().toBuilder();
          if (!request.conditions().isEmpty()) {
            next.conditions(Conditions.check(request.conditions()));
          }
          if (!request.actions().isEmpty()) {
            Balancing balancer = Existing.balancer(tx, old.balancerArn());
            ProtocolEnum protocol = Existing.listener(tx, old.listenerArn()).listener().protocol();
            next.actions(
                Actions.check(tx, balancer, protocol, request.ruleArn(), request.actions()));
          }
          if (reset || !request.transforms().isEmpty()) {
            next.transforms(Transforms.check(request.transforms()));
          }
          Ruling ruling = old.with(next.build());
          tx.put(State.RULES, request.ruleArn(), ruling);
          Associations.update(tx, old.balancerArn());
          return ruling;
        });
    wakes.now(List.of(changed.balancerArn()));
    return ModifyRuleResponse.builder().rules(changed.rule()).build();
  }

  public DeleteRuleResponse delete(DeleteRuleRequest request) {
    String balancer =
        store.write(tx -> {
          unlessDefault(tx, request.ruleArn(), "deleted");
          Ruling gone = Existing.rule(tx, request.ruleArn());
          delete(tx, request.ruleArn());
          Associations.update(tx, gone.balancerArn());
          return gone.balancerArn();
        });
    wakes.now(List.of(balancer));
    return DeleteRuleResponse.builder().build();
  }

  /** With its secret. */
  public static void delete(Tx tx, String arn) {
    tx.delete(State.RULES, arn);
    tx.delete(State.CLIENT_SECRETS, arn);
  }

  /** Changes priorities all at once, so that rules can trade places. */
  public SetRulePrioritiesResponse setPriorities(SetRulePrioritiesRequest request) {
    Set<String> balancers = new LinkedHashSet<>();
    List<Rule> changed =
        store.write(tx -> {
          balancers.clear();
          Map<String, Integer> wanted = new HashMap<>();
          for (RulePriorityPair pair : request.rulePriorities()) {
            unlessDefault(tx, pair.ruleArn(), "given a priority");
            if (wanted.put(pair.ruleArn(), priority(pair.priority())) != null) {
              throw Refuse.invalid("Rule '" + pair.ruleArn() + "' is specified twice");
            }
          }
          List<Rule> rules = new ArrayList<>();
          Set<String> listeners = new HashSet<>();
          for (Map.Entry<String, Integer> one : wanted.entrySet()) {
            Ruling old = Existing.rule(tx, one.getKey());
            Rule rule = old.rule().toBuilder().priority(String.valueOf(one.getValue())).build();
            tx.put(State.RULES, one.getKey(), old.with(rule));
            rules.add(rule);
            listeners.add(old.listenerArn());
            balancers.add(old.balancerArn());
          }
          for (String listener : listeners) {
            Set<String> taken = new HashSet<>();
            for (Ruling ruling : Existing.rules(tx, listener)) {
              if (!taken.add(ruling.rule().priority())) {
                throw inUse(ruling.rule().priority());
              }
            }
          }
          return rules;
        });
    wakes.now(balancers);
    return SetRulePrioritiesResponse.builder().rules(changed).build();
  }

  public DescribeRulesResponse describe(DescribeRulesRequest request) {
    if ((request.listenerArn() == null) == request.ruleArns().isEmpty()) {
      throw Refuse.invalid("You must specify either listener rule ARNs or a listener ARN");
    }
    return store.read(tx -> {
      List<Rule> found = new ArrayList<>();
      if (request.listenerArn() != null) {
        Listening listening = Existing.listener(tx, request.listenerArn());
        Existing.rules(tx, request.listenerArn()).forEach(ruling -> found.add(ruling.rule()));
        found.add(byDefault(listening));
      }
      for (String arn : new TreeSet<>(request.ruleArns())) {
        Listening listening = ofDefault(tx, arn);
        found.add(listening == null ? Existing.rule(tx, arn).rule() : byDefault(listening));
      }
      Pages<Rule> page = Pages.of(found, Rules::order, request.marker(), request.pageSize());
      return DescribeRulesResponse.builder().rules(page.items()).nextMarker(page.next()).build();
    });
  }

  /** Sorts as text as the priorities do as numbers, the default rule last. */
  private static String order(Rule rule) {
    String priority = rule.priority();
    return (priority.equals("default") ? "default" : "%05d".formatted(Integer.parseInt(priority)))
        + rule.ruleArn();
  }

  /** The default rule, which belongs to its listener. */
  private static Rule byDefault(Listening listening) {
    return Rule.builder()
        .ruleArn(listening.ruleArn())
        .priority("default")
        .conditions(List.of())
        .actions(listening.listener().defaultActions())
        .isDefault(true)
        .build();
  }

  private static @Nullable Listening ofDefault(Tx tx, @Nullable String ruleArn) {
    String arn = Refuse.unlessArn(ruleArn, KIND, "listener rule");
    String listener =
        arn.substring(0, arn.lastIndexOf('/')).replace(":listener-rule/", ":listener/");
    return tx.get(State.LISTENERS, listener)
        .map(Row::value)
        .filter(listening -> listening.ruleArn().equals(arn))
        .orElse(null);
  }

  private static void unlessDefault(Tx tx, @Nullable String ruleArn, String what) {
    if (ofDefault(tx, ruleArn) != null) {
      throw OperationNotPermittedException.builder()
          .message("Default rule '" + ruleArn + "' cannot be " + what)
          .build();
    }
  }

  private static int priority(@Nullable Integer priority) {
    if (priority == null || priority < 1 || priority > MAX_PRIORITY) {
      throw Refuse.invalid("Rule priority '" + priority + "' must be in the range 1-50000");
    }
    return priority;
  }

  private static void unlessTaken(Tx tx, String listener, int priority) {
    String text = String.valueOf(priority);
    if (Existing.rules(tx, listener).stream().anyMatch(r -> r.rule().priority().equals(text))) {
      throw inUse(text);
    }
  }

  private static PriorityInUseException inUse(String priority) {
    return PriorityInUseException.builder()
        .message("Priority '" + priority + "' is currently in use")
        .build();
  }
}
