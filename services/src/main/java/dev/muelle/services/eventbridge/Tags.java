package dev.muelle.services.eventbridge;

import dev.muelle.services.Scope;
import dev.muelle.services.TagRules;
import dev.muelle.store.Row;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.eventbridge.model.LimitExceededException;
import software.amazon.awssdk.services.eventbridge.model.ListTagsForResourceRequest;
import software.amazon.awssdk.services.eventbridge.model.ListTagsForResourceResponse;
import software.amazon.awssdk.services.eventbridge.model.Tag;
import software.amazon.awssdk.services.eventbridge.model.TagResourceRequest;
import software.amazon.awssdk.services.eventbridge.model.TagResourceResponse;
import software.amazon.awssdk.services.eventbridge.model.UntagResourceRequest;
import software.amazon.awssdk.services.eventbridge.model.UntagResourceResponse;

/** Tags of rules and buses. */
final class Tags {

  private static final int MAX = 50;

  private final Scope scope;
  private final Store store;

  Tags(Scope scope, Store store) {
    this.scope = scope;
    this.store = store;
  }

  static Map<String, String> read(List<Tag> given) {
    Map<String, String> tags = new LinkedHashMap<>();
    for (Tag tag : given) {
      String key = tag.key() == null ? "" : tag.key();
      String value = tag.value() == null ? "" : tag.value();
      boolean wrong = !TagRules.isKey(key) || !TagRules.isValue(value) || TagRules.isReserved(key);
      if (wrong || tags.put(key, value) != null) {
        throw Refuse.invalid("The tag with key '" + key + "' is not valid.");
      }
    }
    return limited(tags);
  }

  private static Map<String, String> limited(Map<String, String> tags) {
    if (tags.size() > MAX) {
      throw LimitExceededException.builder()
          .message("A resource can have at most " + MAX + " tags.")
          .build();
    }
    return tags;
  }

  TagResourceResponse tag(TagResourceRequest request) {
    Map<String, String> more = read(request.tags());
    change(request.resourceARN(), tags -> limited(TagRules.with(tags, more)));
    return TagResourceResponse.builder().build();
  }

  UntagResourceResponse untag(UntagResourceRequest request) {
    change(request.resourceARN(), tags -> TagRules.without(tags, request.tagKeys()));
    return UntagResourceResponse.builder().build();
  }

  ListTagsForResourceResponse list(ListTagsForResourceRequest request) {
    Map<String, String> tags = store.read(tx -> change(tx, request.resourceARN(), null));
    return ListTagsForResourceResponse.builder()
        .tags(
            tags.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(tag -> Tag.builder().key(tag.getKey()).value(tag.getValue()).build())
                .toList())
        .build();
  }

  private void change(@Nullable String arn, UnaryOperator<Map<String, String>> step) {
    store.write(tx -> change(tx, arn, step));
  }

  /** The tags of what an ARN names, after a step if there is one. */
  private Map<String, String> change(
      Tx tx, @Nullable String arn, @Nullable UnaryOperator<Map<String, String>> step) {
    String rules = scope.arn("events", "rule/");
    String buses = scope.arn("events", "event-bus/");
    if (arn != null && arn.startsWith(rules)) {
      String name = arn.substring(rules.length());
      String key = name.contains("/") ? name : Rule.key(Bus.DEFAULT, name);
      Rule rule =
          tx.get(Rule.TABLE, key)
              .map(Row::value)
              .orElseThrow(() -> Rules.missing(key.substring(0, key.indexOf('/')), name));
      Map<String, String> tags = step == null ? rule.tags() : step.apply(rule.tags());
      if (step != null) {
        tx.put(Rule.TABLE, key, rule.withTags(tags));
      }
      return tags;
    }
    if (arn != null && arn.startsWith(buses)) {
      String name = arn.substring(buses.length());
      if (name.equals(Bus.DEFAULT)) {
        throw Refuse.unsupported("A tag of the default event bus");
      }
      Bus bus =
          tx.get(Bus.TABLE, name)
              .map(Row::value)
              .orElseThrow(() -> Refuse.missing("Event bus " + name));
      Map<String, String> tags = step == null ? bus.tags() : step.apply(bus.tags());
      if (step != null) {
        tx.put(Bus.TABLE, name, bus.withTags(tags));
      }
      return tags;
    }
    throw Refuse.invalid(
        "Parameter ResourceARN is not valid. Reason: Provided Arn is not in correct format.");
  }
}
