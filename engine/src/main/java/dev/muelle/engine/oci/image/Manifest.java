package dev.muelle.engine.oci.image;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.muelle.engine.EngineException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A manifest of one platform, or an index of several: OCI's and Docker's forms are read alike. See
 * <a href="https://github.com/opencontainers/image-spec/blob/main/manifest.md">the
 * specification</a>.
 */
sealed interface Manifest {

  /** One platform's image. */
  record OfImage(Descriptor config, List<Descriptor> layers) implements Manifest {}

  /** What there is for several platforms. */
  record Index(List<Platform> platforms) implements Manifest {

    /**
     * The manifest for a platform.
     *
     * @throws EngineException in the words of ECS if there is none
     */
    Descriptor choose(String os, String architecture) {
      for (Platform platform : platforms) {
        if (platform.os().equals(os) && platform.architecture().equals(architecture)) {
          return platform.manifest();
        }
      }
      throw new EngineException(
          "CannotPullContainerError: image Manifest does not contain descriptor matching platform '"
              + os
              + "/"
              + architecture
              + "'");
    }
  }

  /** One line of an index. */
  record Platform(String os, String architecture, Descriptor manifest) {}

  /** A blob that is referred to. */
  record Descriptor(String mediaType, String digest, long size) {}

  /** Making one costs more than reading a manifest, and every start of a container reads two. */
  ObjectMapper JSON = new ObjectMapper();

  /** The media types that a client says it understands. */
  String ACCEPT =
      "application/vnd.oci.image.index.v1+json,"
          + "application/vnd.docker.distribution.manifest.list.v2+json,"
          + "application/vnd.oci.image.manifest.v1+json,"
          + "application/vnd.docker.distribution.manifest.v2+json";

  /** Reads one, whatever media type it was served as. */
  static Manifest read(byte[] json, Limits limits) throws IOException {
    JsonNode tree = JSON.readTree(json);
    if (tree.path("manifests").isArray()) {
      List<Platform> platforms = new ArrayList<>();
      for (JsonNode one : tree.path("manifests")) {
        JsonNode platform = one.path("platform");
        platforms.add(
            new Platform(
                platform.path("os").asText(),
                platform.path("architecture").asText(),
                descriptor(one)));
      }
      return new Index(platforms);
    }
    if (!tree.path("config").isObject() || !tree.path("layers").isArray()) {
      throw new LayerException(
          "neither an image manifest nor an index (schema 1 is not supported)");
    }
    List<Descriptor> layers = new ArrayList<>();
    for (JsonNode layer : tree.path("layers")) {
      layers.add(descriptor(layer));
    }
    if (layers.size() > limits.layers()) {
      throw new LayerException(layers.size() + " layers; the limit is " + limits.layers());
    }
    return new OfImage(descriptor(tree.path("config")), layers);
  }

  private static Descriptor descriptor(JsonNode node) throws IOException {
    String digest = node.path("digest").asText();
    if (!Forms.DIGEST.matcher(digest).matches()) {
      throw new LayerException("not a digest: " + digest);
    }
    return new Descriptor(node.path("mediaType").asText(), digest, node.path("size").asLong(-1));
  }

  /** Reads an image's configuration; the diff ids of its layers come along. */
  static StoredImage image(String id, String configDigest, byte[] json) throws IOException {
    JsonNode tree = JSON.readTree(json);
    JsonNode config = tree.path("config");
    List<String> diffIds = strings(tree.path("rootfs").path("diff_ids"));
    for (String diffId : diffIds) {
      if (!Forms.DIGEST.matcher(diffId).matches()) {
        throw new LayerException("not a digest: " + diffId);
      }
    }
    JsonNode signal = config.path("StopSignal");
    return new StoredImage(
        id,
        new ImageConfig(
            strings(config.path("Entrypoint")),
            strings(config.path("Cmd")),
            strings(config.path("Env")),
            config.path("User").asText(""),
            config.path("WorkingDir").asText(""),
            signal.isTextual() && !signal.asText().isEmpty() ? signal.asText() : null,
            config.path("Volumes").propertyStream().map(Map.Entry::getKey).toList()),
        diffIds,
        List.of(id, configDigest));
  }

  private static List<String> strings(JsonNode array) {
    List<String> strings = new ArrayList<>();
    array.forEach(one -> strings.add(one.asText()));
    return strings;
  }

  /** Forms of texts. */
  final class Forms {
    static final Pattern DIGEST = Pattern.compile("sha256:[0-9a-f]{64}");

    private Forms() {}
  }
}
