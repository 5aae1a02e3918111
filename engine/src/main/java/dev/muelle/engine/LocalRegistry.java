package dev.muelle.engine;

import java.util.Optional;

/** The registry of this very region, whose blobs the engine reads in place. */
public interface LocalRegistry {

  /** Whether images of this host are ours, so that the engine must not ask the network. */
  boolean owns(ImageReference reference);

  /**
   * The digest of the manifest (or index) that the reference names; empty if there is none. The
   * manifest itself and all that it names are blobs of the shared {@link
   * dev.muelle.engine.blob.BlobStore}.
   */
  Optional<String> resolve(ImageReference reference);
}
