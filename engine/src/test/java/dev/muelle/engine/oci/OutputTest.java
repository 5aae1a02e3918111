package dev.muelle.engine.oci;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.engine.Engine.LogLine;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What monitors write is read in whatever portions, from wherever a reader was, as it was meant.
 */
class OutputTest {

  private static final String TIME = "2026-11-22T06:59:59.123456789Z";
  private static final int SEEDS = 400;

  @TempDir Path directory;
  private Path file;

  @BeforeEach
  void nothingIsWritten() {
    file = directory.resolve("log");
  }

  private static byte[] block(String stream, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    ByteArrayOutputStream entry = new ByteArrayOutputStream();
    entry.writeBytes(
        (TIME + " " + stream + " B " + bytes.length + "\n").getBytes(StandardCharsets.US_ASCII));
    entry.writeBytes(bytes);
    return entry.toByteArray();
  }

  private List<LogLine> read(long position, int limit, boolean complete) throws IOException {
    return Output.read(file, position, limit, Integer.MAX_VALUE, complete).list();
  }

  private static List<String> texts(List<LogLine> lines) {
    return lines.stream().map(line -> (line.stderr() ? "err " : "out ") + line.text()).toList();
  }

  @Test
  void linesOfABlockAreLinesWhateverTheyLookLike() throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.writeBytes(block("stdout", "a\n\n" + TIME + " stderr F no\nñ"));
    all.writeBytes(block("stderr", "e\n"));
    all.writeBytes(block("stdout", "andú\n"));
    all.writeBytes((TIME + " stdout P of conmon's \n").getBytes(StandardCharsets.US_ASCII));
    all.writeBytes((TIME + " stdout F form\n").getBytes(StandardCharsets.US_ASCII));
    Files.write(file, all.toByteArray());
    List<LogLine> lines = read(0, 100, false);
    assertEquals(
        List.of(
            "out a",
            "out ",
            "out " + TIME + " stderr F no",
            "err e",
            "out ñandú",
            "out of conmon's form"),
        texts(lines));
    assertEquals(1795330799123L, lines.getFirst().epochMillis());
    assertEquals(1, Output.read(file, 0, 100, 1, false).count(), "a byte is enough");
  }

  @Test
  void whatIsNotAllThereWaitsUnlessNothingElseComes() throws IOException {
    byte[] entry = block("stdout", "one\ntwo");
    for (int size = 0; size < entry.length; size++) {
      Files.write(file, Arrays.copyOf(entry, size));
      assertEquals(List.of(), read(0, 100, false), size + " bytes");
    }
    Files.write(file, Arrays.copyOf(entry, entry.length - 1));
    assertEquals(List.of("out one", "out tw"), texts(read(0, 100, true)), "its monitor was killed");
    Files.write(file, entry);
    assertEquals(List.of("out one"), texts(read(0, 100, false)));
    List<LogLine> lines = read(0, 100, true);
    assertEquals(List.of("out one", "out two"), texts(lines));
    assertEquals(List.of("out two"), texts(read(lines.getFirst().position(), 100, true)));
    assertEquals(List.of(), read(lines.getLast().position(), 100, true));
  }

  /** Of two streams, cut anywhere into entries of either form. */
  @Test
  void everyPositionGoesOnWhereItWasGivenOut() throws IOException {
    for (int seed = 0; seed < SEEDS; seed++) {
      RandomGenerator random = new Random(seed);
      int size = seed % 10 == 0 ? 60_000 : 60;
      ByteArrayOutputStream all = new ByteArrayOutputStream();
      List<String> expectedOut = new ArrayList<>();
      List<String> expectedErr = new ArrayList<>();
      StringBuilder[] open = {new StringBuilder(), new StringBuilder()};
      for (int entry = 0; entry < 12; entry++) {
        int stream = random.nextInt(2);
        StringBuilder text = new StringBuilder();
        int length = 1 + random.nextInt(size);
        while (text.length() < length) {
          boolean feed = random.nextInt(size > 1_000 ? 5_000 : 8) == 0;
          text.append(feed ? '\n' : (char) ('a' + random.nextInt(26)));
        }
        boolean conmon = random.nextInt(4) == 0;
        if (conmon && text.indexOf("\n") < 0 && length < 8_000) {
          boolean goesOn = random.nextBoolean();
          all.writeBytes(
              (TIME
                      + (stream == 0 ? " stdout " : " stderr ")
                      + (goesOn ? "P " : "F ")
                      + text
                      + "\n")
                  .getBytes(StandardCharsets.US_ASCII));
          open[stream].append(text).append(goesOn ? "" : "\n");
        } else {
          all.writeBytes(block(stream == 0 ? "stdout" : "stderr", text.toString()));
          open[stream].append(text);
        }
      }
      lines(open[0].toString(), "out ", expectedOut);
      lines(open[1].toString(), "err ", expectedErr);
      Files.write(file, all.toByteArray());
      List<String> whole = texts(read(0, Integer.MAX_VALUE, true));
      same(expectedOut, only("out ", whole), size, seed);
      same(expectedErr, only("err ", whole), size, seed);
      List<String> portions = new ArrayList<>();
      long position = 0;
      List<LogLine> some = read(position, 1 + random.nextInt(3), true);
      while (!some.isEmpty()) {
        portions.addAll(texts(some));
        assertTrue(Output.offset(some.getLast().position()) <= all.size());
        position = some.getLast().position();
        some = read(position, 1 + random.nextInt(3), true);
      }
      same(only("out ", whole), only("out ", portions), size, seed);
      same(only("err ", whole), only("err ", portions), size, seed);
    }
  }

  /** Lines that are long beside those of the other stream may come in pieces. */
  private static void same(List<String> expected, List<String> actual, int size, int seed) {
    boolean pieces = size > 1_000;
    assertTrue(
        pieces ? joined(expected).equals(joined(actual)) : expected.equals(actual),
        () -> "seed " + seed + ": " + expected.size() + " lines, " + actual.size());
  }

  private static String joined(List<String> lines) {
    return lines.stream().map(line -> line.substring(4)).collect(Collectors.joining());
  }

  private static void lines(String text, String prefix, List<String> into) {
    if (!text.isEmpty()) {
      String whole = text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
      for (String line : whole.split("\n", -1)) {
        into.add(prefix + line);
      }
    }
  }

  private static List<String> only(String prefix, List<String> lines) {
    return lines.stream().filter(line -> line.startsWith(prefix)).toList();
  }
}
