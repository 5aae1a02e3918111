package dev.muelle.services.ecr;

import dev.muelle.engine.blob.BlobStore.BlobException;
import java.util.Collection;
import software.amazon.awssdk.services.ecr.model.EcrException;
import software.amazon.awssdk.services.ecr.model.ImageAlreadyExistsException;
import software.amazon.awssdk.services.ecr.model.ImageDigestDoesNotMatchException;
import software.amazon.awssdk.services.ecr.model.ImageNotFoundException;
import software.amazon.awssdk.services.ecr.model.ImageTagAlreadyExistsException;
import software.amazon.awssdk.services.ecr.model.InvalidLayerException;
import software.amazon.awssdk.services.ecr.model.InvalidParameterException;
import software.amazon.awssdk.services.ecr.model.InvalidTagParameterException;
import software.amazon.awssdk.services.ecr.model.LayersNotFoundException;
import software.amazon.awssdk.services.ecr.model.LimitExceededException;
import software.amazon.awssdk.services.ecr.model.ReferencedImagesNotFoundException;
import software.amazon.awssdk.services.ecr.model.RepositoryAlreadyExistsException;
import software.amazon.awssdk.services.ecr.model.RepositoryNotEmptyException;
import software.amazon.awssdk.services.ecr.model.RepositoryNotFoundException;
import software.amazon.awssdk.services.ecr.model.ServerException;
import software.amazon.awssdk.services.ecr.model.TooManyTagsException;
import software.amazon.awssdk.services.ecr.model.UploadNotFoundException;

/** What ECR says when it says no. */
final class Refuse {

  private Refuse() {}

  /**
   * For example {@code Invalid parameter at 'repositoryName' failed to satisfy constraint: '…'}.
   */
  static EcrException parameter(String name, String constraint) {
    return InvalidParameterException.builder()
        .message(
            "Invalid parameter at '"
                + name
                + "' failed to satisfy constraint: '"
                + constraint
                + "'")
        .build();
  }

  /** A member that would have no effect here. */
  static EcrException unsupported(String name) {
    return InvalidParameterException.builder()
        .message("Parameter '" + name + "' is not supported by this region yet.")
        .build();
  }

  static EcrException tags(String message) {
    return InvalidTagParameterException.builder().message(message).build();
  }

  static EcrException tooManyTags() {
    return TooManyTagsException.builder()
        .message("The maximum number of tags that can be added to a repository is 50.")
        .build();
  }

  static EcrException limit(String message) {
    return LimitExceededException.builder().message(message).build();
  }

  static EcrException noRepository(String name, String account) {
    return RepositoryNotFoundException.builder()
        .message(
            "The repository with name '%s' does not exist in the registry with id '%s'"
                .formatted(name, account))
        .build();
  }

  static EcrException repositoryExists(String name, String account) {
    return RepositoryAlreadyExistsException.builder()
        .message(
            "The repository with name '%s' already exists in the registry with id '%s'"
                .formatted(name, account))
        .build();
  }

  static EcrException repositoryNotEmpty(String name, String account) {
    return RepositoryNotEmptyException.builder()
        .message(
            "The repository with name '%s' in registry with id '%s' cannot be deleted because it still contains images"
                .formatted(name, account))
        .build();
  }

  static EcrException noImage(String imageId, String name, String account) {
    return ImageNotFoundException.builder()
        .message(
            "The image with imageId %s does not exist within the repository with name '%s' in the registry with id '%s'"
                .formatted(imageId, name, account))
        .build();
  }

  static EcrException imageExists(String digest, String tag, String name, String account) {
    return ImageAlreadyExistsException.builder()
        .message(
            "Image with digest '%s' and tag '%s' already exists in the repository with name '%s' in registry with id '%s'"
                .formatted(digest, tag, name, account))
        .build();
  }

  static EcrException immutable(String tag, String name) {
    return ImageTagAlreadyExistsException.builder()
        .message(
            "The image tag '%s' already exists in the '%s' repository and cannot be overwritten because the repository is immutable."
                .formatted(tag, name))
        .build();
  }

  static EcrException digest(String digest, String name, String account) {
    return ImageDigestDoesNotMatchException.builder()
        .message(
            "The image with digest '%s' in repository '%s' and registry ID '%s' does not match the image digest that Amazon ECR has calculated."
                .formatted(digest, name, account))
        .build();
  }

  static EcrException noLayers(Collection<String> digests, String name, String account) {
    return LayersNotFoundException.builder()
        .message(
            "Layers with digests '%s' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist"
                .formatted(digests, name, account))
        .build();
  }

  static EcrException noChildren(Collection<String> digests, String name, String account) {
    return ReferencedImagesNotFoundException.builder()
        .message(
            "Images with digests '%s' required for pushing image into repository with name '%s' in the registry with id '%s' do not exist"
                .formatted(digests, name, account))
        .build();
  }

  static EcrException noUpload(String uploadId, String name, String account) {
    return UploadNotFoundException.builder()
        .message(
            "The upload with id '%s' could not be found for the repository with name '%s' in the registry with id '%s'"
                .formatted(uploadId, name, account))
        .build();
  }

  /** What the blob store refused, in the API's terms. */
  static EcrException blob(BlobException e) {
    String message = String.valueOf(e.getMessage());
    return switch (e.kind()) {
      case UNKNOWN_UPLOAD -> UploadNotFoundException.builder().message(message).build();
      case DIGEST_MISMATCH -> InvalidLayerException.builder().message(message).build();
      case TOO_LARGE, TOO_MANY_UPLOADS -> limit(message);
      case NO_SPACE -> ServerException.builder().message(message).build();
    };
  }
}
