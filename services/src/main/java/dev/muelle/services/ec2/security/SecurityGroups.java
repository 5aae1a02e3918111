package dev.muelle.services.ec2.security;

import dev.muelle.services.Ids;
import dev.muelle.services.Scope;
import dev.muelle.services.ec2.plane.DataPlane;
import dev.muelle.services.ec2.plane.Permits;
import dev.muelle.services.ec2.state.Filters;
import dev.muelle.services.ec2.state.Ipv6;
import dev.muelle.services.ec2.state.Kind;
import dev.muelle.services.ec2.state.Pages;
import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.services.ec2.state.Tags;
import dev.muelle.services.ec2.state.VpcRecord;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.CreateSecurityGroupRequest;
import software.amazon.awssdk.services.ec2.model.CreateSecurityGroupResponse;
import software.amazon.awssdk.services.ec2.model.DeleteSecurityGroupRequest;
import software.amazon.awssdk.services.ec2.model.DeleteSecurityGroupResponse;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeSecurityGroupsResponse;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.IpRange;
import software.amazon.awssdk.services.ec2.model.Ipv6Range;
import software.amazon.awssdk.services.ec2.model.PrefixListId;
import software.amazon.awssdk.services.ec2.model.ReferencedSecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.UserIdGroupPair;
import software.amazon.awssdk.services.ec2.model.Vpc;

/**
 * Security groups; their rules are {@link SecurityGroupRules}' matter.
 *
 * @see <a href="https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html">Security
 *     groups</a>
 */
public final class SecurityGroups {

  public static final String DEFAULT = "default";

  private static final int MOST = 2500;
  private static final int MAX_TEXT = 255;
  private static final String CHARACTERS = "[a-zA-Z0-9 ._\\-:/()#,@\\[\\]+=&;{}!$*]*";

  private final Scope scope;
  private final Store store;
  private final Ids ids;
  private final DataPlane plane;
  private final Filters<SecurityGroup> questions;

  public SecurityGroups(Scope scope, Store store, Ids ids, DataPlane plane) {
    this.scope = scope;
    this.store = store;
    this.ids = ids;
    this.plane = plane;
    questions = filters();
  }

  private Filters<SecurityGroup> filters() {
    Filters<SecurityGroup> filters =
        new Filters<>(SecurityGroup::tags)
            .by("description", SecurityGroup::description)
            .by("group-id", SecurityGroup::groupId)
            .by("group-name", SecurityGroup::groupName)
            .by("owner-id", SecurityGroup::ownerId)
            .by("vpc-id", SecurityGroup::vpcId);
    permissions(filters, "ip-permission.", SecurityGroup::ipPermissions);
    permissions(filters, "egress.ip-permission.", SecurityGroup::ipPermissionsEgress);
    return filters;
  }

  private void permissions(
      Filters<SecurityGroup> filters,
      String prefix,
      Function<SecurityGroup, List<IpPermission>> permissions) {
    Function<Function<IpPermission, List<String>>, Function<SecurityGroup, List<String>>> each =
        values ->
            group ->
                permissions.apply(group).stream()
                    .flatMap(permission -> values.apply(permission).stream())
                    .filter(Objects::nonNull)
                    .toList();
    filters
        .byAny(
            prefix + "cidr", each.apply(p -> p.ipRanges().stream().map(IpRange::cidrIp).toList()))
        .byAny(
            prefix + "ipv6-cidr",
            each.apply(p -> p.ipv6Ranges().stream().map(Ipv6Range::cidrIpv6).toList()))
        .byAny(
            prefix + "prefix-list-id",
            each.apply(p -> p.prefixListIds().stream().map(PrefixListId::prefixListId).toList()))
        .byAny(
            prefix + "group-id",
            each.apply(p -> p.userIdGroupPairs().stream().map(UserIdGroupPair::groupId).toList()))
        .byAny(
            prefix + "group-name",
            each.apply(p ->
                p.userIdGroupPairs().stream()
                    .flatMap(pair -> name(pair.groupId()).stream())
                    .toList()))
        .byAny(
            prefix + "user-id",
            each.apply(p -> p.userIdGroupPairs().stream().map(UserIdGroupPair::userId).toList()))
        .byAny(prefix + "protocol", each.apply(p -> List.of(p.ipProtocol())))
        .byAny(
            prefix + "from-port",
            each.apply(p -> p.fromPort() == null ? List.of() : List.of(p.fromPort().toString())))
        .byAny(
            prefix + "to-port",
            each.apply(p -> p.toPort() == null ? List.of() : List.of(p.toPort().toString())));
  }

  private Optional<String> name(String groupId) {
    return store.read(tx -> tx.get(Tables.GROUPS, groupId)).map(row -> row.value().groupName());
  }

  public static SecurityGroup defaultOf(Tx tx, String vpcId) {
    return named(tx, vpcId, DEFAULT).orElseThrow();
  }

  public static Optional<SecurityGroup> named(Tx tx, String vpcId, String name) {
    return Tables.of(tx, Tables.GROUPS, "vpc", vpcId).stream()
        .filter(group -> group.groupName().equals(name))
        .findFirst();
  }

  /** The group that a request means by an id, or by a name within the default VPC. */
  public static SecurityGroup meant(Tx tx, @Nullable String id, @Nullable String name) {
    if (id != null && !id.isEmpty()) {
      wellFormed(id);
      return Kind.GROUP.get(tx, id);
    }
    if (name == null || name.isEmpty()) {
      throw Refuse.because(
          "MissingParameter", "The request must contain the parameter groupName or groupId");
    }
    Vpc vpc = VpcRecord.findDefault(tx).orElseThrow(SecurityGroups::noDefaultVpc);
    return named(tx, vpc.vpcId(), name)
        .orElseThrow(() ->
            Refuse.because(
                "InvalidGroup.NotFound",
                "The security group '"
                    + name
                    + "' does not exist in default VPC '"
                    + vpc.vpcId()
                    + "'"));
  }

  public static void wellFormed(String id) {
    if (!id.matches("sg-[0-9a-f]+")) {
      throw Refuse.because(
          "InvalidGroupId.Malformed", "Invalid id: \"" + id + "\" (expecting \"sg-...\")");
    }
  }

  private static RuntimeException noDefaultVpc() {
    return Refuse.because("VPCIdNotSpecified", "No default VPC for this user");
  }

  /** The group that every VPC is born with: its members may speak to each other and to all. */
  public void makeDefault(Tx tx, String vpcId) {
    String id = make(tx, vpcId, DEFAULT, "default VPC security group", List.of());
    SecurityGroupRule fromItself =
        Permissions.service(Permits.EVERY, null, null).toBuilder()
            .isEgress(false)
            .referencedGroupInfo(
                ReferencedSecurityGroup.builder().groupId(id).userId(scope.account()).build())
            .build();
    addRule(tx, id, fromItself, List.of());
  }

  private String make(Tx tx, String vpcId, String name, String description, List<Tag> tags) {
    String id = ids.ec2("sg");
    tx.insert(
        Tables.GROUPS,
        id,
        SecurityGroup.builder()
            .groupId(id)
            .groupName(name)
            .description(description)
            .vpcId(vpcId)
            .ownerId(scope.account())
            .securityGroupArn(scope.arn("ec2", "security-group/" + id))
            .build());
    Tags.put(tx, id, tags);
    addRule(tx, id, toAll().cidrIpv4("0.0.0.0/0").build(), List.of());
    if (!Ipv6.blocks(Kind.VPC.get(tx, vpcId).vpc()).isEmpty()) {
      addRule(tx, id, toAll().cidrIpv6("::/0").build(), List.of());
    }
    return id;
  }

  private static SecurityGroupRule.Builder toAll() {
    return Permissions.service(Permits.EVERY, null, null).toBuilder().isEgress(true);
  }

  /**
   * A VPC carries IPv6 from now on: its default group lets that out, too, if nobody has changed
   * what it lets out.
   */
  public void takeIpv6(Tx tx, String vpcId) {
    String id = defaultOf(tx, vpcId).groupId();
    List<SecurityGroupRule> egress =
        Tables.of(tx, Tables.RULES, "group", id).stream()
            .filter(SecurityGroupRule::isEgress)
            .toList();
    if (egress.size() == 1
        && Permits.EVERY.equals(egress.getFirst().ipProtocol())
        && "0.0.0.0/0".equals(egress.getFirst().cidrIpv4())) {
      addRule(tx, id, toAll().cidrIpv6("::/0").build(), List.of());
    }
  }

  /** Stores a rule of a group, and gives it its id. */
  SecurityGroupRule addRule(Tx tx, String groupId, SecurityGroupRule draft, List<Tag> tags) {
    String id = ids.ec2("sgr");
    SecurityGroupRule rule =
        draft.toBuilder()
            .securityGroupRuleId(id)
            .securityGroupRuleArn(scope.arn("ec2", "security-group-rule/" + id))
            .groupId(groupId)
            .groupOwnerId(scope.account())
            .build();
    tx.insert(Tables.RULES, id, rule);
    Tags.put(tx, id, tags);
    return rule.toBuilder().tags(tags).build();
  }

  public CreateSecurityGroupResponse create(CreateSecurityGroupRequest request) {
    String name = text(Refuse.required(request.groupName(), "GroupName"), "group name");
    String description =
        text(Refuse.required(request.description(), "GroupDescription"), "group description");
    if (name.startsWith("sg-")) {
      throw Refuse.invalidValue(
          "Value ("
              + name
              + ") for parameter GroupName is invalid. Group names may not be in the format sg-*.");
    }
    if (name.equals(DEFAULT)) {
      throw Refuse.invalidValue("Cannot use reserved security group name: default");
    }
    List<Tag> tags = Tags.given("security-group", request.tagSpecifications());
    String id =
        store.write(tx -> {
          String vpcId =
              request.vpcId() == null
                  ? VpcRecord.findDefault(tx).orElseThrow(SecurityGroups::noDefaultVpc).vpcId()
                  : Kind.VPC.get(tx, request.vpcId()).vpc().vpcId();
          if (named(tx, vpcId, name).isPresent()) {
            throw Refuse.because(
                "InvalidGroup.Duplicate",
                "The security group '" + name + "' already exists for VPC '" + vpcId + "'");
          }
          if (tx.count(Tables.GROUPS) >= MOST) {
            throw Refuse.because(
                "SecurityGroupLimitExceeded",
                "The maximum number of security groups has been reached.");
          }
          String made = make(tx, vpcId, name, description, tags);
          Refuse.ifDryRun(request.dryRun());
          return made;
        });
    plane.alone(
        id,
        () -> {
          plane.group(id);
          return true;
        });
    return CreateSecurityGroupResponse.builder()
        .groupId(id)
        .securityGroupArn(scope.arn("ec2", "security-group/" + id))
        .tags(tags)
        .build();
  }

  private static String text(String text, String what) {
    if (text.length() > MAX_TEXT || !text.matches(CHARACTERS)) {
      throw Refuse.invalidValue(
          "Invalid security "
              + what
              + ". Valid are strings of at most 255 characters from the following set: "
              + "a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*");
    }
    return text;
  }

  public DeleteSecurityGroupResponse delete(DeleteSecurityGroupRequest request) {
    String id = store.read(tx -> meant(tx, request.groupId(), request.groupName())).groupId();
    plane.alone(
        id,
        () -> {
          String vpcId =
              store.write(tx -> {
                SecurityGroup group = Kind.GROUP.get(tx, id);
                if (group.groupName().equals(DEFAULT)) {
                  throw Refuse.because(
                      "CannotDelete",
                      "the specified group: \""
                          + id
                          + "\" name: \"default\" cannot be deleted by a"
                          + " user");
                }
                if (GroupVpcs.used(tx, id, group.vpcId())
                    || GroupVpcs.associated(tx, id)
                    || referenced(tx, group)) {
                  throw Refuse.dependency("resource " + id + " has a dependent object");
                }
                forget(tx, id);
                Refuse.ifDryRun(request.dryRun());
                return group.vpcId();
              });
          plane.groupGone(vpcId, id);
          return true;
        });
    return DeleteSecurityGroupResponse.builder().returnValue(true).groupId(id).build();
  }

  /** Whether another group of its VPC names it; a rule elsewhere becomes stale without it. */
  private static boolean referenced(Tx tx, SecurityGroup group) {
    return Tables.of(tx, Tables.RULES, "referenced", group.groupId()).stream()
        .map(SecurityGroupRule::groupId)
        .filter(other -> !other.equals(group.groupId()))
        .anyMatch(other -> Kind.GROUP.get(tx, other).vpcId().equals(group.vpcId()));
  }

  public void forget(Tx tx, String groupId) {
    for (Row<SecurityGroupRule> rule : tx.find(Tables.RULES, "group", groupId)) {
      Tags.forget(tx, rule.key());
      tx.delete(Tables.RULES, rule.key());
    }
    Tags.forget(tx, groupId);
    tx.delete(Tables.GROUPS, groupId);
  }

  public DescribeSecurityGroupsResponse describe(DescribeSecurityGroupsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    request.groupIds().forEach(SecurityGroups::wellFormed);
    List<SecurityGroup> all =
        store.read(tx -> {
          List<String> wanted = new ArrayList<>(request.groupIds());
          for (String name : request.groupNames()) {
            wanted.add(meant(tx, null, name).groupId());
          }
          return Kind.GROUP.list(tx, wanted).stream().map(group -> shown(tx, group)).toList();
        });
    Pages<SecurityGroup> page =
        Pages.of(
            questions.select(all, request.filters()),
            SecurityGroup::groupId,
            request.groupIds(),
            request.nextToken(),
            request.maxResults());
    return DescribeSecurityGroupsResponse.builder()
        .securityGroups(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private static SecurityGroup shown(Tx tx, SecurityGroup group) {
    List<SecurityGroupRule> rules =
        Tables.of(tx, Tables.RULES, "group", group.groupId()).stream()
            .map(rule -> PeerGroups.shown(tx, rule))
            .toList();
    return group.toBuilder()
        .ipPermissions(permissions(rules, false))
        .ipPermissionsEgress(permissions(rules, true))
        .tags(Tags.of(tx, group.groupId()))
        .build();
  }

  private static List<IpPermission> permissions(List<SecurityGroupRule> rules, boolean egress) {
    return Permissions.bundled(rules.stream().filter(rule -> rule.isEgress() == egress).toList());
  }
}
