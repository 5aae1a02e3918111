package dev.muelle.balancer.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class ResponseTimesTest {

  @Test
  void everyTimeIsCountedWhereItBelongs() {
    SplittableRandom random = new SplittableRandom(9);
    for (int i = 0; i < 20_000; i++) {
      long nanos = random.nextLong(1L << random.nextInt(11, 43));
      ResponseTimes times = new ResponseTimes();
      times.add(nanos);
      int[] counts = times.counts();
      int at = 0;
      while (counts[at] == 0) {
        at++;
      }
      double seconds = ResponseTimes.seconds(at);
      double wanted = nanos / 1e9;
      assertTrue(
          Math.abs(seconds - wanted) <= Math.max(1e-6, wanted / 16),
          nanos + " is counted as " + seconds);
    }
  }

  @Test
  void whatIsTooLongCountsAsTheLongest() {
    ResponseTimes times = new ResponseTimes();
    times.add(Long.MAX_VALUE);
    times.add(-1);
    int[] counts = times.counts();
    assertEquals(1, counts[counts.length - 1]);
    assertEquals(1, counts[0]);
  }
}
