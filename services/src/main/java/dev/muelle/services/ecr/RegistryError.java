package dev.muelle.services.ecr;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.muelle.engine.blob.BlobStore.BlobException;
import dev.muelle.wire.http.HttpResponse;
import software.amazon.awssdk.services.ecr.model.EcrException;
import software.amazon.awssdk.services.ecr.model.ImageDigestDoesNotMatchException;
import software.amazon.awssdk.services.ecr.model.ImageTagAlreadyExistsException;
import software.amazon.awssdk.services.ecr.model.InvalidParameterException;
import software.amazon.awssdk.services.ecr.model.LayersNotFoundException;
import software.amazon.awssdk.services.ecr.model.LimitExceededException;
import software.amazon.awssdk.services.ecr.model.ReferencedImagesNotFoundException;
import software.amazon.awssdk.services.ecr.model.RepositoryNotFoundException;
import software.amazon.awssdk.services.ecr.model.UploadNotFoundException;

/**
 * An error of the registry protocol.
 *
 * @see <a
 *     href="https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#error-codes">Error
 *     codes</a>
 */
final class RegistryError extends RuntimeException {
  private static final long serialVersionUID = 1L;
  private static final JsonMapper JSON = new JsonMapper();

  private final int status;
  private final String code;
  private final String said;

  RegistryError(int status, String code, String message) {
    super(message, null, false, false);
    this.status = status;
    this.code = code;
    this.said = message;
  }

  static RegistryError unknownBlob(String digest) {
    return new RegistryError(404, "BLOB_UNKNOWN", "blob unknown to registry: " + digest);
  }

  static RegistryError unknownUpload(String id) {
    return new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry: " + id);
  }

  static RegistryError digest(String digest) {
    return new RegistryError(400, "DIGEST_INVALID", "invalid digest: " + digest);
  }

  /** What the API would have thrown, in the words of the protocol. */
  static RegistryError of(EcrException e) {
    String message = e.toBuilder().message();
    String said = message == null ? "" : message;
    return switch (e) {
      case RepositoryNotFoundException _ -> new RegistryError(404, "NAME_UNKNOWN", said);
      case UploadNotFoundException _ -> new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", said);
      case LayersNotFoundException _ -> new RegistryError(404, "MANIFEST_BLOB_UNKNOWN", said);
      case ReferencedImagesNotFoundException _ ->
          new RegistryError(404, "MANIFEST_BLOB_UNKNOWN", said);
      case ImageTagAlreadyExistsException _ -> new RegistryError(400, "TAG_INVALID", said);
      case ImageDigestDoesNotMatchException _ -> new RegistryError(400, "MANIFEST_INVALID", said);
      case InvalidParameterException _ -> new RegistryError(400, "MANIFEST_INVALID", said);
      case LimitExceededException _ -> new RegistryError(429, "TOOMANYREQUESTS", said);
      default -> throw e;
    };
  }

  static RegistryError of(BlobException e) {
    String said = String.valueOf(e.getMessage());
    return switch (e.kind()) {
      case UNKNOWN_UPLOAD -> new RegistryError(404, "BLOB_UPLOAD_UNKNOWN", said);
      case DIGEST_MISMATCH -> new RegistryError(400, "DIGEST_INVALID", said);
      case TOO_LARGE -> new RegistryError(413, "SIZE_INVALID", said);
      case TOO_MANY_UPLOADS -> new RegistryError(429, "TOOMANYREQUESTS", said);
      case NO_SPACE -> new RegistryError(507, "DENIED", said);
    };
  }

  HttpResponse response() {
    ObjectNode root = JSON.createObjectNode();
    root.putArray("errors").addObject().put("code", code).put("message", said).putNull("detail");
    return HttpResponse.of(status, "application/json; charset=utf-8", root.toString());
  }
}
