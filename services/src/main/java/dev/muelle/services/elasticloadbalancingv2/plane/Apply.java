package dev.muelle.services.elasticloadbalancingv2.plane;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.Balancer.TargetState;
import dev.muelle.balancer.FlowListener;
import dev.muelle.balancer.Gate;
import dev.muelle.balancer.LoadBalancer;
import dev.muelle.balancer.LoadBalancer.Front;
import dev.muelle.balancer.tls.Tls;
import dev.muelle.loop.Timers;
import dev.muelle.network.Cidr6;
import dev.muelle.network.Network;
import dev.muelle.network.Network.Use;
import dev.muelle.network.SocketSpace;
import dev.muelle.services.Certificates;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.elasticloadbalancingv2.listener.FlowListeners;
import dev.muelle.services.elasticloadbalancingv2.listener.ListenerAttributes;
import dev.muelle.services.elasticloadbalancingv2.listener.SslPolicies;
import dev.muelle.services.elasticloadbalancingv2.log.LogDelivery;
import dev.muelle.services.elasticloadbalancingv2.node.Admissions;
import dev.muelle.services.elasticloadbalancingv2.node.Fronts;
import dev.muelle.services.elasticloadbalancingv2.node.Gateways;
import dev.muelle.services.elasticloadbalancingv2.node.NodeAddresses;
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
import dev.muelle.services.elasticloadbalancingv2.state.State.Known;
import dev.muelle.services.elasticloadbalancingv2.state.State.Listening;
import dev.muelle.services.elasticloadbalancingv2.state.State.Node;
import dev.muelle.services.elasticloadbalancingv2.target.BalancerTargets;
import dev.muelle.services.elasticloadbalancingv2.target.Matchers;
import dev.muelle.services.elasticloadbalancingv2.trust.ClientAuths;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import dev.muelle.wire.Caller;
import java.net.InetAddress;
import java.net.SocketException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Action;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAddress;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerSchemeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerStateEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupTuple;

/** Makes stored load balancers so: their interfaces, and what the data plane is told. */
public final class Apply {

  private static final Logger LOG = LoggerFactory.getLogger(Apply.class);
  private static final Duration AGAIN = Duration.ofSeconds(30);

  /** Where clients knock that resolve {@code .localhost}; not every machine has IPv6. */
  private static final List<String> SHARED =
      hasIpv6() ? List.of("127.0.0.1", "::1") : List.of("127.0.0.1");

  private final Scope scope;
  private final Store store;
  private final Timers clock;
  private final Ids ids;
  private final Ec2Client ec2;
  private final Gateways gateways;
  private final Certificates certificates;
  private final Network network;
  private final Balancer balancer;
  private final Fronts fronts;
  private final LogDelivery logs;
  private final OidcGates oidc;
  private final ClientAuths clientAuths = new ClientAuths();
  private final ReentrantLock lock = new ReentrantLock();

  public Apply(
      Scope scope,
      Store store,
      Timers clock,
      Ids ids,
      Ec2Client ec2,
      Gateways gateways,
      Certificates certificates,
      Network network,
      Balancer balancer,
      Fronts fronts,
      LogDelivery logs,
      OidcGates oidc) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.ec2 = ec2;
    this.gateways = gateways;
    this.certificates = certificates;
    this.network = network;
    this.balancer = balancer;
    this.fronts = fronts;
    this.logs = logs;
    this.oidc = oidc;
  }

  private static boolean hasIpv6() {
    try {
      return java.net.NetworkInterface.getByInetAddress(InetAddress.ofLiteral("::1")) != null;
    } catch (SocketException e) {
      return false;
    }
  }

  private <R> R asService(ScopedValue.CallableOp<R, RuntimeException> work) {
    Caller self =
        new Caller(
            scope.account(),
            scope.region(),
            scope.globalArn(
                "iam",
                "role/aws-service-role/elasticloadbalancing.amazonaws.com/"
                    + "AWSServiceRoleForElasticLoadBalancing"),
            "AWSServiceRoleForElasticLoadBalancing",
            "",
            ids.uuid());
    return ScopedValue.where(Caller.CURRENT, self).call(work);
  }

  /** Brings one load balancer up to what is stored. */
  public @Nullable Duration balancer(String arn) {
    lock.lock();
    try {
      Balancing wanted =
          store.read(tx -> tx.get(State.BALANCERS, arn)).map(Row::value).orElse(null);
      if (wanted == null) {
        balancer.remove(arn);
        return null;
      }
      return asService(() -> wanted.deleted() ? remove(arn, wanted) : put(arn, wanted));
    } finally {
      lock.unlock();
    }
  }

  /** What sockets bear that send for a node under clients' addresses; 0 if none does. */
  private int mark(Balancing balancer, Node node, Collection<LoadBalancer.TargetGroup> groups) {
    boolean keeps =
        groups.stream()
            .map(LoadBalancer.TargetGroup::delivery)
            .anyMatch(how -> how != null && how.keepsClient());
    return balancer.network() && keeps ? network.onBehalf(node.interfaceId()) : 0;
  }

  private @Nullable Duration remove(String arn, Balancing wanted) {
    balancer.remove(arn);
    Set<String> interfaces = new HashSet<>();
    wanted.nodes().forEach(node -> interfaces.add(node.interfaceId()));
    // One may have been made by a server that died before it wrote that down.
    Filter ours = Filter.builder().name("description").values(description(arn)).build();
    ec2.describeNetworkInterfaces(r -> r.filters(ours))
        .networkInterfaces()
        .forEach(eni -> interfaces.add(eni.networkInterfaceId()));
    interfaces.forEach(this::delete);
    store.write(tx -> tx.delete(State.BALANCERS, arn));
    fronts.release(arn);
    oidc.forget(arn);
    return null;
  }

  private void delete(String id) {
    try {
      network.unplug(id);
      ec2.deleteNetworkInterface(r -> r.networkInterfaceId(id));
    } catch (AwsServiceException e) {
      if (!"InvalidNetworkInterfaceID.NotFound".equals(e.awsErrorDetails().errorCode())) {
        throw e;
      }
    }
  }

  private Duration put(String arn, Balancing before) {
    NodeAddresses addresses = new NodeAddresses(ec2, before);
    Balancing all = nodes(arn, before, addresses);
    Balancing wanted = all.withNodes(all.enabled());
    Map<String, String> problems = new LinkedHashMap<>(balancer.put(view(wanted)));
    problems.putAll(addresses.problems());
    addresses.shed(wanted.nodes());
    if (!wanted.nodes().equals(all.nodes())) {
      // What nobody is led to any more goes, and is remembered until it has gone.
      all.nodes().stream()
          .filter(node -> !wanted.nodes().contains(node))
          .forEach(node -> delete(node.interfaceId()));
      change(arn, now -> now.withNodes(wanted.nodes()));
    }
    boolean active = wanted.balancer().state().code() == LoadBalancerStateEnum.ACTIVE;
    if (!problems.equals(wanted.problems()) || !active) {
      problems.forEach(
          (at, why) -> LOG.warn("{} cannot listen at {}: {}", wanted.front(), at, why));
      String reason =
          problems.isEmpty()
              ? null
              : "Some endpoints cannot listen: "
                  + String.join(
                      "; ",
                      problems.entrySet().stream()
                          .map(e -> e.getKey() + ": " + e.getValue())
                          .toList());
      change(
          arn,
          now ->
              new Balancing(
                  now.balancer().toBuilder()
                      .state(s -> s.code(LoadBalancerStateEnum.ACTIVE).reason(reason))
                      .build(),
                  now.attributes(),
                  now.tags(),
                  now.nodes(),
                  now.front(),
                  problems,
                  now.deleted()));
    }
    return AGAIN;
  }

  private void change(String arn, java.util.function.UnaryOperator<Balancing> step) {
    store.write(tx -> {
      tx.get(State.BALANCERS, arn)
          .ifPresent(row -> tx.put(State.BALANCERS, arn, step.apply(row.value())));
      return true;
    });
  }

  /**
   * One interface in each subnet, made if it is missing, and plugged. Those in subnets that it has
   * left are still among its nodes.
   */
  private Balancing nodes(String arn, Balancing wanted, NodeAddresses addresses) {
    List<Node> nodes = new ArrayList<>(wanted.nodes());
    Set<String> have = new HashSet<>();
    nodes.forEach(node -> have.add(node.subnet()));
    for (AvailabilityZone zone : wanted.balancer().availabilityZones()) {
      if (have.add(zone.subnetId())) {
        Optional<LoadBalancerAddress> asked = zone.loadBalancerAddresses().stream().findFirst();
        var made =
            ec2.createNetworkInterface(r ->
                    r.subnetId(zone.subnetId())
                        .interfaceType(wanted.network() ? "network_load_balancer" : "interface")
                        .privateIpAddress(
                            asked.map(LoadBalancerAddress::privateIPv4Address).orElse(null))
                        .groups(wanted.balancer().securityGroups())
                        .description(description(arn))
                        .clientToken( // at most 64 characters: the balancer's own number, and the
                            // subnet
                            arn.substring(arn.lastIndexOf('/') + 1) + "-" + zone.subnetId()))
                .networkInterface();
        nodes.add(
            new Node(
                zone.subnetId(),
                zone.zoneName(),
                made.networkInterfaceId(),
                made.privateIpAddress(),
                null,
                null));
      }
    }
    for (AvailabilityZone zone : wanted.balancer().availabilityZones()) {
      zone.loadBalancerAddresses().stream()
          .map(LoadBalancerAddress::allocationId)
          .filter(Objects::nonNull)
          .forEach(allocation -> associate(allocation, nodes, zone.subnetId()));
    }
    Balancing with = wanted.withNodes(nodes);
    with.enabled()
        .forEach(node -> {
          network.plug(node.interfaceId(), Use.SERVER);
          if (wanted.network()) {
            network.countPackets(node.interfaceId());
          }
        });
    List<NetworkInterface> interfaces = interfaces(with.enabled());
    regroup(interfaces, wanted.balancer().securityGroups());
    deny(wanted, interfaces);
    List<Node> addressed = addresses.of(nodes, interfaces);
    if (!addressed.equals(wanted.nodes())) {
      change(arn, now -> now.withNodes(addressed));
    }
    return wanted.withNodes(addressed);
  }

  /** Says who may not be reached through internet gateways: before it has addresses. */
  private void deny(Balancing wanted, List<NetworkInterface> interfaces) {
    interfaces.forEach(eni -> {
      boolean deny = wanted.denies() && (wanted.dual() || !eni.ipv6Addresses().isEmpty());
      if (deny != Boolean.TRUE.equals(eni.denyAllIgwTraffic())) {
        gateways.denyAllIgwTraffic(eni.networkInterfaceId(), deny);
      }
    });
  }

  /** Gives a node its Elastic IP, unless it has it. */
  private void associate(String allocation, List<Node> nodes, String subnet) {
    String id =
        nodes.stream()
            .filter(node -> node.subnet().equals(subnet))
            .map(Node::interfaceId)
            .findFirst()
            .orElseThrow();
    boolean has =
        ec2.describeAddresses(r -> r.allocationIds(allocation)).addresses().stream()
            .anyMatch(address -> id.equals(address.networkInterfaceId()));
    if (!has) {
      ec2.associateAddress(r -> r.allocationId(allocation).networkInterfaceId(id));
    }
  }

  /** The interfaces are in the load balancer's groups, whenever these were changed. */
  private void regroup(List<NetworkInterface> interfaces, List<String> groups) {
    interfaces.forEach(eni -> {
      Set<String> has = new HashSet<>();
      eni.groups().forEach(group -> has.add(group.groupId()));
      if (!has.equals(Set.copyOf(groups))) {
        ec2.modifyNetworkInterfaceAttribute(
            r -> r.networkInterfaceId(eni.networkInterfaceId()).groups(groups));
      }
    });
  }

  private List<NetworkInterface> interfaces(List<Node> nodes) {
    List<String> ids = nodes.stream().map(Node::interfaceId).toList();
    return ids.isEmpty()
        ? List.of()
        : ec2.describeNetworkInterfaces(r -> r.networkInterfaceIds(ids)).networkInterfaces();
  }

  private static String description(String arn) {
    return "ELB " + arn.substring(arn.indexOf("loadbalancer/") + "loadbalancer/".length());
  }

  private LoadBalancer view(Balancing wanted) {
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

  /** Writes down what the checks of one target group found, and forgets who has drained. */
  public @Nullable Duration health(String arn) {
    Map<Balancer.Target, TargetState> found = balancer.targets(arn);
    boolean forgotten =
        store.write(tx -> {
          Group group = tx.get(State.GROUPS, arn).map(Row::value).orElse(null);
          if (group == null) {
            tx.deletePrefix(State.HEALTH, arn + "|");
            return false;
          }
          List<State.Target> kept = new ArrayList<>();
          Set<String> keys = new HashSet<>();
          for (State.Target target : group.targets()) {
            List<State.Target> places = BalancerTargets.reached(tx, target);
            if (target.drainUntil() != null && drained(group, target, places, found)) {
              continue;
            }
            kept.add(target);
            for (State.Target at : places) {
              String key = State.healthKey(arn, at.address(), at.port());
              keys.add(key);
              note(tx, key, state(found, at));
            }
          }
          for (Row<Known> row : tx.list(State.HEALTH, arn + "|")) {
            if (!keys.contains(row.key())) {
              tx.delete(State.HEALTH, row.key());
            }
          }
          if (kept.size() == group.targets().size()) {
            return false;
          }
          tx.put(
              State.GROUPS, arn, new Group(group.group(), group.attributes(), group.tags(), kept));
          return true;
        });
    if (forgotten) {
      store
          .read(tx -> tx.get(State.GROUPS, arn))
          .ifPresent(row -> row.value().group().loadBalancerArns().forEach(this::balancer));
    }
    // The data plane says when a target has drained; nobody has to wait longer than the delay.
    Instant now = clock.instant();
    return store
        .read(tx -> tx.get(State.GROUPS, arn))
        .flatMap(row ->
            row.value().targets().stream()
                .map(State.Target::drainUntil)
                .filter(Objects::nonNull)
                .min(Comparator.naturalOrder()))
        .map(end -> end.isAfter(now) ? Duration.between(now, end) : Duration.ZERO)
        .orElse(null);
  }

  private static @Nullable TargetState state(
      Map<Balancer.Target, TargetState> found, State.Target at) {
    return found.get(new Balancer.Target(at.address(), at.port()));
  }

  private static void note(Tx tx, String key, @Nullable TargetState state) {
    if (state != null) {
      Known known =
          new Known(state.health().name(), state.reason(), state.description(), state.since());
      if (!tx.get(State.HEALTH, key).map(Row::value).equals(Optional.of(known))) {
        tx.put(State.HEALTH, key, known);
      }
    }
  }

  /** Of places that the load balancer does not send to nothing is known. */
  private boolean drained(
      Group group,
      State.Target target,
      List<State.Target> places,
      Map<Balancer.Target, TargetState> found) {
    List<TargetState> known =
        places.stream().map(at -> state(found, at)).filter(Objects::nonNull).toList();
    return places.isEmpty()
        || !known.isEmpty() && known.stream().allMatch(one -> one.health() == Health.DRAINED)
        || group.group().loadBalancerArns().isEmpty()
        || !clock.instant().isBefore(Objects.requireNonNull(target.drainUntil()));
  }
}
