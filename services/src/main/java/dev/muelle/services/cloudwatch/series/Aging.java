package dev.muelle.services.cloudwatch.series;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import java.time.Duration;
import java.util.random.RandomGenerator;

/** Makes measurements coarser as they grow old, little by little, so that writers wait for none. */
public final class Aging implements AutoCloseable {

  private static final int BATCH = 200; // blocks in one transaction
  private static final Duration AGAIN = Duration.ofMinutes(5);

  private final Loop<String> loop;

  public Aging(SeriesStore series, Timers timers, RandomGenerator random) {
    loop =
        new Loop<>(
            "cloudwatch-aging",
            timers,
            random,
            1,
            key -> {
              boolean more = true;
              while (more) {
                more = series.age(BATCH);
              }
              series.forget();
              return AGAIN;
            });
  }

  public void start() {
    loop.wake("");
  }

  @Override
  public void close() {
    loop.close();
  }
}
