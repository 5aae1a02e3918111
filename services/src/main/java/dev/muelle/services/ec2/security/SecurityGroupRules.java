package dev.muelle.services.ec2.security;

import dev.muelle.services.Scope;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.plane.Permits;
import dev.muelle.services.ec2.state.Blocks;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.PrefixListVersion;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupEgressRequest;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupEgressResponse;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupIngressRequest;
import software.amazon.awssdk.services.ec2.model.AuthorizeSecurityGroupIngressResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupRulesRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupRulesResponse;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.ModifySecurityGroupRulesRequest;
import software.amazon.awssdk.services.ec2.model.ModifySecurityGroupRulesResponse;
import software.amazon.awssdk.services.ec2.model.ReferencedSecurityGroup;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupEgressRequest;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupEgressResponse;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupIngressRequest;
import software.amazon.awssdk.services.ec2.model.RevokeSecurityGroupIngressResponse;
import software.amazon.awssdk.services.ec2.model.RevokedSecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRuleRequest;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRuleUpdate;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;

/**
 * The rules of security groups. A change is in force when the call returns; connections that are
 * already established keep flowing.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html">Security
 *     group rules</a>
 */
public final class SecurityGroupRules {

  private static final int MOST = 60;

  private static final Filters<SecurityGroupRule> FILTERS =
      new Filters<>(SecurityGroupRule::tags)
          .by("group-id", SecurityGroupRule::groupId)
          .by("security-group-rule-id", SecurityGroupRule::securityGroupRuleId);

  private final Scope scope;
  private final Store store;
  private final SecurityGroups groups;
  private final DataPlane plane;

  public SecurityGroupRules(Scope scope, Store store, SecurityGroups groups, DataPlane plane) {
    this.scope = scope;
    this.store = store;
    this.groups = groups;
    this.plane = plane;
  }

  public AuthorizeSecurityGroupIngressResponse authorizeIngress(
      AuthorizeSecurityGroupIngressRequest request) {
    String id = id(request.groupId(), request.groupName());
    Flat flat =
        new Flat(
            request.ipProtocol(),
            request.fromPort(),
            request.toPort(),
            request.cidrIp(),
            request.sourceSecurityGroupName(),
            request.sourceSecurityGroupOwnerId());
    List<SecurityGroupRule> made =
        authorize(
            id,
            false,
            request.ipPermissions(),
            flat,
            Tags.given("security-group-rule", request.tagSpecifications()),
            request.dryRun());
    return AuthorizeSecurityGroupIngressResponse.builder()
        .returnValue(true)
        .securityGroupRules(made)
        .build();
  }

  public AuthorizeSecurityGroupEgressResponse authorizeEgress(
      AuthorizeSecurityGroupEgressRequest request) {
    Refuse.unlessEffective(
        request, Set.of("GroupId", "IpPermissions", "TagSpecifications", "DryRun"));
    List<SecurityGroupRule> made =
        authorize(
            id(request.groupId(), null),
            true,
            request.ipPermissions(),
            Flat.NONE,
            Tags.given("security-group-rule", request.tagSpecifications()),
            request.dryRun());
    return AuthorizeSecurityGroupEgressResponse.builder()
        .returnValue(true)
        .securityGroupRules(made)
        .build();
  }

  public RevokeSecurityGroupIngressResponse revokeIngress(
      RevokeSecurityGroupIngressRequest request) {
    Flat flat =
        new Flat(
            request.ipProtocol(),
            request.fromPort(),
            request.toPort(),
            request.cidrIp(),
            request.sourceSecurityGroupName(),
            request.sourceSecurityGroupOwnerId());
    List<RevokedSecurityGroupRule> gone =
        revoke(
            id(request.groupId(), request.groupName()),
            false,
            request.ipPermissions(),
            flat,
            request.securityGroupRuleIds(),
            request.dryRun());
    return RevokeSecurityGroupIngressResponse.builder()
        .returnValue(true)
        .unknownIpPermissions(List.of())
        .revokedSecurityGroupRules(gone)
        .build();
  }

  public RevokeSecurityGroupEgressResponse revokeEgress(RevokeSecurityGroupEgressRequest request) {
    Refuse.unlessEffective(
        request, Set.of("GroupId", "IpPermissions", "SecurityGroupRuleIds", "DryRun"));
    List<RevokedSecurityGroupRule> gone =
        revoke(
            id(request.groupId(), null),
            true,
            request.ipPermissions(),
            Flat.NONE,
            request.securityGroupRuleIds(),
            request.dryRun());
    return RevokeSecurityGroupEgressResponse.builder()
        .returnValue(true)
        .unknownIpPermissions(List.of())
        .revokedSecurityGroupRules(gone)
        .build();
  }

  private String id(@Nullable String groupId, @Nullable String groupName) {
    return store.read(tx -> SecurityGroups.meant(tx, groupId, groupName)).groupId();
  }

  /** One permission told by a request's own parameters instead of in its list. */
  private record Flat(
      @Nullable String protocol,
      @Nullable Integer fromPort,
      @Nullable Integer toPort,
      @Nullable String cidr,
      @Nullable String sourceGroup,
      @Nullable String sourceOwner) {

    static final Flat NONE = new Flat(null, null, null, null, null, null);

    boolean says() {
      return !equals(NONE);
    }
  }

  private List<SecurityGroupRule> authorize(
      String id,
      boolean egress,
      List<IpPermission> permissions,
      Flat flat,
      List<Tag> tags,
      @Nullable Boolean dryRun) {
    return plane.alone(
        id,
        () -> {
          List<SecurityGroupRule> made =
              store.write(tx -> {
                SecurityGroup group = Kind.GROUP.get(tx, id);
                List<SecurityGroupRule> present = of(tx, id, egress);
                Set<Object> identities = new HashSet<>();
                present.forEach(rule -> identities.add(Permissions.identity(rule)));
                List<SecurityGroupRule> added = new ArrayList<>();
                for (SecurityGroupRule asked : asked(tx, group, egress, permissions, flat)) {
                  SecurityGroupRule draft = owned(tx, group, asked);
                  mustBeNew(identities, draft);
                  added.add(PeerGroups.shown(tx, groups.addRule(tx, id, draft, tags)));
                }
                mustFit(tx, id);
                Refuse.ifDryRun(dryRun);
                return added;
              });
          plane.group(id);
          return made;
        });
  }

  /** Neither direction of a group may have more rules than its quota. */
  static void mustFit(Tx tx, String groupId) {
    for (boolean egress : new boolean[] {false, true}) {
      int weight =
          of(tx, groupId, egress).stream()
              .mapToInt(rule -> PrefixListVersion.weight(tx, rule.prefixListId()))
              .sum();
      if (weight > MOST) {
        throw Refuse.because(
            "RulesPerSecurityGroupLimitExceeded",
            "The maximum number of rules per security group has been reached.");
      }
    }
  }

  private static void mustBeNew(Set<Object> identities, SecurityGroupRule draft) {
    if (!identities.add(Permissions.identity(draft))) {
      throw Refuse.because(
          "InvalidPermission.Duplicate",
          "the specified rule \"" + Permissions.describe(draft) + "\" already exists");
    }
  }

  private List<RevokedSecurityGroupRule> revoke(
      String id,
      boolean egress,
      List<IpPermission> permissions,
      Flat flat,
      List<String> ruleIds,
      @Nullable Boolean dryRun) {
    if (!ruleIds.isEmpty() && (!permissions.isEmpty() || flat.says())) {
      throw Refuse.combination(
          "The parameter securityGroupRuleIds cannot be used with the parameter ipPermissions");
    }
    return plane.alone(
        id,
        () -> {
          List<RevokedSecurityGroupRule> gone =
              store.write(tx -> {
                SecurityGroup group = Kind.GROUP.get(tx, id);
                List<SecurityGroupRule> present = of(tx, id, egress);
                List<SecurityGroupRule> named =
                    ruleIds.isEmpty()
                        ? asked(tx, group, egress, permissions, flat).stream()
                            .map(asked -> matching(present, asked))
                            .toList()
                        : ruleIds.stream().map(ruleId -> withId(present, ruleId)).toList();
                for (SecurityGroupRule rule : named) {
                  Tags.forget(tx, rule.securityGroupRuleId());
                  tx.delete(Tables.RULES, rule.securityGroupRuleId());
                }
                Refuse.ifDryRun(dryRun);
                return named.stream().map(SecurityGroupRules::revoked).toList();
              });
          plane.group(id);
          return gone;
        });
  }

  static SecurityGroupRule matching(List<SecurityGroupRule> present, SecurityGroupRule asked) {
    return present.stream()
        .filter(rule -> Permissions.means(asked, rule))
        .findFirst()
        .orElseThrow(() ->
            Refuse.because(
                "InvalidPermission.NotFound",
                "The specified rule does not exist in this security group."));
  }

  static SecurityGroupRule withId(List<SecurityGroupRule> present, String ruleId) {
    return present.stream()
        .filter(rule -> rule.securityGroupRuleId().equals(ruleId))
        .findFirst()
        .orElseThrow(() -> Kind.RULE.missing(ruleId));
  }

  private static RevokedSecurityGroupRule revoked(SecurityGroupRule rule) {
    return RevokedSecurityGroupRule.builder()
        .securityGroupRuleId(rule.securityGroupRuleId())
        .groupId(rule.groupId())
        .isEgress(rule.isEgress())
        .ipProtocol(rule.ipProtocol())
        .fromPort(rule.fromPort())
        .toPort(rule.toPort())
        .cidrIpv4(rule.cidrIpv4())
        .cidrIpv6(rule.cidrIpv6())
        .prefixListId(rule.prefixListId())
        .referencedGroupId(
            rule.referencedGroupInfo() == null ? null : rule.referencedGroupInfo().groupId())
        .description(rule.description())
        .build();
  }

  public static List<SecurityGroupRule> of(Tx tx, String groupId, boolean egress) {
    return Tables.of(tx, Tables.RULES, "group", groupId).stream()
        .filter(rule -> rule.isEgress() == egress)
        .toList();
  }

  static List<SecurityGroupRule> asked(
      Tx tx, SecurityGroup group, boolean egress, List<IpPermission> permissions) {
    return asked(tx, group, egress, permissions, Flat.NONE);
  }

  /**
   * The rules that a request names, in their normal form. What they refer to may be gone: stale
   * rules are revoked by permission, too.
   */
  private static List<SecurityGroupRule> asked(
      Tx tx, SecurityGroup group, boolean egress, List<IpPermission> permissions, Flat flat) {
    if (permissions.isEmpty() && !flat.says()) {
      throw Refuse.because(
          "MissingParameter", "The request must contain the parameter ipPermissions");
    }
    if (!permissions.isEmpty() && flat.says()) {
      throw Refuse.combination(
          "The parameter ipPermissions cannot be used with the parameters of a single permission");
    }
    List<IpPermission> all = flat.says() ? List.of(permission(flat)) : permissions;
    Set<Object> seen = new HashSet<>();
    List<SecurityGroupRule> asked = new ArrayList<>();
    for (IpPermission permission : all) {
      for (SecurityGroupRule rule : Permissions.rules(byId(tx, group, permission))) {
        SecurityGroupRule one = rule.toBuilder().isEgress(egress).build();
        if (one.referencedGroupInfo() != null) {
          SecurityGroups.wellFormed(one.referencedGroupInfo().groupId());
        }
        if (!seen.add(Permissions.identity(one))) {
          throw Refuse.invalidValue("The same permission must not appear multiple times");
        }
        asked.add(one);
      }
    }
    return asked;
  }

  private static IpPermission permission(Flat flat) {
    IpPermission.Builder permission = IpPermission.builder();
    if (flat.sourceGroup() != null) {
      if (flat.cidr() != null || flat.protocol() != null || flat.fromPort() != null) {
        throw Refuse.combination(
            "The parameter sourceSecurityGroupName cannot be used with a protocol, ports or a"
                + " block");
      }
      return permission
          .ipProtocol(Permits.EVERY)
          .userIdGroupPairs(
              UserIdGroupPair.builder()
                  .groupName(flat.sourceGroup())
                  .userId(flat.sourceOwner())
                  .build())
          .build();
    }
    return permission
        .ipProtocol(flat.protocol())
        .fromPort(flat.fromPort())
        .toPort(flat.toPort())
        .ipRanges(IpRange.builder().cidrIp(flat.cidr()).build())
        .build();
  }

  /** Groups that are named become groups that are told by id. */
  private static IpPermission byId(Tx tx, SecurityGroup group, IpPermission permission) {
    return permission.toBuilder()
        .userIdGroupPairs(
            permission.userIdGroupPairs().stream()
                .map(pair ->
                    pair.groupId() != null || pair.groupName() == null
                        ? pair
                        : pair.toBuilder()
                            .groupId(
                                SecurityGroups.named(tx, group.vpcId(), pair.groupName())
                                    .orElseThrow(() -> Kind.GROUP.missing(pair.groupName()))
                                    .groupId())
                            .build())
                .toList())
        .build();
  }

  /** A rule that is to be made: what it refers to must be there. */
  private SecurityGroupRule owned(Tx tx, SecurityGroup group, SecurityGroupRule rule) {
    if (rule.prefixListId() != null) {
      Kind.PREFIX_LIST.get(tx, rule.prefixListId());
    }
    ReferencedSecurityGroup reference = rule.referencedGroupInfo();
    if (reference == null) {
      return rule;
    }
    SecurityGroups.wellFormed(reference.groupId());
    SecurityGroup other = Kind.GROUP.get(tx, reference.groupId());
    if (reference.userId() != null && !reference.userId().equals(scope.account())) {
      throw Kind.GROUP.missing(reference.groupId());
    }
    return rule.toBuilder()
        .referencedGroupInfo(PeerGroups.reference(tx, group.vpcId(), other, reference))
        .build();
  }

  public ModifySecurityGroupRulesResponse modify(ModifySecurityGroupRulesRequest request) {
    String id = Refuse.required(request.groupId(), "groupId");
    if (request.securityGroupRules().isEmpty()) {
      throw Refuse.missing("SecurityGroupRule");
    }
    plane.alone(
        id,
        () -> {
          store.write(tx -> {
            SecurityGroup group = SecurityGroups.meant(tx, id, null);
            for (SecurityGroupRuleUpdate update : request.securityGroupRules()) {
              replace(tx, group, update);
            }
            Refuse.ifDryRun(request.dryRun());
            return true;
          });
          plane.group(id);
          return true;
        });
    return ModifySecurityGroupRulesResponse.builder().returnValue(true).build();
  }

  private void replace(Tx tx, SecurityGroup group, SecurityGroupRuleUpdate update) {
    String ruleId = Refuse.required(update.securityGroupRuleId(), "SecurityGroupRuleId");
    SecurityGroupRule old = Kind.RULE.get(tx, ruleId);
    if (!old.groupId().equals(group.groupId())) {
      throw Kind.RULE.missing(ruleId);
    }
    SecurityGroupRuleRequest wanted = Refuse.required(update.securityGroupRule(), "Rule");
    SecurityGroupRule service =
        Permissions.service(wanted.ipProtocol(), wanted.fromPort(), wanted.toPort());
    SecurityGroupRule.Builder rule =
        service.toBuilder().description(Permissions.description(wanted.description()));
    int peers = 0;
    if (wanted.cidrIpv4() != null) {
      rule.cidrIpv4(Blocks.block(wanted.cidrIpv4()));
      peers++;
    }
    if (wanted.cidrIpv6() != null) {
      rule.cidrIpv6(Blocks.block6(wanted.cidrIpv6()));
      peers++;
    }
    if (wanted.referencedGroupId() != null) {
      rule.referencedGroupInfo(
          ReferencedSecurityGroup.builder().groupId(wanted.referencedGroupId()).build());
      peers++;
    }
    if (wanted.prefixListId() != null) {
      rule.prefixListId(wanted.prefixListId());
      peers++;
    }
    if (peers != 1) {
      throw Refuse.combination(
          "Exactly one of CidrIpv4, CidrIpv6, PrefixListId and ReferencedGroupId must be"
              + " specified");
    }
    SecurityGroupRule draft = owned(tx, group, rule.isEgress(old.isEgress()).build());
    Set<Object> others = new HashSet<>();
    of(tx, group.groupId(), old.isEgress()).stream()
        .filter(other -> !other.securityGroupRuleId().equals(ruleId))
        .forEach(other -> others.add(Permissions.identity(other)));
    mustBeNew(others, draft);
    tx.put(
        Tables.RULES,
        ruleId,
        draft.toBuilder()
            .securityGroupRuleId(ruleId)
            .securityGroupRuleArn(old.securityGroupRuleArn())
            .groupId(old.groupId())
            .groupOwnerId(old.groupOwnerId())
            .build());
  }

  public DescribeSecurityGroupRulesResponse describe(DescribeSecurityGroupRulesRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<SecurityGroupRule> all =
        store.read(tx ->
            Kind.RULE.list(tx, request.securityGroupRuleIds()).stream()
                .map(rule -> PeerGroups.shown(tx, rule))
                .map(rule -> rule.toBuilder().tags(Tags.of(tx, rule.securityGroupRuleId())).build())
                .toList());
    Pages<SecurityGroupRule> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            SecurityGroupRule::securityGroupRuleId,
            request.securityGroupRuleIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeSecurityGroupRulesResponse.builder()
        .securityGroupRules(page.items())
        .nextToken(page.nextToken())
        .build();
  }
}
