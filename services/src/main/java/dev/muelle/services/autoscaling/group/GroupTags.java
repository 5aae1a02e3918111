package dev.muelle.services.autoscaling.group;

import dev.muelle.services.TagRules;
import dev.muelle.services.autoscaling.state.GroupRecord;
import dev.muelle.services.autoscaling.state.Pages;
import dev.muelle.services.autoscaling.state.Refuse;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import software.amazon.awssdk.services.autoscaling.model.CreateOrUpdateTagsRequest;
import software.amazon.awssdk.services.autoscaling.model.CreateOrUpdateTagsResponse;
import software.amazon.awssdk.services.autoscaling.model.DeleteTagsRequest;
import software.amazon.awssdk.services.autoscaling.model.DeleteTagsResponse;
import software.amazon.awssdk.services.autoscaling.model.DescribeTagsRequest;
import software.amazon.awssdk.services.autoscaling.model.DescribeTagsResponse;
import software.amazon.awssdk.services.autoscaling.model.Filter;
import software.amazon.awssdk.services.autoscaling.model.Tag;
import software.amazon.awssdk.services.autoscaling.model.TagDescription;

/**
 * Tags of groups, which their new instances can get, too.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html">Tag
 *     groups and instances</a>
 */
public final class GroupTags {

  private static final String RESOURCE = "auto-scaling-group";
  private static final int MOST = 50;
  private static final int KEY_LENGTH = 128;
  private static final int VALUE_LENGTH = 256;
  private static final int USUAL_PAGE = 50;

  private final Store store;

  public GroupTags(Store store) {
    this.store = store;
  }

  /** The tags that a new group brings. */
  static List<TagDescription> given(String group, List<Tag> tags) {
    Map<String, TagDescription> all = new TreeMap<>();
    for (Tag tag : tags) {
      if (tag.resourceId() != null && !tag.resourceId().equals(group)) {
        throw Refuse.invalid(
            "The tag's resource id '" + tag.resourceId() + "' is not the group's name.");
      }
      TagDescription one = checked(group, tag);
      if (all.put(one.key(), one) != null) {
        throw Refuse.invalid("Duplicate keys found in tags: " + one.key());
      }
    }
    return few(all);
  }

  private static List<TagDescription> few(Map<String, TagDescription> tags) {
    if (tags.size() > MOST) {
      throw Refuse.tooMany("A group has at most " + MOST + " tags.");
    }
    return List.copyOf(tags.values());
  }

  private static TagDescription checked(String group, Tag tag) {
    String key = key(tag);
    String value = Objects.requireNonNullElse(tag.value(), "");
    if (key.length() > KEY_LENGTH || value.length() > VALUE_LENGTH) {
      throw Refuse.invalid(
          "A tag's key has at most "
              + KEY_LENGTH
              + " characters, its value at most "
              + VALUE_LENGTH
              + ".");
    }
    if (TagRules.isReserved(key)) {
      throw Refuse.invalid("Tag keys starting with 'aws:' are reserved for system use: " + key);
    }
    return TagDescription.builder()
        .resourceId(group)
        .resourceType(RESOURCE)
        .key(key)
        .value(value)
        .propagateAtLaunch(Boolean.TRUE.equals(tag.propagateAtLaunch()))
        .build();
  }

  private static String key(Tag tag) {
    if (tag.resourceType() != null && !tag.resourceType().equals(RESOURCE)) {
      throw Refuse.invalid(
          "Invalid resource type '" + tag.resourceType() + "'. Must be " + RESOURCE + ".");
    }
    return Refuse.required("tags.key", tag.key());
  }

  /** Sees to it that groups have these tags; instances that are there keep those they have. */
  public CreateOrUpdateTagsResponse put(CreateOrUpdateTagsRequest request) {
    store.write(tx -> {
      for (Tag tag : some(request.tags())) {
        GroupRecord group = GroupRecord.changeable(tx, tag.resourceId());
        Map<String, TagDescription> all = byKey(group);
        all.put(tag.key(), checked(group.name(), tag));
        group.with(g -> g.tags(few(all))).put(tx);
      }
      return true;
    });
    return CreateOrUpdateTagsResponse.builder().build();
  }

  private static List<Tag> some(List<Tag> tags) {
    if (tags.isEmpty()) {
      throw Refuse.invalid("At least one tag must be specified.");
    }
    return tags;
  }

  private static Map<String, TagDescription> byKey(GroupRecord group) {
    Map<String, TagDescription> all = new TreeMap<>();
    group.group().tags().forEach(tag -> all.put(tag.key(), tag));
    return all;
  }

  /** One that is not there is no fault; with a value, only one that has it is taken away. */
  public DeleteTagsResponse delete(DeleteTagsRequest request) {
    store.write(tx -> {
      for (Tag tag : some(request.tags())) {
        GroupRecord group = GroupRecord.changeable(tx, tag.resourceId());
        Map<String, TagDescription> all = byKey(group);
        String key = key(tag);
        all.values()
            .removeIf(one ->
                one.key().equals(key) && (tag.value() == null || tag.value().equals(one.value())));
        group.with(g -> g.tags(List.copyOf(all.values()))).put(tx);
      }
      return true;
    });
    return DeleteTagsResponse.builder().build();
  }

  public DescribeTagsResponse describe(DescribeTagsRequest request) {
    for (Filter filter : request.filters()) {
      String name = Refuse.required("filters.name", filter.name());
      if (!List.of("auto-scaling-group", "key", "value", "propagate-at-launch").contains(name)) {
        throw noFilter(name);
      }
    }
    List<TagDescription> all = new ArrayList<>();
    store.read(tx -> all(tx)).stream()
        .filter(tag -> matches(tag, request.filters()))
        .forEach(all::add);
    Pages<TagDescription> page =
        Pages.of(
            all,
            tag -> tag.resourceId() + " " + tag.key(),
            request.nextToken(),
            request.maxRecords(),
            USUAL_PAGE,
            Pages.MOST);
    return DescribeTagsResponse.builder().tags(page.items()).nextToken(page.nextToken()).build();
  }

  private static List<TagDescription> all(Tx tx) {
    return tx.list(GroupRecord.TABLE).stream()
        .flatMap(row -> row.value().group().tags().stream())
        .toList();
  }

  private static boolean matches(TagDescription tag, List<Filter> filters) {
    return filters.stream()
        .allMatch(filter ->
            filter
                .values()
                .contains(
                    switch (filter.name()) {
                      case "key" -> tag.key();
                      case "value" -> tag.value();
                      case "propagate-at-launch" -> tag.propagateAtLaunch().toString();
                      default -> tag.resourceId();
                    }));
  }

  private static RuntimeException noFilter(String name) {
    return Refuse.invalid("Filter type " + name + " is not correct.");
  }

  /**
   * Whether a group's tags are as DescribeAutoScalingGroups asks for: every filter has to match.
   */
  static boolean match(List<TagDescription> tags, List<Filter> filters) {
    return filters.stream()
        .allMatch(filter -> {
          String name = Refuse.required("filters.name", filter.name());
          if (name.equals("tag-key")) {
            return tags.stream().anyMatch(tag -> filter.values().contains(tag.key()));
          }
          if (name.equals("tag-value")) {
            return tags.stream().anyMatch(tag -> filter.values().contains(tag.value()));
          }
          if (name.startsWith("tag:")) {
            return tags.stream()
                .filter(tag -> tag.key().equals(name.substring("tag:".length())))
                .anyMatch(tag -> filter.values().contains(tag.value()));
          }
          throw noFilter(name);
        });
  }
}
