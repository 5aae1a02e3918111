package dev.muelle.services.elasticloadbalancingv2;

import dev.muelle.services.elasticloadbalancingv2.balancer.LoadBalancers;
import dev.muelle.services.elasticloadbalancingv2.listener.ListenerCertificates;
import dev.muelle.services.elasticloadbalancingv2.listener.Listeners;
import dev.muelle.services.elasticloadbalancingv2.request.Pages;
import dev.muelle.services.elasticloadbalancingv2.rule.Actions;
import dev.muelle.services.elasticloadbalancingv2.rule.Conditions;
import dev.muelle.services.elasticloadbalancingv2.rule.Rules;
import dev.muelle.services.elasticloadbalancingv2.target.TargetGroups;
import dev.muelle.services.elasticloadbalancingv2.target.Targets;
import dev.muelle.services.elasticloadbalancingv2.trust.TrustFiles;
import dev.muelle.services.elasticloadbalancingv2.trust.TrustRevocations;
import dev.muelle.services.elasticloadbalancingv2.trust.TrustStores;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeAccountLimitsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeAccountLimitsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Limit;

/**
 * How much of everything an account may have: what the rooms of this package hold to.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_Limit.html">
 *     Limit</a>
 */
final class AccountLimits {

  private static final List<Limit> ALL =
      Map.ofEntries(
              Map.entry("application-load-balancers", LoadBalancers.MAX),
              Map.entry("network-load-balancers", LoadBalancers.MAX),
              Map.entry("listeners-per-application-load-balancer", Listeners.MAX),
              Map.entry("listeners-per-network-load-balancer", Listeners.MAX),
              Map.entry("rules-per-application-load-balancer", Rules.MAX),
              Map.entry("condition-values-per-alb-rule", Conditions.MAX_VALUES),
              Map.entry("condition-wildcards-per-alb-rule", Conditions.MAX_WILDCARDS),
              Map.entry("certificates-per-application-load-balancer", ListenerCertificates.MAX),
              Map.entry("certificates-per-network-load-balancer", ListenerCertificates.MAX),
              Map.entry("target-groups", TargetGroups.MAX),
              Map.entry(
                  "target-groups-per-action-on-application-load-balancer", Actions.MAX_GROUPS),
              Map.entry("target-groups-per-action-on-network-load-balancer", 1),
              Map.entry("targets-per-target-group", Targets.MAX_TARGETS),
              Map.entry("trust-stores", TrustStores.MAX),
              Map.entry("ca-certificates-per-trust-store", TrustFiles.MAX_AUTHORITIES),
              Map.entry("revocation-entries-per-trust-store", TrustRevocations.MAX_REVOKED))
          .entrySet()
          .stream()
          .map(e -> Limit.builder().name(e.getKey()).max(e.getValue().toString()).build())
          .sorted((a, b) -> a.name().compareTo(b.name()))
          .toList();

  private AccountLimits() {}

  static DescribeAccountLimitsResponse describe(DescribeAccountLimitsRequest request) {
    Pages<Limit> page = Pages.of(ALL, Limit::name, request.marker(), request.pageSize());
    return DescribeAccountLimitsResponse.builder()
        .limits(page.items())
        .nextMarker(page.next())
        .build();
  }
}
