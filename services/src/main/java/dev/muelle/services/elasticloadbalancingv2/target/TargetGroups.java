package dev.muelle.services.elasticloadbalancingv2.target;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.elasticloadbalancingv2.request.FlowGroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.GroupAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.Pages;
import dev.muelle.services.elasticloadbalancingv2.request.Protocols;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.AddressTypes;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.Shifts;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.state.Tags;
import dev.muelle.services.elasticloadbalancingv2.state.Wakes;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.util.List;
import java.util.Map;
import java.util.Set;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Ec2Exception;
import software.amazon.awssdk.services.ec2.model.Vpc;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.CreateTargetGroupResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DeleteTargetGroupResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTargetGroupsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DuplicateTargetGroupNameException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupAttributesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyTargetGroupResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ProtocolEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ResourceInUseException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Tag;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroup;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetTypeEnum;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyTargetGroupsException;

/** Target groups and their attributes. */
public final class TargetGroups {

  public static final int MAX = 3000;
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

  private static final Set<TargetTypeEnum> TYPES =
      Set.of(TargetTypeEnum.IP, TargetTypeEnum.INSTANCE, TargetTypeEnum.ALB);
  private static final String GRPC = "GRPC";

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final Ec2Client ec2;
  private final Wakes wakes;

  public TargetGroups(Scope scope, Store store, Ids ids, Ec2Client ec2, Wakes wakes) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.ec2 = ec2;
    this.wakes = wakes;
  }

  public CreateTargetGroupResponse create(CreateTargetGroupRequest request) {
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
    if (!TYPES.contains(type)) {
      throw Refuse.invalid(
          "The target type '"
              + request.targetTypeAsString()
              + "' is not supported in this region: use 'ip', 'instance' or 'alb'");
    }
    boolean flows = Protocols.flows(request.protocol());
    if (request.protocol() != ProtocolEnum.HTTP
        && request.protocol() != ProtocolEnum.HTTPS
        && !flows) {
      throw Refuse.invalid(
          request.protocol() == null
              ? "A protocol must be specified"
              : "The protocol '"
                  + request.protocolAsString()
                  + "' is not supported in this region");
    }
    if (type == TargetTypeEnum.ALB && request.protocol() != ProtocolEnum.TCP) {
      throw Refuse.invalid(
          "Protocol '" + request.protocol() + "' is not supported for the target type 'alb'");
    }
    if (request.port() == null || request.port() < 1 || request.port() > 65_535) {
      throw Refuse.invalid("A port between 1 and 65535 must be specified");
    }
    if (request.vpcId() == null) {
      throw Refuse.invalid("A VPC ID must be specified");
    }
    vpc(ec2, request.vpcId());
    Tags.check(request.tags());
    TargetGroup wanted = flows ? FlowGroups.wanted(request, type) : ofHttp(request, name, type);
    return CreateTargetGroupResponse.builder().targetGroups(insert(wanted, request.tags())).build();
  }

  private static TargetGroup ofHttp(
      CreateTargetGroupRequest request, String name, TargetTypeEnum type) {
    String version = TargetGroupChecks.version(request.protocolVersion());
    boolean grpc = version.equals(GRPC);
    return TargetGroupChecks.checked(
        TargetGroup.builder()
            .targetGroupName(name)
            .protocol(request.protocol())
            .protocolVersion(version)
            .port(request.port())
            .vpcId(request.vpcId())
            .targetType(type)
            .ipAddressType(AddressTypes.of(request, type))
            .loadBalancerArns(List.of())
            .healthCheckEnabled(TargetGroupChecks.enabled(request.healthCheckEnabled(), type))
            .healthCheckProtocol(TargetGroupChecks.protocol(request.healthCheckProtocol()))
            .healthCheckPort(TargetGroupChecks.or(request.healthCheckPort(), "traffic-port"))
            .healthCheckPath(
                TargetGroupChecks.or(
                    request.healthCheckPath(), grpc ? "/AWS.ALB/healthcheck" : "/"))
            .healthCheckIntervalSeconds(
                TargetGroupChecks.or(request.healthCheckIntervalSeconds(), 30))
            .healthCheckTimeoutSeconds(TargetGroupChecks.or(request.healthCheckTimeoutSeconds(), 5))
            .healthyThresholdCount(TargetGroupChecks.or(request.healthyThresholdCount(), 5))
            .unhealthyThresholdCount(TargetGroupChecks.or(request.unhealthyThresholdCount(), 2))
            .matcher(
                TargetGroupChecks.or(
                    TargetGroupChecks.matcher(request.matcher(), grpc),
                    TargetGroupChecks.usual(grpc)))
            .build());
  }

  private TargetGroup insert(TargetGroup wanted, List<Tag> tags) {
    String name = wanted.targetGroupName();
    return store.write(tx -> {
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
          State.GROUPS,
          arn,
          new Group(
              group,
              Protocols.flows(group.protocol())
                  ? FlowGroupAttributes.defaults(group)
                  : GroupAttributes.DEFAULTS,
              tags,
              List.of()));
      return group;
    });
  }

  static Vpc vpc(Ec2Client ec2, String id) {
    try {
      return ec2.describeVpcs(r -> r.vpcIds(id)).vpcs().getFirst();
    } catch (Ec2Exception e) {
      throw Refuse.invalid("The VPC ID '" + id + "' is not found");
    }
  }

  public DescribeTargetGroupsResponse describe(DescribeTargetGroupsRequest request) {
    return store.read(tx -> {
      List<TargetGroup> all =
          tx.list(State.GROUPS).stream().map(row -> row.value().group()).toList();
      request.targetGroupArns().forEach(arn -> Existing.group(tx, arn));
      for (String name : request.names()) {
        if (all.stream().noneMatch(g -> g.targetGroupName().equals(name))) {
          throw TargetGroupNotFoundException.builder()
              .message("One or more target groups not found")
              .build();
        }
      }
      if (request.loadBalancerArn() != null) {
        Existing.balancer(tx, request.loadBalancerArn());
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

  public ModifyTargetGroupResponse modify(ModifyTargetGroupRequest r) {
    TargetGroup changed =
        store.write(tx -> {
          Group old = Existing.group(tx, r.targetGroupArn());
          TargetGroup next =
              old.flows() ? FlowGroups.changed(old.group(), r) : changed(old.group(), r);
          tx.put(
              State.GROUPS,
              r.targetGroupArn(),
              new Group(next, old.attributes(), old.tags(), old.targets()));
          return next;
        });
    wakes.now(changed.loadBalancerArns());
    return ModifyTargetGroupResponse.builder().targetGroups(changed).build();
  }

  private static TargetGroup changed(TargetGroup g, ModifyTargetGroupRequest r) {
    TargetGroupChecks.enabled(r.healthCheckEnabled(), g.targetType());
    return TargetGroupChecks.checked(
        g.toBuilder()
            .healthCheckProtocol(
                TargetGroupChecks.protocol(
                    TargetGroupChecks.or(r.healthCheckProtocol(), g.healthCheckProtocol())))
            .healthCheckPort(TargetGroupChecks.or(r.healthCheckPort(), g.healthCheckPort()))
            .healthCheckPath(TargetGroupChecks.or(r.healthCheckPath(), g.healthCheckPath()))
            .healthCheckIntervalSeconds(
                TargetGroupChecks.or(
                    r.healthCheckIntervalSeconds(), g.healthCheckIntervalSeconds()))
            .healthCheckTimeoutSeconds(
                TargetGroupChecks.or(r.healthCheckTimeoutSeconds(), g.healthCheckTimeoutSeconds()))
            .healthyThresholdCount(
                TargetGroupChecks.or(r.healthyThresholdCount(), g.healthyThresholdCount()))
            .unhealthyThresholdCount(
                TargetGroupChecks.or(r.unhealthyThresholdCount(), g.unhealthyThresholdCount()))
            .matcher(
                TargetGroupChecks.or(
                    TargetGroupChecks.matcher(r.matcher(), GRPC.equals(g.protocolVersion())),
                    g.matcher()))
            .build());
  }

  public DeleteTargetGroupResponse delete(DeleteTargetGroupRequest request) {
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

  public DescribeTargetGroupAttributesResponse attributes(String arn) {
    Group group = store.read(tx -> Existing.group(tx, arn));
    return DescribeTargetGroupAttributesResponse.builder().attributes(list(group)).build();
  }

  private static List<TargetGroupAttribute> list(Group group) {
    return group.all().entrySet().stream()
        .map(e -> TargetGroupAttribute.builder().key(e.getKey()).value(e.getValue()).build())
        .toList();
  }

  public ModifyTargetGroupAttributesResponse modify(ModifyTargetGroupAttributesRequest request) {
    Group changed =
        store.write(tx -> {
          Group old = Existing.group(tx, request.targetGroupArn());
          Map<String, String> attributes =
              old.flows()
                  ? FlowGroupAttributes.changed(old.group(), old.attributes(), request.attributes())
                  : GroupAttributes.changed(old.attributes(), request.attributes());
          Group next = new Group(old.group(), attributes, old.tags(), old.targets());
          tx.put(State.GROUPS, request.targetGroupArn(), next);
          next.group()
              .loadBalancerArns()
              .forEach(arn -> Shifts.unlessShiftable(tx, Existing.balancer(tx, arn)));
          return next;
        });
    wakes.now(changed.group().loadBalancerArns());
    return ModifyTargetGroupAttributesResponse.builder().attributes(list(changed)).build();
  }
}
