package dev.muelle.services.ecr;

import dev.muelle.engine.blob.BlobStore;
import dev.muelle.services.Scope;
import dev.muelle.services.ecr.Base.LeavingRow;
import dev.muelle.services.ecr.Base.UploadRow;
import dev.muelle.services.ecr.RegistryTokens.Token;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.wire.Caller;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.InstantSource;
import java.util.Base64;
import java.util.List;
import software.amazon.awssdk.services.ecr.EcrClient;
import software.amazon.awssdk.services.ecr.model.AuthorizationData;
import software.amazon.awssdk.services.ecr.model.BatchCheckLayerAvailabilityRequest;
import software.amazon.awssdk.services.ecr.model.BatchCheckLayerAvailabilityResponse;
import software.amazon.awssdk.services.ecr.model.BatchDeleteImageRequest;
import software.amazon.awssdk.services.ecr.model.BatchDeleteImageResponse;
import software.amazon.awssdk.services.ecr.model.BatchGetImageRequest;
import software.amazon.awssdk.services.ecr.model.BatchGetImageResponse;
import software.amazon.awssdk.services.ecr.model.CompleteLayerUploadRequest;
import software.amazon.awssdk.services.ecr.model.CompleteLayerUploadResponse;
import software.amazon.awssdk.services.ecr.model.CreateRepositoryRequest;
import software.amazon.awssdk.services.ecr.model.CreateRepositoryResponse;
import software.amazon.awssdk.services.ecr.model.DeleteRepositoryRequest;
import software.amazon.awssdk.services.ecr.model.DeleteRepositoryResponse;
import software.amazon.awssdk.services.ecr.model.DescribeImagesRequest;
import software.amazon.awssdk.services.ecr.model.DescribeImagesResponse;
import software.amazon.awssdk.services.ecr.model.DescribeRepositoriesRequest;
import software.amazon.awssdk.services.ecr.model.DescribeRepositoriesResponse;
import software.amazon.awssdk.services.ecr.model.GetAuthorizationTokenRequest;
import software.amazon.awssdk.services.ecr.model.GetAuthorizationTokenResponse;
import software.amazon.awssdk.services.ecr.model.GetDownloadUrlForLayerRequest;
import software.amazon.awssdk.services.ecr.model.GetDownloadUrlForLayerResponse;
import software.amazon.awssdk.services.ecr.model.InitiateLayerUploadRequest;
import software.amazon.awssdk.services.ecr.model.InitiateLayerUploadResponse;
import software.amazon.awssdk.services.ecr.model.ListImagesRequest;
import software.amazon.awssdk.services.ecr.model.ListImagesResponse;
import software.amazon.awssdk.services.ecr.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.ecr.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.ecr.model.PutImageRequest;
import software.amazon.awssdk.services.ecr.model.PutImageResponse;
import software.amazon.awssdk.services.ecr.model.PutImageTagMutabilityRequest;
import software.amazon.awssdk.services.ecr.model.PutImageTagMutabilityResponse;
import software.amazon.awssdk.services.ecr.model.TagResourceRequest;
import software.amazon.awssdk.services.ecr.model.TagResourceResponse;
import software.amazon.awssdk.services.ecr.model.UntagResourceRequest;
import software.amazon.awssdk.services.ecr.model.UntagResourceResponse;
import software.amazon.awssdk.services.ecr.model.UploadLayerPartRequest;
import software.amazon.awssdk.services.ecr.model.UploadLayerPartResponse;

/**
 * The <a href="https://docs.aws.amazon.com/AmazonECR/latest/APIReference/Welcome.html">Elastic
 * Container Registry</a> of one account in one region. Engines push and pull at {@link Registry}.
 */
public final class Ecr implements EcrClient {

  private final Base base;
  private final RegistryTokens tokens;
  private final Repositories repositories;
  private final Layers layers;
  private final Images images;

  /**
   * Opens a registry, and finishes what a sudden end interrupted.
   *
   * @param registryHost host and port that repository URIs end in, for example {@code
   *     localhost:4566}; the account and region come before it
   */
  public Ecr(
      Scope scope,
      Store store,
      InstantSource clock,
      BlobStore blobs,
      RegistryTokens tokens,
      String registryHost) {
    this.base = new Base(scope, store, clock, blobs);
    this.tokens = tokens;
    this.repositories = new Repositories(base, registryHost);
    this.layers = new Layers(base, repositories, tokens);
    this.images = new Images(base, repositories);
    Base.unchecked(() -> {
      tidy();
      return scope;
    });
  }

  private void tidy() throws IOException {
    List<Row<LeavingRow>> leaving = base.store().read(tx -> tx.list(Base.LEAVING));
    for (Row<LeavingRow> row : leaving) {
      repositories.release(row.key());
    }
    for (var repository : repositories.all()) {
      images.sweep(repository.repositoryName());
    }
    List<Row<UploadRow>> uploads = base.store().read(tx -> tx.list(Base.UPLOADS));
    for (Row<UploadRow> upload : uploads) {
      if (base.blobs().uploaded(upload.key()).isEmpty()) {
        base.store().write(tx -> tx.delete(Base.UPLOADS, upload.key()));
      }
    }
  }

  Base base() {
    return base;
  }

  Repositories repositories() {
    return repositories;
  }

  Layers layers() {
    return layers;
  }

  Images images() {
    return images;
  }

  @Override
  @SuppressWarnings("deprecation") // AWS deprecated registryIds, but still takes it
  public GetAuthorizationTokenResponse getAuthorizationToken(GetAuthorizationTokenRequest request) {
    for (String id : request.registryIds()) {
      if (!id.equals(base.scope().account())) {
        throw Refuse.unsupported("registryIds with another account's registry");
      }
    }
    Token token = tokens.issue(base.scope(), Caller.current());
    String login = "AWS:" + token.password();
    return GetAuthorizationTokenResponse.builder()
        .authorizationData(
            AuthorizationData.builder()
                .authorizationToken(
                    Base64.getEncoder().encodeToString(login.getBytes(StandardCharsets.UTF_8)))
                .expiresAt(token.expiresAt())
                .proxyEndpoint("http://" + repositories.host())
                .build())
        .build();
  }

  // --- repositories

  @Override
  public CreateRepositoryResponse createRepository(CreateRepositoryRequest request) {
    return repositories.create(request);
  }

  @Override
  public DescribeRepositoriesResponse describeRepositories(DescribeRepositoriesRequest request) {
    return repositories.describe(request);
  }

  @Override
  public DeleteRepositoryResponse deleteRepository(DeleteRepositoryRequest request) {
    return repositories.delete(request);
  }

  @Override
  public PutImageTagMutabilityResponse putImageTagMutability(PutImageTagMutabilityRequest request) {
    return repositories.putMutability(request);
  }

  @Override
  public TagResourceResponse tagResource(TagResourceRequest request) {
    return repositories.tag(request);
  }

  @Override
  public UntagResourceResponse untagResource(UntagResourceRequest request) {
    return repositories.untag(request);
  }

  @Override
  public ListTagsForResourceResponse listTagsForResource(ListTagsForResourceRequest request) {
    return repositories.tags(request);
  }

  // --- images

  @Override
  public PutImageResponse putImage(PutImageRequest request) {
    return images.put(request);
  }

  @Override
  public BatchGetImageResponse batchGetImage(BatchGetImageRequest request) {
    return images.get(request);
  }

  @Override
  public DescribeImagesResponse describeImages(DescribeImagesRequest request) {
    return images.describe(request);
  }

  @Override
  public ListImagesResponse listImages(ListImagesRequest request) {
    return images.list(request);
  }

  @Override
  public BatchDeleteImageResponse batchDeleteImage(BatchDeleteImageRequest request) {
    return images.delete(request);
  }

  // --- layers

  @Override
  public BatchCheckLayerAvailabilityResponse batchCheckLayerAvailability(
      BatchCheckLayerAvailabilityRequest request) {
    return layers.check(request);
  }

  @Override
  public GetDownloadUrlForLayerResponse getDownloadUrlForLayer(
      GetDownloadUrlForLayerRequest request) {
    return layers.downloadUrl(request);
  }

  @Override
  public InitiateLayerUploadResponse initiateLayerUpload(InitiateLayerUploadRequest request) {
    return layers.initiate(request);
  }

  @Override
  public UploadLayerPartResponse uploadLayerPart(UploadLayerPartRequest request) {
    return layers.part(request);
  }

  @Override
  public CompleteLayerUploadResponse completeLayerUpload(CompleteLayerUploadRequest request) {
    return layers.complete(request);
  }

  @Override
  public String serviceName() {
    return SERVICE_NAME;
  }

  @Override
  public void close() {}
}
