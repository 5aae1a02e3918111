package dev.muelle.engine.oci.image;

/**
 * What an image may ask of this machine.
 *
 * @param layerBytes unpacked, of one layer
 * @param layerEntries files, directories, links and removals of one layer
 * @param layers of one image
 * @param documentBytes of one manifest, index or configuration
 * @param headerBytes of one name or extended header inside a layer
 * @param blobBytes of one compressed layer that is fetched
 */
public record Limits(
    long layerBytes,
    long layerEntries,
    int layers,
    int documentBytes,
    int headerBytes,
    long blobBytes) {

  /** Room for the largest images that are in use, not for an attack. */
  public static Limits usual() {
    return new Limits(20L << 30, 1_000_000, 127, 4 << 20, 1 << 20, 10L << 30);
  }
}
