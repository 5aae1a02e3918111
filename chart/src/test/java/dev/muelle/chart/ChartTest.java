package dev.muelle.chart;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.chart.Chart.Axis;
import dev.muelle.chart.Chart.Fill;
import dev.muelle.chart.Chart.Legend;
import dev.muelle.chart.Chart.Level;
import dev.muelle.chart.Chart.Moment;
import dev.muelle.chart.Chart.Series;
import dev.muelle.chart.Chart.View;
import java.awt.image.BufferedImage;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.TreeMap;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Looks at the pixels: colors that nothing else in the image has say what was drawn where. */
class ChartTest {

  private static final Instant NOON = Instant.parse("2026-11-21T12:00:00Z");
  private static final int MAGENTA = 0xff00ff;
  private static final int CYAN = 0x00ffff;

  private static Series series(String color, boolean right, double... values) {
    TreeMap<Instant, Double> points = new TreeMap<>();
    for (int i = 0; i < values.length; i++) {
      points.put(NOON.plusSeconds(60L * i), values[i]);
    }
    return new Series("a", color, right, points, values.length == 0 ? null : values[0]);
  }

  private static Chart chart(
      View view, List<Series> series, List<Level> levels, List<Moment> moments) {
    return new Chart(
        view,
        "Title",
        400,
        300,
        NOON,
        NOON.plusSeconds(600),
        ZoneOffset.UTC,
        new Axis("left", 0.0, 100.0),
        Axis.FITTING,
        Legend.HIDDEN,
        false,
        series,
        levels,
        moments);
  }

  private static BufferedImage image(View view, Series... series) throws IOException {
    return image(chart(view, List.of(series), List.of(), List.of()));
  }

  private static BufferedImage image(Chart chart) throws IOException {
    return ImageIO.read(new ByteArrayInputStream(chart.png()));
  }

  /** Where a color is, from the top, and on how many pixels. */
  private record Found(double height, long pixels) {
    static Found of(BufferedImage image, int color) {
      double sum = 0;
      long count = 0;
      for (int y = 0; y < image.getHeight(); y++) {
        for (int x = 0; x < image.getWidth(); x++) {
          if (near(image.getRGB(x, y), color)) {
            sum += y;
            count++;
          }
        }
      }
      return new Found(sum / count / image.getHeight(), count);
    }
  }

  /** Edges are smoothed: they have a part of the paper's color. */
  private static boolean near(int one, int other) {
    for (int shift = 0; shift <= 16; shift += 8) {
      if (Math.abs((one >> shift & 0xff) - (other >> shift & 0xff)) > 110) {
        return false;
      }
    }
    return true;
  }

  @Test
  void aHigherValueIsHigherUp() throws IOException {
    BufferedImage image =
        image(
            View.LINES, series("#ff00ff", false, 90, 90, 90), series("#00ffff", false, 10, 10, 10));
    assertEquals(400, image.getWidth());
    assertEquals(300, image.getHeight());
    assertTrue(Found.of(image, MAGENTA).height() < 0.35);
    assertTrue(Found.of(image, CYAN).height() > 0.65);
  }

  @Test
  void onePointIsSeen() throws IOException {
    assertTrue(Found.of(image(View.LINES, series("#ff00ff", false, 50)), MAGENTA).pixels() > 4);
  }

  @Test
  void theRightAxisHasAScaleOfItsOwn() throws IOException {
    BufferedImage image =
        image(View.LINES, series("#ff00ff", true, 9_000, 10_000), series("#00ffff", false, 10, 10));
    assertTrue(Found.of(image, MAGENTA).height() < 0.4);
    assertTrue(Found.of(image, CYAN).height() > 0.65);
  }

  @Test
  void levelsAndMomentsAreDrawn() throws IOException {
    BufferedImage image =
        image(
            chart(
                View.LINES,
                List.of(series("#00ffff", false, 10, 10)),
                List.of(new Level("limit", "#ff00ff", 80, null, Fill.NONE, false)),
                List.of(new Moment("new", "#ffff00", NOON.plusSeconds(300), null, Fill.BEFORE))));
    Found limit = Found.of(image, MAGENTA);
    assertTrue(limit.height() > 0.15 && limit.height() < 0.4, limit.toString());
    assertTrue(Found.of(image, 0xffff00).pixels() > 100);
    assertEquals(
        0, Found.of(image(View.LINES, series("#00ffff", false, 10, 10)), MAGENTA).pixels());
  }

  @ParameterizedTest
  @EnumSource(View.class)
  void everyViewShowsItsSeriesAndNothingWithoutOne(View view) throws IOException {
    BufferedImage image = image(view, series("#ff00ff", false, 60, 70, 80));
    BufferedImage empty = image(view);
    if (view == View.STACKED) { // where it is translucent
      assertTrue(Found.of(image, 0xffffff).pixels() < Found.of(empty, 0xffffff).pixels() - 3_000);
    } else {
      assertTrue(Found.of(image, MAGENTA).pixels() > 20, view.toString());
    }
    assertEquals(0, Found.of(empty, MAGENTA).pixels());
  }

  @ParameterizedTest
  @EnumSource(
      value = View.class,
      names = {"LINES", "BARS", "PIE", "NUMBERS"})
  void twoSeriesOfOneNameAreTwo(View view) throws IOException {
    BufferedImage image =
        image(view, series("#ff00ff", false, 60, 60), series("#00ffff", false, 30, 30));
    assertTrue(Found.of(image, CYAN).pixels() > 20);
    assertTrue(Found.of(image, MAGENTA).pixels() > 20);
  }

  @Test
  void stackedSeriesStandOnEachOther() throws IOException {
    Series one = series("#ff00ff", false, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40);
    long white = Found.of(image(View.STACKED, one), 0xffffff).pixels();
    Series other = series("#00ffff", false, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40);
    long whiteOfBoth = Found.of(image(View.STACKED, one, other), 0xffffff).pixels();
    assertTrue(whiteOfBoth < white - 10_000, white + " and then " + whiteOfBoth);
  }

  @Test
  void anImageHasBounds() {
    assertThrows(
        IllegalArgumentException.class,
        () -> Chart.lines("t", 2_001, 10, NOON, NOON.plusSeconds(1), List.of()));
    assertThrows(
        IllegalArgumentException.class, () -> Chart.lines("t", 10, 10, NOON, NOON, List.of()));
    assertTrue(Chart.lines("t", 1, 1, NOON, NOON.plusSeconds(1), List.of()).png().length > 0);
  }

  @Test
  void numbersAreShort() {
    assertEquals("1.23", Numbers.text(1.2345));
    assertEquals("12.35K", Numbers.text(12_346));
    assertEquals("-3M", Numbers.text(-3e6));
    assertEquals("7.5G", Numbers.text(7.5e9));
  }
}
