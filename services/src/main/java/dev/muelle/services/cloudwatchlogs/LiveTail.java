package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.LogBatch;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.random.RandomGenerator;
import software.amazon.awssdk.services.cloudwatchlogs.model.LiveTailSessionLogEvent;
import software.amazon.awssdk.services.cloudwatchlogs.model.LiveTailSessionUpdate;

/**
 * What one session will tell next. Of more events than an update may have each has the same chance
 * to be among them (Vitter's algorithm R); those that are come in the order of their arrival.
 */
final class LiveTail {

  private static final int MOST = 500;

  /** What an update holds at most, in characters: an event may have a million. */
  private static final long MOST_CHARACTERS = 4L << 20;

  private final Names names;
  private final Set<String> groups;
  private final Predicate<String> streams;
  private final FilterPattern pattern;
  private final RandomGenerator random;
  private final List<Kept> kept = new ArrayList<>();
  private long matched;
  private long characters;

  /** An event and which one it was. */
  private record Kept(long number, LiveTailSessionLogEvent event) {}

  LiveTail(
      Names names,
      Set<String> groups,
      Predicate<String> streams,
      FilterPattern pattern,
      RandomGenerator random) {
    this.names = names;
    this.groups = groups;
    this.streams = streams;
    this.pattern = pattern;
    this.random = random;
  }

  void offer(String group, String stream, LogBatch events, long arrival) {
    if (!groups.contains(group) || !streams.test(stream)) {
      return;
    }
    for (int i = 0; i < events.count(); i++) {
      String message = events.message(i);
      if (pattern.matches(message)) {
        offer(group, stream, events.time(i), message, arrival);
      }
    }
  }

  private synchronized void offer(
      String group, String stream, long time, String message, long arrival) {
    long number = matched++;
    int size = message.length();
    if (kept.size() < MOST && characters + size <= MOST_CHARACTERS) {
      kept.add(new Kept(number, shown(group, stream, time, message, arrival)));
      characters += size;
      return;
    }
    long place = random.nextLong(matched);
    if (place >= kept.size()) {
      return;
    }
    int before = kept.get((int) place).event().message().length();
    if (characters - before + size <= MOST_CHARACTERS) {
      kept.set((int) place, new Kept(number, shown(group, stream, time, message, arrival)));
      characters += size - before;
    }
  }

  private LiveTailSessionLogEvent shown(
      String group, String stream, long time, String message, long arrival) {
    return LiveTailSessionLogEvent.builder()
        .logGroupIdentifier(names.identifier(group))
        .logStreamName(stream)
        .message(message)
        .timestamp(time)
        .ingestionTime(arrival)
        .build();
  }

  /** What has come since the last one. */
  synchronized LiveTailSessionUpdate update() {
    kept.sort(Comparator.comparingLong(Kept::number));
    LiveTailSessionUpdate update =
        LiveTailSessionUpdate.builder()
            .sessionMetadata(metadata -> metadata.sampled(matched > kept.size()))
            .sessionResults(kept.stream().map(Kept::event).toList())
            .build();
    kept.clear();
    matched = 0;
    characters = 0;
    return update;
  }
}
