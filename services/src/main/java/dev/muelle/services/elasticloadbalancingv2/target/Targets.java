package dev.muelle.services.elasticloadbalancingv2.target;

import dev.muelle.services.elasticloadbalancingv2.node.Blocks;
import dev.muelle.services.elasticloadbalancingv2.request.GroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.AddressTypes;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.state.Wakes;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.SubnetIpv6CidrBlockAssociation;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.ec2.model.VpcCidrBlockAssociation;
import software.amazon.awssdk.services.ec2.model.VpcIpv6CidrBlockAssociation;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeregisterTargetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeregisterTargetsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidTargetException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RegisterTargetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RegisterTargetsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyTargetsException;

/** Who is in a target group: registering, deregistering, and targets that cease to exist. */
public final class Targets {

  public static final int MAX_TARGETS = 1000;

  private final Store store;
  private final InstantSource clock;
  private final Ec2Client ec2;
  private final Wakes wakes;

  public Targets(Store store, InstantSource clock, Ec2Client ec2, Wakes wakes) {
    this.store = store;
    this.clock = clock;
    this.ec2 = ec2;
    this.wakes = wakes;
  }

  public RegisterTargetsResponse register(RegisterTargetsRequest request) {
    Group before = store.read(tx -> Existing.group(tx, request.targetGroupArn()));
    Vpc vpc = TargetGroups.vpc(ec2, before.group().vpcId());
    List<Subnet> subnets =
        ec2.describeSubnets(
                r -> r.filters(Filter.builder().name("vpc-id").values(vpc.vpcId()).build()))
            .subnets();
    List<State.Target> wanted =
        request.targets().stream()
            .map(t ->
                switch (before.group().targetType()) {
                  case INSTANCE -> instance(t, before.group());
                  case ALB -> BalancerTargets.target(t, before.group(), port(t, before.group()));
                  default -> target(t, before.group(), vpc, subnets);
                })
            .toList();
    Group changed =
        store.write(tx -> {
          Group old = Existing.group(tx, request.targetGroupArn());
          List<State.Target> targets = new ArrayList<>(old.targets());
          for (State.Target target : wanted) {
            // One that is still draining gets its registration back.
            boolean registered = targets.contains(target);
            if (!registered) {
              targets.removeIf(t -> same(t, target));
              targets.add(target);
              for (State.Target at : BalancerTargets.reached(tx, target)) {
                tx.delete(
                    State.HEALTH,
                    State.healthKey(request.targetGroupArn(), at.address(), at.port()));
              }
            }
            if (target.balancer()) {
              BalancerTargets.unlessAllowed(tx, old.group(), target, targets);
            }
          }
          if (targets.size() > MAX_TARGETS) {
            throw TooManyTargetsException.builder()
                .message("The maximum number of targets per target group has been reached")
                .build();
          }
          Group next = new Group(old.group(), old.attributes(), old.tags(), targets);
          tx.put(State.GROUPS, request.targetGroupArn(), next);
          return next;
        });
    wakes.now(changed.group().loadBalancerArns());
    return RegisterTargetsResponse.builder().build();
  }

  private static boolean same(State.Target a, State.Target b) {
    return a.address().equals(b.address()) && a.port() == b.port();
  }

  private static InvalidTargetException invalid(String message) {
    return InvalidTargetException.builder().message(message).build();
  }

  private static State.Target target(
      TargetDescription t, TargetGroup group, Vpc vpc, List<Subnet> subnets) {
    boolean ipv6 = AddressTypes.ipv6(group);
    String id = ipv6 ? Blocks.normal6(t.id()) : ipv4(t.id());
    if (id == null) {
      throw Refuse.invalid(
          "The IP address '"
              + t.id()
              + "' is not a valid "
              + (ipv6 ? "IPv6" : "IPv4")
              + " address");
    }
    byte[] address = InetAddress.ofLiteral(id).getAddress();
    boolean inside =
        (ipv6 ? blocks6(vpc) : blocks(vpc)).anyMatch(block -> Blocks.within(block, address));
    if (!inside && (ipv6 || !Blocks.privateUse(address))) {
      throw invalid(
          "The IP address '"
              + t.id()
              + "' is not within a CIDR block of VPC '"
              + vpc.vpcId()
              + (ipv6 ? "'" : "' or a supported private range"));
    }
    if (!inside && !"all".equals(t.availabilityZone())) {
      throw Refuse.invalid(
          "You must specify an Availability Zone of 'all' for IP addresses outside the VPC");
    }
    int port = port(t, group);
    String zone =
        inside
            ? subnets.stream()
                .filter(s ->
                    (ipv6 ? blocks6(s) : Stream.of(s.cidrBlock()))
                        .anyMatch(block -> Blocks.within(block, address)))
                .map(Subnet::availabilityZone)
                .findFirst()
                .orElse(null)
            : "all";
    return new State.Target(null, id, port, zone, null);
  }

  private static @Nullable String ipv4(@Nullable String literal) {
    return literal != null
            && literal.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}")
            && Blocks.isAddress(literal)
        ? literal
        : null;
  }

  private static Stream<String> blocks(Vpc vpc) {
    return Stream.concat(
        Stream.of(vpc.cidrBlock()),
        vpc.cidrBlockAssociationSet().stream().map(VpcCidrBlockAssociation::cidrBlock));
  }

  private static Stream<String> blocks6(Vpc vpc) {
    return vpc.ipv6CidrBlockAssociationSet().stream()
        .map(VpcIpv6CidrBlockAssociation::ipv6CidrBlock);
  }

  private static Stream<String> blocks6(Subnet subnet) {
    return subnet.ipv6CidrBlockAssociationSet().stream()
        .map(SubnetIpv6CidrBlockAssociation::ipv6CidrBlock);
  }

  /** Whether a request speaks of this target of a group, however it spells its address. */
  static boolean means(TargetDescription t, State.Target target, TargetGroup group) {
    return target.port() == (t.port() == null ? group.port() : t.port())
        && (target.id().equals(t.id()) || target.id().equals(Blocks.normal6(t.id())));
  }

  private static int port(TargetDescription t, TargetGroup group) {
    int port = t.port() == null ? group.port() : t.port();
    if (port < 1 || port > 65_535) {
      throw Refuse.invalid("The port '" + port + "' is not in the range 1-65535");
    }
    return port;
  }

  /** An instance is reached at its primary address, which it keeps as long as it lives. */
  private State.Target instance(TargetDescription t, TargetGroup group) {
    if (t.availabilityZone() != null) {
      throw Refuse.invalid(
          "You cannot specify an Availability Zone for a target group of target type 'instance'");
    }
    String id = t.id() == null ? "" : t.id();
    Instance instance =
        find(id)
            .orElseThrow(
                () -> invalid("The following targets are not valid instances: '" + id + "'"));
    if (instance.state().name() != InstanceStateName.RUNNING) {
      throw invalid("The following targets are not in a running state: '" + id + "'");
    }
    if (!group.vpcId().equals(instance.vpcId())) {
      throw invalid(
          "The following targets are not in the target group VPC '"
              + group.vpcId()
              + "': '"
              + id
              + "'");
    }
    return new State.Target(
        id,
        instance.privateIpAddress(),
        port(t, group),
        instance.placement().availabilityZone(),
        null);
  }

  private Optional<Instance> find(String id) {
    try {
      return ec2.describeInstances(r -> r.instanceIds(id)).reservations().stream()
          .flatMap(reservation -> reservation.instances().stream())
          .findFirst();
    } catch (Ec2Exception e) {
      return Optional.empty(); // none has this id
    }
  }

  /** The ids of all instances that are targets. */
  public List<String> instances() {
    return store.read(tx -> tx.list(State.GROUPS)).stream()
        .flatMap(row -> row.value().targets().stream())
        .map(State.Target::instance)
        .filter(Objects::nonNull)
        .distinct()
        .toList();
  }

  /** A terminated instance is no target any more, in no group; it answers nobody. */
  public @Nullable Duration look(String id) {
    boolean lives =
        find(id)
            .filter(i ->
                i.state().name() != InstanceStateName.SHUTTING_DOWN
                    && i.state().name() != InstanceStateName.TERMINATED)
            .isPresent();
    if (lives) {
      return null;
    }
    List<Group> changed =
        store.write(tx -> {
          List<Group> all = new ArrayList<>();
          for (Row<Group> row : tx.list(State.GROUPS)) {
            Group old = row.value();
            List<State.Target> left =
                old.targets().stream().filter(t -> !id.equals(t.instance())).toList();
            if (left.size() < old.targets().size()) {
              Group next = new Group(old.group(), old.attributes(), old.tags(), left);
              tx.put(State.GROUPS, row.key(), next);
              all.add(next);
            }
          }
          return all;
        });
    for (Group group : changed) {
      wakes.now(group.group().loadBalancerArns());
      wakes.health().wake(group.group().targetGroupArn());
    }
    return null;
  }

  public DeregisterTargetsResponse deregister(DeregisterTargetsRequest request) {
    Group changed =
        store.write(tx -> {
          Group old = Existing.group(tx, request.targetGroupArn());
          long delay = Long.parseLong(old.attributes().getOrDefault(GroupAttributes.DELAY, "300"));
          Balancing balancer = TargetHealths.balancer(tx, old);
          List<State.Target> targets = new ArrayList<>();
          for (State.Target target : old.targets()) {
            boolean leaves =
                request.targets().stream().anyMatch(t -> means(t, target, old.group()));
            if (leaves && target.drainUntil() == null) {
              if (balancer != null && balancer.covers(target)) {
                targets.add(
                    new State.Target(
                        target.instance(),
                        target.address(),
                        target.port(),
                        target.zone(),
                        clock.instant().plusSeconds(delay)));
              }
            } else {
              targets.add(target);
            }
          }
          Group next = new Group(old.group(), old.attributes(), old.tags(), targets);
          tx.put(State.GROUPS, request.targetGroupArn(), next);
          return next;
        });
    wakes.now(changed.group().loadBalancerArns());
    wakes.health().wake(request.targetGroupArn());
    return DeregisterTargetsResponse.builder().build();
  }
}
