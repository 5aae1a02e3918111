package dev.muelle.services.eventbridge;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.eventbridge.model.RetryPolicy;

/**
 * Performs what was put down, each target by itself. What fails is tried again, after delays that
 * double, for as long and as often as the target's policy says; what can never succeed is not.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-retry-policy.html">How
 *     EventBridge retries delivering events</a>
 */
final class Invocations implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Invocations.class);
  private static final int TARGETS_AT_ONCE = 64;
  private static final int PAGE = 20;
  private static final int MAX_ATTEMPTS = 185;
  private static final long MAX_AGE_SECONDS = 86_400;
  private static final Duration FIRST_DELAY = Duration.ofSeconds(1);
  private static final int MAX_DOUBLINGS = 9; // about eight and a half minutes
  private static final int SERVER_ERROR = 500;

  private final Store store;
  private final Timers timers;
  private final Invoker invoker;
  private final EventMetrics metrics;
  private final Loop<String> loop;

  private record Work(Row<Invocation> row, Rule rule, Aim aim) {}

  Invocations(
      Store store, Timers timers, RandomGenerator random, Invoker invoker, EventMetrics metrics) {
    this.store = store;
    this.timers = timers;
    this.invoker = invoker;
    this.metrics = metrics;
    loop = new Loop<>("event-targets", timers, random, TARGETS_AT_ONCE, this::perform);
  }

  /** Takes up what an earlier server left. */
  void start() {
    store.read(tx -> tx.list(Invocation.TABLE)).stream()
        .map(row -> row.value().target())
        .distinct()
        .forEach(loop::wake);
  }

  void wake(String target) {
    loop.wake(target);
  }

  private @Nullable Duration perform(String target) {
    Instant now = timers.instant();
    List<Row<Invocation>> page =
        store.read(tx ->
            tx.range(
                Invocation.TABLE,
                Invocation.prefix(target),
                Invocation.key(target, now.plusMillis(1), ""),
                false,
                PAGE));
    page.forEach(this::perform);
    Optional<Instant> next =
        store.read(tx ->
            tx
                .range(
                    Invocation.TABLE,
                    Invocation.prefix(target),
                    Invocation.prefix(target) + '\uffff',
                    false,
                    1)
                .stream()
                .map(row -> row.value().due())
                .findFirst());
    Instant after = timers.instant();
    return next.map(at -> at.isAfter(after) ? Duration.between(after, at) : Duration.ZERO)
        .orElse(null);
  }

  private void perform(Row<Invocation> row) {
    Optional<Work> work =
        store.read(tx ->
            tx.get(Aim.TABLE, row.value().target())
                .map(Row::value)
                .flatMap(aim ->
                    tx.get(Rule.TABLE, aim.rule()).map(rule -> new Work(row, rule.value(), aim))));
    if (work.isEmpty()) { // its target is gone
      store.write(tx -> tx.delete(Invocation.TABLE, row.key()));
      return;
    }
    @Nullable RuntimeException failure = null;
    Instant now = timers.instant();
    try {
      invoker.invoke(work.get().rule(), work.get().aim().target(), row.value(), now);
    } catch (RuntimeException e) {
      failure = e;
    }
    record(work.get(), failure, now);
  }

  private void record(Work work, @Nullable RuntimeException failure, Instant now) {
    Invocation invocation = work.row().value();
    Optional<Instant> again =
        failure == null || isHopeless(failure)
            ? Optional.empty()
            : again(work.aim().target().retryPolicy(), invocation, now);
    store.write(tx -> {
      boolean there = tx.delete(Invocation.TABLE, work.row().key());
      if (there) {
        again.ifPresent(at -> invocation.again(at).put(tx));
      }
      return there;
    });
    metrics.attempted(
        work.rule().key(), failure == null, invocation.attempts() > 0, again.isEmpty());
    if (failure != null && again.isEmpty()) {
      LOG.warn(
          "rule {}: the target {} did not get an event: {}",
          work.rule().key(),
          work.aim().target().arn(),
          failure.getMessage());
    }
  }

  /**
   * Whether the target itself says that it will never do this: it is gone, or was asked wrongly.
   */
  private static boolean isHopeless(RuntimeException failure) {
    return failure instanceof AwsServiceException said
        && said.statusCode() < SERVER_ERROR
        && !said.getClass().getSimpleName().contains("Thrott");
  }

  private static Optional<Instant> again(
      @Nullable RetryPolicy policy, Invocation invocation, Instant now) {
    int attempts =
        policy == null || policy.maximumRetryAttempts() == null
            ? MAX_ATTEMPTS
            : policy.maximumRetryAttempts();
    long age =
        policy == null || policy.maximumEventAgeInSeconds() == null
            ? MAX_AGE_SECONDS
            : policy.maximumEventAgeInSeconds();
    Instant at =
        now.plus(FIRST_DELAY.multipliedBy(1L << Math.min(invocation.attempts(), MAX_DOUBLINGS)));
    return invocation.attempts() >= attempts || at.isAfter(invocation.begun().plusSeconds(age))
        ? Optional.empty()
        : Optional.of(at);
  }

  @Override
  public void close() {
    loop.close();
  }
}
