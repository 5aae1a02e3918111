package dev.muelle.services.ecr;

import dev.muelle.engine.blob.BlobStore.BlobException;
import dev.muelle.services.ecr.Base.LayerRow;
import dev.muelle.services.ecr.Base.UploadRow;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecr.model.BatchCheckLayerAvailabilityRequest;
import software.amazon.awssdk.services.ecr.model.BatchCheckLayerAvailabilityResponse;
import software.amazon.awssdk.services.ecr.model.CompleteLayerUploadRequest;
import software.amazon.awssdk.services.ecr.model.CompleteLayerUploadResponse;
import software.amazon.awssdk.services.ecr.model.EmptyUploadException;
import software.amazon.awssdk.services.ecr.model.GetDownloadUrlForLayerRequest;
import software.amazon.awssdk.services.ecr.model.GetDownloadUrlForLayerResponse;
import software.amazon.awssdk.services.ecr.model.InitiateLayerUploadRequest;
import software.amazon.awssdk.services.ecr.model.InitiateLayerUploadResponse;
import software.amazon.awssdk.services.ecr.model.InvalidLayerPartException;
import software.amazon.awssdk.services.ecr.model.Layer;
import software.amazon.awssdk.services.ecr.model.LayerAlreadyExistsException;
import software.amazon.awssdk.services.ecr.model.LayerAvailability;
import software.amazon.awssdk.services.ecr.model.LayerFailure;
import software.amazon.awssdk.services.ecr.model.LayerFailureCode;
import software.amazon.awssdk.services.ecr.model.LayersNotFoundException;
import software.amazon.awssdk.services.ecr.model.UploadLayerPartRequest;
import software.amazon.awssdk.services.ecr.model.UploadLayerPartResponse;

/** Layers (and configurations) of repositories, and uploads on their way there. */
final class Layers {

  /** Bytes of one part of ECR's own upload interface; with its encoding it fits one request. */
  private static final long PART_BYTES = 10L << 20;

  private static final int MOST_DIGESTS = 100;

  private final Base base;
  private final Repositories repositories;
  private final RegistryTokens tokens;

  Layers(Base base, Repositories repositories, RegistryTokens tokens) {
    this.base = base;
    this.repositories = repositories;
    this.tokens = tokens;
  }

  // --- for both doors

  Optional<LayerRow> find(String repository, String digest) {
    return base.store()
        .read(tx -> tx.get(Base.LAYERS, Base.key(repository, digest)))
        .map(row -> row.value());
  }

  String start(String repository) throws IOException {
    repositories.require(repository);
    String id = base.blobs().startUpload();
    base.store().write(tx -> tx.put(Base.UPLOADS, id, new UploadRow(repository)));
    return id;
  }

  /** Bytes received so far; empty if this repository has no such upload. */
  Optional<Long> uploaded(String repository, String uploadId) throws IOException {
    boolean ours =
        base.store()
            .read(tx -> tx.get(Base.UPLOADS, uploadId))
            .filter(row -> row.value().repository().equals(repository))
            .isPresent();
    return ours ? base.blobs().uploaded(uploadId) : Optional.empty();
  }

  long append(String repository, String uploadId, InputStream bytes) throws IOException {
    requireUpload(repository, uploadId);
    return base.blobs().append(uploadId, bytes);
  }

  /** Makes the upload a layer of the repository. */
  void complete(String repository, String uploadId, String digest) throws IOException {
    requireUpload(repository, uploadId);
    base.locked(
        repository,
        () -> {
          try {
            base.blobs().commit(uploadId, digest, base.owner(repository));
          } catch (BlobException e) {
            forget(uploadId);
            throw e;
          }
          forget(uploadId);
          return settle(repository, digest);
        });
  }

  /**
   * Makes a layer of another repository one of this one too.
   *
   * @return false if there is no such layer
   */
  boolean mount(String repository, String from, String digest) throws IOException {
    repositories.require(repository);
    if (find(from, digest).isEmpty()) {
      return false;
    }
    return base.locked(
        repository,
        () -> base.blobs().retain(digest, base.owner(repository)) && settle(repository, digest));
  }

  /** Writes the row of a layer whose blob is retained already. */
  private boolean settle(String repository, String digest) throws IOException {
    long size = Files.size(base.blobs().file(digest).orElseThrow());
    try {
      base.store()
          .write(tx -> {
            repositories.require(tx, repository);
            LayerRow row = new LayerRow(digest, size, base.now());
            return tx.put(Base.LAYERS, Base.key(repository, digest), row);
          });
      return true;
    } catch (RuntimeException e) {
      base.blobs().release(digest, base.owner(repository));
      throw e;
    }
  }

  void cancel(String repository, String uploadId) throws IOException {
    requireUpload(repository, uploadId);
    base.blobs().cancelUpload(uploadId);
    forget(uploadId);
  }

  private void forget(String uploadId) {
    base.store().write(tx -> tx.delete(Base.UPLOADS, uploadId));
  }

  private void requireUpload(String repository, String uploadId) throws IOException {
    if (uploaded(repository, uploadId).isEmpty()) {
      throw Refuse.noUpload(uploadId, repository, base.scope().account());
    }
  }

  /** The file of a layer that was found. */
  Path file(LayerRow layer) throws IOException {
    return base.blobs()
        .file(layer.digest())
        .orElseThrow(() -> new IOException("the blob " + layer.digest() + " is missing"));
  }

  // --- ECR's own interface

  BatchCheckLayerAvailabilityResponse check(BatchCheckLayerAvailabilityRequest request) {
    String name = known(request.repositoryName(), request.registryId());
    requireDigests(request.layerDigests());
    List<Layer> layers = new ArrayList<>();
    List<LayerFailure> failures = new ArrayList<>();
    for (String digest : request.layerDigests()) {
      if (Names.isDigest(digest)) {
        layers.add(availability(name, digest));
      } else {
        failures.add(invalidDigest(digest));
      }
    }
    return BatchCheckLayerAvailabilityResponse.builder().layers(layers).failures(failures).build();
  }

  private Layer availability(String name, String digest) {
    Layer.Builder layer = Layer.builder().layerDigest(digest);
    Optional<LayerRow> found = find(name, digest);
    found.ifPresent(row -> layer.layerSize(row.size()));
    return layer
        .layerAvailability(
            found.isPresent() ? LayerAvailability.AVAILABLE : LayerAvailability.UNAVAILABLE)
        .build();
  }

  private static LayerFailure invalidDigest(String digest) {
    return LayerFailure.builder()
        .layerDigest(digest)
        .failureCode(LayerFailureCode.INVALID_LAYER_DIGEST)
        .failureReason("Invalid layer digest: it must be a sha256 digest")
        .build();
  }

  GetDownloadUrlForLayerResponse downloadUrl(GetDownloadUrlForLayerRequest request) {
    String name = known(request.repositoryName(), request.registryId());
    String digest = request.layerDigest();
    if (digest == null || find(name, digest).isEmpty()) {
      throw LayersNotFoundException.builder()
          .message(
              "Layer with digest '%s' not found in the repository with name '%s' in the registry with id '%s'"
                  .formatted(digest, name, base.scope().account()))
          .build();
    }
    String path = "/v2/" + name + "/blobs/" + digest;
    String ticket = tokens.ticket(base.scope(), path);
    return GetDownloadUrlForLayerResponse.builder()
        .layerDigest(digest)
        .downloadUrl("http://" + repositories.host() + path + "?ticket=" + ticket)
        .build();
  }

  InitiateLayerUploadResponse initiate(InitiateLayerUploadRequest request) {
    String name = known(request.repositoryName(), request.registryId());
    String id = Base.unchecked(() -> start(name));
    return InitiateLayerUploadResponse.builder().uploadId(id).partSize(PART_BYTES).build();
  }

  UploadLayerPartResponse part(UploadLayerPartRequest request) {
    String name = known(request.repositoryName(), request.registryId());
    String id = String.valueOf(request.uploadId());
    if (request.layerPartBlob() == null
        || request.partFirstByte() == null
        || request.partLastByte() == null) {
      throw Refuse.parameter("layerPartBlob", "a part must have bytes and their positions");
    }
    byte[] bytes = request.layerPartBlob().asByteArrayUnsafe();
    long had =
        Base.unchecked(() -> uploaded(name, id))
            .orElseThrow(() -> Refuse.noUpload(id, name, base.scope().account()));
    if (bytes.length > PART_BYTES
        || request.partFirstByte() != had
        || request.partLastByte() != had + bytes.length - 1) {
      throw InvalidLayerPartException.builder()
          .registryId(base.scope().account())
          .repositoryName(name)
          .uploadId(id)
          .lastValidByteReceived(had - 1)
          .message(
              "The layer part %d-%d does not follow the last valid byte %d, or does not have that many bytes"
                  .formatted(request.partFirstByte(), request.partLastByte(), had - 1))
          .build();
    }
    long has = Base.unchecked(() -> append(name, id, new ByteArrayInputStream(bytes)));
    return UploadLayerPartResponse.builder()
        .registryId(base.scope().account())
        .repositoryName(name)
        .uploadId(id)
        .lastByteReceived(has - 1)
        .build();
  }

  CompleteLayerUploadResponse complete(CompleteLayerUploadRequest request) {
    String name = known(request.repositoryName(), request.registryId());
    String id = String.valueOf(request.uploadId());
    requireDigests(request.layerDigests());
    String digest = request.layerDigests().getFirst();
    if (Base.unchecked(() -> uploaded(name, id)).filter(size -> size == 0).isPresent()) {
      throw EmptyUploadException.builder()
          .message("The upload with id '%s' does not contain any layer parts".formatted(id))
          .build();
    }
    boolean known = find(name, digest).isPresent();
    Base.unchecked(() -> {
      complete(name, id, digest);
      return digest;
    });
    if (known) {
      throw LayerAlreadyExistsException.builder()
          .message(
              "Layer with digest '%s' already exists in the repository with name '%s' in the registry with id '%s'"
                  .formatted(digest, name, base.scope().account()))
          .build();
    }
    return CompleteLayerUploadResponse.builder()
        .registryId(base.scope().account())
        .repositoryName(name)
        .uploadId(id)
        .layerDigest(digest)
        .build();
  }

  private static void requireDigests(List<String> digests) {
    if (digests.isEmpty() || digests.size() > MOST_DIGESTS) {
      throw Refuse.parameter(
          "layerDigests", "Member must have length between 1 and " + MOST_DIGESTS);
    }
  }

  private String known(@Nullable String repository, @Nullable String registryId) {
    String name = Names.repository(repository);
    repositories.requireOwnRegistry(registryId, name);
    repositories.require(name);
    return name;
  }
}
