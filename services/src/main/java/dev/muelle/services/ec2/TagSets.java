package dev.muelle.services.ec2;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import software.amazon.awssdk.services.ec2.model.CreateTagsRequest;
import software.amazon.awssdk.services.ec2.model.CreateTagsResponse;
import software.amazon.awssdk.services.ec2.model.DeleteTagsRequest;
import software.amazon.awssdk.services.ec2.model.DeleteTagsResponse;
import software.amazon.awssdk.services.ec2.model.DescribeTagsRequest;
import software.amazon.awssdk.services.ec2.model.DescribeTagsResponse;
import software.amazon.awssdk.services.ec2.model.Tag;
import software.amazon.awssdk.services.ec2.model.TagDescription;
import software.amazon.awssdk.services.ec2.model.TagSpecification;

/** The tags of every kind of resource, keyed {@code resource-id/key}. */
final class TagSets {

  /** One tag as stored. */
  record Stored(String resourceId, String resourceType, String key, String value) {}

  private static final Table<Stored> TABLE =
      Table.of("ec2.tags", StoredJson.codec(Stored.class)).index("resource", Stored::resourceId);
  private static final int MOST = 50;
  private static final Map<String, String> TYPES =
      Map.of(
          "vpc", "vpc",
          "subnet", "subnet",
          "sg", "security-group",
          "sgr", "security-group-rule",
          "eni", "network-interface",
          "igw", "internet-gateway",
          "rtb", "route-table");

  private final Store store;
  private final Existence existence;

  /** Whether a resource exists. */
  @FunctionalInterface
  interface Existence {
    boolean exists(Tx tx, String type, String id);
  }

  TagSets(Store store, Existence existence) {
    this.store = store;
    this.existence = existence;
  }

  /** The tags of one resource, by key. */
  static List<Tag> of(Tx tx, String id) {
    return tx.find(TABLE, "resource", id).stream()
        .map(row -> Tag.builder().key(row.value().key()).value(row.value().value()).build())
        .toList();
  }

  /** All tags of all resources, for describing many at once. */
  static Map<String, List<Tag>> all(Tx tx) {
    Map<String, List<Tag>> all = new HashMap<>();
    for (Row<Stored> row : tx.list(TABLE)) {
      Stored tag = row.value();
      all.computeIfAbsent(tag.resourceId(), id -> new ArrayList<>())
          .add(Tag.builder().key(tag.key()).value(tag.value()).build());
    }
    return all;
  }

  /** Puts what a creation request says for its resource. */
  static List<Tag> put(Tx tx, String id, String type, List<TagSpecification> specifications) {
    for (TagSpecification specification : specifications) {
      if (!type.equals(specification.resourceTypeAsString())) {
        throw Faults.invalid(
            "'"
                + specification.resourceTypeAsString()
                + "' is not a valid taggable resource type for this operation.");
      }
      put(tx, id, type, specification.tags(), true);
    }
    return of(tx, id);
  }

  static void remove(Tx tx, String id) {
    tx.deletePrefix(TABLE, id + "/");
  }

  private static void put(Tx tx, String id, String type, List<Tag> tags, boolean exists) {
    if (!exists) {
      throw Faults.of("InvalidID", "The ID '" + id + "' is not valid");
    }
    for (Tag tag : tags) {
      String key = tag.key() == null ? "" : tag.key();
      if (key.isEmpty() || key.length() > 127) {
        throw Faults.invalid("Tag keys must be between 1 and 127 characters in length.");
      }
      if (key.toLowerCase(Locale.ROOT).startsWith("aws:")) {
        throw Faults.invalid("Tag keys starting with 'aws:' are reserved for internal use");
      }
      String value = tag.value() == null ? "" : tag.value();
      if (value.length() > 255) {
        throw Faults.invalid("Tag values must be at most 255 characters in length.");
      }
      tx.put(TABLE, id + "/" + key, new Stored(id, type, key, value));
    }
    if (of(tx, id).size() > MOST) {
      throw Faults.of(
          "TagLimitExceeded", "The maximum number of Tags for a resource has been reached.");
    }
  }

  CreateTagsResponse create(CreateTagsRequest request) {
    Faults.dryRun(request.dryRun());
    if (request.resources().isEmpty()) {
      throw Faults.missing("ResourceIdSet");
    }
    if (request.tags().isEmpty()) {
      throw Faults.missing("TagSet");
    }
    return store.write(tx -> {
      for (String id : request.resources()) {
        String type = type(id);
        put(tx, id, type, request.tags(), existence.exists(tx, type, id));
      }
      return CreateTagsResponse.builder().build();
    });
  }

  DeleteTagsResponse delete(DeleteTagsRequest request) {
    Faults.dryRun(request.dryRun());
    return store.write(tx -> {
      for (String id : request.resources()) {
        if (request.tags().isEmpty()) {
          remove(tx, id);
        }
        for (Tag tag : request.tags()) {
          Optional<Row<Stored>> present = tx.get(TABLE, id + "/" + tag.key());
          if (present.isPresent()
              && (tag.value() == null || tag.value().equals(present.get().value().value()))) {
            tx.delete(TABLE, present.get().key());
          }
        }
      }
      return DeleteTagsResponse.builder().build();
    });
  }

  DescribeTagsResponse describe(DescribeTagsRequest request) {
    Filters<Stored> filters =
        new Filters<Stored>(tag -> List.of())
            .one("key", Stored::key)
            .one("value", Stored::value)
            .one("resource-id", Stored::resourceId)
            .one("resource-type", Stored::resourceType);
    List<Stored> all = store.read(tx -> tx.list(TABLE)).stream().map(Row::value).toList();
    Filters.Page<Stored> page =
        Filters.page(
            filters.apply(all, request.filters()), request.nextToken(), request.maxResults());
    return DescribeTagsResponse.builder()
        .tags(
            page.items().stream()
                .map(tag ->
                    TagDescription.builder()
                        .resourceId(tag.resourceId())
                        .resourceType(tag.resourceType())
                        .key(tag.key())
                        .value(tag.value())
                        .build())
                .toList())
        .nextToken(page.nextToken())
        .build();
  }

  private static String type(String id) {
    String type = TYPES.get(id.substring(0, Math.max(0, id.indexOf('-'))));
    if (type == null) {
      throw Faults.of("InvalidID", "The ID '" + id + "' is not valid");
    }
    return type;
  }
}
