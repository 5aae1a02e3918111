package dev.muelle.services.ecr;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import dev.muelle.services.ecr.Base.ImageRow;
import dev.muelle.services.ecr.Base.LayerRow;
import dev.muelle.services.ecr.Base.TagRow;
import dev.muelle.services.ecr.Manifest.Descriptor;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecr.model.BatchDeleteImageRequest;
import software.amazon.awssdk.services.ecr.model.BatchDeleteImageResponse;
import software.amazon.awssdk.services.ecr.model.BatchGetImageRequest;
import software.amazon.awssdk.services.ecr.model.BatchGetImageResponse;
import software.amazon.awssdk.services.ecr.model.DescribeImagesRequest;
import software.amazon.awssdk.services.ecr.model.DescribeImagesResponse;
import software.amazon.awssdk.services.ecr.model.Image;
import software.amazon.awssdk.services.ecr.model.ImageDetail;
import software.amazon.awssdk.services.ecr.model.ImageFailure;
import software.amazon.awssdk.services.ecr.model.ImageFailureCode;
import software.amazon.awssdk.services.ecr.model.ImageIdentifier;
import software.amazon.awssdk.services.ecr.model.ImageStatus;
import software.amazon.awssdk.services.ecr.model.ImageStatusFilter;
import software.amazon.awssdk.services.ecr.model.ListImagesRequest;
import software.amazon.awssdk.services.ecr.model.ListImagesResponse;
import software.amazon.awssdk.services.ecr.model.PutImageRequest;
import software.amazon.awssdk.services.ecr.model.PutImageResponse;
import software.amazon.awssdk.services.ecr.model.Repository;
import software.amazon.awssdk.services.ecr.model.TagStatus;

/** Images of repositories and their tags. */
final class Images {

  private static final int MOST_IMAGES = 20_000;
  private static final int MOST_IDS = 100;

  /** How long a layer that no image needs is kept, for pushes that are still under way. */
  private static final Duration LAYER_LIFE = Duration.ofDays(1);

  private final Base base;
  private final Repositories repositories;

  Images(Base base, Repositories repositories) {
    this.base = base;
    this.repositories = repositories;
  }

  // --- for both doors

  Optional<ImageRow> find(String repository, String reference) {
    return base.store().read(tx -> find(tx, repository, reference));
  }

  /**
   * Finds an image.
   *
   * @param reference a digest or a tag
   */
  static Optional<ImageRow> find(Tx tx, String repository, String reference) {
    if (Names.isDigest(reference)) {
      return tx.get(Base.IMAGES, Base.key(repository, reference)).map(Row::value);
    }
    return tx.get(Base.TAGS, Base.key(repository, reference))
        .flatMap(row -> tx.get(Base.IMAGES, Base.key(repository, row.value().digest())))
        .map(Row::value);
  }

  byte[] manifest(ImageRow image) throws IOException {
    return Files.readAllBytes(
        base.blobs()
            .file(image.digest())
            .orElseThrow(() -> new IOException("the blob " + image.digest() + " is missing")));
  }

  /** All tags of a repository, in order. */
  List<String> tags(String repository) {
    return base.store().read(tx -> tx.list(Base.TAGS, Base.prefix(repository))).stream()
        .map(row -> row.value().tag())
        .toList();
  }

  List<ImageRow> all(String repository) {
    return base.store().read(tx -> tx.list(Base.IMAGES, Base.prefix(repository))).stream()
        .map(Row::value)
        .toList();
  }

  /**
   * An image as it is pushed.
   *
   * @param mediaType as declared beside the manifest, or null
   * @param digest that the client expects, or null
   * @param again whether pushing what is there already is no error
   */
  record Push(
      String repository,
      byte[] bytes,
      @Nullable String mediaType,
      @Nullable String tag,
      @Nullable String digest,
      boolean again) {}

  /** Stores an image and moves its tag there, both or neither. */
  ImageRow put(Push push) throws IOException {
    String name = push.repository();
    repositories.require(name);
    Manifest manifest = Manifest.parse(push.bytes(), push.mediaType());
    return base.locked(
        name,
        () -> {
          String digest = base.blobs().put(push.bytes(), base.owner(name));
          try {
            if (push.digest() != null && !push.digest().equals(digest)) {
              throw Refuse.digest(push.digest(), name, base.scope().account());
            }
            return base.store().write(tx -> put(tx, push, manifest, digest));
          } catch (RuntimeException e) {
            if (find(name, digest).isEmpty()) {
              base.blobs().release(digest, base.owner(name));
            }
            throw e;
          }
        });
  }

  private ImageRow put(Tx tx, Push push, Manifest manifest, String digest) {
    String name = push.repository();
    Repository repository = repositories.require(tx, name);
    Optional<ImageRow> present = find(tx, name, digest);
    String tag = push.tag();
    Optional<String> tagged =
        tag == null
            ? Optional.empty()
            : tx.get(Base.TAGS, Base.key(name, tag)).map(row -> row.value().digest());
    if (!push.again()
        && present.isPresent()
        && (tag == null || tagged.equals(Optional.of(digest)))) {
      throw Refuse.imageExists(digest, String.valueOf(tag), name, base.scope().account());
    }
    if (tag != null && tagged.isPresent() && Mutability.fixed(repository, tag)) {
      throw Refuse.immutable(tag, name);
    }
    ImageRow image = present.orElseGet(() -> add(tx, name, manifest, digest));
    if (tag != null) {
      tx.put(Base.TAGS, Base.key(name, tag), new TagRow(tag, digest));
    }
    return image;
  }

  private ImageRow add(Tx tx, String name, Manifest manifest, String digest) {
    if (tx.list(Base.IMAGES, Base.prefix(name)).size() >= MOST_IMAGES) {
      throw Refuse.limit(
          "The repository has " + MOST_IMAGES + " images, the most that it may have.");
    }
    long layers = layers(tx, name, manifest);
    long children = children(tx, name, manifest);
    ImageRow image =
        new ImageRow(
            digest,
            manifest.mediaType(),
            manifest.artifactType(),
            manifest.subject(),
            manifest.children().isEmpty() ? layers : children,
            base.now(),
            manifest.layers().stream().map(Descriptor::digest).distinct().toList(),
            manifest.children().stream().map(Descriptor::digest).distinct().toList());
    return tx.insert(Base.IMAGES, Base.key(name, digest), image).value();
  }

  /** Checks that the layers are there; gives their bytes. */
  private long layers(Tx tx, String name, Manifest manifest) {
    Set<String> missing = new TreeSet<>();
    long bytes = 0;
    for (Descriptor layer : manifest.layers()) {
      Optional<LayerRow> row = tx.get(Base.LAYERS, Base.key(name, layer.digest())).map(Row::value);
      if (row.isEmpty()) {
        missing.add(layer.digest());
      } else if (row.get().size() != layer.size()) {
        throw Refuse.parameter(
            "ImageManifest",
            "the size of "
                + layer.digest()
                + " is "
                + row.get().size()
                + " bytes, not "
                + layer.size());
      }
      bytes += layer.size();
    }
    if (!missing.isEmpty()) {
      throw Refuse.noLayers(missing, name, base.scope().account());
    }
    return bytes;
  }

  /** Checks that an index's images are there; gives the bytes of the largest. */
  private long children(Tx tx, String name, Manifest manifest) {
    Set<String> missing = new TreeSet<>();
    long bytes = 0;
    for (Descriptor child : manifest.children()) {
      Optional<ImageRow> row = find(tx, name, child.digest());
      if (row.isEmpty()) {
        missing.add(child.digest());
      } else {
        bytes = Math.max(bytes, row.get().size());
      }
    }
    if (!missing.isEmpty()) {
      throw Refuse.noChildren(missing, name, base.scope().account());
    }
    return bytes;
  }

  // --- ECR's own interface

  PutImageResponse put(PutImageRequest request) {
    String name = known(request.repositoryName(), request.registryId());
    if (request.imageManifest() == null) {
      throw Refuse.parameter("imageManifest", "must not be null");
    }
    String tag = request.imageTag();
    if (tag != null && !Names.isTag(tag)) {
      throw Refuse.parameter(
          "imageTag", "must satisfy regular expression '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'");
    }
    byte[] bytes = request.imageManifest().getBytes(StandardCharsets.UTF_8);
    Push push =
        new Push(name, bytes, request.imageManifestMediaType(), tag, request.imageDigest(), false);
    ImageRow row = Base.unchecked(() -> put(push));
    ImageIdentifier id = ImageIdentifier.builder().imageDigest(row.digest()).imageTag(tag).build();
    return PutImageResponse.builder().image(image(name, id, row, request.imageManifest())).build();
  }

  private Image image(String name, ImageIdentifier id, ImageRow row, String manifest) {
    return Image.builder()
        .registryId(base.scope().account())
        .repositoryName(name)
        .imageId(id)
        .imageManifest(manifest)
        .imageManifestMediaType(row.mediaType())
        .build();
  }

  BatchGetImageResponse get(BatchGetImageRequest request) {
    String name = known(request.repositoryName(), request.registryId());
    requireIds(request.imageIds());
    List<Image> images = new ArrayList<>();
    List<ImageFailure> failures = new ArrayList<>();
    for (ImageIdentifier id : request.imageIds()) {
      Found found = base.store().read(tx -> look(tx, name, id));
      ImageRow row = found.image();
      if (row == null || found.failure() != null) {
        failures.add(found.fail(id));
      } else if (!request.acceptedMediaTypes().isEmpty()
          && !request.acceptedMediaTypes().contains(row.mediaType())) {
        failures.add(NOT_FOUND.fail(id));
      } else {
        ImageIdentifier full = id.toBuilder().imageDigest(row.digest()).build();
        String manifest = Base.unchecked(() -> new String(manifest(row), StandardCharsets.UTF_8));
        images.add(image(name, full, row, manifest));
      }
    }
    return BatchGetImageResponse.builder().images(images).failures(failures).build();
  }

  /** What was found for an identifier: an image, or why there is none. */
  private record Found(
      @Nullable ImageRow image, @Nullable ImageFailureCode failure, String reason) {

    ImageFailure fail(ImageIdentifier id) {
      return ImageFailure.builder().imageId(id).failureCode(failure).failureReason(reason).build();
    }
  }

  private static final Found NOT_FOUND =
      new Found(null, ImageFailureCode.IMAGE_NOT_FOUND, "Requested image not found");

  private static Found look(Tx tx, String name, ImageIdentifier id) {
    String digest = id.imageDigest();
    String tag = id.imageTag();
    if (digest == null && tag == null) {
      return new Found(
          null,
          ImageFailureCode.MISSING_DIGEST_AND_TAG,
          "Invalid request parameters: both tag and digest cannot be null");
    }
    if (digest != null && !Names.isDigest(digest)) {
      return new Found(
          null,
          ImageFailureCode.INVALID_IMAGE_DIGEST,
          "Invalid request parameters: image digest should satisfy the regex '[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'");
    }
    if (tag != null && !Names.isTag(tag)) {
      return new Found(
          null,
          ImageFailureCode.INVALID_IMAGE_TAG,
          "Invalid request parameters: image tag should satisfy the regex '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'");
    }
    Optional<ImageRow> image = find(tx, name, tag != null ? tag : String.valueOf(digest));
    if (image.isEmpty()) {
      return NOT_FOUND;
    }
    if (digest != null && !image.get().digest().equals(digest)) {
      return new Found(
          null,
          ImageFailureCode.IMAGE_TAG_DOES_NOT_MATCH_DIGEST,
          "Tag does not match digest: [" + tag + ", " + digest + "]");
    }
    return new Found(image.get(), null, "");
  }

  DescribeImagesResponse describe(DescribeImagesRequest request) {
    String name = known(request.repositoryName(), request.registryId());
    List<ImageIdentifier> ids = request.imageIds();
    Map<String, List<String>> tags = tagsByDigest(name);
    if (!ids.isEmpty()) {
      if (request.maxResults() != null || request.nextToken() != null) {
        throw Refuse.parameter(
            "imageIds", "must not be used together with maxResults or nextToken");
      }
      requireIds(ids);
      List<ImageDetail> details =
          ids.stream().map(id -> detail(name, required(name, id), tags)).distinct().toList();
      return DescribeImagesResponse.builder().imageDetails(details).build();
    }
    TagStatus tagStatus = request.filter() == null ? TagStatus.ANY : request.filter().tagStatus();
    ImageStatusFilter status = request.filter() == null ? null : request.filter().imageStatus();
    List<ImageDetail> details =
        (active(status) ? all(name) : List.<ImageRow>of())
            .stream()
                .filter(row -> wanted(tagStatus, tags.containsKey(row.digest())))
                .map(row -> detail(name, row, tags))
                .toList();
    Pages.Page<ImageDetail> page =
        Pages.of(details, ImageDetail::imageDigest, request.nextToken(), request.maxResults());
    return DescribeImagesResponse.builder()
        .imageDetails(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  private Map<String, List<String>> tagsByDigest(String name) {
    return base.store().read(tx -> tx.list(Base.TAGS, Base.prefix(name))).stream()
        .map(Row::value)
        .collect(groupingBy(TagRow::digest, mapping(TagRow::tag, toList())));
  }

  private ImageRow required(String name, ImageIdentifier id) {
    Found found = base.store().read(tx -> look(tx, name, id));
    if (found.image() != null) {
      return found.image();
    }
    if (found.failure() == ImageFailureCode.IMAGE_NOT_FOUND
        || found.failure() == ImageFailureCode.IMAGE_TAG_DOES_NOT_MATCH_DIGEST) {
      String shown = "{imageDigest:'" + id.imageDigest() + "', imageTag:'" + id.imageTag() + "'}";
      throw Refuse.noImage(shown, name, base.scope().account());
    }
    throw Refuse.parameter("imageIds", found.reason());
  }

  private ImageDetail detail(String name, ImageRow row, Map<String, List<String>> tags) {
    ImageDetail.Builder detail =
        ImageDetail.builder()
            .registryId(base.scope().account())
            .repositoryName(name)
            .imageDigest(row.digest())
            .imageSizeInBytes(row.size())
            .imagePushedAt(row.pushedAt())
            .imageManifestMediaType(row.mediaType())
            .artifactMediaType(row.artifactType())
            .subjectManifestDigest(row.subject())
            .imageStatus(ImageStatus.ACTIVE);
    List<String> own = tags.get(row.digest());
    if (own != null) {
      detail.imageTags(own);
    }
    return detail.build();
  }

  ListImagesResponse list(ListImagesRequest request) {
    String name = known(request.repositoryName(), request.registryId());
    TagStatus tagStatus = request.filter() == null ? TagStatus.ANY : request.filter().tagStatus();
    ImageStatusFilter status = request.filter() == null ? null : request.filter().imageStatus();
    Map<String, List<String>> tags = tagsByDigest(name);
    List<ImageIdentifier> ids =
        (active(status) ? all(name) : List.<ImageRow>of())
            .stream()
                .filter(row -> wanted(tagStatus, tags.containsKey(row.digest())))
                .flatMap(
                    row -> identifiers(row.digest(), tags.getOrDefault(row.digest(), List.of())))
                .toList();
    Pages.Page<ImageIdentifier> page =
        Pages.of(
            ids,
            id -> Base.key(id.imageDigest(), id.imageTag() == null ? "" : id.imageTag()),
            request.nextToken(),
            request.maxResults());
    return ListImagesResponse.builder().imageIds(page.items()).nextToken(page.nextToken()).build();
  }

  private static Stream<ImageIdentifier> identifiers(String digest, List<String> tags) {
    if (tags.isEmpty()) {
      return Stream.of(ImageIdentifier.builder().imageDigest(digest).build());
    }
    return tags.stream()
        .map(tag -> ImageIdentifier.builder().imageDigest(digest).imageTag(tag).build());
  }

  private static boolean wanted(@Nullable TagStatus status, boolean tagged) {
    return switch (status) {
      case TAGGED -> tagged;
      case UNTAGGED -> !tagged;
      case ANY -> true;
      case null -> true;
      case UNKNOWN_TO_SDK_VERSION ->
          throw Refuse.parameter(
              "filter.tagStatus", "Member must satisfy enum value set: [TAGGED, UNTAGGED, ANY]");
    };
  }

  /** Nothing is ever archived here. */
  private static boolean active(@Nullable ImageStatusFilter status) {
    return status == null || status == ImageStatusFilter.ACTIVE || status == ImageStatusFilter.ANY;
  }

  BatchDeleteImageResponse delete(BatchDeleteImageRequest request) {
    String name = known(request.repositoryName(), request.registryId());
    requireIds(request.imageIds());
    Deletion deletion = Base.unchecked(() -> delete(name, request.imageIds()));
    return BatchDeleteImageResponse.builder()
        .imageIds(deletion.deleted())
        .failures(deletion.failures())
        .build();
  }

  /** What a deletion did. */
  record Deletion(List<ImageIdentifier> deleted, List<ImageFailure> failures) {}

  /** Deletes images (by digest) and tags; the last tag of an image takes the image along. */
  Deletion delete(String name, List<ImageIdentifier> ids) throws IOException {
    return base.locked(
        name,
        () -> {
          Deletion deletion = new Deletion(new ArrayList<>(), new ArrayList<>());
          Set<String> released =
              base.store()
                  .write(tx -> {
                    Set<ImageRow> gone = new HashSet<>();
                    for (ImageIdentifier id : indexesFirst(tx, name, ids)) {
                      delete(tx, name, id, deletion, gone);
                    }
                    return gone.isEmpty() ? Set.<String>of() : dropUnneeded(tx, name, gone);
                  });
          for (String digest : released) {
            base.blobs().release(digest, base.owner(name));
          }
          return deletion;
        });
  }

  /** So that an index may be deleted together with what it lists, in any order. */
  private static List<ImageIdentifier> indexesFirst(Tx tx, String name, List<ImageIdentifier> ids) {
    return ids.stream()
        .sorted(
            Comparator.comparing(id -> {
              ImageRow image = look(tx, name, id).image();
              return image == null || image.children().isEmpty();
            }))
        .toList();
  }

  private static void delete(
      Tx tx, String name, ImageIdentifier id, Deletion deletion, Set<ImageRow> gone) {
    Found found = look(tx, name, id);
    ImageRow image = found.image();
    if (image == null) {
      deletion.failures().add(found.fail(id));
      return;
    }
    List<String> tags =
        tx.list(Base.TAGS, Base.prefix(name)).stream()
            .map(Row::value)
            .filter(row -> row.digest().equals(image.digest()))
            .map(TagRow::tag)
            .toList();
    String tag = id.imageTag();
    List<String> untagged = tag == null ? tags : List.of(tag);
    boolean whole = tag == null || tags.size() == 1;
    List<String> parents = whole ? parents(tx, name, image.digest()) : List.of();
    if (!parents.isEmpty() && tag == null) {
      Found referenced =
          new Found(
              null,
              ImageFailureCode.IMAGE_REFERENCED_BY_MANIFEST_LIST,
              "Requested image referenced by manifest list: " + parents);
      deletion.failures().add(referenced.fail(id));
      return;
    }
    untagged.forEach(one -> tx.delete(Base.TAGS, Base.key(name, one)));
    if (whole && parents.isEmpty()) {
      tx.delete(Base.IMAGES, Base.key(name, image.digest()));
      gone.add(image);
    }
    identifiers(image.digest(), untagged).forEach(deletion.deleted()::add);
  }

  private static List<String> parents(Tx tx, String name, String digest) {
    return tx.list(Base.IMAGES, Base.prefix(name)).stream()
        .map(Row::value)
        .filter(image -> image.children().contains(digest))
        .map(ImageRow::digest)
        .toList();
  }

  /**
   * Drops the rows of layers that nothing needs any more: those that deleted images had, and those
   * that no image came for within a day. Gives all blobs to be released.
   */
  private Set<String> dropUnneeded(Tx tx, String name, Set<ImageRow> deleted) {
    Set<String> needed = new HashSet<>();
    for (Row<ImageRow> image : tx.list(Base.IMAGES, Base.prefix(name))) {
      needed.addAll(image.value().layers());
    }
    Set<String> candidates = new HashSet<>();
    deleted.forEach(image -> candidates.addAll(image.layers()));
    Instant old = base.now().minus(LAYER_LIFE);
    for (Row<LayerRow> row : tx.list(Base.LAYERS, Base.prefix(name))) {
      if (row.value().pushedAt().isBefore(old)) {
        candidates.add(row.value().digest());
      }
    }
    candidates.removeAll(needed);
    candidates.forEach(digest -> tx.delete(Base.LAYERS, Base.key(name, digest)));
    Set<String> released = new HashSet<>(candidates);
    deleted.forEach(image -> released.add(image.digest()));
    return released;
  }

  /** Makes rows and blobs of a repository agree again after a sudden end. */
  void sweep(String name) throws IOException {
    base.locked(
        name,
        () -> {
          Set<String> kept = new HashSet<>();
          Set<String> released =
              base.store()
                  .write(tx -> {
                    Set<String> dropped = dropUnneeded(tx, name, Set.of());
                    tx.list(Base.IMAGES, Base.prefix(name))
                        .forEach(r -> kept.add(r.value().digest()));
                    tx.list(Base.LAYERS, Base.prefix(name))
                        .forEach(r -> kept.add(r.value().digest()));
                    return dropped;
                  });
          Set<String> retained = new HashSet<>(base.blobs().retained(base.owner(name)));
          retained.removeAll(kept);
          retained.addAll(released);
          for (String digest : retained) {
            base.blobs().release(digest, base.owner(name));
          }
          return name;
        });
  }

  private static void requireIds(List<ImageIdentifier> ids) {
    if (ids.isEmpty() || ids.size() > MOST_IDS) {
      throw Refuse.parameter("imageIds", "Member must have length between 1 and " + MOST_IDS);
    }
  }

  private String known(@Nullable String repository, @Nullable String registryId) {
    String name = Names.repository(repository);
    repositories.requireOwnRegistry(registryId, name);
    repositories.require(name);
    return name;
  }
}
