package dev.muelle.services.elasticloadbalancingv2.plane;

import dev.muelle.balancer.Balancer;
import dev.muelle.balancer.Balancer.Health;
import dev.muelle.balancer.Balancer.TargetState;
import dev.muelle.loop.Timers;
import dev.muelle.network.Network;
import dev.muelle.network.Network.Use;
import dev.muelle.services.Certificates;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.elasticloadbalancingv2.log.LogDelivery;
import dev.muelle.services.elasticloadbalancingv2.node.Fronts;
import dev.muelle.services.elasticloadbalancingv2.node.Gateways;
import dev.muelle.services.elasticloadbalancingv2.node.NodeAddresses;
import dev.muelle.services.elasticloadbalancingv2.oidc.OidcGates;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.state.State.Known;
import dev.muelle.services.elasticloadbalancingv2.state.State.Node;
import dev.muelle.services.elasticloadbalancingv2.target.BalancerTargets;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import dev.muelle.wire.Caller;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.NetworkInterface;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAddress;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerStateEnum;

/** Makes stored load balancers so: their interfaces, and what the data plane is told. */
public final class Apply {

  private static final Logger LOG = LoggerFactory.getLogger(Apply.class);
  private static final Duration AGAIN = Duration.ofSeconds(30);

  private final Scope scope;
  private final Store store;
  private final Timers clock;
  private final Ids ids;
  private final Ec2Client ec2;
  private final Gateways gateways;
  private final Network network;
  private final Balancer balancer;
  private final Fronts fronts;
  private final OidcGates oidc;
  private final Views views;
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
    this.network = network;
    this.balancer = balancer;
    this.fronts = fronts;
    this.oidc = oidc;
    views = new Views(store, clock, ec2, certificates, network, logs, oidc);
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
    Map<String, String> problems = new LinkedHashMap<>(balancer.put(views.of(wanted)));
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
