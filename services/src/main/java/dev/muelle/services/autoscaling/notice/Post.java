package dev.muelle.services.autoscaling.notice;

import dev.muelle.loop.Loop;
import dev.muelle.loop.Timers;
import dev.muelle.services.Ids;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.services.sns.SnsClient;
import software.amazon.awssdk.services.sns.model.SnsException;

/**
 * Publishes what groups have to tell, in order. It is put down in the transaction that makes it
 * true, so that a server that dies in between leaves it for the next; that one may publish twice.
 */
public final class Post implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Post.class);
  private static final int PAGE = 100;
  private static final int LONGEST_SUBJECT = 100;

  /** By when it happened. */
  private static final Table<Letter> TABLE =
      Table.of("autoscaling.messages", StoredJson.codec(Letter.class));

  private final Store store;
  private final Ids ids;
  private final SnsClient sns;
  private final Loop<String> loop;
  private Store.@Nullable Subscription changes;

  /** What is published. */
  public record Letter(String topic, String subject, String text) {}

  public Post(Store store, Timers timers, Ids ids, RandomGenerator random, SnsClient sns) {
    this.store = store;
    this.ids = ids;
    this.sns = sns;
    loop = new Loop<>("autoscaling-notices", timers, random, 1, key -> publish());
  }

  /** As SNS takes it: no longer than a hundred characters. */
  public static String subject(String whole) {
    return whole.length() <= LONGEST_SUBJECT
        ? whole
        : whole.substring(0, LONGEST_SUBJECT - 3) + "...";
  }

  /** Takes up what an earlier server left. */
  public void start() {
    changes =
        store.onChange(change -> {
          if (change.table().equals(TABLE.name()) && !change.deleted()) {
            loop.wake("");
          }
        });
    loop.wake("");
  }

  /** In the transaction that makes true what it says. */
  public void put(Tx tx, Letter letter, Instant now) {
    tx.put(TABLE, "%019d/%s".formatted(now.toEpochMilli(), ids.uuid()), letter);
  }

  private @Nullable Duration publish() {
    List<Row<Letter>> page = store.read(tx -> tx.range(TABLE, "", "~", false, PAGE));
    for (Row<Letter> row : page) {
      Letter letter = row.value();
      try {
        sns.publish(
            r -> r.topicArn(letter.topic()).subject(letter.subject()).message(letter.text()));
      } catch (SnsException e) {
        LOG.warn("The notice \"{}\" is lost", letter.subject(), e); // its topic is gone
      }
      store.write(tx -> tx.delete(TABLE, row.key()));
    }
    return page.size() < PAGE ? null : Duration.ZERO;
  }

  @Override
  public void close() {
    if (changes != null) {
      changes.close();
    }
    loop.close();
  }
}
