package dev.muelle.services.sns;

import dev.muelle.services.TagRules;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.sns.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.sns.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.sns.model.ResourceNotFoundException;
import software.amazon.awssdk.services.sns.model.Tag;
import software.amazon.awssdk.services.sns.model.TagLimitExceededException;
import software.amazon.awssdk.services.sns.model.TagResourceRequest;
import software.amazon.awssdk.services.sns.model.TagResourceResponse;
import software.amazon.awssdk.services.sns.model.UntagResourceRequest;
import software.amazon.awssdk.services.sns.model.UntagResourceResponse;

/** Tags of topics. */
final class Tags {

  private static final int MAX = 50;

  private final Store store;

  Tags(Store store) {
    this.store = store;
  }

  static Map<String, String> read(List<Tag> given) {
    Map<String, String> tags = new LinkedHashMap<>();
    for (Tag tag : given) {
      String key = tag.key() == null ? "" : tag.key();
      String value = tag.value() == null ? "" : tag.value();
      if (!TagRules.isKey(key) || TagRules.isReserved(key)) {
        throw Refuse.invalid("Tags Reason: the key '" + key + "' is not valid");
      }
      if (!TagRules.isValue(value)) {
        throw Refuse.invalid("Tags Reason: the value of '" + key + "' is not valid");
      }
      if (tags.put(key, value) != null) {
        throw Refuse.invalid("Duplicated keys are not allowed.");
      }
    }
    return limited(tags);
  }

  private static Map<String, String> limited(Map<String, String> tags) {
    if (tags.size() > MAX) {
      throw TagLimitExceededException.builder()
          .message("Could not complete request: tag quota of per resource exceeded")
          .build();
    }
    return tags;
  }

  TagResourceResponse tag(TagResourceRequest request) {
    Map<String, String> more = read(request.tags());
    change(request.resourceArn(), tags -> limited(TagRules.with(tags, more)));
    return TagResourceResponse.builder().build();
  }

  UntagResourceResponse untag(UntagResourceRequest request) {
    change(request.resourceArn(), tags -> TagRules.without(tags, request.tagKeys()));
    return UntagResourceResponse.builder().build();
  }

  ListTagsForResourceResponse list(ListTagsForResourceRequest request) {
    Topic topic = store.read(tx -> of(tx, request.resourceArn()));
    return ListTagsForResourceResponse.builder()
        .tags(
            topic.tags().entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(tag -> Tag.builder().key(tag.getKey()).value(tag.getValue()).build())
                .toList())
        .build();
  }

  private void change(@Nullable String arn, UnaryOperator<Map<String, String>> step) {
    store.write(tx -> {
      Topic topic = of(tx, arn);
      return tx.put(Topic.TABLE, topic.arn(), topic.withTags(step.apply(topic.tags())));
    });
  }

  private static Topic of(Tx tx, @Nullable String arn) {
    return tx.get(Topic.TABLE, Arns.check("ResourceArn", arn))
        .map(Row::value)
        .orElseThrow(
            () -> ResourceNotFoundException.builder().message("Resource does not exist").build());
  }
}
