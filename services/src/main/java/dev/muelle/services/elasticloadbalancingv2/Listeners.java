package dev.muelle.services.elasticloadbalancingv2;

import dev.muelle.services.Ids;
import dev.muelle.services.elasticloadbalancingv2.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.State.Group;
import dev.muelle.services.elasticloadbalancingv2.State.Listening;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ActionTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateListenerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateListenerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteListenerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteListenerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenersRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeListenersResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeRulesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeRulesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DuplicateListenerException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.FixedResponseActionConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ForwardActionConfig;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Listener;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ListenerNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyListenerResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Rule;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyListenersException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.UnsupportedProtocolException;

/**
 * Listeners and their default rules.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateListener.html">CreateListener</a>
 */
final class Listeners {

  private static final int MAX = 50;
  private static final int MAX_GROUPS = 5;
  private static final int MAX_WEIGHT = 999;

  private final Store store;
  private final Ids ids;
  private final Wakes wakes;

  Listeners(Store store, Ids ids, Wakes wakes) {
    this.store = store;
    this.ids = ids;
    this.wakes = wakes;
  }

  CreateListenerResponse create(CreateListenerRequest request) {
    Refuse.unlessEffective(
        request, Set.of("LoadBalancerArn", "Protocol", "Port", "DefaultActions", "Tags"));
    checkProtocol(request.protocol(), request.protocolAsString());
    int port = port(request.port());
    Tags.check(request.tags());
    Listener made =
        store.write(tx -> {
          Balancing balancer = LoadBalancers.get(tx, request.loadBalancerArn());
          List<Row<Listening>> present =
              tx.find(State.LISTENERS, "balancer", request.loadBalancerArn());
          if (present.stream().anyMatch(row -> row.value().listener().port() == port)) {
            throw DuplicateListenerException.builder()
                .message(
                    "A listener already exists on this port for this load balancer '"
                        + request.loadBalancerArn()
                        + "'")
                .build();
          }
          if (present.size() >= MAX) {
            throw TooManyListenersException.builder()
                .message("The maximum number of listeners has been reached")
                .build();
          }
          String id = ids.hex(16);
          String base =
              request.loadBalancerArn().replace(":loadbalancer/", ":listener/") + "/" + id;
          Listener listener =
              Listener.builder()
                  .listenerArn(base)
                  .loadBalancerArn(request.loadBalancerArn())
                  .protocol(ProtocolEnum.HTTP)
                  .port(port)
                  .defaultActions(actions(tx, balancer, request.defaultActions()))
                  .build();
          String rule = base.replace(":listener/", ":listener-rule/") + "/" + ids.hex(16);
          tx.insert(State.LISTENERS, base, new Listening(listener, rule, request.tags()));
          associate(tx, request.loadBalancerArn());
          return listener;
        });
    wakes.now(List.of(made.loadBalancerArn()));
    return CreateListenerResponse.builder().listeners(made).build();
  }

  ModifyListenerResponse modify(ModifyListenerRequest request) {
    Refuse.unlessEffective(request, Set.of("ListenerArn", "Protocol", "Port", "DefaultActions"));
    if (request.protocol() != null) {
      checkProtocol(request.protocol(), request.protocolAsString());
    }
    Listener changed =
        store.write(tx -> {
          Listening old = get(tx, request.listenerArn());
          Listener.Builder next = old.listener().toBuilder();
          if (request.port() != null) {
            int port = port(request.port());
            boolean taken =
                tx.find(State.LISTENERS, "balancer", old.listener().loadBalancerArn()).stream()
                    .anyMatch(row ->
                        row.value().listener().port() == port
                            && !row.key().equals(request.listenerArn()));
            if (taken) {
              throw Refuse.invalid("Listener port '" + port + "' is already in use");
            }
            next.port(port);
          }
          if (!request.defaultActions().isEmpty()) {
            Balancing balancer = LoadBalancers.get(tx, old.listener().loadBalancerArn());
            next.defaultActions(actions(tx, balancer, request.defaultActions()));
          }
          Listener listener = next.build();
          tx.put(
              State.LISTENERS,
              request.listenerArn(),
              new Listening(listener, old.ruleArn(), old.tags()));
          associate(tx, listener.loadBalancerArn());
          return listener;
        });
    wakes.now(List.of(changed.loadBalancerArn()));
    return ModifyListenerResponse.builder().listeners(changed).build();
  }

  DeleteListenerResponse delete(DeleteListenerRequest request) {
    String balancer =
        store.write(tx -> {
          Listening gone = get(tx, request.listenerArn());
          tx.delete(State.LISTENERS, request.listenerArn());
          associate(tx, gone.listener().loadBalancerArn());
          return gone.listener().loadBalancerArn();
        });
    wakes.now(List.of(balancer));
    return DeleteListenerResponse.builder().build();
  }

  DescribeListenersResponse describe(DescribeListenersRequest request) {
    if (request.loadBalancerArn() == null && request.listenerArns().isEmpty()) {
      throw Refuse.invalid("You must specify either listener ARNs or a load balancer ARN");
    }
    return store.read(tx -> {
      List<Listener> found = new ArrayList<>();
      if (request.loadBalancerArn() != null) {
        LoadBalancers.get(tx, request.loadBalancerArn());
        tx.find(State.LISTENERS, "balancer", request.loadBalancerArn())
            .forEach(row -> found.add(row.value().listener()));
      }
      new TreeSet<>(request.listenerArns()).forEach(arn -> found.add(get(tx, arn).listener()));
      Pages<Listener> page =
          Pages.of(found, Listener::listenerArn, request.marker(), request.pageSize());
      return DescribeListenersResponse.builder()
          .listeners(page.items())
          .nextMarker(page.next())
          .build();
    });
  }

  /** Each listener's default rule, which is all the rules there are. */
  DescribeRulesResponse rules(DescribeRulesRequest request) {
    if (request.listenerArn() == null && request.ruleArns().isEmpty()) {
      throw Refuse.invalid("You must specify either listener rule ARNs or a listener ARN");
    }
    return store.read(tx -> {
      List<Rule> found = new ArrayList<>();
      if (request.listenerArn() != null) {
        found.add(rule(get(tx, request.listenerArn())));
      }
      for (String arn : new TreeSet<>(request.ruleArns())) {
        Refuse.unlessArn(arn, "listener-rule/app/", "listener rule");
        found.add(
            tx.list(State.LISTENERS).stream()
                .map(Row::value)
                .filter(listening -> listening.ruleArn().equals(arn))
                .map(Listeners::rule)
                .findFirst()
                .orElseThrow(() ->
                    RuleNotFoundException.builder()
                        .message("One or more rules not found")
                        .build()));
      }
      Pages<Rule> page = Pages.of(found, Rule::ruleArn, request.marker(), request.pageSize());
      return DescribeRulesResponse.builder().rules(page.items()).nextMarker(page.next()).build();
    });
  }

  private static Rule rule(Listening listening) {
    return Rule.builder()
        .ruleArn(listening.ruleArn())
        .priority("default")
        .conditions(List.of())
        .actions(listening.listener().defaultActions())
        .isDefault(true)
        .build();
  }

  /** Tells every target group which load balancers send to it now. */
  static void associate(Tx tx, String balancerArn) {
    Set<String> used = new HashSet<>();
    for (Row<Listening> row : tx.find(State.LISTENERS, "balancer", balancerArn)) {
      State.groupsOf(row.value().listener().defaultActions().getFirst())
          .forEach(tuple -> used.add(tuple.targetGroupArn()));
    }
    for (Row<Group> row : tx.list(State.GROUPS)) {
      Group group = row.value();
      List<String> arns = new ArrayList<>(group.group().loadBalancerArns());
      boolean had = arns.contains(balancerArn);
      boolean has = used.contains(row.key());
      if (had == has) {
        continue;
      }
      if (has) {
        if (!arns.isEmpty()) {
          throw softwareLimit(row.key());
        }
        arns.add(balancerArn);
      } else {
        arns.remove(balancerArn);
      }
      tx.put(
          State.GROUPS,
          row.key(),
          new Group(
              group.group().toBuilder().loadBalancerArns(arns).build(),
              group.attributes(),
              group.tags(),
              group.targets()));
    }
  }

  private static RuntimeException softwareLimit(String groupArn) {
    return software.amazon.awssdk.services.elasticloadbalancingv2.model
        .TargetGroupAssociationLimitException.builder()
        .message(
            "The following target groups cannot be associated with more than one load balancer: "
                + groupArn)
        .build();
  }

  private static List<Action> actions(Tx tx, Balancing balancer, List<Action> actions) {
    if (actions.size() != 1) {
      throw Refuse.invalid("A listener must have exactly one default action here");
    }
    Action action = actions.getFirst();
    return switch (action.type()) {
      case FORWARD -> List.of(forward(tx, balancer, action));
      case FIXED_RESPONSE -> List.of(fixed(action));
      case null -> throw Refuse.invalid("An action type must be specified");
      default ->
          throw Refuse.invalid(
              "Actions of type '" + action.typeAsString() + "' are not supported in this region");
    };
  }

  /**
   * A forward action, checked and completed.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_ForwardActionConfig.html">ForwardActionConfig</a>
   */
  private static Action forward(Tx tx, Balancing balancer, Action action) {
    Refuse.unlessEffective(action, Set.of("Type", "TargetGroupArn", "ForwardConfig", "Order"));
    ForwardActionConfig config = action.forwardConfig();
    if (config != null
        && config.targetGroupStickinessConfig() != null
        && Boolean.TRUE.equals(config.targetGroupStickinessConfig().enabled())) {
      throw Refuse.invalid("Target group stickiness is not supported in this region");
    }
    List<TargetGroupTuple> given = State.groupsOf(action);
    if (given.isEmpty()) {
      throw Refuse.invalid("A target group ARN must be specified");
    }
    if (given.size() > MAX_GROUPS) {
      throw Refuse.invalid("A forward action can have at most 5 target groups");
    }
    if (action.targetGroupArn() != null
        && (given.size() > 1
            || !action.targetGroupArn().equals(given.getFirst().targetGroupArn()))) {
      throw Refuse.invalid(
          "You cannot specify both a target group ARN and a different ForwardConfig");
    }
    List<TargetGroupTuple> groups = new ArrayList<>();
    Set<String> arns = new HashSet<>();
    for (TargetGroupTuple tuple : given) {
      Group group = TargetGroups.get(tx, tuple.targetGroupArn());
      if (!arns.add(tuple.targetGroupArn())) {
        throw Refuse.invalid("Target group '" + tuple.targetGroupArn() + "' is specified twice");
      }
      int weight = tuple.weight() == null ? 1 : tuple.weight();
      if (weight < 0 || weight > MAX_WEIGHT) {
        throw Refuse.invalid("The weight '" + weight + "' must be in the range 0-999");
      }
      if (!group.group().vpcId().equals(balancer.balancer().vpcId())) {
        throw InvalidConfigurationRequestException.builder()
            .message(
                "The following target groups belong to a different VPC than load balancer '"
                    + balancer.balancer().loadBalancerArn()
                    + "': "
                    + tuple.targetGroupArn())
            .build();
      }
      groups.add(tuple.toBuilder().weight(weight).build());
    }
    return Action.builder()
        .type(ActionTypeEnum.FORWARD)
        .targetGroupArn(groups.size() == 1 ? groups.getFirst().targetGroupArn() : null)
        .order(action.order())
        .forwardConfig(
            ForwardActionConfig.builder()
                .targetGroups(groups)
                .targetGroupStickinessConfig(s -> s.enabled(false))
                .build())
        .build();
  }

  private static Action fixed(Action action) {
    Refuse.unlessEffective(action, Set.of("Type", "FixedResponseConfig", "Order"));
    FixedResponseActionConfig config = action.fixedResponseConfig();
    if (config == null || config.statusCode() == null) {
      throw Refuse.invalid("A fixed response must have a status code");
    }
    if (!config.statusCode().matches("[245][0-9][0-9]")) {
      throw Refuse.invalid(
          "The status code '" + config.statusCode() + "' is not valid: 2XX, 4XX or 5XX");
    }
    Set<String> types =
        Set.of("text/plain", "text/css", "text/html", "application/javascript", "application/json");
    if (config.contentType() != null && !types.contains(config.contentType())) {
      throw Refuse.invalid("The content type '" + config.contentType() + "' is not valid");
    }
    if (config.messageBody() != null && config.messageBody().length() > 1024) {
      throw Refuse.invalid("The message body must have at most 1024 characters");
    }
    return action;
  }

  private static void checkProtocol(@Nullable ProtocolEnum protocol, @Nullable String text) {
    if (protocol == null) {
      throw Refuse.invalid("A listener protocol must be specified");
    }
    if (protocol == ProtocolEnum.HTTPS) {
      throw UnsupportedProtocolException.builder()
          .message("Listener protocol 'HTTPS' is not supported in this region yet")
          .build();
    }
    if (protocol != ProtocolEnum.HTTP) {
      throw Refuse.invalid("Listener protocol '" + text + "' must be one of 'HTTP, HTTPS'");
    }
  }

  private static int port(@Nullable Integer port) {
    if (port == null || port < 1 || port > 65_535) {
      throw Refuse.invalid("Listener port '" + port + "' must be in the range 1-65535");
    }
    return port;
  }

  static Listening get(Tx tx, @Nullable String arn) {
    return tx.get(State.LISTENERS, Refuse.unlessArn(arn, "listener/app/", "listener"))
        .map(Row::value)
        .orElseThrow(() ->
            ListenerNotFoundException.builder().message("One or more listeners not found").build());
  }
}
