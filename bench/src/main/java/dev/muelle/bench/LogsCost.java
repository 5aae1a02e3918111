package dev.muelle.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What processor time goes to whom while tasks print, out of {@code /proc}: of a busy machine the
 * only figure that can be compared with another day's. What a process used after the last look at
 * it is not counted.
 */
final class LogsCost {

  private static final double TICK = 10; // ms, as every Linux has it
  private static final double NANOS = 1e6; // in a millisecond

  private final long server;
  private final Map<Long, Double> millis = new HashMap<>();
  private final Map<Long, Who> known = new HashMap<>();
  private final Map<Long, Double> before = new HashMap<>();

  private enum Who {
    SERVER,
    MONITORS,
    CONTAINERS,
    OTHERS
  }

  LogsCost(long server) {
    this.server = server;
  }

  void begin() {
    look();
    before.putAll(millis);
  }

  void look() {
    try (Stream<Path> processes = Files.list(Path.of("/proc"))) {
      processes
          .filter(path -> Character.isDigit(path.getFileName().toString().charAt(0)))
          .forEach(this::look);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void look(Path process) {
    try {
      long pid = Long.parseLong(process.getFileName().toString());
      if (!known.containsKey(pid)) {
        known.put(pid, who(pid, Files.readString(process.resolve("cmdline"))));
      }
      Who who = known.get(pid);
      boolean oneThread = who == Who.MONITORS || who == Who.CONTAINERS; // and less than ticks
      millis.put(pid, oneThread ? ofThread(process) : ofAll(process));
    } catch (IOException e) {
      // It ended meanwhile.
    }
  }

  private static double ofThread(Path process) throws IOException {
    return Long.parseLong(Files.readString(process.resolve("schedstat")).split(" ", 2)[0]) / NANOS;
  }

  private static double ofAll(Path process) throws IOException {
    String stat = Files.readString(process.resolve("stat"));
    List<String> fields = List.of(stat.substring(stat.lastIndexOf(')') + 2).split(" ", 15));
    return TICK * (Long.parseLong(fields.get(11)) + Long.parseLong(fields.get(12)));
  }

  private Who who(long pid, String line) {
    if (pid == server) {
      return Who.SERVER;
    }
    if (line.startsWith("/writer")) {
      return Who.CONTAINERS;
    }
    return line.contains("\0muelle/") ? Who.MONITORS : Who.OTHERS;
  }

  String perMegabyte(double megabytes) {
    return "server %.1f, monitors %.1f, containers %.1f, whatever else runs %.1f"
        .formatted(
            of(Who.SERVER) / megabytes,
            of(Who.MONITORS) / megabytes,
            of(Who.CONTAINERS) / megabytes,
            of(Who.OTHERS) / megabytes);
  }

  private double of(Who who) {
    return millis.entrySet().stream()
        .filter(one -> known.get(one.getKey()) == who)
        .mapToDouble(one -> one.getValue() - before.getOrDefault(one.getKey(), 0.0))
        .sum();
  }
}
