package dev.muelle.engine.oci;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Options of mount(8) as mount(2) takes them.
 *
 * @param flags {@code MS_…} of the kernel's
 * @param data what a type of file system takes itself, with commas between
 */
record MountOptions(long flags, String data) {

  static final long READONLY = 1;
  static final long RECURSIVE = 1 << 14;

  private static final Map<String, Long> SETTING =
      Map.ofEntries(
          Map.entry("ro", READONLY),
          Map.entry("nosuid", 1L << 1),
          Map.entry("nodev", 1L << 2),
          Map.entry("noexec", 1L << 3),
          Map.entry("sync", 1L << 4),
          Map.entry("mand", 1L << 6),
          Map.entry("dirsync", 1L << 7),
          Map.entry("noatime", 1L << 10),
          Map.entry("nodiratime", 1L << 11),
          Map.entry("rbind", RECURSIVE),
          Map.entry("relatime", 1L << 21),
          Map.entry("strictatime", 1L << 24));

  private static final Map<String, Long> CLEARING =
      Map.ofEntries(
          Map.entry("rw", READONLY),
          Map.entry("suid", 1L << 1),
          Map.entry("dev", 1L << 2),
          Map.entry("exec", 1L << 3),
          Map.entry("async", 1L << 4),
          Map.entry("nomand", 1L << 6),
          Map.entry("atime", 1L << 10),
          Map.entry("diratime", 1L << 11),
          Map.entry("norelatime", 1L << 21),
          Map.entry("nostrictatime", 1L << 24));

  /** What every mount of a container is or does anyway. */
  private static final Set<String> GIVEN =
      Set.of("defaults", "bind", "private", "rprivate", "newinstance");

  /** What makes something else of a mount than one. */
  private static final Set<String> OTHER =
      Set.of("remount", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable");

  /** Whether all of them are options of a mount that nobody outside of the container sees. */
  static boolean plain(List<String> options) {
    return options.stream().noneMatch(OTHER::contains);
  }

  /** Reads them; of two that contradict each other the later one counts. */
  static MountOptions of(List<String> options) {
    long flags = 0;
    List<String> data = new ArrayList<>();
    for (String option : options) {
      Long sets = SETTING.get(option);
      Long clears = CLEARING.get(option);
      if (sets != null) {
        flags |= sets;
      } else if (clears != null) {
        flags &= ~clears;
      } else if (!GIVEN.contains(option)) {
        data.add(option);
      }
    }
    return new MountOptions(flags, String.join(",", data));
  }
}
