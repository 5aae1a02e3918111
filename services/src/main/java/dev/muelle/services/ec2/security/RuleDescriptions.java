package dev.muelle.services.ec2.security;

import dev.muelle.services.ec2.state.Refuse;
import dev.muelle.services.ec2.state.Tables;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.IpPermission;
import software.amazon.awssdk.services.ec2.model.SecurityGroup;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRule;
import software.amazon.awssdk.services.ec2.model.SecurityGroupRuleDescription;
import software.amazon.awssdk.services.ec2.model.UpdateSecurityGroupRuleDescriptionsEgressRequest;
import software.amazon.awssdk.services.ec2.model.UpdateSecurityGroupRuleDescriptionsEgressResponse;
import software.amazon.awssdk.services.ec2.model.UpdateSecurityGroupRuleDescriptionsIngressRequest;
import software.amazon.awssdk.services.ec2.model.UpdateSecurityGroupRuleDescriptionsIngressResponse;

/**
 * Other words for rules that stay as they are: packets notice nothing. A rule is named by its id or
 * by all that it permits, and loses its description if no new one is given.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UpdateSecurityGroupRuleDescriptionsIngress.html">
 *     UpdateSecurityGroupRuleDescriptionsIngress</a>
 */
public final class RuleDescriptions {

  private final Store store;

  public RuleDescriptions(Store store) {
    this.store = store;
  }

  public UpdateSecurityGroupRuleDescriptionsIngressResponse ingress(
      UpdateSecurityGroupRuleDescriptionsIngressRequest request) {
    update(
        request.groupId(),
        request.groupName(),
        false,
        request.ipPermissions(),
        request.securityGroupRuleDescriptions(),
        request.dryRun());
    return UpdateSecurityGroupRuleDescriptionsIngressResponse.builder().returnValue(true).build();
  }

  public UpdateSecurityGroupRuleDescriptionsEgressResponse egress(
      UpdateSecurityGroupRuleDescriptionsEgressRequest request) {
    update(
        request.groupId(),
        request.groupName(),
        true,
        request.ipPermissions(),
        request.securityGroupRuleDescriptions(),
        request.dryRun());
    return UpdateSecurityGroupRuleDescriptionsEgressResponse.builder().returnValue(true).build();
  }

  private void update(
      @Nullable String groupId,
      @Nullable String groupName,
      boolean egress,
      List<IpPermission> permissions,
      List<SecurityGroupRuleDescription> byId,
      @Nullable Boolean dryRun) {
    if (permissions.isEmpty() == byId.isEmpty()) {
      throw permissions.isEmpty()
          ? Refuse.missing("ipPermissions or securityGroupRuleDescriptions")
          : Refuse.combination(
              "Only one of ipPermissions and securityGroupRuleDescriptions may be given");
    }
    store.write(tx -> {
      SecurityGroup group = SecurityGroups.meant(tx, groupId, groupName);
      List<SecurityGroupRule> present = SecurityGroupRules.of(tx, group.groupId(), egress);
      for (SecurityGroupRule asked :
          permissions.isEmpty()
              ? List.<SecurityGroupRule>of()
              : SecurityGroupRules.asked(tx, group, egress, permissions)) {
        describe(tx, SecurityGroupRules.matching(present, asked), asked.description());
      }
      for (SecurityGroupRuleDescription one : byId) {
        String id = Refuse.required(one.securityGroupRuleId(), "SecurityGroupRuleId");
        describe(
            tx, SecurityGroupRules.withId(present, id), Permissions.description(one.description()));
      }
      Refuse.ifDryRun(dryRun);
      return true;
    });
  }

  private static void describe(Tx tx, SecurityGroupRule rule, @Nullable String description) {
    tx.put(
        Tables.RULES,
        rule.securityGroupRuleId(),
        rule.toBuilder().description(description).build());
  }
}
