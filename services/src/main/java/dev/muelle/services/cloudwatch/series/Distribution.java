package dev.muelle.services.cloudwatch.series;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Collections;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * How often which values came, in bounded memory. Exact up to {@value #EXACT} different values;
 * beyond that values stand in buckets that grow geometrically, so that each is known to within 0.5%
 * of itself; and when there are more than {@value #MOST} buckets (values over more than four orders
 * of magnitude), two and two are made one, and the error is 1%, and so on.
 *
 * <p>The buckets are those of <a href="https://arxiv.org/abs/1908.10693">DDSketch</a>, the uniform
 * collapse that of <a href="https://arxiv.org/abs/2004.08604">UDDSketch</a>. Values are not
 * negative: CloudWatch has no percentiles of negative values.
 */
final class Distribution {

  static final int EXACT = 200;
  static final int MOST = 1_000;
  private static final double FIRST_ERROR = 0.005;
  private static final int EVERY_VALUE = -1;

  private final TreeMap<Double, Double> counts = new TreeMap<>();
  private int level = EVERY_VALUE;

  void add(double value, double times) {
    counts.merge(place(value), times, Double::sum);
    makeRoom();
  }

  void merge(Distribution other) {
    while (level < other.level) {
      coarsen();
    }
    other.counts.forEach((value, times) -> counts.merge(place(value), times, Double::sum));
    makeRoom();
  }

  /** Values and how often they came, in order. */
  SortedMap<Double, Double> counts() {
    return Collections.unmodifiableSortedMap(counts);
  }

  /** How far a value may be from the one that was added, as a part of it. */
  double error() {
    return level == EVERY_VALUE ? 0 : error(level);
  }

  private static double error(int level) {
    double error = FIRST_ERROR;
    for (int i = 0; i < level; i++) {
      error = 2 * error / (1 + error * error); // of squared growth
    }
    return error;
  }

  /** The value that stands for all in the same bucket. */
  private double place(double value) {
    if (level == EVERY_VALUE || value == 0) {
      return value;
    }
    double error = error(level);
    double growth = (1 + error) / (1 - error);
    double top = Math.pow(growth, Math.ceil(Math.log(value) / Math.log(growth)));
    return 2 * top / (1 + growth);
  }

  private void makeRoom() {
    while (counts.size() > (level == EVERY_VALUE ? EXACT : MOST)) {
      coarsen();
    }
  }

  private void coarsen() {
    level++;
    Map<Double, Double> finer = new TreeMap<>(counts);
    counts.clear();
    finer.forEach((value, times) -> counts.merge(place(value), times, Double::sum));
  }

  void write(DataOutput out) throws IOException {
    out.writeByte(level);
    out.writeShort(counts.size());
    for (Map.Entry<Double, Double> entry : counts.entrySet()) {
      out.writeDouble(entry.getKey());
      out.writeDouble(entry.getValue());
    }
  }

  static Distribution read(DataInput in) throws IOException {
    Distribution read = new Distribution();
    read.level = in.readByte();
    int size = in.readShort();
    for (int i = 0; i < size; i++) {
      double value = in.readDouble();
      read.counts.put(value, in.readDouble());
    }
    return read;
  }
}
