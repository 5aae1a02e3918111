package dev.muelle.services.elasticloadbalancingv2.plane;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.FlowListener;
import dev.muelle.balancer.Gate;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Front;
import dev.muelle.balancer.tls.Tls;
import dev.muelle.loop.Timers;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network;
import dev.muelle.network.SocketSpace;
import dev.muelle.services.Certificates;
import dev.muelle.services.elasticloadbalancingv2.listener.FlowListeners;
import dev.muelle.services.elasticloadbalancingv2.listener.ListenerAttributes;
import dev.muelle.services.elasticloadbalancingv2.listener.SslPolicies;
import dev.muelle.services.elasticloadbalancingv2.log.LogDelivery;
import dev.muelle.services.elasticloadbalancingv2.node.Admissions;
import dev.muelle.services.elasticloadbalancingv2.oidc.OidcGates;
import dev.muelle.services.elasticloadbalancingv2.request.Attributes;
import dev.muelle.services.elasticloadbalancingv2.request.FlowGroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.GroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.rule.Actions;
import dev.muelle.services.elasticloadbalancingv2.rule.Authentications;
import dev.muelle.services.elasticloadbalancingv2.rule.Conditions;
import dev.muelle.services.elasticloadbalancingv2.rule.Transforms;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.Shifts;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.state.State.Listening;
import dev.muelle.services.elasticloadbalancingv2.state.State.Node;
import dev.muelle.services.elasticloadbalancingv2.target.BalancerTargets;
import dev.muelle.services.elasticloadbalancingv2.target.Matchers;
import dev.muelle.services.elasticloadbalancingv2.trust.ClientAuths;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.net.InetAddress;
import java.net.NetworkInterface;
import java.net.SocketException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;

/** What the data plane is told of stored load balancers. */
final class Views {

  /** Where clients knock that resolve {@code .localhost}; not every machine has IPv6. */
  private static final List<String> SHARED =
      hasIpv6() ? List.of("127.0.0.1", "::1") : List.of("127.0.0.1");

  private final Store store;
  private final Timers clock;
  private final Ec2Client ec2;
  private final Certificates certificates;
  private final Network network;
  private final LogDelivery logs;
  private final OidcGates oidc;
  private final ClientAuths clientAuths = new ClientAuths();

  Views(
      Store store,
      Timers clock,
      Ec2Client ec2,
      Certificates certificates,
      Network network,
      LogDelivery logs,
      OidcGates oidc) {
    this.store = store;
    this.clock = clock;
    this.ec2 = ec2;
    this.certificates = certificates;
    this.network = network;
    this.logs = logs;
    this.oidc = oidc;
  }

  private static boolean hasIpv6() {
    try {
      return NetworkInterface.getByInetAddress(InetAddress.ofLiteral("::1")) != null;
    } catch (SocketException e) {
      return false;
    }
  }

  /** One of them, as it is to be served from now on. */
  LoadBalancer of(Balancing wanted) {
    var described = wanted.balancer();
    SocketSpace space = network.sockets(described.vpcId());
    LoadBalancer.Sockets sockets =
        new LoadBalancer.Sockets() {
          @Override
          public <T> T call(Callable<T> birth) throws Exception {
            return space.call(birth);
          }
        };
    Predicate<LoadBalancer.Admission> admits = admits(described.securityGroups());
    List<Front> doors = new ArrayList<>();
    if (described.scheme() == LoadBalancerSchemeEnum.INTERNET_FACING) {
      // Only a request of HTTP says whom it is for.
      Stream.concat(SHARED.stream(), Stream.of(wanted.front()))
          .filter(address ->
              address.contains(":") ? !wanted.dual() || !wanted.denies() : wanted.publicIpv4())
          .forEach(address ->
              doors.add(
                  new Front(
                      address, !address.equals(wanted.front()) && !wanted.network(), admits)));
    }
    List<LoadBalancer.Listener> listeners = new ArrayList<>();
    List<FlowListener> flows = new ArrayList<>();
    Map<String, LoadBalancer.TargetGroup> groups = new HashMap<>();
    if (!store.read(tx -> tx.list(State.CLIENT_SECRETS)).isEmpty()) {
      oidc.ready();
    }
    store.read(tx -> {
      for (Row<Listening> row : tx.find(State.LISTENERS, "balancer", described.loadBalancerArn())) {
        var listener = row.value().listener();
        if (wanted.network()) {
          flows.add(
              FlowListeners.view(
                  listener,
                  tls(tx, row.value(), FlowListeners.protocols(listener)),
                  row.value().attributes()));
          add(tx, wanted, listener.defaultActions(), groups);
          continue;
        }
        List<Action> actions = new ArrayList<>(listener.defaultActions());
        List<LoadBalancer.Rule> rules = new ArrayList<>();
        List<Gate> gates = new ArrayList<>();
        for (State.Ruling ruling : Existing.rules(tx, row.key())) {
          actions.addAll(ruling.rule().actions());
          rules.add(
              new LoadBalancer.Rule(
                  ruling.rule().conditions().stream().map(Conditions::view).toList(),
                  view(tx, wanted, ruling.rule().ruleArn(), ruling.rule().actions(), gates),
                  Transforms.view(ruling.rule().transforms()),
                  Integer.parseInt(ruling.rule().priority())));
        }
        LoadBalancer.Action otherwise =
            view(tx, wanted, row.value().ruleArn(), listener.defaultActions(), gates);
        listeners.add(
            new LoadBalancer.Listener(
                row.key(),
                listener.port(),
                rules,
                otherwise,
                tls(tx, row.value(), Attributes.http2(wanted.attributes()) ? Tls.HTTP2 : Tls.HTTP1),
                ListenerAttributes.view(row.value().attributes()),
                oidc.returns(described.loadBalancerArn(), gates)));
        add(tx, wanted, actions, groups);
      }
      return true;
    });
    return new LoadBalancer(
        described.loadBalancerArn(),
        described.dnsName().toLowerCase(java.util.Locale.ROOT),
        wanted.nodes().stream()
            .map(node ->
                new LoadBalancer.Node(
                    node.address(),
                    node.secondary(),
                    node.ipv6(),
                    node.prefix() == null ? null : Cidr6.parse(node.prefix()).at(0),
                    node.zone(),
                    sockets,
                    mark(wanted, node, groups.values())))
            .toList(),
        doors,
        listeners,
        flows,
        groups,
        Attributes.settings(
            wanted.attributes(), logs.journal(described.loadBalancerArn(), wanted.attributes())));
  }

  /** The target groups of these actions. */
  private void add(
      Tx tx, Balancing wanted, List<Action> actions, Map<String, LoadBalancer.TargetGroup> groups) {
    for (Action action : actions) {
      for (TargetGroupTuple tuple : State.groupsOf(action)) {
        String arn = tuple.targetGroupArn();
        tx.get(State.GROUPS, arn)
            .ifPresent(group -> groups.put(arn, group(tx, wanted, group.value())));
      }
    }
  }

  /**
   * What is done in the end, behind a gate if users are authenticated before.
   *
   * @param gates where the gate is noted
   */
  private LoadBalancer.Action view(
      Tx tx, Balancing wanted, String ruleArn, List<Action> actions, List<Gate> gates) {
    LoadBalancer.Action.Ending end = Actions.view(actions.getLast());
    if (actions.size() == 1) {
      return end;
    }
    Gate gate =
        oidc.before(
            wanted.balancer().loadBalancerArn(),
            Authentications.view(tx, ruleArn, actions.getFirst()));
    gates.add(gate);
    return new LoadBalancer.Action.Gated(gate, end);
  }

  private Predicate<LoadBalancer.Admission> admits(List<String> groups) {
    if (groups.isEmpty()) {
      return a -> true; // a network load balancer without groups lets everybody in
    }
    List<IpPermission> ingress =
        ec2.describeSecurityGroups(r -> r.groupIds(groups)).securityGroups().stream()
            .flatMap(group -> group.ipPermissions().stream())
            .toList();
    return a -> Admissions.admits(ingress, a.clientAddress(), a.protocol(), a.listenerPort());
  }

  /** How a listener speaks TLS; null if it speaks plain HTTP. */
  private @Nullable Tls tls(Tx tx, Listening listening, List<String> alpn) {
    if (listening.listener().certificates().isEmpty()) {
      return null;
    }
    var policy = SslPolicies.get(listening.listener().sslPolicy());
    return new Tls(
        // A certificate in use cannot be deleted.
        identity(tx, listening.listener().certificates().getFirst().certificateArn()).orElseThrow(),
        listening.certificates().stream().flatMap(arn -> identity(tx, arn).stream()).toList(),
        policy.sslProtocols(),
        SslPolicies.suites(policy),
        alpn,
        clientAuths.view(tx, listening.listener().mutualAuthentication()),
        SslPolicies.postQuantum(policy));
  }

  private Optional<Tls.Identity> identity(Tx tx, String arn) {
    return certificates.identity(tx, arn).map(one -> new Tls.Identity(one.key(), one.chain(), arn));
  }

  private LoadBalancer.TargetGroup group(Tx tx, Balancing balancer, Group stored) {
    TargetGroup group = stored.group();
    Set<String> healthy = new HashSet<>();
    tx.list(State.HEALTH, group.targetGroupArn() + "|")
        .forEach(row -> {
          if (row.value().health().equals(Health.HEALTHY.name())) {
            healthy.add(row.key());
          }
        });
    String port = group.healthCheckPort();
    boolean flows = stored.flows();
    LoadBalancer.Version version =
        flows
            ? LoadBalancer.Version.HTTP1 // of health checks
            : LoadBalancer.Version.valueOf(group.protocolVersion());
    boolean grpc = version == LoadBalancer.Version.GRPC;
    Optional<String> away =
        Shifts.away(tx, balancer).filter(zone -> Shifts.crosses(balancer, stored));
    return new LoadBalancer.TargetGroup(
        group.targetGroupArn(),
        version,
        group.protocol() == ProtocolEnum.HTTPS,
        flows
            ? FlowGroupAttributes.choice(group, stored.attributes(), balancer.crossZone())
            : GroupAttributes.choice(stored.attributes()),
        new LoadBalancer.HealthCheck(
            port.equals("traffic-port") ? 0 : Integer.parseInt(port),
            group.healthCheckPath() == null ? "" : group.healthCheckPath(),
            group.matcher() == null
                ? status -> true
                : Matchers.parse(
                    grpc ? group.matcher().grpcCode() : group.matcher().httpCode(), grpc),
            Duration.ofSeconds(group.healthCheckIntervalSeconds()),
            Duration.ofSeconds(group.healthCheckTimeoutSeconds()),
            group.healthyThresholdCount(),
            group.unhealthyThresholdCount(),
            group.healthCheckProtocol() == ProtocolEnum.HTTPS),
        BalancerTargets.reached(tx, stored).targets().stream()
            .filter(balancer::covers)
            .map(target ->
                new LoadBalancer.Member(
                    new Balancer.Target(target.address(), target.port()),
                    target.zone() == null ? "" : target.zone(),
                    onMachine(target.drainUntil()),
                    healthy.contains(
                        State.healthKey(group.targetGroupArn(), target.address(), target.port())),
                    away.isPresent() && away.get().equals(target.zone())))
            .toList(),
        flows ? FlowGroupAttributes.delivery(group, stored.attributes()) : null);
  }

  /** The data plane goes by the machine's clock. */
  private @Nullable Instant onMachine(@Nullable Instant at) {
    return at == null ? null : clock.toMachine(at);
  }

  /** What sockets bear that send for a node under clients' addresses; 0 if none does. */
  private int mark(Balancing balancer, Node node, Collection<LoadBalancer.TargetGroup> groups) {
    boolean keeps =
        groups.stream()
            .map(LoadBalancer.TargetGroup::delivery)
            .anyMatch(how -> how != null && how.keepsClient());
    return balancer.network() && keeps ? network.onBehalf(node.interfaceId()) : 0;
  }
}
