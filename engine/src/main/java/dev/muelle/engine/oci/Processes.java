package dev.muelle.engine.oci;

import dev.muelle.linux.LinuxException;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Processes of this machine; see proc(5). A process is a number together with its start time. */
final class Processes {

  private static final Path PROC = Path.of("/proc");

  private Processes() {}

  /** When the process was started, in ticks since boot; -1 if there is none, or only its corpse. */
  static long startTime(int pid) {
    try {
      String stat = Files.readString(PROC.resolve(pid + "/stat"));
      // The name in parentheses may itself have spaces and parentheses.
      String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
      return fields[0].equals("Z") || fields[0].equals("X") ? -1 : Long.parseLong(fields[19]);
    } catch (IOException e) {
      return -1;
    }
  }

  /** Sends a signal if the process is still the one that was started then. */
  static void signal(int pid, long startTime, int signal) {
    if (pid > 1 && startTime >= 0 && startTime(pid) == startTime) {
      try {
        Syscalls.kill(pid, signal);
      } catch (LinuxException e) {
        // It ended meanwhile.
      }
    }
  }

  /** Processes whose command line, as a list of arguments, fits. */
  static List<Integer> find(Predicate<List<String>> commandLine) throws IOException {
    List<Integer> found = new ArrayList<>();
    try (Stream<Path> processes = Files.list(PROC)) {
      for (Path process : (Iterable<Path>) processes::iterator) {
        String name = process.getFileName().toString();
        if (!Character.isDigit(name.charAt(0))) {
          continue;
        }
        try {
          String line =
              Files.readString(
                  process.resolve("cmdline"), java.nio.charset.StandardCharsets.ISO_8859_1);
          if (commandLine.test(List.of(line.split("\0")))) {
            found.add(Integer.valueOf(name));
          }
        } catch (IOException e) {
          // ended meanwhile
        }
      }
    }
    return found;
  }
}
