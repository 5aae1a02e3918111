package dev.muelle.services.cloudwatch.series;

import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Where measurements are. What {@link #write} has taken survives {@code kill -9}. The disk is
 * bounded: by the tiers in time, by {@value #MOST_SERIES} in number.
 */
public final class SeriesStore {

  static final int MOST_SERIES = 100_000;
  private static final int BATCH = 1_000; // series that are forgotten in one transaction

  private final Store store;
  private final InstantSource clock;
  private final int most;

  public SeriesStore(Store store, InstantSource clock) {
    this(store, clock, MOST_SERIES);
  }

  SeriesStore(Store store, InstantSource clock, int most) {
    this.store = store;
    this.clock = clock;
    this.most = most;
  }

  /**
   * Adds measurements, all or none.
   *
   * @throws software.amazon.awssdk.services.cloudwatch.model.LimitExceededException if there would
   *     be too many series
   */
  public void write(List<Sample> samples) {
    store.write(tx -> {
      if (write(tx, samples) > 0) {
        throw Refuse.limit("The maximum number of metrics, " + most + ", is reached.");
      }
      return samples.size();
    });
  }

  /**
   * Adds measurements but for those that would make too many series.
   *
   * @return how many were left out
   */
  int writeWhatFits(List<Sample> samples) {
    return store.write(tx -> write(tx, samples));
  }

  private int write(Tx tx, List<Sample> samples) {
    long now = clock.instant().getEpochSecond();
    Map<String, Series> touched = new HashMap<>();
    for (Sample sample : samples) {
      touched.merge(
          sample.metric().seriesKey(sample.unit()),
          new Series(sample.metric(), sample.unit(), sample.second()),
          (a, b) -> a.last() >= b.last() ? a : b);
    }
    Set<String> unfit = new HashSet<>();
    touched.forEach((key, series) -> {
      if (!touch(tx, key, series)) {
        unfit.add(key);
      }
    });
    Map<String, Block> blocks = new TreeMap<>();
    int left = 0;
    for (Sample sample : samples) {
      String key = sample.metric().seriesKey(sample.unit());
      if (unfit.contains(key)) {
        left++;
      } else {
        Tier tier = Tier.of(sample.second(), sample.highResolution(), now);
        add(tx, blocks, tier, key, sample.second(), sample.summary());
      }
    }
    blocks.forEach((key, block) -> tx.put(Series.BLOCKS, key, block));
    return left;
  }

  private static void add(
      Tx tx, Map<String, Block> blocks, Tier tier, String series, long second, Summary summary) {
    String key = Series.blockKey(tier, floor(second, tier.span), series);
    blocks
        .computeIfAbsent(
            key, any -> tx.get(Series.BLOCKS, key).map(Row::value).orElseGet(Block::new))
        .add(floor(second, tier.grain), summary);
  }

  /** Whether there is room for it. */
  private boolean touch(Tx tx, String key, Series series) {
    Row<Series> row = tx.get(Series.TABLE, key).orElse(null);
    if (row == null) {
      if (tx.count(Series.TABLE) >= most) {
        return false;
      }
      tx.insert(Series.TABLE, key, series);
    } else if (series.last() >= row.value().last() + Series.BEHIND) {
      tx.put(Series.TABLE, key, series);
    }
    return true;
  }

  /** Every series that has measurements left. */
  public List<Series> all() {
    return store.read(tx -> tx.list(Series.TABLE).stream().map(Row::value).toList());
  }

  /** Those of one metric: one for each unit that it was measured in. */
  public List<Series> of(Metric metric, @Nullable String unit) {
    return store.read(tx -> {
      List<Series> found = new ArrayList<>();
      for (String each : unit == null ? Units.ALL : List.of(unit)) {
        tx.get(Series.TABLE, metric.seriesKey(each)).map(Row::value).ifPresent(found::add);
      }
      return found;
    });
  }

  /**
   * What one series saw, by period.
   *
   * @param from epoch second, where the first period starts
   * @param to epoch second, exclusive
   * @param period in seconds; what is kept only more coarsely than that is left out
   * @return by the periods' first seconds; periods that saw nothing are not in it
   */
  public NavigableMap<Long, Summary> read(Series series, long from, long to, int period) {
    TreeMap<Long, Summary> periods = new TreeMap<>();
    String key = series.key();
    long now = clock.instant().getEpochSecond();
    store.read(tx -> {
      periods.clear();
      for (Tier tier : Tier.ALL) {
        // A block is still there for a while when its tier's time is over: it counts all the same.
        long first = Math.max(from, tier.oldest(now) - 2L * tier.span);
        long last = Math.min(to, series.last() + Series.BEHIND + tier.span);
        if (period % tier.grain != 0) {
          continue;
        }
        for (long start = floor(first, tier.span); start < last; start += tier.span) {
          tx.get(Series.BLOCKS, Series.blockKey(tier, start, key))
              .ifPresent(block -> gather(block.value(), from, to, period, periods));
        }
      }
      return periods;
    });
    return periods;
  }

  private static void gather(
      Block block, long from, long to, int period, Map<Long, Summary> periods) {
    block
        .points()
        .subMap(from, to)
        .forEach((second, summary) ->
            periods
                .computeIfAbsent(from + floor(second - from, period), any -> new Summary())
                .merge(summary));
  }

  /**
   * Moves what is too old for its tier to the next, or drops it; a bounded piece of the work.
   *
   * @return whether there is more of it
   */
  boolean age(int most) {
    long now = clock.instant().getEpochSecond();
    return store.write(tx -> {
      int left = most;
      for (Tier tier : Tier.ALL) {
        List<Row<Block>> old =
            tx.range(
                Series.BLOCKS,
                Series.tierKey(tier, 0),
                Series.tierKey(tier, tier.oldest(now)),
                false,
                left);
        Map<String, Block> moved = new TreeMap<>();
        for (Row<Block> row : old) {
          String series = row.key().substring(row.key().lastIndexOf('/') + 1);
          move(tx, moved, row.value(), tier.next(), series, now);
          tx.delete(Series.BLOCKS, row.key());
        }
        moved.forEach((key, block) -> tx.put(Series.BLOCKS, key, block));
        left -= old.size();
        if (left <= 0) {
          return true;
        }
      }
      return false;
    });
  }

  private static void move(
      Tx tx, Map<String, Block> moved, Block block, @Nullable Tier to, String series, long now) {
    if (to != null && tx.get(Series.TABLE, series).isPresent()) {
      block
          .points()
          .forEach((second, summary) ->
              add(tx, moved, to.orCoarser(Tier.of(second, false, now)), series, second, summary));
    }
  }

  /**
   * Forgets series of which nothing is left; and those of single tasks, which never come back, when
   * there are many: the ones that have been silent for longest, and for three hours at least. What
   * they measured is dropped when it would grow coarser.
   */
  void forget() {
    long now = clock.instant().getEpochSecond();
    long oldest = Tier.HOURS.oldest(now) - Series.BEHIND;
    List<Series> all = all();
    forget(all.stream().filter(series -> series.last() < oldest).toList());
    if (all.size() > most / 4 * 3) {
      long silent = now - Tier.SECONDS.kept.toSeconds() - Series.BEHIND;
      forget(
          all.stream()
              .filter(series -> series.metric().ofTask() && series.last() < silent)
              .sorted(Comparator.comparingLong(Series::last))
              .limit(all.size() - most / 2)
              .toList());
    }
  }

  private void forget(List<Series> gone) {
    for (int from = 0; from < gone.size(); from += BATCH) {
      List<Series> some = gone.subList(from, Math.min(gone.size(), from + BATCH));
      store.write(tx -> {
        for (Series series : some) {
          tx.get(Series.TABLE, series.key())
              .filter(still -> still.value().last() == series.last())
              .ifPresent(still -> tx.delete(Series.TABLE, still.key()));
        }
        return some.size();
      });
    }
  }

  private static long floor(long second, int step) {
    return Math.floorDiv(second, step) * step;
  }
}
