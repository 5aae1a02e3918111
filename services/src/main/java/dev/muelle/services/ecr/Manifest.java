package dev.muelle.services.ecr;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * A manifest as it was pushed: of an image or artifact, or an index of such.
 *
 * @param artifactType as OCI 1.1 defines it: the member of that name, else the configuration's type
 * @param layers configuration first; those that live elsewhere ({@code urls}) left out
 * @param children what an index lists
 * @param subject the digest that this refers to, or null
 * @see <a href="https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md">OCI image
 *     manifest</a>
 */
record Manifest(
    String mediaType,
    @Nullable String artifactType,
    List<Descriptor> layers,
    List<Descriptor> children,
    @Nullable String subject) {

  static final String DOCKER = "application/vnd.docker.distribution.manifest.v2+json";
  static final String DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json";
  static final String OCI = "application/vnd.oci.image.manifest.v1+json";
  static final String OCI_INDEX = "application/vnd.oci.image.index.v1+json";

  /** What ECR and the protocol ask every registry to take: 4 MiB. */
  static final int MOST_BYTES = 4 << 20;

  private static final int MOST_DESCRIPTORS = 4_200;
  private static final Set<String> IMAGES = Set.of(DOCKER, OCI);
  private static final Set<String> INDEXES = Set.of(DOCKER_LIST, OCI_INDEX);
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** Names a blob or another manifest. */
  record Descriptor(String digest, long size) {}

  /**
   * Reads and checks a manifest.
   *
   * @param declared the media type that came with it, or null
   */
  static Manifest parse(byte[] bytes, @Nullable String declared) {
    if (bytes.length > MOST_BYTES) {
      throw invalid("Member must have length less than or equal to " + MOST_BYTES);
    }
    JsonNode root;
    try {
      root = JSON.readTree(bytes);
    } catch (IOException e) {
      throw invalid("Invalid JSON syntax");
    }
    if (!root.isObject()) {
      throw invalid("Invalid JSON syntax");
    }
    if (root.path("schemaVersion").intValue() != 2) {
      throw invalid("schemaVersion must be 2: schema 1 manifests are not supported");
    }
    String type = mediaType(root, declared);
    String subject =
        root.has("subject") ? descriptor(root.get("subject"), "subject").digest() : null;
    return INDEXES.contains(type) ? index(root, type, subject) : image(root, type, subject);
  }

  private static String mediaType(JsonNode root, @Nullable String declared) {
    String own = root.path("mediaType").textValue();
    if (own != null && declared != null && !own.equals(declared)) {
      throw invalid("mediaType is " + own + " in the manifest, but it came as " + declared);
    }
    String type = own != null ? own : declared;
    if (type == null) {
      type = root.has("manifests") ? OCI_INDEX : OCI;
    }
    if (!IMAGES.contains(type) && !INDEXES.contains(type)) {
      throw invalid("media type " + type + " is not supported");
    }
    return type;
  }

  private static Manifest index(JsonNode root, String type, @Nullable String subject) {
    if (root.has("layers") || root.has("config")) {
      throw invalid("an index has neither layers nor config");
    }
    List<Descriptor> children = new ArrayList<>();
    for (JsonNode child : list(root, "manifests")) {
      children.add(descriptor(child, "manifests"));
    }
    return new Manifest(
        type, root.path("artifactType").textValue(), List.of(), List.copyOf(children), subject);
  }

  private static Manifest image(JsonNode root, String type, @Nullable String subject) {
    if (root.has("manifests")) {
      throw invalid("the manifest of an image lists no manifests");
    }
    List<Descriptor> layers = new ArrayList<>();
    layers.add(descriptor(root.path("config"), "config"));
    for (JsonNode layer : list(root, "layers")) {
      Descriptor read = descriptor(layer, "layers");
      if (layer.path("urls").isEmpty()) {
        layers.add(read);
      }
    }
    String artifact = root.path("artifactType").textValue();
    if (artifact == null) {
      artifact = root.path("config").path("mediaType").textValue();
    }
    return new Manifest(type, artifact, List.copyOf(layers), List.of(), subject);
  }

  private static JsonNode list(JsonNode root, String name) {
    JsonNode list = root.path(name);
    if (!list.isArray()) {
      throw invalid(name + " must be a list");
    }
    if (list.size() > MOST_DESCRIPTORS) {
      throw invalid(name + " must have at most " + MOST_DESCRIPTORS + " members");
    }
    return list;
  }

  private static Descriptor descriptor(JsonNode node, String where) {
    String digest = node.path("digest").asText("");
    JsonNode size = node.path("size");
    if (!Names.isDigest(digest)) {
      throw invalid(where + " must have a sha256 digest");
    }
    if (!size.isIntegralNumber() || !size.canConvertToLong() || size.longValue() < 0) {
      throw invalid(where + " must have a size in bytes");
    }
    if (node.path("mediaType").asText("").isEmpty()) {
      throw invalid(where + " must have a mediaType");
    }
    return new Descriptor(digest, size.longValue());
  }

  private static RuntimeException invalid(String constraint) {
    return Refuse.parameter("ImageManifest", constraint);
  }
}
