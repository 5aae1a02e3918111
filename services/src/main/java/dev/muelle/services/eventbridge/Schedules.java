package dev.muelle.services.eventbridge;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.scaling.Schedule;
import dev.muelle.services.EventOutbox.Event;
import dev.muelle.services.Ids;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Rules that are due at certain times, in UTC. The moment is put down together with what its
 * targets get, so that no server does it a second time; moments at which no server ran are left
 * out, except for the last one, if it is less than a minute ago.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html">Rules
 *     that run on a schedule</a>
 */
final class Schedules implements AutoCloseable {

  private static final int AT_ONCE = 4;
  private static final Duration LATE = Duration.ofMinutes(1);

  private final Store store;
  private final Timers timers;
  private final Ids ids;
  private final Matching matching;
  private final EventMetrics metrics;
  private final Rules rules;
  private final Consumer<String> wakeTarget;
  private final Loop<String> loop;

  Schedules(
      Store store,
      Timers timers,
      Ids ids,
      RandomGenerator random,
      Matching matching,
      EventMetrics metrics,
      Rules rules,
      Consumer<String> wakeTarget) {
    this.store = store;
    this.timers = timers;
    this.ids = ids;
    this.matching = matching;
    this.metrics = metrics;
    this.rules = rules;
    this.wakeTarget = wakeTarget;
    loop = new Loop<>("event-schedules", timers, random, AT_ONCE, this::run);
  }

  void start() {
    store.read(tx -> tx.list(Rule.TABLE)).forEach(row -> wake(row.key()));
  }

  void wake(String ruleKey) {
    loop.wake(ruleKey);
  }

  private @Nullable Duration run(String key) {
    Instant now = timers.instant();
    Optional<Rule> found =
        store.read(tx -> tx.get(Rule.TABLE, key)).map(Row::value).filter(Schedules::isDue);
    if (found.isEmpty()) {
      return null;
    }
    Optional<Instant> next = next(found.get(), now);
    if (next.isPresent() && !next.get().isAfter(now)) {
      fire(found.get(), next.get(), now);
      next = next(found.get().ranAt(next.get()), now);
    }
    return next.map(at -> at.isAfter(now) ? Duration.between(now, at) : Duration.ZERO).orElse(null);
  }

  private static boolean isDue(Rule rule) {
    return rule.enabled() && rule.schedule() != null;
  }

  private static Optional<Instant> next(Rule rule, Instant now) {
    Instant late = now.minus(LATE);
    Instant last = rule.ran() == null ? rule.created() : rule.ran();
    String expression = rule.schedule() == null ? "" : rule.schedule();
    return Schedule.parse(expression, null, rule.created())
        .flatMap(schedule -> schedule.next(last.isAfter(late) ? last : late));
  }

  private void fire(Rule rule, Instant at, Instant now) {
    Event event =
        new Event(ids.uuid(), "aws.events", "Scheduled Event", List.of(rules.arn(rule)), "{}", at);
    Set<String> targets =
        store.write(tx -> {
          Rule there = tx.get(Rule.TABLE, rule.key()).map(Row::value).orElse(null);
          if (there == null || !there.equals(rule)) {
            return Set.of(); // it is another one now: its change wakes this loop
          }
          tx.put(Rule.TABLE, rule.key(), rule.ranAt(at));
          return matching.invoke(tx, rule, matching.json(event), now);
        });
    metrics.triggered(rule.key());
    targets.forEach(wakeTarget);
  }

  @Override
  public void close() {
    loop.close();
  }
}
