package dev.muelle.services.elasticloadbalancingv2;

import dev.muelle.loop.Loop;
import java.util.Collection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a change effective: at once if possible, by the loop otherwise. */
record Wakes(Apply apply, Loop<String> balancers, Loop<String> health) {

  private static final Logger LOG = LoggerFactory.getLogger(Wakes.class);

  /** When this returns, the data plane has heard of it (or the loop keeps trying). */
  void now(Collection<String> balancerArns) {
    for (String arn : balancerArns) {
      try {
        apply.balancer(arn);
      } catch (RuntimeException e) {
        LOG.debug("{} is left to the loop", arn, e);
      }
      balancers.wake(arn);
    }
  }
}
