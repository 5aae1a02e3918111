package dev.muelle.services.sns;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.Scope;
import dev.muelle.services.sns.Message.Kind;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Delivers what was put down, each subscription by itself: an endpoint that hangs holds up nobody
 * else. What fails is put down again for later, until the delivery policy gives up.
 */
final class Deliveries implements AutoCloseable {

  private static final int SUBSCRIPTIONS_AT_ONCE = 256;
  private static final int MESSAGES_AT_ONCE = 10;
  private static final Duration SECOND = Duration.ofSeconds(1);

  private final Store store;
  private final Timers timers;
  private final Senders senders;
  private final DeliveryLog log;
  private final TopicMetrics metrics;
  private final Loop<String> loop;

  /** When a subscription with a limit may get its next messages. */
  private final Map<String, Instant> rests = new ConcurrentHashMap<>();

  /** One attempt: a message, where it goes, and what became of it. */
  private record Attempt(
      Row<Delivery> row, Message message, Topic topic, Subscription to, DeliveryPolicy policy) {}

  private record Done(Attempt attempt, Outcome outcome, Instant begun) {}

  Deliveries(
      Scope scope,
      Store store,
      Timers timers,
      RandomGenerator random,
      Senders senders,
      DeliveryLog log,
      TopicMetrics metrics) {
    this.store = store;
    this.timers = timers;
    this.senders = senders;
    this.log = log;
    this.metrics = metrics;
    loop =
        new Loop<>("sns-" + scope.region(), timers, random, SUBSCRIPTIONS_AT_ONCE, this::deliver);
  }

  /** Takes up what an earlier server left. */
  void start() {
    store
        .read(tx -> {
          List<String> waiting = new ArrayList<>();
          tx.list(Delivery.TABLE).forEach(row -> waiting.add(row.value().subscriptionArn()));
          tx.list(Subscription.TABLE).stream()
              .filter(row -> row.value().pending())
              .forEach(row -> waiting.add(row.key()));
          return waiting;
        })
        .stream()
        .distinct()
        .forEach(loop::wake);
  }

  void wake(String subscriptionArn) {
    loop.wake(subscriptionArn);
  }

  private @Nullable Duration deliver(String arn) {
    Instant now = timers.instant();
    Instant rest = rests.get(arn);
    if (rest != null && rest.isAfter(now)) {
      return Duration.between(now, rest);
    }
    forgetSilent(arn, now);
    List<Attempt> attempts = due(arn, now);
    List<Done> done = attemptAll(attempts);
    record(done);
    int perSecond = attempts.isEmpty() ? 0 : attempts.getFirst().policy().perSecond();
    if (perSecond > 0) {
      rests.put(arn, now.plus(SECOND.multipliedBy(attempts.size()).dividedBy(perSecond)));
    } else {
      rests.remove(arn);
    }
    return next(arn);
  }

  /** Who has not confirmed for two days never will. */
  private void forgetSilent(String arn, Instant now) {
    boolean silent =
        store
            .read(tx -> tx.get(Subscription.TABLE, arn))
            .map(Row::value)
            .filter(one -> silent(one, now))
            .isPresent();
    if (silent) {
      store.write(tx -> {
        tx.get(Subscription.TABLE, arn)
            .map(Row::value)
            .filter(one -> silent(one, now))
            .ifPresent(one -> Subscriptions.drop(tx, one));
        return true;
      });
    }
  }

  private static boolean silent(Subscription one, Instant now) {
    return one.pending() && !now.isBefore(one.since().plus(Subscription.PATIENCE));
  }

  private List<Attempt> due(String arn, Instant now) {
    String from = Delivery.prefix(arn);
    String to = Delivery.key(arn, now.plusMillis(1), "");
    List<Row<Delivery>> orphans = new ArrayList<>();
    List<Attempt> attempts =
        store.read(tx -> {
          orphans.clear();
          List<Attempt> found = new ArrayList<>();
          for (Row<Delivery> row : tx.range(Delivery.TABLE, from, to, false, MESSAGES_AT_ONCE)) {
            attempt(tx, row).ifPresentOrElse(found::add, () -> orphans.add(row));
          }
          return found;
        });
    if (!orphans.isEmpty()) {
      store.write(tx -> {
        orphans.forEach(row -> Delivery.end(tx, row));
        return true;
      });
    }
    if (attempts.isEmpty()) {
      return attempts;
    }
    int perSecond = attempts.getFirst().policy().perSecond();
    return perSecond == 0 || perSecond >= attempts.size()
        ? attempts
        : attempts.subList(0, perSecond);
  }

  private static Optional<Attempt> attempt(Tx tx, Row<Delivery> row) {
    Delivery delivery = row.value();
    Subscription to =
        delivery.former() != null
            ? delivery.former()
            : tx.get(Subscription.TABLE, delivery.subscriptionArn()).map(Row::value).orElse(null);
    Message message = tx.get(Message.TABLE, delivery.messageId()).map(Row::value).orElse(null);
    if (to == null || message == null) {
      return Optional.empty();
    }
    return tx.get(Topic.TABLE, to.topicArn())
        .map(Row::value)
        .map(topic -> new Attempt(row, message, topic, to, DeliveryPolicy.effective(topic, to)));
  }

  private List<Done> attemptAll(List<Attempt> attempts) {
    if (attempts.size() == 1) {
      return List.of(attempt(attempts.getFirst()));
    }
    List<Future<Done>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      attempts.forEach(one -> running.add(threads.submit(() -> attempt(one))));
    }
    return running.stream().map(Future::resultNow).toList();
  }

  private Done attempt(Attempt one) {
    Instant begun = timers.instant();
    Outcome outcome;
    try {
      outcome = senders.send(one.message(), one.topic(), one.to(), one.policy());
    } catch (RuntimeException e) {
      outcome = Outcome.failed(e);
    }
    return new Done(one, outcome, begun);
  }

  /** What was tried is over, or put down for later. */
  private void record(List<Done> done) {
    if (done.isEmpty()) {
      return;
    }
    Instant now = timers.instant();
    store.write(tx -> {
      done.forEach(one -> record(tx, one, now));
      return true;
    });
    for (Done one : done) {
      if (one.attempt().message().kind() == Kind.NOTIFICATION && isOver(one)) {
        tell(one);
      }
    }
  }

  private static boolean isOver(Done done) {
    return switch (done.outcome().result()) {
      case DELIVERED, NEVER -> true;
      case AGAIN -> again(done.attempt()).isEmpty();
    };
  }

  private static Optional<Duration> again(Attempt attempt) {
    return attempt.policy().next(attempt.row().value().attempts() + 1);
  }

  private static void record(Tx tx, Done done, Instant now) {
    Row<Delivery> row = done.attempt().row();
    if (tx.get(Delivery.TABLE, row.key()).isEmpty()) {
      return; // its subscription has ended meanwhile
    }
    if (isOver(done)) {
      Delivery.end(tx, row);
      return;
    }
    tx.delete(Delivery.TABLE, row.key());
    Delivery.put(tx, row.value().again(now.plus(again(done.attempt()).orElseThrow())));
  }

  private void tell(Done done) {
    Attempt attempt = done.attempt();
    boolean delivered = done.outcome().result() == Outcome.Result.DELIVERED;
    if (delivered) {
      metrics.delivered(attempt.topic().name());
    } else {
      metrics.failed(attempt.topic().name());
    }
    log.tell(
        attempt.topic(),
        attempt.message(),
        attempt.to(),
        done.outcome(),
        attempt.row().value().attempts() + 1,
        done.begun());
  }

  private @Nullable Duration next(String arn) {
    Optional<Instant> due =
        store.read(tx ->
            tx
                .range(
                    Delivery.TABLE, Delivery.prefix(arn), Delivery.prefix(arn) + '\uffff', false, 1)
                .stream()
                .findFirst()
                .map(row -> row.value().due())
                .or(() ->
                    tx.get(Subscription.TABLE, arn)
                        .map(Row::value)
                        .filter(Subscription::pending)
                        .map(one -> one.since().plus(Subscription.PATIENCE))));
    Instant now = timers.instant();
    return due.map(at -> at.isAfter(now) ? Duration.between(now, at) : Duration.ZERO).orElse(null);
  }

  @Override
  public void close() {
    loop.close();
  }
}
