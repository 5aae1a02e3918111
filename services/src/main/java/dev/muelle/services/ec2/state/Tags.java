package dev.muelle.services.ec2.state;

import dev.muelle.services.OnBehalf;
import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import software.amazon.awssdk.services.ec2.model.CreateTagsRequest;
import software.amazon.awssdk.services.ec2.model.CreateTagsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteTagsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteTagsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeTagsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeTagsResponse;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagDescription;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/**
 * Tags of all resources, by resource id.
 *
 * @see <a href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html">Tags</a>
 */
public final class Tags {

  private static final int MOST = 50;
  private static final int MOST_RESOURCES = 1000;
  private static final int KEY_LENGTH = 127;
  private static final int VALUE_LENGTH = 255;

  private static final String METADATA_KEY = "[0-9a-zA-Z\\-_+=,.@:]{1,255}";

  private static final Table<Tagged> TABLE =
      Table.of("ec2.tags", StoredJson.codec(Tagged.class)).remember();

  private static final Filters<TagDescription> FILTERS =
      new Filters<TagDescription>(
              tag -> List.of(Tag.builder().key(tag.key()).value(tag.value()).build()))
          .by("key", TagDescription::key)
          .by("value", TagDescription::value)
          .by("resource-id", TagDescription::resourceId)
          .by("resource-type", TagDescription::resourceTypeAsString);

  private final Store store;

  public Tags(Store store) {
    this.store = store;
  }

  record Tagged(List<Tag> tags) {}

  public static List<Tag> of(Tx tx, String id) {
    return tx.get(TABLE, id).map(row -> row.value().tags()).orElse(List.of());
  }

  public static void put(Tx tx, String id, List<Tag> tags) {
    if (tags.isEmpty()) {
      tx.delete(TABLE, id);
    } else {
      tx.put(TABLE, id, new Tagged(tags));
    }
  }

  public static void forget(Tx tx, String id) {
    tx.delete(TABLE, id);
  }

  /** The tags that a creation brings for a new resource of this type. */
  public static List<Tag> given(String type, List<TagSpecification> specifications) {
    List<Tag> tags = new ArrayList<>();
    for (TagSpecification specification : specifications) {
      if (!type.equals(specification.resourceTypeAsString())) {
        throw Refuse.invalidValue(
            "'"
                + specification.resourceTypeAsString()
                + "' is not a valid taggable resource type for this operation.");
      }
      tags.addAll(specification.tags());
    }
    return checked(tags);
  }

  private static List<Tag> checked(List<Tag> tags) {
    Set<String> keys = new HashSet<>();
    List<Tag> checked = new ArrayList<>();
    for (Tag tag : tags) {
      String key = tag.key();
      String value = Objects.requireNonNullElse(tag.value(), "");
      if (key == null || key.isEmpty()) {
        throw Refuse.invalidValue("Tag key cannot be null or empty");
      }
      if (key.length() > KEY_LENGTH) {
        throw Refuse.invalidValue(
            "Tag key exceeds the maximum length of " + KEY_LENGTH + " characters");
      }
      if (value.length() > VALUE_LENGTH) {
        throw Refuse.invalidValue(
            "Tag value exceeds the maximum length of " + VALUE_LENGTH + " characters");
      }
      if (!OnBehalf.mayTag(key)) {
        throw Refuse.invalidValue("Tag keys starting with 'aws:' are reserved for internal use");
      }
      if (!keys.add(key)) {
        throw Refuse.invalidValue("Duplicate tag key '" + key + "' specified.");
      }
      checked.add(Tag.builder().key(key).value(value).build());
    }
    if (checked.size() > MOST) {
      throw tooMany();
    }
    return List.copyOf(checked);
  }

  /**
   * Tags that an instance's metadata shows, where each is a name in a path.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/work-with-tags-in-IMDS.html">View
   *     tags for your EC2 instances using instance metadata</a>
   */
  public static void namedForMetadata(List<Tag> tags) {
    for (Tag tag : tags) {
      boolean reserved = Set.of(".", "..", "_index").contains(tag.key());
      if (reserved || !tag.key().matches(METADATA_KEY)) {
        throw Refuse.invalidValue(
            "'"
                + tag.key()
                + "' is not a valid tag key. Tag keys must match pattern ("
                + METADATA_KEY
                + "), and must not be a reserved name ('.', '..', '_index')");
      }
    }
  }

  private static RuntimeException tooMany() {
    return Refuse.because(
        "TagLimitExceeded", "The maximum number of Tags for a resource has been reached.");
  }

  public CreateTagsResponse create(CreateTagsRequest request) {
    List<String> resources = resources(request.resources());
    if (request.tags().isEmpty()) {
      throw Refuse.missing("Tags");
    }
    List<Tag> added = checked(request.tags());
    store.write(tx -> {
      for (String id : resources) {
        mustExist(tx, id);
        if (Kind.of(id).filter(Kind.INSTANCE::equals).isPresent()
            && Kind.INSTANCE.get(tx, id).tagsInMetadata()) {
          namedForMetadata(added);
        }
        Map<String, Tag> all = new LinkedHashMap<>();
        of(tx, id).forEach(tag -> all.put(tag.key(), tag));
        added.forEach(tag -> all.put(tag.key(), tag));
        if (all.size() > MOST) {
          throw tooMany();
        }
        put(tx, id, List.copyOf(all.values()));
      }
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return CreateTagsResponse.builder().build();
  }

  /**
   * Without tags, takes all away but those of services; a tag without a value is taken away
   * whatever its value.
   */
  public DeleteTagsResponse delete(DeleteTagsRequest request) {
    List<String> resources = resources(request.resources());
    store.write(tx -> {
      for (String id : resources) {
        mustExist(tx, id);
        List<Tag> left =
            request.tags().isEmpty()
                ? of(tx, id).stream().filter(tag -> !OnBehalf.mayTag(tag.key())).toList()
                : of(tx, id).stream()
                    .filter(tag -> request.tags().stream().noneMatch(gone -> covers(gone, tag)))
                    .toList();
        put(tx, id, left);
      }
      Refuse.ifDryRun(request.dryRun());
      return true;
    });
    return DeleteTagsResponse.builder().build();
  }

  private static boolean covers(Tag gone, Tag tag) {
    return tag.key().equals(gone.key())
        && (gone.value() == null || gone.value().equals(tag.value()));
  }

  public DescribeTagsResponse describe(DescribeTagsRequest request) {
    Refuse.ifDryRun(request.dryRun());
    List<TagDescription> all = new ArrayList<>();
    for (Row<Tagged> row : store.read(tx -> tx.list(TABLE))) {
      row.value().tags().stream()
          .map(tag ->
              TagDescription.builder()
                  .resourceId(row.key())
                  .resourceType(Kind.of(row.key()).map(Kind::type).orElse(""))
                  .key(tag.key())
                  .value(tag.value())
                  .build())
          .sorted((a, b) -> a.key().compareTo(b.key()))
          .forEach(all::add);
    }
    Pages<TagDescription> page =
        Pages.of(
            FILTERS.select(all, request.filters()),
            tag -> tag.resourceId() + " " + tag.key(),
            List.of(),
            request.nextToken(),
            request.maxResults());
    return DescribeTagsResponse.builder().tags(page.items()).nextToken(page.nextToken()).build();
  }

  private static List<String> resources(List<String> ids) {
    if (ids.isEmpty()) {
      throw Refuse.missing("ResourceId");
    }
    if (ids.size() > MOST_RESOURCES) {
      throw Refuse.invalidValue("The number of resources exceeds the limit of " + MOST_RESOURCES);
    }
    return ids;
  }

  private static void mustExist(Tx tx, String id) {
    Kind<?> kind =
        Kind.of(id)
            .orElseThrow(() -> Refuse.because("InvalidID", "The ID '" + id + "' is not valid"));
    kind.get(tx, id);
  }
}
