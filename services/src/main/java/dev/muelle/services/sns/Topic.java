package dev.muelle.services.sns;

import dev.muelle.services.StoredJson;
import dev.muelle.store.Row;
import dev.muelle.store.Table;
import dev.muelle.store.Tx;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A topic as it is stored.
 *
 * @param attributes those that were set
 * @param deleted how many of its subscriptions were deleted
 */
record Topic(
    String name,
    String arn,
    Map<String, String> attributes,
    Map<String, String> tags,
    long deleted) {

  /** Under the ARN. */
  static final Table<Topic> TABLE =
      Table.of("sns.topics", StoredJson.codec(Topic.class)).remember();

  Topic {
    attributes = Map.copyOf(attributes);
    tags = Map.copyOf(tags);
  }

  /** The topic that a request names. */
  static Topic of(Tx tx, @Nullable String arn) {
    return tx.get(TABLE, Arns.check("TopicArn", arn))
        .map(Row::value)
        .orElseThrow(() -> Refuse.missing("Topic"));
  }

  String attribute(String attribute, String otherwise) {
    return attributes.getOrDefault(attribute, otherwise);
  }

  Topic withAttribute(String attribute, String value) {
    Map<String, String> more = new LinkedHashMap<>(attributes);
    more.put(attribute, value);
    return new Topic(name, arn, more, tags, deleted);
  }

  Topic withTags(Map<String, String> others) {
    return new Topic(name, arn, attributes, others, deleted);
  }

  Topic withOneDeleted() {
    return new Topic(name, arn, attributes, tags, deleted + 1);
  }
}
