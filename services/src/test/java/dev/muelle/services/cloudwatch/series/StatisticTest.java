package dev.muelle.services.cloudwatch.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.OptionalDouble;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class StatisticTest {

  private static Summary summary(double... values) {
    Summary summary = new Summary();
    for (double value : values) {
      summary.add(value, 1);
    }
    return summary;
  }

  private static double[] oneTo(int last) {
    double[] values = new double[last];
    Arrays.setAll(values, i -> i + 1);
    return values;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          SampleCount | 100
          Average     | 50.5
          Sum         | 5050
          Minimum     | 1
          Maximum     | 100
          p50         | 50
          p99         | 99
          p99.5       | 100
          p0          | 1
          p100        | 100
          tm90        | 45.5
          TM(10%:90%) | 50.5
          TM(:90%)    | 45.5
          TM(10%:)    | 55.5
          TM(10:20)   | 15.5
          IQM         | 50.5
          wm90        | 49.95
          WM(10%:90%) | 50.5
          WM(10:90)   | 50.4
          tc90        | 90
          TC(10%:90%) | 80
          TC(:50)     | 50
          TC(50:)     | 50
          ts90        | 4095
          TS(0:10)    | 55
          PR(:30)     | 30
          PR(10:30)   | 20
          PR(99:)     | 1
          """)
  void ofOneToAHundred(String name, double expected) {
    OptionalDouble value = Statistic.parse(name).orElseThrow().of(summary(oneTo(100)));
    assertEquals(expected, value.orElseThrow(), 1e-9);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "average",
        "p101",
        "p",
        "P50",
        "tm",
        "TM(90%)",
        "TM(:)",
        "PR(1%:2%)",
        "TM(9:3)",
        "x9"
      })
  void isNone(String name) {
    assertTrue(Statistic.parse(name).isEmpty());
  }

  @Test
  void percentilesStayWithinTheirStatedError() {
    Random random = new Random(3);
    for (double spread : new double[] {1, 3, 8}) { // orders of magnitude
      double[] values = new double[20_000];
      Arrays.setAll(values, i -> Math.exp(random.nextDouble() * spread * Math.log(10)));
      Distribution distribution = new Distribution();
      Summary summary = new Summary();
      for (double value : values) {
        distribution.add(value, 1);
        summary.add(value, 1);
      }
      Arrays.sort(values);
      assertTrue(distribution.error() <= 0.0101, "error " + distribution.error());
      assertTrue(distribution.counts().size() <= Distribution.MOST);
      for (double percent : new double[] {0.1, 1, 25, 50, 90, 99, 99.9}) {
        double exact = values[(int) Math.ceil(percent / 100 * values.length) - 1];
        double told = new Statistic.Percentile(percent).of(summary).orElseThrow();
        assertEquals(exact, told, exact * (distribution.error() + 1e-9), "p" + percent);
      }
    }
  }

  @Test
  void mergingIsAsGoodAsAddingAll() {
    Random random = new Random(4);
    Summary all = new Summary();
    Summary merged = new Summary();
    for (int minute = 0; minute < 60; minute++) {
      Summary part = new Summary();
      for (int i = 0; i < 300; i++) {
        double value = Math.abs(random.nextGaussian()) * Math.pow(10, minute % 6);
        part.add(value, 1);
        all.add(value, 1);
      }
      merged.merge(part);
    }
    assertEquals(all.count(), merged.count());
    for (int percent = 1; percent < 100; percent++) {
      Statistic statistic = new Statistic.Percentile(percent);
      double a = statistic.of(all).orElseThrow();
      assertEquals(a, statistic.of(merged).orElseThrow(), a * 0.021);
    }
  }

  @Test
  void statisticSetsAndNegativeValuesHaveNoPercentiles() {
    Summary set = new Summary();
    set.add(10, 55, 1, 10);
    assertTrue(new Statistic.Percentile(50).of(set).isEmpty());
    assertEquals(5.5, set.average());
    Summary equal = new Summary();
    equal.add(10, 30, 3, 3);
    assertEquals(3, new Statistic.Percentile(50).of(equal).orElseThrow());
    assertTrue(new Statistic.Percentile(50).of(summary(-1, 2)).isEmpty());
    equal.merge(set);
    assertTrue(new Statistic.Percentile(50).of(equal).isEmpty());
  }
}
