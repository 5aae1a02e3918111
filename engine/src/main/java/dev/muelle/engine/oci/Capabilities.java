package dev.muelle.engine.oci;

import dev.muelle.engine.ContainerSpec.Isolation;
import dev.muelle.engine.EngineException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Which of the kernel's capabilities(7) a container has: Docker's default ones, and what is added
 * or dropped, by Docker's rules.
 */
final class Capabilities {

  private static final String ALL = "ALL";

  private static final List<String> USUAL =
      List.of(
          "AUDIT_WRITE",
          "CHOWN",
          "DAC_OVERRIDE",
          "FOWNER",
          "FSETID",
          "KILL",
          "MKNOD",
          "NET_BIND_SERVICE",
          "NET_RAW",
          "SETFCAP",
          "SETGID",
          "SETPCAP",
          "SETUID",
          "SYS_CHROOT");

  private static final List<String> OTHER =
      List.of(
          "AUDIT_CONTROL",
          "AUDIT_READ",
          "BLOCK_SUSPEND",
          "BPF",
          "CHECKPOINT_RESTORE",
          "DAC_READ_SEARCH",
          "IPC_LOCK",
          "IPC_OWNER",
          "LEASE",
          "LINUX_IMMUTABLE",
          "MAC_ADMIN",
          "MAC_OVERRIDE",
          "NET_ADMIN",
          "NET_BROADCAST",
          "PERFMON",
          "SYS_ADMIN",
          "SYS_BOOT",
          "SYS_MODULE",
          "SYS_NICE",
          "SYS_PACCT",
          "SYS_PTRACE",
          "SYS_RAWIO",
          "SYS_RESOURCE",
          "SYS_TIME",
          "SYS_TTY_CONFIG",
          "SYSLOG",
          "WAKE_ALARM");

  /** As linux/capability.h numbers them. */
  private static final List<String> BY_NUMBER =
      List.of(
          ("CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP"
                  + " LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK"
                  + " IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN"
                  + " SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE"
                  + " AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM"
                  + " BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE")
              .split(" ", -1));

  private Capabilities() {}

  /** As the kernel numbers it; the name with its prefix. */
  static int number(String name) {
    return BY_NUMBER.indexOf(name.substring("CAP_".length()));
  }

  /** Those that this process has itself: it can give no others. */
  private static Set<String> own() {
    try {
      for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
        if (line.startsWith("CapPrm:")) {
          long bits = Long.parseUnsignedLong(line.substring("CapPrm:".length()).trim(), 16);
          return IntStream.range(0, BY_NUMBER.size())
              .filter(number -> (bits >> number & 1) != 0)
              .mapToObj(BY_NUMBER::get)
              .collect(Collectors.toSet());
        }
      }
      throw new IllegalStateException("the kernel does not tell this process's capabilities");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** With their prefix {@code CAP_}, sorted. */
  static SortedSet<String> of(Isolation isolation) {
    Set<String> add = isolation.addCapabilities();
    Set<String> drop = isolation.dropCapabilities();
    SortedSet<String> names = new TreeSet<>();
    if (isolation.privileged()) {
      names.addAll(own());
    } else if (add.contains(ALL)) {
      names.addAll(USUAL);
      names.addAll(OTHER);
      names.removeAll(drop);
    } else {
      if (!drop.contains(ALL)) {
        names.addAll(USUAL);
        names.removeAll(drop);
      }
      names.addAll(add);
    }
    SortedSet<String> prefixed = new TreeSet<>();
    for (String name : names) {
      if (!USUAL.contains(name) && !OTHER.contains(name)) {
        throw new EngineException(
            "CannotCreateContainerError: Error response from daemon: invalid CapAdd: unknown"
                + " capability: \"CAP_"
                + name
                + "\"");
      }
      prefixed.add("CAP_" + name);
    }
    return prefixed;
  }
}
