package dev.muelle.engine.oci;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;

/**
 * Where things lie. Logs and exit codes of all containers share a directory each, so that one watch
 * sees them all.
 */
record Layout(Path root) {

  /** As much as the notes of one container need. */
  private static final int PROBE_BYTES = 64 * 1024;

  static Layout create(Path root) throws IOException {
    Layout layout = new Layout(root);
    for (Path directory :
        new Path[] {
          layout.sandboxes(),
          layout.machines(),
          layout.containers(),
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

  /** What a start needs of the files and cannot have now; empty if that is nothing. */
  Optional<String> impairment() {
    if (!Files.isExecutable(program())) {
      return Optional.of(program() + " is not there");
    }
    try {
      Path probe = Files.createTempFile(root, "probe", null);
      try {
        Files.write(probe, new byte[PROBE_BYTES]);
      } finally {
        Files.delete(probe);
      }
      return Optional.empty();
    } catch (IOException e) {
      return Optional.of(e.toString());
    }
  }

  Path sandboxes() {
    return root.resolve("sandboxes");
  }

  Path sandbox(String id) {
    return sandboxes().resolve(id);
  }

  /** Written last: a sandbox without it was not finished. */
  Path sandboxNote(String id) {
    return sandbox(id).resolve("sandbox.json");
  }

  /** Holds a sandbox's own file system of limited size. */
  Path diskImage(String sandboxId) {
    return sandbox(sandboxId).resolve("disk.ext4");
  }

  /** Where a sandbox's own file system of limited size is mounted. */
  Path disk(String sandboxId) {
    return sandbox(sandboxId).resolve("disk");
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
    return root.resolve("containers");
  }

  Path container(String id) {
    return containers().resolve(id);
  }

  /** Written last: a container without it was not started. */
  Path containerNote(String id) {
    return container(id).resolve("container.json");
  }

  Path exitNote(String id) {
    return container(id).resolve("exited.json");
  }

  /** There while a container is being started again. */
  Path restarting(String id) {
    return container(id).resolve("restarting");
  }

  /** The image's id, noted before its layers are mounted. */
  Path imageNote(String id) {
    return container(id).resolve("image");
  }

  /** Up to where the output's file was released: an offset, as text. */
  Path released(String id) {
    return container(id).resolve("released");
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
    return container(id).resolve("json-file.json");
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
    return root.resolve("exits");
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

  /** Writes a file so that it is there whole or not at all. */
  static void write(Path file, byte[] bytes) throws IOException {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    Files.write(fresh, bytes);
    Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }
}
