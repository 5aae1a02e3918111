package dev.muelle.region;

import dev.muelle.engine.ImageReference;
import dev.muelle.engine.LocalRegistry;
import dev.muelle.engine.blob.FileBlobStore;
import dev.muelle.engine.oci.OciEngine;
import dev.muelle.loop.SystemTimers;
import dev.muelle.network.linux.LinuxNetwork;
import dev.muelle.store.SqliteStore;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;

/** Ends and removes what a server left running on the machine; its state stays. */
public final class Leftovers {

  private Leftovers() {}

  /**
   * Kills the containers, and removes mounts, cgroups, namespaces and packet filters.
   *
   * @throws dev.muelle.store.StoreException if the server still runs
   */
  public static void remove(DataDirectory directory) throws IOException {
    if (!Files.exists(directory.root())) {
      return;
    }
    try (SqliteStore store = SqliteStore.open(directory.database());
        SystemTimers timers = new SystemTimers();
        LinuxNetwork network = new LinuxNetwork(directory.instance());
        OciEngine engine =
            new OciEngine(
                directory.instance(),
                directory.engine(),
                FileBlobStore.open(directory.blobs(), store, timers),
                new NoImages(),
                timers)) {
      engine.removeAll();
      network.removeAll();
    }
  }

  /** Nothing is pulled while cleaning up. */
  private record NoImages() implements LocalRegistry {
    @Override
    public boolean owns(ImageReference reference) {
      return true;
    }

    @Override
    public Optional<String> resolve(ImageReference reference) {
      return Optional.empty();
    }
  }
}
