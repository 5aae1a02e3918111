package dev.muelle.engine.oci;

import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Signals by name, as numbered by Linux on the architectures that we run on; see signal(7). */
final class Signals {

  static final int SIGKILL = 9;
  static final int SIGTERM = 15;
  static final int SIGCONT = 18;
  static final int SIGSTOP = 19;

  private static final Map<String, Integer> NUMBERS =
      Map.ofEntries(
          Map.entry("HUP", 1),
          Map.entry("INT", 2),
          Map.entry("QUIT", 3),
          Map.entry("ABRT", 6),
          Map.entry("KILL", SIGKILL),
          Map.entry("USR1", 10),
          Map.entry("USR2", 12),
          Map.entry("PIPE", 13),
          Map.entry("ALRM", 14),
          Map.entry("TERM", SIGTERM),
          Map.entry("CONT", SIGCONT),
          Map.entry("STOP", SIGSTOP),
          Map.entry("WINCH", 28),
          Map.entry("PWR", 30),
          Map.entry("RTMIN+3", 37));

  private Signals() {}

  /** An image's stop signal; SIGTERM if it names none that we know. */
  static int stop(@Nullable String text) {
    if (text == null) {
      return SIGTERM;
    }
    String upper = text.toUpperCase(Locale.ROOT);
    String name = upper.startsWith("SIG") ? upper.substring(3) : upper;
    Integer number = NUMBERS.get(name);
    if (number != null) {
      return number;
    }
    return name.matches("[1-9]|[1-5][0-9]|6[0-4]") ? Integer.parseInt(name) : SIGTERM;
  }
}
