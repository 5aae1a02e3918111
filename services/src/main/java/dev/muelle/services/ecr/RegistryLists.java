package dev.muelle.services.ecr;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.services.ecr.Base.ImageRow;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import software.amazon.awssdk.services.ecr.model.Repository;

/** The registry protocol's lists: repositories, tags, referrers. */
final class RegistryLists {

  private static final JsonMapper JSON = new JsonMapper();
  private static final int MOST = 1000;

  private final Ecr ecr;

  RegistryLists(Ecr ecr) {
    this.ecr = ecr;
  }

  HttpResponse catalog(Query query) {
    List<String> names = ecr.repositories().all().stream().map(Repository::repositoryName).toList();
    ObjectNode root = JSON.createObjectNode();
    return page(root, root.putArray("repositories"), names, query, "/v2/_catalog");
  }

  HttpResponse tags(String name, Query query) {
    ObjectNode root = JSON.createObjectNode().put("name", name);
    List<String> tags = ecr.images().tags(name);
    return page(root, root.putArray("tags"), tags, query, "/v2/" + name + "/tags/list");
  }

  private static HttpResponse page(
      ObjectNode root, ArrayNode into, List<String> all, Query query, String path) {
    int n = query.get("n").map(RegistryLists::count).orElse(MOST);
    Optional<String> last = query.get("last");
    List<String> rest =
        all.stream().filter(item -> last.isEmpty() || item.compareTo(last.get()) > 0).toList();
    List<String> items = rest.subList(0, Math.min(n, rest.size()));
    items.forEach(into::add);
    HttpResponse answer = json("application/json; charset=utf-8", root);
    return items.size() < rest.size() && !items.isEmpty()
        ? answer.header(
            "Link", "<" + path + "?n=" + n + "&last=" + items.getLast() + ">; rel=\"next\"")
        : answer;
  }

  private static int count(String n) {
    try {
      int count = Integer.parseInt(n);
      if (count >= 0) {
        return Math.min(count, MOST);
      }
    } catch (NumberFormatException e) {
      // answered below
    }
    throw new RegistryError(400, "PAGINATION_NUMBER_INVALID", "invalid number of results: " + n);
  }

  /** What refers to a digest with its {@code subject}; the digest itself need not exist. */
  HttpResponse referrers(String name, String digest, Query query) throws IOException {
    if (!Names.isDigest(digest)) {
      throw RegistryError.digest(digest);
    }
    Optional<String> wanted = query.get("artifactType");
    ObjectNode root =
        JSON.createObjectNode().put("schemaVersion", 2).put("mediaType", Manifest.OCI_INDEX);
    ArrayNode manifests = root.putArray("manifests");
    for (ImageRow image : ecr.images().all(name)) {
      if (digest.equals(image.subject())
          && (wanted.isEmpty() || wanted.get().equals(image.artifactType()))) {
        manifests.add(descriptor(image));
      }
    }
    HttpResponse answer = json(Manifest.OCI_INDEX, root);
    return wanted.isPresent() ? answer.header("OCI-Filters-Applied", "artifactType") : answer;
  }

  private ObjectNode descriptor(ImageRow image) throws IOException {
    byte[] bytes = ecr.images().manifest(image);
    ObjectNode descriptor =
        JSON.createObjectNode()
            .put("mediaType", image.mediaType())
            .put("digest", image.digest())
            .put("size", bytes.length);
    if (image.artifactType() != null) {
      descriptor.put("artifactType", image.artifactType());
    }
    JsonNode annotations = JSON.readTree(bytes).path("annotations");
    if (annotations.isObject()) {
      descriptor.set("annotations", annotations);
    }
    return descriptor;
  }

  private static HttpResponse json(String type, ObjectNode root) {
    return HttpResponse.of(200, type, root.toString());
  }
}
