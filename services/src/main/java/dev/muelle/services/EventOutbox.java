package dev.muelle.services;

import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Instant;
import java.util.List;
import java.util.function.BiPredicate;
import java.util.function.Supplier;

/**
 * What the region's services tell EventBridge's default bus. An event is put down in the
 * transaction that makes it true, so that neither is seen without the other, whenever the server
 * dies; EventBridge takes it from {@link #TABLE}, matches it with its rules, and deletes it.
 *
 * <p>As long as no rule could match, nothing is written: a bus without rules costs its services one
 * question for each event.
 */
public final class EventOutbox {

  /** What waits to be matched; keys are in the order of time, then of nothing in particular. */
  public static final Table<Event> TABLE = Table.of("events.outbox", StoredJson.codec(Event.class));

  private final Ids ids;
  private volatile BiPredicate<String, String> wanted = (source, detailType) -> false;

  /**
   * One event, as EventBridge shows it.
   *
   * @param id unique, as the event's {@code id}
   * @param source for example {@code aws.ecs}
   * @param detailType for example {@code ECS Task State Change}
   * @param resources ARNs
   * @param detail a JSON object
   */
  public record Event(
      String id,
      String source,
      String detailType,
      List<String> resources,
      String detail,
      Instant time) {}

  public EventOutbox(Ids ids) {
    this.ids = ids;
  }

  /**
   * Says which events could match a rule, by their source and detail type.
   *
   * @param wanted asked within transactions: it only looks at memory
   */
  public void listen(BiPredicate<String, String> wanted) {
    this.wanted = wanted;
  }

  /** Whether such events could match a rule. */
  public boolean wants(String source, String detailType) {
    return wanted.test(source, detailType);
  }

  /**
   * Puts an event down, if it could match a rule.
   *
   * @param detail a JSON object; not asked for when nobody wants it
   */
  public void put(
      Tx tx,
      String source,
      String detailType,
      List<String> resources,
      Instant time,
      Supplier<String> detail) {
    if (!wants(source, detailType)) {
      return;
    }
    String id = ids.uuid();
    tx.put(
        TABLE,
        "%019d/%s".formatted(time.toEpochMilli(), id),
        new Event(id, source, detailType, List.copyOf(resources), detail.get(), time));
  }
}
