package dev.muelle.services.elasticloadbalancingv2.balancer;

import dev.muelle.services.elasticloadbalancingv2.log.LogDelivery;
import dev.muelle.services.elasticloadbalancingv2.request.Attributes;
import dev.muelle.services.elasticloadbalancingv2.request.NetworkAttributes;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.Existing;
import dev.muelle.services.elasticloadbalancingv2.state.Shifts;
import dev.muelle.services.elasticloadbalancingv2.state.State;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.Wakes;
import dev.muelle.store.Store;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.ec2.Ec2Client;
import software.amazon.awssdk.services.ec2.model.Subnet;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AvailabilityZone;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeLoadBalancerAttributesResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.InvalidConfigurationRequestException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.LoadBalancerAttribute;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyLoadBalancerAttributesRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.ModifyLoadBalancerAttributesResponse;

/**
 * Attributes of load balancers of both types.
 *
 * @param logs says whether logs that are asked for can be written
 */
public record BalancerAttributes(Store store, Ec2Client ec2, Wakes wakes, LogDelivery logs) {

  public DescribeLoadBalancerAttributesResponse describe(String arn) {
    Balancing b = store.read(tx -> Existing.balancer(tx, arn));
    return DescribeLoadBalancerAttributesResponse.builder().attributes(list(b)).build();
  }

  private static List<LoadBalancerAttribute> list(Balancing b) {
    return b.attributes().entrySet().stream()
        .filter(e -> b.dual() || !e.getKey().equals(Attributes.DENY_GATEWAYS))
        .map(e -> LoadBalancerAttribute.builder().key(e.getKey()).value(e.getValue()).build())
        .toList();
  }

  public ModifyLoadBalancerAttributesResponse modify(ModifyLoadBalancerAttributesRequest request) {
    String arn = request.loadBalancerArn();
    Balancing before = store.read(tx -> Existing.balancer(tx, arn));
    Map<String, String> wanted = changed(before, request);
    probeLogs(request, wanted);
    unlessFull(before, NetworkAttributes.secondary(wanted) - before.secondary());
    Balancing changed =
        store.write(tx -> {
          Balancing b = Existing.balancer(tx, arn);
          Map<String, String> attributes = changed(b, request);
          Balancing next = b.withAttributes(attributes);
          tx.put(State.BALANCERS, arn, next);
          Shifts.unlessShiftable(tx, next);
          return next;
        });
    wakes.now(List.of(arn));
    return ModifyLoadBalancerAttributesResponse.builder().attributes(list(changed)).build();
  }

  private static Map<String, String> changed(
      Balancing b, ModifyLoadBalancerAttributesRequest request) {
    Map<String, String> attributes = b.attributes();
    for (LoadBalancerAttribute a : request.attributes()) {
      if (Attributes.DENY_GATEWAYS.equals(a.key()) && !b.dual()) {
        throw Refuse.invalid(
            "Load balancer attribute key '"
                + a.key()
                + "' is not supported on load balancers with IP address type 'ipv4'");
      }
      attributes =
          b.network()
              ? NetworkAttributes.changed(attributes, a.key(), a.value())
              : Attributes.ofBalancer(attributes, a.key(), a.value());
    }
    return attributes;
  }

  /** Each of its subnets has so many more addresses. */
  private void unlessFull(Balancing b, int more) {
    if (more == 0) {
      return;
    }
    List<String> ids =
        b.balancer().availabilityZones().stream().map(AvailabilityZone::subnetId).toList();
    for (Subnet subnet : ec2.describeSubnets(r -> r.subnetIds(ids)).subnets()) {
      if (subnet.availableIpAddressCount() < more) {
        throw InvalidConfigurationRequestException.builder()
            .message(
                "Not enough IP space available in "
                    + subnet.subnetId()
                    + ": "
                    + more
                    + " more addresses are needed, "
                    + subnet.availableIpAddressCount()
                    + " are free")
            .build();
      }
    }
  }

  /** Logs that are asked for can be written. */
  private void probeLogs(
      ModifyLoadBalancerAttributesRequest request, Map<String, String> attributes) {
    for (LogDelivery.Kind kind : LogDelivery.Kind.values()) {
      String bucket = attributes.getOrDefault(kind.attributes + "bucket", "");
      if (request.attributes().stream().noneMatch(a -> a.key().startsWith(kind.attributes))
          || !"true".equals(attributes.get(kind.attributes + "enabled"))) {
        continue;
      }
      if (bucket.isEmpty()) {
        throw Refuse.invalid("The value of '" + kind.attributes + "bucket' cannot be empty");
      }
      try {
        logs.probe(attributes, kind);
      } catch (IOException e) {
        throw InvalidConfigurationRequestException.builder()
            .message("Access Denied for bucket: " + bucket + ". Please check S3bucket permission")
            .build();
      }
    }
  }
}
