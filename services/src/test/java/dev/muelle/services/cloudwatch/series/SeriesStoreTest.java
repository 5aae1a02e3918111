package dev.muelle.services.cloudwatch.series;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.loop.VirtualTimers;
import dev.muelle.services.Measurements;
import dev.muelle.services.Measurements.Recorder;
import dev.muelle.store.SqliteStore;
import dev.muelle.store.Store;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;
import software.amazon.awssdk.services.cloudwatch.model.LimitExceededException;
import software.amazon.awssdk.services.cloudwatch.model.StandardUnit;

class SeriesStoreTest {

  private static final Instant START = Instant.parse("2026-11-21T12:00:00Z");
  private static final long NOW = START.getEpochSecond();
  private static final Metric METRIC = new Metric("App", "Latency", List.of());

  @TempDir Path directory;
  private Store store;
  private VirtualTimers timers;
  private SeriesStore series;

  @BeforeEach
  void open() {
    store = SqliteStore.open(directory.resolve("db"));
    timers = new VirtualTimers(START);
    series = new SeriesStore(store, timers);
  }

  @AfterEach
  void close() {
    store.close();
  }

  private static Sample sample(long second, boolean high, double value) {
    return new Sample(METRIC, "Seconds", second, high, Summary.of(value));
  }

  private NavigableMap<Long, Summary> read(long from, long to, int period) {
    return series.read(series.of(METRIC, null).getFirst(), from, to, period);
  }

  private static double sum(NavigableMap<Long, Summary> periods) {
    return periods.values().stream().mapToDouble(Summary::sum).sum();
  }

  @Test
  void whatWasAcknowledgedIsThereAgain() {
    series.write(List.of(sample(NOW, false, 1.5), sample(NOW + 61, true, 2.5)));
    store.close();
    store = SqliteStore.open(directory.resolve("db"));
    series = new SeriesStore(store, timers);
    assertEquals(4, sum(read(NOW, NOW + 120, 60)));
    assertEquals(2.5, read(NOW, NOW + 120, 1).get(NOW + 61).sum());
  }

  @Test
  void twoAtOnceLoseNothing() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Boolean>> writers = new ArrayList<>();
      for (int i = 0; i < 50; i++) {
        writers.add(() -> {
          series.write(List.of(sample(NOW, false, 1)));
          return true;
        });
      }
      threads.invokeAll(writers);
    }
    assertEquals(50, read(NOW, NOW + 60, 60).get(NOW).count());
  }

  @Test
  void growsCoarserWithAgeAndLosesNothingUntilTheEnd() {
    Random random = new Random(5);
    double written = 0;
    List<Sample> samples = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      double value = random.nextInt(100);
      written += value;
      samples.add(sample(NOW - random.nextInt(600), random.nextBoolean(), value));
    }
    series.write(samples);
    long from = NOW - 3_600;
    for (Duration age :
        new Duration[] {
          Duration.ofHours(4), Duration.ofDays(16), Duration.ofDays(64), Duration.ofDays(300)
        }) {
      timers.advance(Duration.between(timers.instant(), START.plus(age)));
      while (series.age(3)) {}
      assertEquals(written, sum(read(from, NOW + 3_600, 3_600)), 1e-6, "after " + age);
      assertEquals(
          age.toDays() < 16 ? written : 0, sum(read(from, NOW + 60, 60)), 1e-6, "after " + age);
      assertEquals(0, sum(read(from, NOW + 60, 1)), 1e-6, "after " + age);
    }
    timers.advance(Duration.ofDays(170));
    while (series.age(100)) {}
    series.forget();
    assertTrue(series.all().isEmpty());
    assertEquals(0, (long) store.read(tx -> tx.count(Series.BLOCKS)));
  }

  @Test
  void lateMeasurementsGoWhereTheyBelong() {
    series.write(List.of(sample(NOW - Duration.ofDays(13).toSeconds(), true, 7)));
    assertEquals(7, sum(read(NOW - Duration.ofDays(14).toSeconds(), NOW, 60)));
  }

  @Test
  void periodsBeginWhereTheQuestionBegins() {
    series.write(List.of(sample(NOW + 60, false, 1), sample(NOW + 360, false, 2)));
    assertEquals(
        List.of(NOW + 60, NOW + 360), List.copyOf(read(NOW + 60, NOW + 660, 300).keySet()));
    assertEquals(List.of(NOW, NOW + 300), List.copyOf(read(NOW, NOW + 600, 300).keySet()));
  }

  @Test
  void thePlatformsMeasurementsAreWrittenWhenTheirMinuteIsOver() {
    Intake intake = new Intake(series, timers, Duration.ofMinutes(1));
    intake.start();
    Measurements.Metric metric =
        new Measurements.Metric("App", "Latency", Map.of(), StandardUnit.SECONDS);
    Recorder one = intake.of(metric);
    Recorder other = intake.of(metric);
    timers.advance(Duration.ofSeconds(10));
    one.record(1);
    other.record(3, 2);
    assertTrue(series.all().isEmpty());
    timers.advance(Duration.ofSeconds(50));
    Summary first = read(NOW, NOW + 60, 60).get(NOW);
    assertEquals(7, first.sum());
    assertEquals(3, first.count());
    assertEquals(1, first.min());
    one.record(10);
    timers.advance(Duration.ofMinutes(5));
    assertEquals(List.of(NOW, NOW + 60), List.copyOf(read(NOW, NOW + 600, 60).keySet()));
    one.record(4);
    intake.close(); // an orderly end loses nothing
    assertEquals(21, sum(read(NOW, NOW + 600, 60)));
  }

  @Test
  void thePlatformMeasuresByTheSecondIfItIsToldTo() {
    Intake intake = new Intake(series, timers, Duration.ofSeconds(5));
    intake.start();
    Recorder recorder =
        intake.of(new Measurements.Metric("App", "Latency", Map.of(), StandardUnit.SECONDS));
    recorder.record(1);
    timers.advance(Duration.ofSeconds(6));
    recorder.record(2);
    timers.advance(Duration.ofSeconds(4));
    assertEquals(List.of(NOW, NOW + 5), List.copyOf(read(NOW, NOW + 60, 1).keySet()));
    assertEquals(3, read(NOW, NOW + 60, 60).get(NOW).sum());
    timers.advance(Duration.ofHours(4));
    while (series.age(100)) {}
    assertTrue(read(NOW, NOW + 60, 1).isEmpty());
    assertEquals(3, read(NOW, NOW + 60, 60).get(NOW).sum(), "kept by the minute");
  }

  @Test
  void whereThereIsNoRoomForNewSeriesTheOthersAreStillWritten() {
    SeriesStore small = new SeriesStore(store, timers, 2);
    assertEquals(1, small.writeWhatFits(List.of(named("a"), named("b"), named("c"))));
    assertEquals(1, small.writeWhatFits(List.of(named("a"), named("b"), named("d"))));
    assertEquals(2, small.all().size());
    List<Sample> one = List.of(named("e"));
    assertThrows(LimitExceededException.class, () -> small.write(one));
    assertEquals(2, small.all().size());
  }

  private static Sample named(String name) {
    return new Sample(new Metric("App", name, List.of()), "None", NOW, false, Summary.of(1));
  }

  @Test
  void seriesOfSingleTasksAreForgottenWhenThereAreMany() {
    SeriesStore small = new SeriesStore(store, timers, 8);
    List<Sample> samples = new ArrayList<>(List.of(named("mine")));
    for (int i = 0; i < 6; i++) {
      samples.add(ofTask(i, NOW + i * 600));
    }
    small.write(samples);
    timers.advance(Duration.ofHours(1));
    small.forget();
    assertEquals(7, small.all().size(), "none has been silent for long");
    timers.advance(Duration.ofHours(3));
    small.forget();
    assertEquals(4, small.all().size());
    assertTrue(small.of(samples.get(0).metric(), null).size() == 1, "a user's stays");
    assertTrue(small.of(samples.get(3).metric(), null).isEmpty(), "the longest silent go");
    assertEquals(1, small.of(samples.get(4).metric(), null).size());
    timers.advance(Duration.ofDays(16));
    while (small.age(100)) {}
    assertEquals(4, (long) store.read(tx -> tx.count(Series.BLOCKS)), "and what they measured");
  }

  private static Sample ofTask(int i, long when) {
    Dimension dimension = Dimension.builder().name("TaskId").value("task-" + i).build();
    return new Sample(
        new Metric("ECS/ContainerInsights", "TaskCpuUtilization", List.of(dimension)),
        "Percent",
        when,
        false,
        Summary.of(1));
  }
}
