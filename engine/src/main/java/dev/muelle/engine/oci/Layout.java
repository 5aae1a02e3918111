package dev.muelle.engine.oci;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.linux.MountPoints;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where things lie: on the disk what is to be known after the machine's restart, and in memory what
 * only those need who would not live to see it. A file costs several times as much on the disk.
 * Logs and exit codes of all containers share a directory each, so that one watch sees them all.
 */
record Layout(Path root) {

  private static final Logger LOG = LoggerFactory.getLogger(Layout.class);
  private static final String NOTE = ".json";

  /** As much as the notes of one container need. */
  private static final int PROBE_BYTES = 64 * 1024;

  private static final long LIVE_FLAGS = Syscalls.MS_NOSUID | Syscalls.MS_NODEV;

  static Layout create(Path root) throws IOException {
    Layout layout = new Layout(root);
    layout.mount(layout.live());
    layout.mount(layout.sandboxes());
    for (Path directory :
        new Path[] {
          layout.containers(),
          layout.containerNotes(),
          layout.disks(),
          layout.writables(),
          layout.volumes(),
          layout.machines(),
          layout.logs(),
          layout.exits(),
          layout.runtime(),
          layout.sockets(),
          layout.filters()
        }) {
      Files.createDirectories(directory);
    }
    return layout;
  }

  private void mount(Path directory) throws IOException {
    Files.createDirectories(directory);
    if (!MountPoints.all().contains(directory)) {
      Syscalls.mount("live", directory, "tmpfs", LIVE_FLAGS, "mode=0700");
    }
    Syscalls.mount(null, directory, null, Syscalls.MS_PRIVATE, null);
  }

  /** Gives the memory back if nothing is in it; mounted again by {@link #create}. */
  void close() throws IOException {
    if (names(sandboxes()).isEmpty() && names(containers()).isEmpty()) {
      MountPoints.unmount(sandboxes());
      MountPoints.unmount(live());
    }
  }

  /** What versions before the notes' directory left, whose containers nobody knows any more. */
  List<Path> older() {
    return Stream.of("sandboxes", "containers", "exits")
        .map(root::resolve)
        .filter(Files::exists)
        .toList();
  }

  /** Of the files of a directory. */
  static List<String> names(Path directory) throws IOException {
    try (Stream<Path> entries = Files.list(directory)) {
      return entries.map(entry -> entry.getFileName().toString()).toList();
    }
  }

  /** What a start needs of the files and cannot have now; empty if that is nothing. */
  Optional<String> impairment() {
    if (!Files.isExecutable(program())) {
      return Optional.of(program() + " is not there");
    }
    try {
      probe(root);
      probe(live());
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(e.toString());
    }
  }

  private static void probe(Path directory) throws IOException {
    Path probe = Files.createTempFile(directory, "probe", null);
    try {
      Files.write(probe, new byte[PROBE_BYTES]);
    } finally {
      Files.delete(probe);
    }
  }

  /** In memory: gone when the machine starts again, as all that runs. */
  Path live() {
    return root.resolve("live");
  }

  Path sandboxes() {
    return live().resolve("sandboxes");
  }

  /**
   * What a sandbox's containers see of it. They may write to some of it: so it lies in a memory of
   * its own, and whoever fills that hinders no other's end from being told.
   */
  Path sandbox(String id) {
    return sandboxes().resolve(id);
  }

  /** Written last: a sandbox without it was not finished. */
  Path sandboxNote(String id) {
    return sandbox(id).resolve("sandbox" + NOTE);
  }

  Path disks() {
    return root.resolve("disks");
  }

  /** Holds a sandbox's own file system of limited size. */
  Path diskImage(String sandboxId) {
    return disks().resolve(sandboxId);
  }

  /** Where {@link #disks} are mounted. */
  Path mounted() {
    return live().resolve("disks");
  }

  /** Where a sandbox's own file system of limited size is mounted. */
  Path disk(String sandboxId) {
    return mounted().resolve(sandboxId);
  }

  Path machines() {
    return root.resolve("machines");
  }

  Path machine(String id) {
    return machines().resolve(id);
  }

  /** Written last: a machine without it was not finished. */
  Path machineNote(String id) {
    return machine(id).resolve("machine.json");
  }

  /** What its sandboxes may see of a machine's files. */
  Path machineRoot(String id) {
    return machine(id).resolve("root");
  }

  /** What is known of a machine's volumes, beside what is in them. */
  Path volumeNote(String machineId, String name) {
    return machine(machineId).resolve("volumes").resolve(name + ".json");
  }

  Path containers() {
    return live().resolve("containers");
  }

  /** What a container is started with; the first that there is of one, and the last. */
  Path container(String id) {
    return containers().resolve(id);
  }

  /** The sandbox's id: whose container one is that was not started. */
  Path containersSandbox(String id) {
    return container(id).resolve("sandbox");
  }

  Path containerNotes() {
    return root.resolve("notes");
  }

  /** Written last: a container without it was not started. */
  Path containerNote(String id) {
    return containerNotes().resolve(id + NOTE);
  }

  Path exitNote(String id) {
    return containerNotes().resolve(id + ".exited");
  }

  /** There while a container is being started again. */
  Path restarting(String id) {
    return containerNotes().resolve(id + ".restarting");
  }

  /** Up to where the output's file was released: an offset, as text. */
  Path released(String id) {
    return containerNotes().resolve(id + ".released");
  }

  /** Whose a file of one of these directories is, by its name. */
  static String owner(String file) {
    return file.split("\\.", 2)[0]; // ids have none
  }

  Path writables() {
    return root.resolve("writable");
  }

  /** What a container writes whose sandbox has no disk of its own. */
  Path writable(String id) {
    return writables().resolve(id);
  }

  Path volumes() {
    return root.resolve("volumes");
  }

  /** The volumes of a sandbox that has no disk of its own. */
  Path volumes(String sandboxId) {
    return volumes().resolve(sandboxId);
  }

  /** The places of a machine that a container mounts, noted for its next start. */
  Path machineMounts(String id) {
    return container(id).resolve("mounts.json");
  }

  /** Where such a place is mounted first, so that nobody can exchange it any more. */
  Path machineMount(String id, int number) {
    return container(id).resolve("m" + number);
  }

  /** How far a container's output was written down at its machine. */
  Path jsonFileNote(String id) {
    return containerNotes().resolve(id + ".json-file");
  }

  Path rootfs(String id) {
    return container(id).resolve("rootfs");
  }

  Path logs() {
    return root.resolve("logs");
  }

  Path log(String id) {
    return logs().resolve(id);
  }

  Path exits() {
    return live().resolve("exits");
  }

  /** Written by who stays with a container: the exit code, as text. */
  Path exit(String id) {
    return exits().resolve(id);
  }

  /** The OCI runtime's own state. */
  Path runtime() {
    return root.resolve("run");
  }

  /** Starts containers and stays with them. */
  Path program() {
    return root.resolve("monitor");
  }

  /** Compiled filters of system calls. */
  Path filters() {
    return root.resolve("filters");
  }

  Path sockets() {
    return root.resolve("s");
  }

  /**
   * Reads what {@link #write} wrote; empty if it is not there. The disk may have lost what was
   * written shortly before the machine lost its power: such a file is removed, as if it had never
   * been.
   */
  static <T> Optional<T> read(ObjectMapper json, Path file, Class<T> type) throws IOException {
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    try {
      return Optional.of(json.readValue(Files.readAllBytes(file), type));
    } catch (JsonProcessingException e) {
      LOG.warn("{} cannot be read, and is removed", file, e);
      Files.delete(file);
      return Optional.empty();
    }
  }

  /** Writes a file so that it is there whole or not at all. */
  static void write(Path file, byte[] bytes) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.write(fresh, bytes);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
