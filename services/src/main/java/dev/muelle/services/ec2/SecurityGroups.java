package dev.muelle.services.ec2;

import dev.muelle.network.Network;
import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupEgressRequest;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupEgressResponse;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupIngressRequest;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupIngressResponse;
import software.amazon.awssdk.services.ec2.model.CreateSecurityGroupRequest;
import software.amazon.awssdk.services.ec2.model.CreateSecurityGroupResponse;
import software.amazon.awssdk.services.ec2.model.DeleteSecurityGroupRequest;
import software.amazon.awssdk.services.ec2.model.DeleteSecurityGroupResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupRulesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupRulesResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsResponse;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupEgressRequest;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupEgressResponse;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupIngressRequest;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupIngressResponse;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;
import software.amazon.awssdk.services.ec2.model.Vpc;

/** Security groups and their rules; a change is with the packets before the answer goes out. */
final class SecurityGroups {

  static final Table<SecurityGroup> TABLE =
      Table.of("ec2.security_groups", StoredJson.codec(SecurityGroup.class))
          .index("vpc", SecurityGroup::vpcId);
  static final Table<SecurityGroupRule> RULES =
      Table.of("ec2.security_group_rules", StoredJson.codec(SecurityGroupRule.class))
          .index("group", SecurityGroupRule::groupId);

  private static final String DEFAULT = "default";
  private static final int MAX_RULES = 60; // in each direction
  private static final Pattern TEXT =
      Pattern.compile("[a-zA-Z0-9 ._\\-:/()#,@\\[\\]+=&;{}!$*]{1,255}");

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final Network network;

  SecurityGroups(Scope scope, Store store, Ids ids, Network network) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.network = network;
  }

  /** The group that a VPC is born with: its members reach each other, and everything outside. */
  void makeDefault(Tx tx, String vpcId) {
    SecurityGroup group = make(tx, vpcId, DEFAULT, "default VPC security group");
    add(
        tx,
        group.groupId(),
        Permissions.split(
            List.of(
                IpPermission.builder()
                    .ipProtocol("-1")
                    .userIdGroupPairs(
                        List.of(UserIdGroupPair.builder().groupId(group.groupId()).build()))
                    .build()),
            false,
            scope.account()));
  }

  private SecurityGroup make(Tx tx, String vpcId, String name, String description) {
    String id = ids.ec2("sg");
    SecurityGroup group =
        SecurityGroup.builder()
            .groupId(id)
            .groupName(name)
            .description(description)
            .vpcId(vpcId)
            .ownerId(scope.account())
            .securityGroupArn(scope.arn("ec2", "security-group/" + id))
            .build();
    tx.insert(TABLE, id, group);
    add(
        tx,
        id,
        Permissions.split(
            List.of(
                IpPermission.builder()
                    .ipProtocol("-1")
                    .ipRanges(IpRange.builder().cidrIp("0.0.0.0/0").build())
                    .build()),
            true,
            scope.account()));
    return group;
  }

  private List<SecurityGroupRule> add(Tx tx, String groupId, List<SecurityGroupRule> rules) {
    List<SecurityGroupRule> added = new ArrayList<>();
    for (SecurityGroupRule rule : rules) {
      String id = ids.ec2("sgr");
      SecurityGroupRule made =
          rule.toBuilder()
              .securityGroupRuleId(id)
              .securityGroupRuleArn(scope.arn("ec2", "security-group-rule/" + id))
              .groupId(groupId)
              .build();
      tx.insert(RULES, id, made);
      added.add(made);
    }
    // The group's row changes with its rules, so that whoever watches groups sees them change.
    tx.put(TABLE, groupId, require(tx, groupId));
    return added;
  }

  boolean hasOwnGroups(Tx tx, String vpcId) {
    return tx.find(TABLE, "vpc", vpcId).stream()
        .anyMatch(row -> !row.value().groupName().equals(DEFAULT));
  }

  void removeDefault(Tx tx, String vpcId) {
    for (Row<SecurityGroup> row : tx.find(TABLE, "vpc", vpcId)) {
      remove(tx, row.key());
    }
  }

  private static void remove(Tx tx, String id) {
    for (Row<SecurityGroupRule> rule : tx.find(RULES, "group", id)) {
      TagSets.remove(tx, rule.key());
      tx.delete(RULES, rule.key());
    }
    TagSets.remove(tx, id);
    tx.delete(TABLE, id);
  }

  /** Tells the network of every group of a VPC. */
  void applyAll(String vpcId) {
    store.read(tx -> tx.find(TABLE, "vpc", vpcId)).forEach(row -> apply(row.key()));
  }

  /** One at a time, so that the network ends with what the store ended with. */
  private synchronized void apply(String groupId) {
    Optional<dev.muelle.network.SecurityGroup> wanted =
        store.read(tx ->
            tx.get(TABLE, groupId)
                .map(row -> {
                  List<SecurityGroupRule> rules = rules(tx, groupId);
                  return new dev.muelle.network.SecurityGroup(
                      groupId,
                      row.value().vpcId(),
                      rules.stream()
                          .filter(rule -> !rule.isEgress())
                          .map(Permissions::packet)
                          .toList(),
                      rules.stream()
                          .filter(SecurityGroupRule::isEgress)
                          .map(Permissions::packet)
                          .toList());
                }));
    wanted.ifPresent(network::putSecurityGroup);
  }

  private static List<SecurityGroupRule> rules(Tx tx, String groupId) {
    return tx.find(RULES, "group", groupId).stream().map(Row::value).toList();
  }

  CreateSecurityGroupResponse create(CreateSecurityGroupRequest request) {
    Faults.dryRun(request.dryRun());
    if (request.groupName() == null) {
      throw Faults.missing("GroupName");
    }
    if (request.description() == null) {
      throw Faults.missing("GroupDescription");
    }
    if (!TEXT.matcher(request.groupName()).matches()) {
      throw Faults.invalid(
          "Value ("
              + request.groupName()
              + ") for parameter GroupName is invalid. Character sets beyond ASCII are not supported.");
    }
    if (!TEXT.matcher(request.description()).matches()) {
      throw Faults.invalid(
          "Value ("
              + request.description()
              + ") for parameter GroupDescription is invalid. Character sets beyond ASCII are not supported.");
    }
    if (request.groupName().equalsIgnoreCase(DEFAULT)) {
      throw Faults.of("InvalidGroup.Reserved", "The security group 'default' is reserved");
    }
    if (request.groupName().startsWith("sg-")) {
      throw Faults.invalid(
          "Value ("
              + request.groupName()
              + ") for parameter GroupName is invalid. Group names may not be in the format sg-*");
    }
    CreateSecurityGroupResponse response =
        store.write(tx -> {
          String vpcId =
              request.vpcId() == null ? defaultVpc(tx) : Vpcs.require(tx, request.vpcId()).vpcId();
          boolean taken =
              tx.find(TABLE, "vpc", vpcId).stream()
                  .anyMatch(row -> row.value().groupName().equals(request.groupName()));
          if (taken) {
            throw Faults.of(
                "InvalidGroup.Duplicate",
                "The security group '"
                    + request.groupName()
                    + "' already exists for VPC '"
                    + vpcId
                    + "'");
          }
          SecurityGroup group = make(tx, vpcId, request.groupName(), request.description());
          List<Tag> tags =
              TagSets.put(tx, group.groupId(), "security-group", request.tagSpecifications());
          return CreateSecurityGroupResponse.builder()
              .groupId(group.groupId())
              .securityGroupArn(group.securityGroupArn())
              .tags(tags)
              .build();
        });
    apply(response.groupId());
    return response;
  }

  private static String defaultVpc(Tx tx) {
    return tx.list(Vpcs.TABLE).stream()
        .map(Row::value)
        .filter(Vpc::isDefault)
        .findFirst()
        .orElseThrow(() -> Faults.of("VPCIdNotSpecified", "No default VPC for this user"))
        .vpcId();
  }

  DeleteSecurityGroupResponse delete(DeleteSecurityGroupRequest request) {
    Faults.dryRun(request.dryRun());
    SecurityGroup gone =
        store.write(tx -> {
          SecurityGroup group = named(tx, request.groupId(), request.groupName());
          if (group.groupName().equals(DEFAULT)) {
            throw Faults.of(
                "CannotDelete",
                "the specified group: \""
                    + group.groupId()
                    + "\" name: \"default\" cannot be"
                    + " deleted by a user");
          }
          boolean used =
              tx.list(NetworkInterfaces.TABLE).stream()
                  .anyMatch(row ->
                      row.value().groups().stream()
                          .anyMatch(g -> g.groupId().equals(group.groupId())));
          boolean referred =
              tx.list(RULES).stream()
                  .map(Row::value)
                  .anyMatch(rule ->
                      group.groupId().equals(Permissions.referred(rule))
                          && !rule.groupId().equals(group.groupId()));
          if (used || referred) {
            throw Faults.of(
                "DependencyViolation", "resource " + group.groupId() + " has a dependent object");
          }
          remove(tx, group.groupId());
          return group;
        });
    network.removeSecurityGroup(gone.vpcId(), gone.groupId());
    return DeleteSecurityGroupResponse.builder().groupId(gone.groupId()).build();
  }

  AuthorizeSecurityGroupIngressResponse authorize(AuthorizeSecurityGroupIngressRequest request) {
    Faults.dryRun(request.dryRun());
    List<SecurityGroupRule> added =
        authorize(
            request.groupId(),
            request.groupName(),
            permissions(
                request.ipPermissions(),
                request.ipProtocol(),
                request.fromPort(),
                request.toPort(),
                request.cidrIp(),
                request.sourceSecurityGroupName()),
            false);
    return AuthorizeSecurityGroupIngressResponse.builder()
        .returnValue(true)
        .securityGroupRules(added)
        .build();
  }

  AuthorizeSecurityGroupEgressResponse authorize(AuthorizeSecurityGroupEgressRequest request) {
    Faults.dryRun(request.dryRun());
    List<SecurityGroupRule> added =
        authorize(
            request.groupId(),
            null,
            permissions(
                request.ipPermissions(),
                request.ipProtocol(),
                request.fromPort(),
                request.toPort(),
                request.cidrIp(),
                request.sourceSecurityGroupName()),
            true);
    return AuthorizeSecurityGroupEgressResponse.builder()
        .returnValue(true)
        .securityGroupRules(added)
        .build();
  }

  private List<SecurityGroupRule> authorize(
      @Nullable String groupId,
      @Nullable String groupName,
      List<IpPermission> permissions,
      boolean egress) {
    List<SecurityGroupRule> wanted = Permissions.split(permissions, egress, scope.account());
    List<SecurityGroupRule> added =
        store.write(tx -> {
          SecurityGroup group = named(tx, groupId, groupName);
          List<SecurityGroupRule> present = rules(tx, group.groupId());
          for (SecurityGroupRule rule : wanted) {
            if (present.stream().anyMatch(p -> Permissions.same(p, rule))) {
              throw Faults.of(
                  "InvalidPermission.Duplicate",
                  "the specified rule \"" + Permissions.describe(rule) + "\" already exists");
            }
            String referred = Permissions.referred(rule);
            if (referred != null && !require(tx, referred).vpcId().equals(group.vpcId())) {
              throw notFound(referred);
            }
          }
          long count = present.stream().filter(p -> p.isEgress() == egress).count();
          if (count + wanted.size() > MAX_RULES) {
            throw Faults.of(
                "RulesPerSecurityGroupLimitExceeded",
                "The maximum number of rules per security group has been reached.");
          }
          return add(tx, group.groupId(), wanted);
        });
    apply(added.getFirst().groupId());
    return added;
  }

  RevokeSecurityGroupIngressResponse revoke(RevokeSecurityGroupIngressRequest request) {
    Faults.dryRun(request.dryRun());
    revoke(
        request.groupId(),
        request.groupName(),
        request.securityGroupRuleIds(),
        request.securityGroupRuleIds().isEmpty()
            ? permissions(
                request.ipPermissions(),
                request.ipProtocol(),
                request.fromPort(),
                request.toPort(),
                request.cidrIp(),
                request.sourceSecurityGroupName())
            : List.of(),
        false);
    return RevokeSecurityGroupIngressResponse.builder().returnValue(true).build();
  }

  RevokeSecurityGroupEgressResponse revoke(RevokeSecurityGroupEgressRequest request) {
    Faults.dryRun(request.dryRun());
    revoke(
        request.groupId(),
        null,
        request.securityGroupRuleIds(),
        request.securityGroupRuleIds().isEmpty()
            ? permissions(
                request.ipPermissions(),
                request.ipProtocol(),
                request.fromPort(),
                request.toPort(),
                request.cidrIp(),
                request.sourceSecurityGroupName())
            : List.of(),
        true);
    return RevokeSecurityGroupEgressResponse.builder().returnValue(true).build();
  }

  private void revoke(
      @Nullable String groupId,
      @Nullable String groupName,
      List<String> ruleIds,
      List<IpPermission> permissions,
      boolean egress) {
    List<SecurityGroupRule> unwanted =
        permissions.isEmpty() ? List.of() : Permissions.split(permissions, egress, scope.account());
    String changed =
        store.write(tx -> {
          SecurityGroup group = named(tx, groupId, groupName);
          List<SecurityGroupRule> present = rules(tx, group.groupId());
          for (String id : ruleIds) {
            boolean there =
                present.stream()
                    .anyMatch(p -> p.securityGroupRuleId().equals(id) && p.isEgress() == egress);
            if (!there) {
              throw Faults.of(
                  "InvalidSecurityGroupRuleId.NotFound",
                  "The security group rule ID '" + id + "' does not exist");
            }
            tx.delete(RULES, id);
          }
          for (SecurityGroupRule rule : unwanted) {
            SecurityGroupRule found =
                present.stream()
                    .filter(p -> Permissions.same(p, rule))
                    .findFirst()
                    .orElseThrow(() ->
                        Faults.of(
                            "InvalidPermission.NotFound",
                            "The specified rule does not exist in this security group."));
            tx.delete(RULES, found.securityGroupRuleId());
          }
          tx.put(TABLE, group.groupId(), group);
          return group.groupId();
        });
    apply(changed);
  }

  /** The permissions of a request, also in the older form of single parameters. */
  private static List<IpPermission> permissions(
      List<IpPermission> permissions,
      @Nullable String protocol,
      @Nullable Integer from,
      @Nullable Integer to,
      @Nullable String cidr,
      @Nullable String sourceGroupName) {
    if (sourceGroupName != null) {
      throw Faults.unsupported("SourceSecurityGroupName");
    }
    if (!permissions.isEmpty() || protocol == null) {
      return permissions;
    }
    return List.of(
        IpPermission.builder()
            .ipProtocol(protocol)
            .fromPort(from)
            .toPort(to)
            .ipRanges(cidr == null ? List.of() : List.of(IpRange.builder().cidrIp(cidr).build()))
            .build());
  }

  DescribeSecurityGroupsResponse describe(DescribeSecurityGroupsRequest request) {
    Faults.dryRun(request.dryRun());
    List<SecurityGroup> all =
        store.read(tx -> {
          request.groupIds().forEach(id -> require(tx, id));
          request.groupNames().forEach(name -> named(tx, null, name));
          Map<String, List<Tag>> tags = TagSets.all(tx);
          return tx.list(TABLE).stream()
              .map(Row::value)
              .filter(group ->
                  request.groupIds().isEmpty() || request.groupIds().contains(group.groupId()))
              .filter(group ->
                  request.groupNames().isEmpty()
                      || request.groupNames().contains(group.groupName()))
              .map(group -> {
                List<SecurityGroupRule> rules = rules(tx, group.groupId());
                return group.toBuilder()
                    .ipPermissions(
                        Permissions.join(rules.stream().filter(r -> !r.isEgress()).toList()))
                    .ipPermissionsEgress(
                        Permissions.join(
                            rules.stream().filter(SecurityGroupRule::isEgress).toList()))
                    .tags(tags.getOrDefault(group.groupId(), List.of()))
                    .build();
              })
              .toList();
        });
    Filters<SecurityGroup> filters =
        new Filters<SecurityGroup>(SecurityGroup::tags)
            .one("group-id", SecurityGroup::groupId)
            .one("group-name", SecurityGroup::groupName)
            .one("description", SecurityGroup::description)
            .one("owner-id", SecurityGroup::ownerId)
            .one("vpc-id", SecurityGroup::vpcId)
            .many("ip-permission.cidr", group -> cidrs(group.ipPermissions()))
            .many("ip-permission.from-port", group -> ports(group.ipPermissions(), true))
            .many("ip-permission.to-port", group -> ports(group.ipPermissions(), false))
            .many(
                "ip-permission.protocol",
                group -> group.ipPermissions().stream().map(IpPermission::ipProtocol).toList())
            .many("ip-permission.group-id", group -> groupsOf(group.ipPermissions()))
            .many("egress.ip-permission.cidr", group -> cidrs(group.ipPermissionsEgress()))
            .many("egress.ip-permission.group-id", group -> groupsOf(group.ipPermissionsEgress()));
    Filters.Page<SecurityGroup> page =
        Filters.page(
            filters.apply(all, request.filters()), request.nextToken(), request.maxResults());
    return DescribeSecurityGroupsResponse.builder()
        .securityGroups(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static List<String> cidrs(List<IpPermission> permissions) {
    return permissions.stream().flatMap(p -> p.ipRanges().stream()).map(IpRange::cidrIp).toList();
  }

  private static List<String> groupsOf(List<IpPermission> permissions) {
    return permissions.stream()
        .flatMap(p -> p.userIdGroupPairs().stream())
        .map(pair -> pair.groupId())
        .toList();
  }

  private static List<String> ports(List<IpPermission> permissions, boolean from) {
    return permissions.stream()
        .map(p -> from ? p.fromPort() : p.toPort())
        .map(String::valueOf)
        .toList();
  }

  DescribeSecurityGroupRulesResponse describeRules(DescribeSecurityGroupRulesRequest request) {
    Faults.dryRun(request.dryRun());
    List<SecurityGroupRule> all =
        store.read(tx -> {
          for (String id : request.securityGroupRuleIds()) {
            if (tx.get(RULES, id).isEmpty()) {
              throw Faults.of(
                  "InvalidSecurityGroupRuleId.NotFound",
                  "The security group rule ID '" + id + "' does not exist");
            }
          }
          Map<String, List<Tag>> tags = TagSets.all(tx);
          return tx.list(RULES).stream()
              .map(Row::value)
              .filter(rule ->
                  request.securityGroupRuleIds().isEmpty()
                      || request.securityGroupRuleIds().contains(rule.securityGroupRuleId()))
              .map(rule ->
                  rule.toBuilder()
                      .tags(tags.getOrDefault(rule.securityGroupRuleId(), List.of()))
                      .build())
              .toList();
        });
    Filters<SecurityGroupRule> filters =
        new Filters<SecurityGroupRule>(SecurityGroupRule::tags)
            .one("group-id", SecurityGroupRule::groupId)
            .one("security-group-rule-id", SecurityGroupRule::securityGroupRuleId);
    Filters.Page<SecurityGroupRule> page =
        Filters.page(
            filters.apply(all, request.filters()), request.nextToken(), request.maxResults());
    return DescribeSecurityGroupRulesResponse.builder()
        .securityGroupRules(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  /** A group by its id, or by its name in the default VPC. */
  private static SecurityGroup named(Tx tx, @Nullable String id, @Nullable String name) {
    if (id != null) {
      return require(tx, id);
    }
    if (name == null) {
      throw Faults.of(
          "MissingParameter", "The request must contain the parameter groupName or groupId");
    }
    return tx.find(TABLE, "vpc", defaultVpc(tx)).stream()
        .map(Row::value)
        .filter(group -> group.groupName().equals(name))
        .findFirst()
        .orElseThrow(() ->
            Faults.of("InvalidGroup.NotFound", "The security group '" + name + "' does not exist"));
  }

  static SecurityGroup require(Tx tx, String id) {
    return tx.get(TABLE, id).map(Row::value).orElseThrow(() -> notFound(id));
  }

  private static RuntimeException notFound(String id) {
    return Faults.of("InvalidGroup.NotFound", "The security group '" + id + "' does not exist");
  }
}
