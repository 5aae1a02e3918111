package dev.muelle.services.cloudwatchlogs;

import dev.muelle.services.TagRules;
import dev.muelle.services.cloudwatchlogs.Tables.Group;
import dev.muelle.store.Store;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListTagsLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.ListTagsLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.TagLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.TagLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.TagResourceRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.TagResourceResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.TooManyTagsException;
import software.amazon.awssdk.services.cloudwatchlogs.model.UntagLogGroupRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.UntagLogGroupResponse;
import software.amazon.awssdk.services.cloudwatchlogs.model.UntagResourceRequest;
import software.amazon.awssdk.services.cloudwatchlogs.model.UntagResourceResponse;

/**
 * The tags of log groups, by ARN or, in the older operations, by name.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_TagResource.html">TagResource</a>
 */
final class Tags {

  private static final int MOST = 50;

  private final Store store;
  private final Names names;

  Tags(Store store, Names names) {
    this.store = store;
    this.names = names;
  }

  TagResourceResponse tag(TagResourceRequest request) {
    String arn = request.resourceArn();
    Map<String, String> added = checkSome(request.tags());
    String name = names.tagged(arn);
    store.write(tx -> {
      Group group = tx.get(Tables.GROUPS, name).orElseThrow(Refuse::noResource).value();
      Map<String, String> tags = TagRules.with(group.tags(), added);
      if (tags.size() > MOST) {
        throw TooManyTagsException.builder()
            .message("The number of tags exceeds the limit of " + MOST + " for one resource.")
            .resourceName(arn)
            .build();
      }
      return tx.put(Tables.GROUPS, name, group.withTags(tags));
    });
    return TagResourceResponse.builder().build();
  }

  UntagResourceResponse untag(UntagResourceRequest request) {
    String name = names.tagged(request.resourceArn());
    if (!request.hasTagKeys()) {
      throw Refuse.constraint(null, "tagKeys", "Member must not be null");
    }
    store.write(tx -> {
      Group group = tx.get(Tables.GROUPS, name).orElseThrow(Refuse::noResource).value();
      return tx.put(Tables.GROUPS, name, without(group, request.tagKeys()));
    });
    return UntagResourceResponse.builder().build();
  }

  ListTagsForResourceResponse list(ListTagsForResourceRequest request) {
    String name = names.tagged(request.resourceArn());
    Group group =
        store.read(tx -> tx.get(Tables.GROUPS, name)).orElseThrow(Refuse::noResource).value();
    return ListTagsForResourceResponse.builder().tags(group.tags()).build();
  }

  TagLogGroupResponse tag(TagLogGroupRequest request) {
    String name = Names.group(request.logGroupName(), "logGroupName");
    Map<String, String> added = checkSome(request.tags());
    store.write(tx -> {
      Group group = Names.require(tx, name);
      Map<String, String> tags = TagRules.with(group.tags(), added);
      if (tags.size() > MOST) {
        throw Refuse.invalid(
            "The number of tags exceeds the limit of " + MOST + " for one log group.");
      }
      return tx.put(Tables.GROUPS, name, group.withTags(tags));
    });
    return TagLogGroupResponse.builder().build();
  }

  UntagLogGroupResponse untag(UntagLogGroupRequest request) {
    String name = Names.group(request.logGroupName(), "logGroupName");
    if (request.tags().isEmpty()) {
      throw Refuse.constraint(
          request.tags(), "tags", "Member must have length greater than or equal to 1");
    }
    store.write(
        tx -> tx.put(Tables.GROUPS, name, without(Names.require(tx, name), request.tags())));
    return UntagLogGroupResponse.builder().build();
  }

  ListTagsLogGroupResponse list(ListTagsLogGroupRequest request) {
    String name = Names.group(request.logGroupName(), "logGroupName");
    Group group = store.read(tx -> Names.require(tx, name));
    return ListTagsLogGroupResponse.builder().tags(group.tags()).build();
  }

  private static Group without(Group group, List<String> keys) {
    return group.withTags(TagRules.without(group.tags(), keys));
  }

  private static Map<String, String> checkSome(@Nullable Map<String, String> tags) {
    if (tags == null || tags.isEmpty()) {
      throw Refuse.constraint(tags, "tags", "Member must have length greater than or equal to 1");
    }
    return check(tags);
  }

  /** Checks new tags: how many, and what they consist of. */
  static Map<String, String> check(Map<String, String> tags) {
    if (tags.size() > MOST) {
      throw Refuse.constraint(
          tags.keySet(), "tags", "Member must have length less than or equal to " + MOST);
    }
    tags.forEach((key, value) -> {
      if (!TagRules.isKey(key)) {
        throw Refuse.constraint(
            key,
            "tags",
            "Map keys must satisfy constraint: [Member must have length between 1 and 128, Member"
                + " must satisfy regular expression pattern: ^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]+)$]");
      }
      if (TagRules.isReserved(key)) {
        throw Refuse.invalid("Tag keys that start with aws: are reserved: " + key);
      }
      if (value == null || !TagRules.isValue(value)) {
        throw Refuse.constraint(
            value,
            "tags",
            "Map values must satisfy constraint: [Member must have length less than or equal to"
                + " 256, Member must satisfy regular expression pattern:"
                + " ^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*)$]");
      }
    });
    return tags;
  }
}
