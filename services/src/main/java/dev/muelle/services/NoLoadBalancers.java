package dev.muelle.services;

import software.amazon.awssdk.services.elasticloadbalancingv2.ElasticLoadBalancingV2Client;

/** Load balancing, where there is none: every operation is refused. */
public final class NoLoadBalancers implements ElasticLoadBalancingV2Client {

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {}
}
