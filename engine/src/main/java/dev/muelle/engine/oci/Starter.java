package dev.muelle.engine.oci;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;

/** Starts containers, each under a process that stays with it. */
interface Starter {

  /**
   * A container's first process.
   *
   * @param startTime in ticks since boot
   */
  record First(int pid, long startTime) {}

  /**
   * Creates a container. To be called where its root filesystem is mounted: by {@link
   * Launcher#launch}.
   *
   * @param config what an OCI runtime is told, as it lies in the container's directory
   * @param keepsOutput whether what it prints is written down
   */
  First create(String id, String sandboxId, JsonNode config, boolean keepsOutput)
      throws IOException;

  /** Lets it run, if it does not yet. */
  void start(String id) throws IOException;
}
