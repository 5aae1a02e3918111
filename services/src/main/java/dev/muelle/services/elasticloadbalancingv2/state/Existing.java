package dev.muelle.services.elasticloadbalancingv2.state;

import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.state.State.Listening;
import dev.muelle.services.elasticloadbalancingv2.state.State.Ruling;
import dev.muelle.services.elasticloadbalancingv2.state.State.Trusting;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ListenerNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RuleNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TargetGroupNotFoundException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TrustStoreNotFoundException;

/** What requests name by its ARN, or AWS's error where it does not exist. */
public final class Existing {

  private Existing() {}

  public static List<Row<Balancing>> balancers(Tx tx) {
    return tx.list(State.BALANCERS).stream().filter(row -> !row.value().deleted()).toList();
  }

  public static Balancing balancer(Tx tx, String arn) {
    Refuse.unlessArn(arn, "loadbalancer/(?:app|net)/", "load balancer");
    return tx.get(State.BALANCERS, arn)
        .map(Row::value)
        .filter(b -> !b.deleted())
        .orElseThrow(() ->
            LoadBalancerNotFoundException.builder()
                .message("Load balancer '" + arn + "' not found")
                .build());
  }

  public static Group group(Tx tx, String arn) {
    Refuse.unlessArn(arn, "targetgroup/", "target group");
    return tx.get(State.GROUPS, arn)
        .map(Row::value)
        .orElseThrow(() ->
            TargetGroupNotFoundException.builder()
                .message("Target groups '" + arn + "' not found")
                .build());
  }

  public static Listening listener(Tx tx, @Nullable String arn) {
    return tx.get(State.LISTENERS, Refuse.unlessArn(arn, "listener/(?:app|net)/", "listener"))
        .map(Row::value)
        .orElseThrow(() ->
            ListenerNotFoundException.builder().message("One or more listeners not found").build());
  }

  public static Ruling rule(Tx tx, @Nullable String arn) {
    return tx.get(State.RULES, Refuse.unlessArn(arn, "listener-rule/(?:app|net)/", "listener rule"))
        .map(Row::value)
        .orElseThrow(
            () -> RuleNotFoundException.builder().message("One or more rules not found").build());
  }

  /** A listener's rules in the order in which they are tried, without the default one. */
  public static List<Ruling> rules(Tx tx, String listenerArn) {
    return tx.find(State.RULES, "listener", listenerArn).stream()
        .map(Row::value)
        .sorted(Comparator.comparingInt(ruling -> Integer.parseInt(ruling.rule().priority())))
        .toList();
  }

  public static Trusting trustStore(Tx tx, @Nullable String arn) {
    return tx.get(State.TRUST_STORES, Refuse.unlessArn(arn, "truststore/", "trust store"))
        .map(Row::value)
        .orElseThrow(() ->
            TrustStoreNotFoundException.builder()
                .message("Trust store '" + arn + "' not found")
                .build());
  }
}
