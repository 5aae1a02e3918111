package dev.muelle.services.ecr;

import dev.muelle.services.ecr.Base.ImageRow;
import dev.muelle.services.ecr.Images.Deletion;
import dev.muelle.services.ecr.Images.Push;
import dev.muelle.wire.http.HttpRequest;
import dev.muelle.wire.http.HttpResponse;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import software.amazon.awssdk.services.ecr.model.ImageFailureCode;
import software.amazon.awssdk.services.ecr.model.ImageIdentifier;

/** The registry protocol's manifests. */
final class RegistryManifests {

  private final Ecr ecr;

  RegistryManifests(Ecr ecr) {
    this.ecr = ecr;
  }

  HttpResponse get(String name, String reference) throws IOException {
    ImageRow image = ecr.images().find(name, reference).orElseThrow(() -> unknown(name, reference));
    return HttpResponse.of(200, image.mediaType(), ecr.images().manifest(image))
        .header("Docker-Content-Digest", image.digest())
        .header("ETag", "\"" + image.digest() + "\"");
  }

  HttpResponse put(String name, String reference, HttpRequest request) throws IOException {
    boolean byDigest = Names.isDigest(reference);
    if (!byDigest && !Names.isTag(reference)) {
      throw new RegistryError(
          400, reference.contains(":") ? "DIGEST_INVALID" : "TAG_INVALID", "invalid: " + reference);
    }
    byte[] bytes = request.body().readNBytes(Manifest.MOST_BYTES + 1);
    if (bytes.length > Manifest.MOST_BYTES) {
      throw new RegistryError(
          413, "SIZE_INVALID", "A manifest may have at most " + Manifest.MOST_BYTES + " bytes.");
    }
    String type =
        request
            .header("content-type")
            .map(value -> value.split(";", 2)[0].trim().toLowerCase(Locale.ROOT))
            .filter(value -> !value.isEmpty())
            .orElse(null);
    ImageRow image =
        ecr.images()
            .put(
                new Push(
                    name,
                    bytes,
                    type,
                    byDigest ? null : reference,
                    byDigest ? reference : null,
                    true));
    HttpResponse answer =
        HttpResponse.of(201)
            .header("Location", "/v2/" + name + "/manifests/" + image.digest())
            .header("Docker-Content-Digest", image.digest());
    return image.subject() == null ? answer : answer.header("OCI-Subject", image.subject());
  }

  HttpResponse delete(String name, String reference) throws IOException {
    ImageIdentifier.Builder id = ImageIdentifier.builder();
    ImageIdentifier which =
        (Names.isDigest(reference) ? id.imageDigest(reference) : id.imageTag(reference)).build();
    Deletion deletion = ecr.images().delete(name, List.of(which));
    if (!deletion.failures().isEmpty()) {
      var failure = deletion.failures().getFirst();
      throw failure.failureCode() == ImageFailureCode.IMAGE_REFERENCED_BY_MANIFEST_LIST
          ? new RegistryError(403, "DENIED", failure.failureReason())
          : unknown(name, reference);
    }
    return HttpResponse.of(202);
  }

  private static RegistryError unknown(String name, String reference) {
    return new RegistryError(
        404, "MANIFEST_UNKNOWN", "Requested image not found: " + name + ", " + reference);
  }
}
