package dev.muelle.engine.oci.image;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What an image says of how to run it. See <a
 * href="https://github.com/opencontainers/image-spec/blob/main/config.md">the specification</a>.
 *
 * @param user empty for root
 * @param workingDirectory empty for the root directory
 * @param stopSignal name or number; null for SIGTERM
 * @param volumes paths that the image declares as volumes
 */
public record ImageConfig(
    List<String> entryPoint,
    List<String> command,
    List<String> environment,
    String user,
    String workingDirectory,
    @Nullable String stopSignal,
    List<String> volumes) {

  public ImageConfig {
    volumes = volumes == null ? List.of() : volumes; // notes of earlier versions have none
  }
}
