package dev.muelle.services.sns;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** The phases of a delivery policy. */
class DeliveryPolicyTest {

  private static List<Long> delays(DeliveryPolicy policy) {
    List<Long> delays = new ArrayList<>();
    for (int attempts = 1; ; attempts++) {
      Optional<Duration> next = policy.next(attempts);
      if (next.isEmpty()) {
        return delays;
      }
      delays.add(next.get().toSeconds());
    }
  }

  private static DeliveryPolicy policy(String function) {
    return DeliveryPolicy.ofSubscription(
        ("{'healthyRetryPolicy':{'minDelayTarget':1,'maxDelayTarget':16,'numRetries':10,"
                + "'numNoDelayRetries':1,'numMinDelayRetries':2,'numMaxDelayRetries':2,"
                + "'backoffFunction':'"
                + function
                + "'}}")
            .replace('\'', '"'),
        DeliveryPolicy.HTTP);
  }

  @Test
  void phasesFollowEachOther() {
    assertEquals(List.of(0L, 1L, 1L, 1L, 4L, 8L, 12L, 16L, 16L, 16L), delays(policy("linear")));
    assertEquals(List.of(0L, 1L, 1L, 1L, 2L, 4L, 8L, 16L, 16L, 16L), delays(policy("exponential")));
    assertEquals(List.of(0L, 1L, 1L, 1L, 2L, 4L, 8L, 16L, 16L, 16L), delays(policy("geometric")));
    assertEquals(List.of(0L, 1L, 1L, 1L, 2L, 5L, 10L, 16L, 16L, 16L), delays(policy("arithmetic")));
  }

  @Test
  void whatNothingIsSaidOfIsAsAmazonHasIt() {
    assertEquals(List.of(20L, 20L, 20L), delays(DeliveryPolicy.HTTP));
    List<Long> mail = delays(DeliveryPolicy.MAIL);
    assertEquals(50, mail.size());
    assertEquals(List.of(10L, 10L, 10L, 20L, 40L), mail.subList(0, 5));
    assertEquals(600L, mail.getLast());
  }
}
