package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.oci.Running.Note;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;

/**
 * What crun would have noted of a container that our own monitor started, so that {@code crun exec}
 * finds it: written when somebody first asks for another process in it, which few do.
 *
 * @see <a href="https://github.com/containers/crun/blob/1.8.1/src/libcrun/status.c">status.c</a>
 */
final class RuntimeState {

  private final Layout layout;
  private final Cgroups cgroups;
  private final SeccompFilters filters;
  private final ObjectMapper json;

  RuntimeState(Layout layout, Cgroups cgroups, SeccompFilters filters, ObjectMapper json) {
    this.layout = layout;
    this.cgroups = cgroups;
    this.filters = filters;
    this.json = json;
  }

  /** Writes it unless the runtime itself did. */
  synchronized void ensure(Note container) throws IOException {
    Path directory = layout.runtime().resolve(container.id());
    Path status = directory.resolve("status");
    if (Files.exists(status)) {
      return;
    }
    for (Path group : cgroups.allOf(container.sandboxId(), container.id())) {
      Files.createDirectories(group); // crun enters one in every hierarchy; we make what is needed
    }
    Files.createDirectories(directory);
    byte[] config = Files.readAllBytes(layout.container(container.id()).resolve("config.json"));
    Layout.write(directory.resolve("config.json"), config);
    JsonNode tree = json.readTree(config);
    Path filter =
        tree.path("linux").path("seccomp") instanceof ObjectNode profile
            ? filters.file(profile)
            : null;
    if (filter != null) {
      try {
        Files.deleteIfExists(directory.resolve("seccomp.bpf"));
        Files.copy(filter, directory.resolve("seccomp.bpf"));
      } catch (NoSuchFileException e) {
        throw new IOException("the container's filter of system calls is gone", e);
      }
    }
    ObjectNode note = json.createObjectNode();
    note.put("pid", container.pid()).put("process-start-time", container.startTime());
    note.put("cgroup-path", cgroups.path(container.sandboxId(), container.id())).put("scope", "");
    note.put("rootfs", layout.rootfs(container.id()).toString()).put("systemd-cgroup", false);
    note.put("bundle", layout.container(container.id()).toString());
    note.put("created", "2020-01-01T00:00:00.000000Z").put("owner", "root").put("detached", true);
    note.put("external_descriptors", "[\"/dev/null\",\"/dev/null\",\"/dev/null\"]");
    Layout.write(status, json.writeValueAsBytes(note)); // last: from now on it counts
  }
}
