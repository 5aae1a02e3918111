package dev.muelle.services.cloudwatch.series;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Table;

/**
 * What was measured of one metric in one unit.
 *
 * @param last epoch second of the latest measurement, behind by up to five minutes
 */
public record Series(Metric metric, String unit, long last) {

  /** Keyed by {@link Metric#seriesKey}; all in memory, for searches. */
  static final Table<Series> TABLE =
      Table.of("cloudwatch.series", StoredJson.codec(Series.class)).remember();

  /** How far {@link #last} may be behind, so that not every measurement writes it. */
  static final long BEHIND = 300;

  /** Keyed {@code tier/block's start/series}, so that a tier's end is one range. */
  static final Table<Block> BLOCKS = Table.of("cloudwatch.blocks", Block.CODEC);

  static String blockKey(Tier tier, long start, String series) {
    return tierKey(tier, start) + "/" + series;
  }

  /** Before all blocks of a tier that start at this time or later. */
  static String tierKey(Tier tier, long start) {
    return "%d/%010x".formatted(tier.number, Math.max(0, start));
  }

  String key() {
    return metric.seriesKey(unit);
  }
}
