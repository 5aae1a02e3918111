package dev.muelle.services.ecr;

import dev.muelle.services.TagRules;
import dev.muelle.services.ecr.Base.LeavingRow;
import dev.muelle.services.ecr.Base.RepositoryRow;
import dev.muelle.store.Row;
import dev.muelle.store.Tx;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecr.model.CreateRepositoryRequest;
import software.amazon.awssdk.services.ecr.model.CreateRepositoryResponse;
import software.amazon.awssdk.services.ecr.model.DeleteRepositoryRequest;
import software.amazon.awssdk.services.ecr.model.DeleteRepositoryResponse;
import software.amazon.awssdk.services.ecr.model.DescribeRepositoriesRequest;
import software.amazon.awssdk.services.ecr.model.DescribeRepositoriesResponse;
import software.amazon.awssdk.services.ecr.model.EncryptionConfiguration;
import software.amazon.awssdk.services.ecr.model.EncryptionType;
import software.amazon.awssdk.services.ecr.model.ImageTagMutability;
import software.amazon.awssdk.services.ecr.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.ecr.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.ecr.model.PutImageTagMutabilityRequest;
import software.amazon.awssdk.services.ecr.model.PutImageTagMutabilityResponse;
import software.amazon.awssdk.services.ecr.model.Repository;
import software.amazon.awssdk.services.ecr.model.Tag;
import software.amazon.awssdk.services.ecr.model.TagResourceRequest;
import software.amazon.awssdk.services.ecr.model.TagResourceResponse;
import software.amazon.awssdk.services.ecr.model.UntagResourceRequest;
import software.amazon.awssdk.services.ecr.model.UntagResourceResponse;

/** Repositories and their tags (those of the resource; an image's tags are {@link Images}'). */
final class Repositories {

  private static final int MOST = 100_000;
  private static final int MOST_NAMES = 100;
  private static final int MOST_TAGS = 50;

  private final Base base;
  private final String registryHost;

  Repositories(Base base, String registryHost) {
    this.base = base;
    this.registryHost = registryHost;
  }

  CreateRepositoryResponse create(CreateRepositoryRequest request) {
    String name = Names.repository(request.repositoryName());
    requireOwnRegistry(request.registryId(), name);
    checkTags(request.tags());
    if (request.imageScanningConfiguration() != null
        && Boolean.TRUE.equals(request.imageScanningConfiguration().scanOnPush())) {
      throw Refuse.unsupported("imageScanningConfiguration.scanOnPush");
    }
    ImageTagMutability mutability = ImageTagMutability.MUTABLE;
    if (request.imageTagMutabilityAsString() != null) {
      mutability = request.imageTagMutability();
    }
    Mutability.check(mutability, request.imageTagMutabilityExclusionFilters());
    Repository.Builder repository =
        Repository.builder()
            .repositoryArn(base.scope().arn("ecr", "repository/" + name))
            .registryId(base.scope().account())
            .repositoryName(name)
            .repositoryUri(host() + "/" + name)
            .createdAt(base.now())
            .imageTagMutability(mutability)
            .imageScanningConfiguration(scanning -> scanning.scanOnPush(false))
            .encryptionConfiguration(encryption(request.encryptionConfiguration()));
    if (!request.imageTagMutabilityExclusionFilters().isEmpty()) {
      repository.imageTagMutabilityExclusionFilters(request.imageTagMutabilityExclusionFilters());
    }
    RepositoryRow row = new RepositoryRow(repository.build(), request.tags());
    Base.unchecked(() ->
        base.locked(
            name,
            () -> {
              release(name); // what an interrupted deletion may have left under this name
              return base.store().write(tx -> insert(tx, name, row));
            }));
    return CreateRepositoryResponse.builder().repository(row.repository()).build();
  }

  private Row<RepositoryRow> insert(Tx tx, String name, RepositoryRow row) {
    if (tx.get(Base.REPOSITORIES, name).isPresent()) {
      throw Refuse.repositoryExists(name, base.scope().account());
    }
    if (tx.count(Base.REPOSITORIES) >= MOST) {
      throw Refuse.limit("The registry has " + MOST + " repositories, the most that it may have.");
    }
    return tx.insert(Base.REPOSITORIES, name, row);
  }

  /** The host name under which the registry of this account and region is reached. */
  String host() {
    return base.scope().account() + ".dkr.ecr." + base.scope().region() + "." + registryHost;
  }

  private static EncryptionConfiguration encryption(@Nullable EncryptionConfiguration wanted) {
    if (wanted != null
        && (wanted.encryptionType() != EncryptionType.AES256 || wanted.kmsKey() != null)) {
      throw wanted.encryptionType() == EncryptionType.UNKNOWN_TO_SDK_VERSION
          ? Refuse.parameter(
              "encryptionConfiguration.encryptionType",
              "Member must satisfy enum value set: [KMS, AES256, KMS_DSSE]")
          : Refuse.unsupported(
              "encryptionConfiguration with encryption type " + wanted.encryptionTypeAsString());
    }
    return EncryptionConfiguration.builder().encryptionType(EncryptionType.AES256).build();
  }

  DescribeRepositoriesResponse describe(DescribeRepositoriesRequest request) {
    List<String> names = request.repositoryNames();
    if (!names.isEmpty()) {
      if (request.nextToken() != null || request.maxResults() != null) {
        throw Refuse.parameter(
            "repositoryNames", "must not be used together with maxResults or nextToken");
      }
      if (names.size() > MOST_NAMES) {
        throw Refuse.parameter(
            "repositoryNames", "Member must have length less than or equal to " + MOST_NAMES);
      }
      names.forEach(Names::repository);
      requireOwnRegistry(request.registryId(), names.getFirst());
      List<Repository> found =
          base.store().read(tx -> names.stream().map(name -> require(tx, name)).toList());
      return DescribeRepositoriesResponse.builder().repositories(found).build();
    }
    if (foreign(request.registryId())) {
      return DescribeRepositoriesResponse.builder().repositories(List.of()).build();
    }
    Pages.Page<Repository> page =
        Pages.of(all(), Repository::repositoryName, request.nextToken(), request.maxResults());
    return DescribeRepositoriesResponse.builder()
        .repositories(page.items())
        .nextToken(page.nextToken())
        .build();
  }

  List<Repository> all() {
    return base.store().read(tx -> tx.list(Base.REPOSITORIES)).stream()
        .map(row -> row.value().repository())
        .toList();
  }

  DeleteRepositoryResponse delete(DeleteRepositoryRequest request) {
    String name = Names.repository(request.repositoryName());
    requireOwnRegistry(request.registryId(), name);
    boolean force = Boolean.TRUE.equals(request.force());
    Repository gone =
        Base.unchecked(() ->
            base.locked(
                name,
                () -> {
                  Repository deleted = base.store().write(tx -> delete(tx, name, force));
                  release(name);
                  return deleted;
                }));
    return DeleteRepositoryResponse.builder().repository(gone).build();
  }

  private Repository delete(Tx tx, String name, boolean force) {
    Repository repository = require(tx, name);
    String prefix = Base.prefix(name);
    if (!force && !tx.list(Base.IMAGES, prefix).isEmpty()) {
      throw Refuse.repositoryNotEmpty(name, base.scope().account());
    }
    tx.delete(Base.REPOSITORIES, name);
    tx.deletePrefix(Base.IMAGES, prefix);
    tx.deletePrefix(Base.TAGS, prefix);
    tx.deletePrefix(Base.LAYERS, prefix);
    tx.put(Base.LEAVING, name, new LeavingRow(name)); // until the blobs are released
    return repository;
  }

  /** Ends what a deletion began; called with the repository's lock. */
  void release(String name) throws IOException {
    if (base.store().read(tx -> tx.get(Base.LEAVING, name)).isEmpty()) {
      return;
    }
    for (String digest : base.blobs().retained(base.owner(name))) {
      base.blobs().release(digest, base.owner(name));
    }
    base.store().write(tx -> tx.delete(Base.LEAVING, name));
  }

  PutImageTagMutabilityResponse putMutability(PutImageTagMutabilityRequest request) {
    String name = Names.repository(request.repositoryName());
    requireOwnRegistry(request.registryId(), name);
    if (request.imageTagMutabilityAsString() == null) {
      throw Refuse.parameter("imageTagMutability", "must not be null");
    }
    Mutability.check(request.imageTagMutability(), request.imageTagMutabilityExclusionFilters());
    change(
        name,
        row -> {
          Repository.Builder changed =
              row.repository().toBuilder().imageTagMutability(request.imageTagMutability());
          changed.imageTagMutabilityExclusionFilters(request.imageTagMutabilityExclusionFilters());
          return new RepositoryRow(changed.build(), row.tags());
        });
    PutImageTagMutabilityResponse.Builder answer =
        PutImageTagMutabilityResponse.builder()
            .registryId(base.scope().account())
            .repositoryName(name)
            .imageTagMutability(request.imageTagMutability());
    if (!request.imageTagMutabilityExclusionFilters().isEmpty()) {
      answer.imageTagMutabilityExclusionFilters(request.imageTagMutabilityExclusionFilters());
    }
    return answer.build();
  }

  TagResourceResponse tag(TagResourceRequest request) {
    checkTags(request.tags());
    change(
        name(request.resourceArn()),
        row -> {
          Map<String, Tag> tags = new LinkedHashMap<>();
          row.tags().forEach(tag -> tags.put(tag.key(), tag));
          request.tags().forEach(tag -> tags.put(tag.key(), tag));
          if (tags.size() > MOST_TAGS) {
            throw Refuse.tooManyTags();
          }
          return new RepositoryRow(row.repository(), List.copyOf(tags.values()));
        });
    return TagResourceResponse.builder().build();
  }

  UntagResourceResponse untag(UntagResourceRequest request) {
    Set<String> keys = Set.copyOf(request.tagKeys());
    change(
        name(request.resourceArn()),
        row -> {
          List<Tag> tags = new ArrayList<>(row.tags());
          tags.removeIf(tag -> keys.contains(tag.key()));
          return new RepositoryRow(row.repository(), tags);
        });
    return UntagResourceResponse.builder().build();
  }

  ListTagsForResourceResponse tags(ListTagsForResourceRequest request) {
    String name = name(request.resourceArn());
    List<Tag> tags =
        base.store()
            .read(tx -> tx.get(Base.REPOSITORIES, name))
            .orElseThrow(() -> Refuse.noRepository(name, base.scope().account()))
            .value()
            .tags();
    return ListTagsForResourceResponse.builder().tags(tags).build();
  }

  private void change(String name, UnaryOperator<RepositoryRow> change) {
    base.store()
        .write(tx -> {
          Row<RepositoryRow> row =
              tx.get(Base.REPOSITORIES, name)
                  .orElseThrow(() -> Refuse.noRepository(name, base.scope().account()));
          return tx.put(Base.REPOSITORIES, name, change.apply(row.value()));
        });
  }

  private String name(@Nullable String arn) {
    String start = base.scope().arn("ecr", "repository/");
    if (arn == null || !arn.startsWith(start)) {
      throw Refuse.parameter(
          "resourceArn", "must be the ARN of a repository in this registry, not " + arn);
    }
    return Names.repository(arn.substring(start.length()));
  }

  private static void checkTags(List<Tag> tags) {
    if (tags.size() > MOST_TAGS) {
      throw Refuse.tooManyTags();
    }
    Set<String> keys = new HashSet<>();
    for (Tag tag : tags) {
      String key = tag.key();
      if (key == null || key.isEmpty() || key.length() > 128) {
        throw Refuse.tags("Tag keys must have between 1 and 128 characters.");
      }
      if (TagRules.isReserved(key)) {
        throw Refuse.tags("Tag keys must not start with the reserved prefix aws: " + key);
      }
      if (tag.value() == null || tag.value().length() > 256) {
        throw Refuse.tags("Tag values must have between 0 and 256 characters.");
      }
      if (!keys.add(key)) {
        throw Refuse.tags("Duplicate tag key: " + key);
      }
    }
  }

  /** The repository, or ECR's exception. */
  Repository require(Tx tx, String name) {
    return find(tx, name).orElseThrow(() -> Refuse.noRepository(name, base.scope().account()));
  }

  /** Checks that a repository exists. */
  void require(String name) {
    base.store().read(tx -> require(tx, name));
  }

  static Optional<Repository> find(Tx tx, String name) {
    return tx.get(Base.REPOSITORIES, name).map(row -> row.value().repository());
  }

  /** Another account's registry holds nothing for callers of this one. */
  void requireOwnRegistry(@Nullable String registryId, String name) {
    if (foreign(registryId)) {
      throw Refuse.noRepository(name, String.valueOf(registryId));
    }
  }

  private boolean foreign(@Nullable String registryId) {
    if (registryId != null && !registryId.matches("[0-9]{12}")) {
      throw Refuse.parameter("registryId", "must satisfy regular expression '[0-9]{12}'");
    }
    return registryId != null && !registryId.equals(base.scope().account());
  }
}
