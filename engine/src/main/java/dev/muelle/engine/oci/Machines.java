package dev.muelle.engine.oci;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.Machine;
import dev.muelle.engine.oci.image.Trees;
import dev.muelle.linux.MountPoints;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The machines that sandboxes are on: their files, and the namespaces that they share. */
final class Machines {

  private static final Logger LOG = LoggerFactory.getLogger(Machines.class);

  /** What every Linux machine has; nobody else's files are in them. */
  private static final List<String> DIRECTORIES =
      List.of(
          "etc",
          "home/ec2-user",
          "mnt",
          "opt",
          "root",
          "run",
          "srv",
          "var/lib/docker/containers",
          "var/lib/docker/volumes",
          "var/log");

  private final Layout layout;
  private final Cgroups cgroups;
  private final Keeper keeper;
  private final ObjectMapper json;
  private final Map<String, Machine> known = new ConcurrentHashMap<>();

  Machines(Layout layout, Cgroups cgroups, Keeper keeper, ObjectMapper json) {
    this.layout = layout;
    this.cgroups = cgroups;
    this.keeper = keeper;
    this.json = json;
  }

  private static String group(String id) {
    return "machine-" + id;
  }

  List<Machine> all() {
    return known.values().stream().sorted(Comparator.comparing(Machine::id)).toList();
  }

  /** Makes one, unless it is there. */
  synchronized void create(Machine machine) throws IOException {
    if (known.containsKey(machine.id())) {
      return;
    }
    String id = machine.id();
    Trees.delete(layout.machine(id)); // begun by somebody who did not come to its end
    Path root = Files.createDirectories(layout.machineRoot(id));
    Files.setAttribute(layout.machine(id), "unix:mode", 0700); // what is inside is nobody else's
    Files.setAttribute(root, "unix:mode", 0755);
    for (String directory : DIRECTORIES) {
      Files.createDirectories(root.resolve(directory));
    }
    for (String directory : List.of("tmp", "var/tmp")) {
      Files.setAttribute(Files.createDirectories(root.resolve(directory)), "unix:mode", 01777);
    }
    Files.createDirectories(layout.volumeNote(id, "any").getParent());
    Layout.write(layout.machineNote(id), json.writeValueAsBytes(machine));
    known.put(id, machine);
  }

  /** The namespaces that its sandboxes share. */
  synchronized Keeper.Kept namespaces(Machine machine) throws IOException {
    Path directory = layout.machine(machine.id());
    Optional<Keeper.Kept> kept = keeper.find(directory);
    if (kept.isEmpty()) {
      keeper.start(directory, group(machine.id()));
      kept = keeper.find(directory);
    }
    return kept.orElseThrow(() -> new IOException("the machine's first process has ended"));
  }

  /** What its sandboxes share at {@code /dev/shm}: a mount. */
  synchronized Path memory(Machine machine) throws IOException {
    return SharedMemory.mounted(layout.machine(machine.id()));
  }

  /**
   * Removes one.
   *
   * @param used whether a sandbox is on a machine
   */
  synchronized boolean remove(String id, Predicate<String> used) throws IOException {
    if (used.test(id)) {
      return false;
    }
    if (known.containsKey(id)) {
      Files.deleteIfExists(layout.machineNote(id)); // from now on it is one that was not finished
      destroy(id);
      known.remove(id);
    }
    return true;
  }

  private void destroy(String id) throws IOException {
    cgroups.remove(group(id));
    MountPoints.unmount(SharedMemory.of(layout.machine(id)));
    Trees.delete(layout.machine(id));
  }

  /** Reads what there is; what was not finished is removed. */
  void recover() throws IOException {
    try (Stream<Path> directories = Files.list(layout.machines())) {
      for (Path directory : directories.toList()) {
        String id = directory.getFileName().toString();
        if (!Files.exists(layout.machineNote(id))) {
          destroy(id);
          continue;
        }
        try {
          known.put(id, json.readValue(Files.readAllBytes(layout.machineNote(id)), Machine.class));
        } catch (JsonProcessingException e) { // its volumes may be all that somebody has
          LOG.warn("machine {} is left alone: what is noted of it cannot be read", id, e);
        }
      }
    }
  }
}
