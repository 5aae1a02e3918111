package dev.muelle.engine.oci;

import dev.muelle.engine.ContainerSpec.Isolation;
import dev.muelle.engine.EngineException;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

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

  private Capabilities() {}

  /** With their prefix {@code CAP_}, sorted. */
  static SortedSet<String> of(Isolation isolation) {
    Set<String> add = isolation.addCapabilities();
    Set<String> drop = isolation.dropCapabilities();
    SortedSet<String> names = new TreeSet<>();
    if (add.contains(ALL)) {
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
