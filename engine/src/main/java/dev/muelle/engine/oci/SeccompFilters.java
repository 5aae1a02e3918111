package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * Filters of system calls as the runtime compiled them. Compiling takes crun as long as most of the
 * rest of a start; it leaves what it made beside a container's state. We keep that, with a tree
 * before it ({@link FilterTree}), and our own monitor loads it for all others.
 */
final class SeccompFilters {

  private static final int MOST = 64; // there is one for each set of capabilities

  private final Layout layout;
  private final Map<Set<String>, ObjectNode> profiles = new ConcurrentHashMap<>();
  private final Map<ObjectNode, Path> files = new ConcurrentHashMap<>();

  SeccompFilters(Layout layout) {
    this.layout = layout;
  }

  /** The profile for a set of capabilities. */
  ObjectNode profile(Set<String> capabilities, String architecture) throws IOException {
    ObjectNode known = profiles.get(capabilities);
    if (known == null) {
      known = Seccomp.profile(capabilities, architecture);
      if (profiles.size() < MOST) {
        profiles.put(Set.copyOf(capabilities), known);
      }
    }
    return known;
  }

  /** Where what a profile was compiled to lies; null if nobody compiled it yet. */
  @Nullable Path file(ObjectNode profile) throws IOException {
    Path file = files.get(profile);
    if (file == null) {
      file = layout.filters().resolve(name(profile));
      if (!Files.exists(file)) {
        return null;
      }
      if (files.size() < MOST) {
        files.put(profile, file);
      }
    }
    return file;
  }

  private static String name(ObjectNode profile) {
    try {
      byte[] text = profile.toString().getBytes(StandardCharsets.UTF_8);
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(text));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Keeps what was compiled for a container that was just created. */
  void keep(ObjectNode profile, String containerId) throws IOException {
    Path made = layout.runtime().resolve(containerId).resolve("seccomp.bpf");
    if (file(profile) == null && Files.exists(made)) {
      byte[] filter = FilterTree.before(Files.readAllBytes(made));
      Layout.write(layout.filters().resolve(name(profile)), filter);
    }
  }
}
