package dev.muelle.engine.oci;

import dev.muelle.engine.oci.image.Trees;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.MountPoints;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes what containers leave: processes, groups, mounts, files. */
final class Leftovers {

  private static final Logger LOG = LoggerFactory.getLogger(Leftovers.class);
  private static final int ROUNDS = 2000;

  private final Layout layout;
  private final String instance;
  private final Cgroups cgroups;

  Leftovers(Layout layout, String instance, Cgroups cgroups) {
    this.layout = layout;
    this.instance = instance;
    this.cgroups = cgroups;
  }

  /** The mark of this instance's overlay mounts. */
  static String mountSource(String instance) {
    return "muelle-" + instance;
  }

  /** Removes a container that was started or half started; its id may be used again. */
  void removeContainer(String sandboxId, String id, boolean lookForMonitor) throws IOException {
    removeProcesses(sandboxId, id, lookForMonitor);
    Trees.delete(layout.disk(sandboxId).resolve(id));
    removeFiles(id);
  }

  /** The same of a container whose sandbox goes too, and with it the disk that it wrote to. */
  void removeWithSandbox(String sandboxId, String id, boolean lookForMonitor) throws IOException {
    removeProcesses(sandboxId, id, lookForMonitor);
    removeFiles(id);
  }

  private void removeProcesses(String sandboxId, String id, boolean lookForMonitor)
      throws IOException {
    if (lookForMonitor) {
      killMonitor(id);
    }
    cgroups.remove(sandboxId, id);
    MountPoints.unmount(layout.rootfs(id));
  }

  /** Its directory last: what has one is removed anew after a crash. */
  private void removeFiles(String id) throws IOException {
    Trees.delete(layout.runtime().resolve(id));
    Files.deleteIfExists(layout.exit(id));
    Files.deleteIfExists(layout.log(id));
    Trees.delete(layout.sockets().resolve(id));
    Trees.delete(layout.writable(id));
    for (Path note :
        List.of(
            layout.restarting(id),
            layout.released(id),
            layout.jsonFileNote(id),
            layout.exitNote(id),
            layout.containerNote(id))) {
      Files.deleteIfExists(note);
    }
    Trees.delete(layout.container(id));
  }

  /** Removes what a container's last run left, but not its files and output. */
  void clear(String sandboxId, String id) throws IOException {
    killMonitor(id);
    cgroups.remove(sandboxId, id);
    Trees.delete(layout.runtime().resolve(id));
    Files.deleteIfExists(layout.exit(id));
    Trees.delete(layout.sockets().resolve(id));
  }

  /**
   * Ends a container's conmon and waits for that. It writes its number down before it does anything
   * else; where that is not to be found, all processes are looked through.
   */
  private void killMonitor(String id) throws IOException {
    Path number = Conmon.monitor(layout, id);
    boolean written = Files.exists(number);
    for (int round = 0; written && round < ROUNDS; round++) {
      OptionalInt living = Conmon.living(layout, instance, id);
      if (living.isEmpty()) {
        Files.deleteIfExists(number); // the next one writes its own, if it comes so far
        return;
      }
      kill(living.getAsInt());
      Waits.briefly();
    }
    killMonitors(line -> line.contains(Conmon.name(instance, id)));
  }

  private static void kill(int pid) {
    try {
      Syscalls.kill(pid, Signals.SIGKILL);
    } catch (LinuxException e) {
      // It ended meanwhile.
    }
  }

  /** Ends conmon processes and waits for that. */
  private static void killMonitors(Predicate<List<String>> which) throws IOException {
    for (int round = 0; round < ROUNDS; round++) {
      List<Integer> found = Processes.find(which);
      if (found.isEmpty()) {
        return;
      }
      found.forEach(Leftovers::kill);
      Waits.briefly();
    }
    throw new IOException("conmon processes do not die");
  }

  /** Whether somebody stays with a container of this instance. */
  boolean monitors() throws IOException {
    return !Processes.find(this::isMonitor).isEmpty();
  }

  private boolean isMonitor(List<String> line) {
    String prefix = Conmon.name(instance, "");
    return line.stream().anyMatch(argument -> argument.startsWith(prefix));
  }

  /**
   * Ends what an earlier version's containers run, which this one does not know how to take over.
   */
  void removeOlder() throws IOException {
    List<Path> older = layout.older();
    if (older.isEmpty()) {
      return;
    }
    LOG.warn("what ran under an earlier version is ended: {}", older);
    killMonitors(this::isMonitor);
    cgroups.removeAll();
    Sandboxes.removeNetworks(instance);
    for (Path directory : older) {
      for (Path mount : Mounts.find(directory, mountSource(instance))) {
        MountPoints.unmount(mount);
      }
      MountPoints.unmount(directory);
      Trees.delete(directory);
    }
  }

  /** Everything that carries this instance's name. */
  void removeAll() throws IOException {
    killMonitors(this::isMonitor);
    cgroups.removeAll();
    Sandboxes.removeNetworks(instance);
    for (Path mount : Mounts.find(layout.root(), mountSource(instance))) {
      MountPoints.unmount(mount);
    }
    for (Path directory :
        List.of(
            layout.containers(),
            layout.sandboxes(),
            layout.containerNotes(),
            layout.disks(),
            layout.volumes(),
            layout.writables(),
            layout.machines(),
            layout.logs(),
            layout.exits(),
            layout.runtime(),
            layout.sockets())) {
      Trees.delete(directory);
    }
    Layout.create(layout.root());
  }
}
