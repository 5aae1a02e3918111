package dev.muelle.services.ecr;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.muelle.services.Scope;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.services.ecr.model.EcrException;
import software.amazon.awssdk.services.ecr.model.EncryptionType;
import software.amazon.awssdk.services.ecr.model.ImageAlreadyExistsException;
import software.amazon.awssdk.services.ecr.model.ImageDetail;
import software.amazon.awssdk.services.ecr.model.ImageFailureCode;
import software.amazon.awssdk.services.ecr.model.ImageIdentifier;
import software.amazon.awssdk.services.ecr.model.ImageNotFoundException;
import software.amazon.awssdk.services.ecr.model.ImageTagAlreadyExistsException;
import software.amazon.awssdk.services.ecr.model.ImageTagMutability;
import software.amazon.awssdk.services.ecr.model.InvalidLayerPartException;
import software.amazon.awssdk.services.ecr.model.InvalidParameterException;
import software.amazon.awssdk.services.ecr.model.InvalidTagParameterException;
import software.amazon.awssdk.services.ecr.model.LayerAlreadyExistsException;
import software.amazon.awssdk.services.ecr.model.LayersNotFoundException;
import software.amazon.awssdk.services.ecr.model.Repository;
import software.amazon.awssdk.services.ecr.model.RepositoryAlreadyExistsException;
import software.amazon.awssdk.services.ecr.model.RepositoryNotFoundException;
import software.amazon.awssdk.services.ecr.model.Tag;
import software.amazon.awssdk.services.ecr.model.TagStatus;

/** ECR's own API. */
@SuppressWarnings("unchecked") // the SDK's builders take generic varargs
class EcrTest {

  @TempDir private Path directory;
  private RegistryServer server;
  private Ecr ecr;

  @BeforeEach
  void open() throws Exception {
    server = new RegistryServer(directory, 0);
    ecr = server.ecr();
  }

  @AfterEach
  void close() {
    server.close();
  }

  private static <E extends EcrException> void refused(
      Class<E> type, String message, Executable attempt) {
    String said = assertThrows(type, attempt).getMessage();
    assertTrue(said.contains(message), said);
  }

  private void upload(String repository, String content) {
    byte[] bytes = content.getBytes(StandardCharsets.UTF_8);
    String id = ecr.initiateLayerUpload(r -> r.repositoryName(repository)).uploadId();
    int half = bytes.length / 2;
    part(repository, id, bytes, 0, half);
    part(repository, id, bytes, half, bytes.length);
    ecr.completeLayerUpload(
        r -> r.repositoryName(repository).uploadId(id).layerDigests(RegistryTest.digest(content)));
  }

  private void part(String repository, String id, byte[] bytes, int from, int to) {
    ecr.uploadLayerPart(r ->
        r.repositoryName(repository)
            .uploadId(id)
            .partFirstByte((long) from)
            .partLastByte(to - 1L)
            .layerPartBlob(SdkBytes.fromByteArray(java.util.Arrays.copyOfRange(bytes, from, to))));
  }

  private static String manifest(String note) {
    return """
    {"schemaVersion":2,"mediaType":"%s",
     "config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"%s","size":6},
     "layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"%s","size":5}],
     "annotations":{"note":"%s"}}
    """
        .formatted(Manifest.OCI, RegistryTest.digest("config"), RegistryTest.digest("layer"), note);
  }

  private String put(String note, String tag) {
    return ecr.putImage(r -> r.repositoryName("app").imageManifest(manifest(note)).imageTag(tag))
        .image()
        .imageId()
        .imageDigest();
  }

  private void app() {
    ecr.createRepository(r -> r.repositoryName("app"));
    upload("app", "config");
    upload("app", "layer");
  }

  @Test
  void aRepositoryAsItIsMade() {
    Repository made =
        ecr.createRepository(
                r -> r.repositoryName("team/app").tags(Tag.builder().key("a").value("1").build()))
            .repository();
    assertEquals("arn:aws:ecr:us-east-1:000000000000:repository/team/app", made.repositoryArn());
    assertEquals(
        "000000000000.dkr.ecr.us-east-1." + server.host + "/team/app", made.repositoryUri());
    assertEquals(ImageTagMutability.MUTABLE, made.imageTagMutability());
    assertEquals(EncryptionType.AES256, made.encryptionConfiguration().encryptionType());
    assertEquals(server.now, made.createdAt());
    assertEquals(List.of(made), ecr.describeRepositories(r -> {}).repositories());
    refused(
        RepositoryAlreadyExistsException.class,
        "The repository with name 'team/app' already exists in the registry with id '000000000000'",
        () -> ecr.createRepository(r -> r.repositoryName("team/app")));
    assertEquals(made, ecr.deleteRepository(r -> r.repositoryName("team/app")).repository());
    refused(
        RepositoryNotFoundException.class,
        "The repository with name 'team/app' does not exist in the registry with id '000000000000'",
        () -> ecr.describeRepositories(r -> r.repositoryNames("team/app")));
  }

  @Test
  void whatHasNoEffectIsRefusedByName() {
    refused(
        InvalidParameterException.class,
        "imageScanningConfiguration.scanOnPush",
        () ->
            ecr.createRepository(
                r -> r.repositoryName("app").imageScanningConfiguration(s -> s.scanOnPush(true))));
    refused(
        InvalidParameterException.class,
        "KMS",
        () ->
            ecr.createRepository(r ->
                r.repositoryName("app")
                    .encryptionConfiguration(e -> e.encryptionType(EncryptionType.KMS))));
    for (String name : List.of("A", "a", "a//b", "-a", "a/", "../a", "a".repeat(257))) {
      refused(
          InvalidParameterException.class,
          "Invalid parameter at 'repositoryName' failed to satisfy constraint",
          () -> ecr.createRepository(r -> r.repositoryName(name)));
    }
    refused(
        InvalidTagParameterException.class,
        "aws:",
        () ->
            ecr.createRepository(
                r -> r.repositoryName("app").tags(Tag.builder().key("aws:x").value("").build())));
    assertEquals(List.of(), ecr.describeRepositories(r -> {}).repositories());
  }

  @Test
  void repositoriesInPages() {
    List<String> names = Stream.of("aa", "bb", "cc", "dd", "ee").toList();
    names.reversed().forEach(name -> ecr.createRepository(r -> r.repositoryName(name)));
    assertEquals(
        names,
        ecr.describeRepositoriesPaginator(r -> r.maxResults(2)).repositories().stream()
            .map(Repository::repositoryName)
            .toList());
    refused(
        InvalidParameterException.class,
        "nextToken",
        () -> ecr.describeRepositories(r -> r.nextToken("%")));
    refused(
        InvalidParameterException.class,
        "maxResults",
        () -> ecr.describeRepositories(r -> r.maxResults(0)));
  }

  @Test
  void tagsOfARepository() {
    String arn = ecr.createRepository(r -> r.repositoryName("app")).repository().repositoryArn();
    Tag a = Tag.builder().key("a").value("1").build();
    Tag b = Tag.builder().key("b").value("2").build();
    ecr.tagResource(r -> r.resourceArn(arn).tags(a, b));
    ecr.untagResource(r -> r.resourceArn(arn).tagKeys("a"));
    assertEquals(List.of(b), ecr.listTagsForResource(r -> r.resourceArn(arn)).tags());
    refused(
        RepositoryNotFoundException.class,
        "none",
        () -> ecr.listTagsForResource(r -> r.resourceArn(arn.replace("app", "none"))));
  }

  @Test
  void anImageThroughTheApi() throws Exception {
    app();
    server.now = server.now.plusSeconds(60);
    String digest = put("1", "v1");
    ImageDetail detail = ecr.describeImages(r -> r.repositoryName("app")).imageDetails().getFirst();
    assertEquals(digest, detail.imageDigest());
    assertEquals(List.of("v1"), detail.imageTags());
    assertEquals(11, detail.imageSizeInBytes());
    assertEquals(server.now, detail.imagePushedAt());
    assertEquals(Manifest.OCI, detail.imageManifestMediaType());
    assertEquals(
        manifest("1"),
        ecr.batchGetImage(r -> r.repositoryName("app").imageIds(i -> i.imageTag("v1")))
            .images()
            .getFirst()
            .imageManifest());
    refused(ImageAlreadyExistsException.class, "Image with digest", () -> put("1", "v1"));
    String url =
        ecr.getDownloadUrlForLayer(
                r -> r.repositoryName("app").layerDigest(RegistryTest.digest("layer")))
            .downloadUrl();
    URI reached = URI.create(url.replaceFirst("http://[^/]+", "http://" + server.host));
    try (InputStream in = reached.toURL().openStream()) {
      assertArrayEquals("layer".getBytes(StandardCharsets.UTF_8), in.readAllBytes());
    }
    server.now = server.now.plusSeconds(3601);
    assertEquals(401, ((HttpURLConnection) reached.toURL().openConnection()).getResponseCode());
  }

  @Test
  void aTagMovesUnlessItIsImmutable() {
    app();
    String first = put("1", "v1");
    String second = put("2", "v1");
    assertEquals(
        List.of(first),
        ecr
            .listImages(r -> r.repositoryName("app").filter(f -> f.tagStatus(TagStatus.UNTAGGED)))
            .imageIds()
            .stream()
            .map(ImageIdentifier::imageDigest)
            .toList());
    ecr.putImageTagMutability(r ->
        r.repositoryName("app")
            .imageTagMutability(ImageTagMutability.IMMUTABLE_WITH_EXCLUSION)
            .imageTagMutabilityExclusionFilters(f -> f.filterType("WILDCARD").filter("dev-*")));
    refused(
        ImageTagAlreadyExistsException.class,
        "The image tag 'v1' already exists in the 'app' repository and cannot be overwritten because the repository is immutable.",
        () -> put("3", "v1"));
    put("1", "dev-x");
    put("2", "dev-x");
    assertEquals(
        List.of("dev-x", "v1"),
        ecr.describeImages(r -> r.repositoryName("app").imageIds(i -> i.imageDigest(second)))
            .imageDetails()
            .getFirst()
            .imageTags());
    refused(
        ImageNotFoundException.class,
        "imageTag:'v9'} does not exist within the repository with name 'app' in the registry with id '000000000000'",
        () -> ecr.describeImages(r -> r.repositoryName("app").imageIds(i -> i.imageTag("v9"))));
  }

  @Test
  void deletionOfTagsAndImages() {
    app();
    String digest = put("1", "v1");
    put("1", "v2");
    var one =
        ecr.batchDeleteImage(
            r -> r.repositoryName("app").imageIds(i -> i.imageTag("v1"), i -> i.imageTag("v9")));
    assertEquals(digest, one.imageIds().getFirst().imageDigest());
    assertEquals(ImageFailureCode.IMAGE_NOT_FOUND, one.failures().getFirst().failureCode());
    assertTrue(server.blobs.file(digest).isPresent());
    ecr.batchDeleteImage(r -> r.repositoryName("app").imageIds(i -> i.imageTag("v2")));
    assertEquals(List.of(), ecr.listImages(r -> r.repositoryName("app")).imageIds());
    for (String gone :
        List.of(digest, RegistryTest.digest("layer"), RegistryTest.digest("config"))) {
      assertTrue(server.blobs.file(gone).isEmpty());
    }
    refused(LayersNotFoundException.class, "Layers with digests", () -> put("1", "v1"));
  }

  @Test
  void layersThroughTheApi() {
    ecr.createRepository(r -> r.repositoryName("app"));
    upload("app", "layer");
    var layers =
        ecr.batchCheckLayerAvailability(r ->
            r.repositoryName("app")
                .layerDigests(RegistryTest.digest("layer"), RegistryTest.digest("other"), "x"));
    assertEquals(
        List.of("AVAILABLE", "UNAVAILABLE"),
        layers.layers().stream().map(layer -> layer.layerAvailabilityAsString()).toList());
    assertEquals(5, layers.layers().getFirst().layerSize());
    assertNull(layers.layers().getLast().layerSize());
    assertEquals(1, layers.failures().size());
    assertThrows(LayerAlreadyExistsException.class, () -> upload("app", "layer"));
    String id = ecr.initiateLayerUpload(r -> r.repositoryName("app")).uploadId();
    assertThrows(
        InvalidLayerPartException.class,
        () -> part("app", id, "abc".getBytes(StandardCharsets.UTF_8), 1, 3));
  }

  @Test
  void regionsAndAccountsShareNothing() {
    app();
    for (Scope other :
        List.of(new Scope("000000000000", "eu-west-1"), new Scope("111111111111", "us-east-1"))) {
      assertEquals(List.of(), server.ecr(other).describeRepositories(r -> {}).repositories());
      server.ecr(other).createRepository(r -> r.repositoryName("app"));
      assertEquals(
          0,
          server
              .ecr(other)
              .batchCheckLayerAvailability(
                  r -> r.repositoryName("app").layerDigests(RegistryTest.digest("layer")))
              .layers()
              .stream()
              .filter(layer -> layer.layerAvailabilityAsString().equals("AVAILABLE"))
              .count());
      server.ecr(other).deleteRepository(r -> r.repositoryName("app"));
    }
    assertTrue(server.blobs.file(RegistryTest.digest("layer")).isPresent());
  }
}
