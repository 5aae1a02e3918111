package dev.muelle.services.elasticloadbalancingv2.state;

import dev.muelle.loop.Loop;
import java.util.Collection;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Makes a change effective: at once if possible, by the loop otherwise. */
public record Wakes(Consumer<String> apply, Loop<String> balancers, Loop<String> health) {

  private static final Logger LOG = LoggerFactory.getLogger(Wakes.class);

  /** When this returns, the data plane has heard of it (or the loop keeps trying). */
  public void now(Collection<String> balancerArns) {
    for (String arn : balancerArns) {
      try {
        apply.accept(arn);
      } catch (RuntimeException e) {
        LOG.debug("{} is left to the loop", arn, e);
      }
      balancers.wake(arn);
    }
  }
}
