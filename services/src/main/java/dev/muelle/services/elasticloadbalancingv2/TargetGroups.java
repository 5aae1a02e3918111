package dev.muelle.services.elasticloadbalancingv2;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.elasticloadbalancingv2.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.State.Group;
import dev.muelle.services.elasticloadbalancingv2.State.Known;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.net.InetAddress;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Instance;
import software.amazon.awssdk.services.ec2.model.InstanceStateName;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTargetGroupResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeregisterTargetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeregisterTargetsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetHealthRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetHealthResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DuplicateTargetGroupNameException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidTargetException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Matcher;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupAttributesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RegisterTargetsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RegisterTargetsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ResourceInUseException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupIpAddressTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealth;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthReasonEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetHealthStateEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyTargetGroupsException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyTargetsException;

/** Target groups, their attributes and their targets. */
final class TargetGroups {

  private static final int MAX = 3000;
  private static final int MAX_TARGETS = 1000;
  private static final Set<String> CREATE =
      Set.of(
          "Name",
          "Protocol",
          "ProtocolVersion",
          "Port",
          "VpcId",
          "HealthCheckProtocol",
          "HealthCheckPort",
          "HealthCheckEnabled",
          "HealthCheckPath",
          "HealthCheckIntervalSeconds",
          "HealthCheckTimeoutSeconds",
          "HealthyThresholdCount",
          "UnhealthyThresholdCount",
          "Matcher",
          "TargetType",
          "Tags",
          "IpAddressType");

  private static final String GRPC = "GRPC";

  private final Scope scope;
  private final Store store;
  private final InstantSource clock;
  private final Ids ids;
  private final Ec2Client ec2;
  private final Wakes wakes;

  TargetGroups(Scope scope, Store store, InstantSource clock, Ids ids, Ec2Client ec2, Wakes wakes) {
    this.scope = scope;
    this.store = store;
    this.clock = clock;
    this.ids = ids;
    this.ec2 = ec2;
    this.wakes = wakes;
  }

  static Group get(Tx tx, String arn) {
    Refuse.unlessArn(arn, "targetgroup/", "target group");
    return tx.get(State.GROUPS, arn)
        .map(Row::value)
        .orElseThrow(() ->
            TargetGroupNotFoundException.builder()
                .message("Target groups '" + arn + "' not found")
                .build());
  }

  CreateTargetGroupResponse create(CreateTargetGroupRequest request) {
    Refuse.unlessEffective(request, CREATE);
    String name = Refuse.unlessPresent("name", request.name());
    if (!name.matches("[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")) {
      throw Refuse.invalid(
          "Target group name '"
              + name
              + "' must have at most 32 alphanumeric characters or hyphens, and must not begin or end"
              + " with a hyphen");
    }
    TargetTypeEnum type =
        request.targetType() == null ? TargetTypeEnum.INSTANCE : request.targetType();
    if (type != TargetTypeEnum.IP && type != TargetTypeEnum.INSTANCE) {
      throw Refuse.invalid(
          "The target type '"
              + request.targetTypeAsString()
              + "' is not supported in this region: use 'ip' or 'instance'");
    }
    if (request.protocol() != ProtocolEnum.HTTP) {
      throw Refuse.invalid(
          request.protocol() == null
              ? "A protocol must be specified"
              : "The protocol '"
                  + request.protocolAsString()
                  + "' is not supported in this region");
    }
    if (request.ipAddressType() != null
        && request.ipAddressType() != TargetGroupIpAddressTypeEnum.IPV4) {
      throw Refuse.invalid(
          "The IP address type '"
              + request.ipAddressTypeAsString()
              + "' is not supported in this region");
    }
    if (request.port() == null || request.port() < 1 || request.port() > 65_535) {
      throw Refuse.invalid("A port between 1 and 65535 must be specified");
    }
    if (request.vpcId() == null) {
      throw Refuse.invalid("A VPC ID must be specified");
    }
    vpc(request.vpcId());
    Tags.check(request.tags());
    String version = version(request.protocolVersion());
    boolean grpc = version.equals(GRPC);
    TargetGroup wanted =
        checked(
            TargetGroup.builder()
                .targetGroupName(name)
                .protocol(ProtocolEnum.HTTP)
                .protocolVersion(version)
                .port(request.port())
                .vpcId(request.vpcId())
                .targetType(type)
                .ipAddressType(TargetGroupIpAddressTypeEnum.IPV4)
                .loadBalancerArns(List.of())
                .healthCheckEnabled(enabled(request.healthCheckEnabled(), type))
                .healthCheckProtocol(protocol(request.healthCheckProtocol()))
                .healthCheckPort(or(request.healthCheckPort(), "traffic-port"))
                .healthCheckPath(or(request.healthCheckPath(), grpc ? "/AWS.ALB/healthcheck" : "/"))
                .healthCheckIntervalSeconds(or(request.healthCheckIntervalSeconds(), 30))
                .healthCheckTimeoutSeconds(or(request.healthCheckTimeoutSeconds(), 5))
                .healthyThresholdCount(or(request.healthyThresholdCount(), 5))
                .unhealthyThresholdCount(or(request.unhealthyThresholdCount(), 2))
                .matcher(or(matcher(request.matcher(), grpc), usual(grpc)))
                .build());
    TargetGroup made =
        store.write(tx -> {
          List<Row<Group>> all = tx.list(State.GROUPS);
          for (Row<Group> row : all) {
            TargetGroup other = row.value().group();
            if (other.targetGroupName().equals(name)) {
              if (other.toBuilder()
                  .targetGroupArn(null)
                  .loadBalancerArns(List.of())
                  .build()
                  .equals(wanted)) {
                return other;
              }
              throw DuplicateTargetGroupNameException.builder()
                  .message(
                      "A target group with the same name '"
                          + name
                          + "' exists, but with different settings")
                  .build();
            }
          }
          if (all.size() >= MAX) {
            throw TooManyTargetGroupsException.builder()
                .message("The maximum number of target groups has been reached")
                .build();
          }
          String arn = scope.arn("elasticloadbalancing", "targetgroup/" + name + "/" + ids.hex(16));
          TargetGroup group = wanted.toBuilder().targetGroupArn(arn).build();
          tx.insert(
              State.GROUPS, arn, new Group(group, Attributes.GROUP, request.tags(), List.of()));
          return group;
        });
    return CreateTargetGroupResponse.builder().targetGroups(made).build();
  }

  private static <T> T or(@Nullable T value, T otherwise) {
    return value == null ? otherwise : value;
  }

  private static boolean enabled(@Nullable Boolean enabled, TargetTypeEnum type) {
    if (enabled != null && !enabled) {
      throw Refuse.invalid(
          "Health checks must be enabled for target groups with target type '" + type + "'");
    }
    return true;
  }

  private static ProtocolEnum protocol(@Nullable ProtocolEnum protocol) {
    if (protocol != null && protocol != ProtocolEnum.HTTP) {
      throw Refuse.invalid(
          "The health check protocol '" + protocol + "' is not supported in this region");
    }
    return ProtocolEnum.HTTP;
  }

  private static String version(@Nullable String version) {
    if (version == null) {
      return "HTTP1";
    }
    if (!Set.of("HTTP1", "HTTP2", GRPC).contains(version)) {
      throw Refuse.invalid(
          "Protocol version '" + version + "' must be one of 'HTTP1, HTTP2, GRPC'");
    }
    return version;
  }

  /** What counts as healthy unless something is said: with gRPC, that nothing is implemented. */
  private static Matcher usual(boolean grpc) {
    return grpc
        ? Matcher.builder().grpcCode("12").build()
        : Matcher.builder().httpCode("200").build();
  }

  /** A matcher of the kind that the protocol version has; null if none was given. */
  private static @Nullable Matcher matcher(@Nullable Matcher matcher, boolean grpc) {
    if (matcher == null) {
      return null;
    }
    Refuse.unlessEffective(matcher, Set.of(grpc ? "GrpcCode" : "HttpCode"));
    String codes = grpc ? matcher.grpcCode() : matcher.httpCode();
    if (codes == null) {
      throw Refuse.invalid(
          "Health check matcher " + (grpc ? "GRPC" : "HTTP") + " code must be specified");
    }
    Matchers.parse(codes, grpc);
    return matcher;
  }

  private static TargetGroup checked(TargetGroup group) {
    range("Health check interval", group.healthCheckIntervalSeconds(), 5, 300);
    range("Health check timeout", group.healthCheckTimeoutSeconds(), 2, 120);
    range("Healthy threshold count", group.healthyThresholdCount(), 2, 10);
    range("Unhealthy threshold count", group.unhealthyThresholdCount(), 2, 10);
    if (group.healthCheckTimeoutSeconds() >= group.healthCheckIntervalSeconds()) {
      throw Refuse.invalid("Health check interval must be greater than the timeout.");
    }
    if (!group.healthCheckPath().matches("/[\\x21-\\x7e]{0,1023}")) {
      throw Refuse.invalid(
          "Health check path '" + group.healthCheckPath() + "' must begin with a '/' character");
    }
    String port = group.healthCheckPort();
    if (!port.equals("traffic-port")
        && !(port.matches("[1-9][0-9]{0,4}") && Integer.parseInt(port) <= 65_535)) {
      throw Refuse.invalid(
          "Health check port '" + port + "' must be 'traffic-port' or in the range 1-65535");
    }
    return group;
  }

  private static void range(String what, int value, int from, int to) {
    if (value < from || value > to) {
      throw Refuse.invalid(what + " '" + value + "' must be in the range " + from + "-" + to);
    }
  }

  private Vpc vpc(String id) {
    try {
      return ec2.describeVpcs(r -> r.vpcIds(id)).vpcs().getFirst();
    } catch (Ec2Exception e) {
      throw Refuse.invalid("The VPC ID '" + id + "' is not found");
    }
  }

  DescribeTargetGroupsResponse describe(DescribeTargetGroupsRequest request) {
    return store.read(tx -> {
      List<TargetGroup> all =
          tx.list(State.GROUPS).stream().map(row -> row.value().group()).toList();
      request.targetGroupArns().forEach(arn -> get(tx, arn));
      for (String name : request.names()) {
        if (all.stream().noneMatch(g -> g.targetGroupName().equals(name))) {
          throw TargetGroupNotFoundException.builder()
              .message("One or more target groups not found")
              .build();
        }
      }
      if (request.loadBalancerArn() != null) {
        LoadBalancers.get(tx, request.loadBalancerArn());
      }
      List<TargetGroup> found =
          all.stream()
              .filter(g ->
                  (request.targetGroupArns().isEmpty()
                          || request.targetGroupArns().contains(g.targetGroupArn()))
                      && (request.names().isEmpty()
                          || request.names().contains(g.targetGroupName()))
                      && (request.loadBalancerArn() == null
                          || g.loadBalancerArns().contains(request.loadBalancerArn())))
              .toList();
      Pages<TargetGroup> page =
          Pages.of(found, TargetGroup::targetGroupArn, request.marker(), request.pageSize());
      return DescribeTargetGroupsResponse.builder()
          .targetGroups(page.items())
          .nextMarker(page.next())
          .build();
    });
  }

  ModifyTargetGroupResponse modify(ModifyTargetGroupRequest r) {
    protocol(r.healthCheckProtocol());
    TargetGroup changed =
        store.write(tx -> {
          Group old = get(tx, r.targetGroupArn());
          TargetGroup g = old.group();
          enabled(r.healthCheckEnabled(), g.targetType());
          TargetGroup next =
              checked(
                  g.toBuilder()
                      .healthCheckPort(or(r.healthCheckPort(), g.healthCheckPort()))
                      .healthCheckPath(or(r.healthCheckPath(), g.healthCheckPath()))
                      .healthCheckIntervalSeconds(
                          or(r.healthCheckIntervalSeconds(), g.healthCheckIntervalSeconds()))
                      .healthCheckTimeoutSeconds(
                          or(r.healthCheckTimeoutSeconds(), g.healthCheckTimeoutSeconds()))
                      .healthyThresholdCount(
                          or(r.healthyThresholdCount(), g.healthyThresholdCount()))
                      .unhealthyThresholdCount(
                          or(r.unhealthyThresholdCount(), g.unhealthyThresholdCount()))
                      .matcher(
                          or(matcher(r.matcher(), GRPC.equals(g.protocolVersion())), g.matcher()))
                      .build());
          tx.put(
              State.GROUPS,
              r.targetGroupArn(),
              new Group(next, old.attributes(), old.tags(), old.targets()));
          return next;
        });
    wakes.now(changed.loadBalancerArns());
    return ModifyTargetGroupResponse.builder().targetGroups(changed).build();
  }

  DeleteTargetGroupResponse delete(DeleteTargetGroupRequest request) {
    String arn = request.targetGroupArn();
    Refuse.unlessArn(arn, "targetgroup/", "target group");
    store.write(tx -> {
      tx.get(State.GROUPS, arn)
          .ifPresent(row -> {
            if (!row.value().group().loadBalancerArns().isEmpty()) {
              throw ResourceInUseException.builder()
                  .message("Target group '" + arn + "' is currently in use by a listener or a rule")
                  .build();
            }
            tx.delete(State.GROUPS, arn);
            tx.deletePrefix(State.HEALTH, arn + "|");
          });
      return true;
    });
    return DeleteTargetGroupResponse.builder().build();
  }

  DescribeTargetGroupAttributesResponse attributes(String arn) {
    Group group = store.read(tx -> get(tx, arn));
    return DescribeTargetGroupAttributesResponse.builder().attributes(list(group)).build();
  }

  private static List<TargetGroupAttribute> list(Group group) {
    return group.attributes().entrySet().stream()
        .map(e -> TargetGroupAttribute.builder().key(e.getKey()).value(e.getValue()).build())
        .toList();
  }

  ModifyTargetGroupAttributesResponse modify(ModifyTargetGroupAttributesRequest request) {
    Group changed =
        store.write(tx -> {
          Group old = get(tx, request.targetGroupArn());
          Map<String, String> attributes = old.attributes();
          for (TargetGroupAttribute a : request.attributes()) {
            attributes = Attributes.ofGroup(attributes, a.key(), a.value());
          }
          Group next = new Group(old.group(), attributes, old.tags(), old.targets());
          tx.put(State.GROUPS, request.targetGroupArn(), next);
          return next;
        });
    wakes.now(changed.group().loadBalancerArns());
    return ModifyTargetGroupAttributesResponse.builder().attributes(list(changed)).build();
  }

  RegisterTargetsResponse register(RegisterTargetsRequest request) {
    Group before = store.read(tx -> get(tx, request.targetGroupArn()));
    Vpc vpc = vpc(before.group().vpcId());
    List<Subnet> subnets =
        ec2.describeSubnets(
                r -> r.filters(Filter.builder().name("vpc-id").values(vpc.vpcId()).build()))
            .subnets();
    List<State.Target> wanted =
        request.targets().stream()
            .map(t ->
                before.group().targetType() == TargetTypeEnum.INSTANCE
                    ? instance(t, before.group())
                    : target(t, before.group(), vpc, subnets))
            .toList();
    Group changed =
        store.write(tx -> {
          Group old = get(tx, request.targetGroupArn());
          List<State.Target> targets = new ArrayList<>(old.targets());
          for (State.Target target : wanted) {
            // One that is still draining gets its registration back.
            boolean registered = targets.contains(target);
            if (!registered) {
              targets.removeIf(t -> same(t, target));
              targets.add(target);
              tx.delete(
                  State.HEALTH,
                  State.healthKey(request.targetGroupArn(), target.address(), target.port()));
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
    if (t.id() == null || !t.id().matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}")) {
      throw Refuse.invalid("The IP address '" + t.id() + "' is not a valid IPv4 address");
    }
    byte[] address;
    try {
      address = InetAddress.ofLiteral(t.id()).getAddress();
    } catch (IllegalArgumentException e) {
      throw Refuse.invalid("The IP address '" + t.id() + "' is not a valid IPv4 address");
    }
    boolean inside =
        vpc.cidrBlockAssociationSet().stream().anyMatch(c -> Blocks.within(c.cidrBlock(), address))
            || Blocks.within(vpc.cidrBlock(), address);
    if (!inside && !Blocks.privateUse(address)) {
      throw invalid(
          "The IP address '"
              + t.id()
              + "' is not within a CIDR block of VPC '"
              + vpc.vpcId()
              + "' or a supported private range");
    }
    if (!inside && !"all".equals(t.availabilityZone())) {
      throw Refuse.invalid(
          "You must specify an Availability Zone of 'all' for IP addresses outside the VPC");
    }
    int port = port(t, group);
    String zone =
        inside
            ? subnets.stream()
                .filter(s -> Blocks.within(s.cidrBlock(), address))
                .map(Subnet::availabilityZone)
                .findFirst()
                .orElse(null)
            : "all";
    return new State.Target(null, t.id(), port, zone, null);
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
  List<String> instances() {
    return store.read(tx -> tx.list(State.GROUPS)).stream()
        .flatMap(row -> row.value().targets().stream())
        .map(State.Target::instance)
        .filter(Objects::nonNull)
        .distinct()
        .toList();
  }

  /** A terminated instance is no target any more, in no group; it answers nobody. */
  @Nullable Duration look(String id) {
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

  DeregisterTargetsResponse deregister(DeregisterTargetsRequest request) {
    Group changed =
        store.write(tx -> {
          Group old = get(tx, request.targetGroupArn());
          long delay = Long.parseLong(old.attributes().getOrDefault(Attributes.DELAY, "300"));
          Balancing balancer = balancer(tx, old);
          List<State.Target> targets = new ArrayList<>();
          for (State.Target target : old.targets()) {
            boolean leaves =
                request.targets().stream()
                    .anyMatch(t ->
                        target.id().equals(t.id())
                            && target.port() == (t.port() == null ? old.group().port() : t.port()));
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

  /** The load balancer that sends to a group; null if none does. */
  private static @Nullable Balancing balancer(Tx tx, Group group) {
    return group.group().loadBalancerArns().stream()
        .findFirst()
        .flatMap(arn -> tx.get(State.BALANCERS, arn))
        .map(Row::value)
        .orElse(null);
  }

  DescribeTargetHealthResponse health(DescribeTargetHealthRequest request) {
    Refuse.unlessEffective(request, Set.of("TargetGroupArn", "Targets"));
    return store.read(tx -> {
      Group group = get(tx, request.targetGroupArn());
      List<TargetHealthDescription> all = new ArrayList<>();
      if (request.targets().isEmpty()) {
        group.targets().forEach(t -> all.add(describe(tx, group, t)));
      }
      for (TargetDescription asked : request.targets()) {
        int port = asked.port() == null ? group.group().port() : asked.port();
        Optional<State.Target> target =
            group.targets().stream()
                .filter(t -> t.id().equals(asked.id()) && t.port() == port)
                .findFirst();
        all.add(
            target
                .map(t -> describe(tx, group, t))
                .orElseGet(() ->
                    TargetHealthDescription.builder()
                        .target(t -> t.id(asked.id()).port(port))
                        .targetHealth(h ->
                            h.state(TargetHealthStateEnum.UNUSED)
                                .reason(TargetHealthReasonEnum.TARGET_NOT_REGISTERED)
                                .description("Target is not registered to the target group"))
                        .build()));
      }
      return DescribeTargetHealthResponse.builder().targetHealthDescriptions(all).build();
    });
  }

  private static TargetHealthDescription describe(Tx tx, Group group, State.Target t) {
    String arn = group.group().targetGroupArn();
    String checked = group.group().healthCheckPort();
    return TargetHealthDescription.builder()
        .target(d ->
            d.id(t.id()).port(t.port()).availabilityZone(t.instance() == null ? t.zone() : null))
        .healthCheckPort(checked.equals("traffic-port") ? String.valueOf(t.port()) : checked)
        .targetHealth(
            state(
                balancer(tx, group),
                t,
                tx.get(State.HEALTH, State.healthKey(arn, t.address(), t.port()))
                    .map(Row::value)
                    .orElse(null)))
        .build();
  }

  private static TargetHealth state(
      @Nullable Balancing balancer, State.Target t, @Nullable Known known) {
    if (t.drainUntil() != null) {
      return of(
          "draining", "Target.DeregistrationInProgress", "Target deregistration is in progress");
    }
    if (balancer == null) {
      return of(
          "unused",
          "Target.NotInUse",
          "Target group is not configured to receive traffic from the load balancer");
    }
    if (!balancer.covers(t)) {
      return of(
          "unused",
          "Target.NotInUse",
          "Target is in an Availability Zone that is not enabled for the load balancer");
    }
    if (known == null || known.health().startsWith("DRAIN")) {
      return of("initial", "Elb.RegistrationInProgress", "Target registration is in progress");
    }
    return switch (known.health()) {
      case "HEALTHY" -> of("healthy", null, null);
      case "UNHEALTHY" -> of("unhealthy", known.reason(), known.description());
      default -> of("initial", known.reason(), known.description());
    };
  }

  private static TargetHealth of(
      String state, @Nullable String reason, @Nullable String description) {
    return TargetHealth.builder().state(state).reason(reason).description(description).build();
  }
}
