package dev.muelle.services.cloudwatch.series;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one period saw: a statistic set and, if the single values are known, how they are
 * distributed. Used by one thread at a time.
 */
public final class Summary {

  private static final int DISTRIBUTED = 1;
  private static final int SINGLE = 2;

  private double count;
  private double sum;
  private double min = Double.POSITIVE_INFINITY;
  private double max = Double.NEGATIVE_INFINITY;

  /** Null once something came of which only a statistic set is known, or a negative value. */
  private @Nullable Distribution distribution = new Distribution();

  public static Summary of(double value) {
    Summary summary = new Summary();
    summary.add(value, 1);
    return summary;
  }

  public void add(double value, double times) {
    gather(times, value * times, value, value);
    if (value < 0) {
      distribution = null;
    } else if (distribution != null) {
      distribution.add(value, times);
    }
  }

  /**
   * Adds what somebody else has summed up. Percentiles can be had of it only if all its values are
   * known, that is, equal.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html#Percentiles">Percentiles</a>
   */
  public void add(double sampleCount, double sampleSum, double least, double most) {
    if (least == most || sampleCount == 1) {
      add(sampleCount == 1 ? sampleSum : least, sampleCount);
    } else {
      gather(sampleCount, sampleSum, least, most);
      distribution = null;
    }
  }

  public void merge(Summary other) {
    gather(other.count, other.sum, other.min, other.max);
    if (other.distribution == null) {
      distribution = null;
    } else if (distribution != null) {
      distribution.merge(other.distribution);
    }
  }

  private void gather(double sampleCount, double sampleSum, double least, double most) {
    count += sampleCount;
    sum += sampleSum;
    min = Math.min(min, least);
    max = Math.max(max, most);
  }

  public double count() {
    return count;
  }

  public double sum() {
    return sum;
  }

  public double min() {
    return min;
  }

  public double max() {
    return max;
  }

  public double average() {
    return sum / count;
  }

  /** Values and how often they came, in order; null if they are not known. */
  public @Nullable SortedMap<Double, Double> values() {
    return distribution == null ? null : distribution.counts();
  }

  /** The values, or an empty map. */
  SortedMap<Double, Double> known() {
    SortedMap<Double, Double> values = values();
    return values == null ? Collections.unmodifiableSortedMap(new TreeMap<>()) : values;
  }

  void write(DataOutput out) throws IOException {
    boolean single = distribution != null && count == 1;
    out.writeByte((distribution == null ? 0 : DISTRIBUTED) | (single ? SINGLE : 0));
    if (single) {
      out.writeDouble(sum);
      return;
    }
    out.writeDouble(count);
    out.writeDouble(sum);
    out.writeDouble(min);
    out.writeDouble(max);
    if (distribution != null) {
      distribution.write(out);
    }
  }

  static Summary read(DataInput in) throws IOException {
    int form = in.readByte();
    if ((form & SINGLE) != 0) {
      return of(in.readDouble());
    }
    Summary read = new Summary();
    read.count = in.readDouble();
    read.sum = in.readDouble();
    read.min = in.readDouble();
    read.max = in.readDouble();
    read.distribution = (form & DISTRIBUTED) == 0 ? null : Distribution.read(in);
    return read;
  }
}
