package dev.muelle.engine.oci.image;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * An image whose layers are unpacked.
 *
 * @param id digest of its manifest
 * @param layers diff ids, the lowest first
 * @param documents digests of the blobs that are kept for it: manifest, configuration, indexes
 */
public record StoredImage(
    String id, ImageConfig config, List<String> layers, List<String> documents) {

  public StoredImage(
      String id, ImageConfig config, List<String> layers, @Nullable List<String> documents) {
    this.id = id;
    this.config = config;
    this.layers = layers;
    this.documents = documents == null ? List.of(id) : documents; // noted before they were
  }
}
