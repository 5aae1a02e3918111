package dev.muelle.engine.oci.image;

import java.util.List;

/**
 * An image whose layers are unpacked.
 *
 * @param id digest of its manifest
 * @param layers diff ids, the lowest first
 */
public record StoredImage(String id, ImageConfig config, List<String> layers) {}
