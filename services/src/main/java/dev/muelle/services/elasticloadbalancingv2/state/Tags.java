package dev.muelle.services.elasticloadbalancingv2.state;

import dev.muelle.services.TagRules;
import dev.muelle.services.elasticloadbalancingv2.request.Refuse;
import dev.muelle.services.elasticloadbalancingv2.state.State.Balancing;
import dev.muelle.services.elasticloadbalancingv2.state.State.Group;
import dev.muelle.services.elasticloadbalancingv2.state.State.Listening;
import dev.muelle.services.elasticloadbalancingv2.state.State.Ruling;
import dev.muelle.store.Store;
import dev.muelle.store.Tx;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddTagsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.AddTagsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTagsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DescribeTagsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.DuplicateTagKeysException;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveTagsRequest;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.RemoveTagsResponse;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.Tag;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TagDescription;
import software.amazon.awssdk.services.elasticloadbalancingv2.model.TooManyTagsException;

/** Tags of load balancers, target groups, listeners, rules and trust stores. */
public final class Tags {

  private static final int MAX = 50;
  private static final int MAX_RESOURCES = 20;

  private final Store store;

  public Tags(Store store) {
    this.store = store;
  }

  /** Checks tags as a request brings them. */
  public static void check(List<Tag> tags) {
    Set<String> keys = new HashSet<>();
    for (Tag tag : tags) {
      String key = tag.key() == null ? "" : tag.key();
      if (key.isEmpty() || key.length() > 128 || TagRules.isReserved(key)) {
        throw Refuse.invalid("The tag key '" + key + "' is not valid");
      }
      if (tag.value() != null && tag.value().length() > 256) {
        throw Refuse.invalid("The value of tag '" + key + "' has more than 256 characters");
      }
      if (!keys.add(key)) {
        throw DuplicateTagKeysException.builder()
            .message("Tag keys must be unique: '" + key + "'")
            .build();
      }
    }
    if (tags.size() > MAX) {
      throw TooManyTagsException.builder()
          .message("The maximum number of tags for a resource has been reached")
          .build();
    }
  }

  public AddTagsResponse add(AddTagsRequest request) {
    check(request.tags());
    return store.write(tx -> {
      for (String arn : request.resourceArns()) {
        change(
            tx,
            arn,
            tags -> {
              Map<String, Tag> all = new LinkedHashMap<>();
              tags.forEach(tag -> all.put(tag.key(), tag));
              request.tags().forEach(tag -> all.put(tag.key(), tag));
              check(List.copyOf(all.values()));
              return List.copyOf(all.values());
            });
      }
      return AddTagsResponse.builder().build();
    });
  }

  public RemoveTagsResponse remove(RemoveTagsRequest request) {
    return store.write(tx -> {
      for (String arn : request.resourceArns()) {
        change(
            tx,
            arn,
            tags -> tags.stream().filter(tag -> !request.tagKeys().contains(tag.key())).toList());
      }
      return RemoveTagsResponse.builder().build();
    });
  }

  public DescribeTagsResponse describe(DescribeTagsRequest request) {
    if (request.resourceArns().size() > MAX_RESOURCES) {
      throw Refuse.invalid("At most 20 resources can be described at once");
    }
    List<TagDescription> found = new ArrayList<>();
    store.read(tx -> {
      for (String arn : request.resourceArns()) {
        found.add(TagDescription.builder().resourceArn(arn).tags(of(tx, arn)).build());
      }
      return found;
    });
    return DescribeTagsResponse.builder().tagDescriptions(found).build();
  }

  private static List<Tag> of(Tx tx, String arn) {
    if (arn.contains(":targetgroup/")) {
      return Existing.group(tx, arn).tags();
    }
    if (arn.contains(":listener-rule/")) {
      return Existing.rule(tx, arn).tags();
    }
    if (arn.contains(":listener/")) {
      return Existing.listener(tx, arn).tags();
    }
    if (arn.contains(":truststore/")) {
      return Existing.trustStore(tx, arn).tags();
    }
    return Existing.balancer(tx, arn).tags();
  }

  private static void change(Tx tx, String arn, UnaryOperator<List<Tag>> change) {
    List<Tag> tags = change.apply(of(tx, arn));
    if (arn.contains(":targetgroup/")) {
      Group old = Existing.group(tx, arn);
      tx.put(State.GROUPS, arn, new Group(old.group(), old.attributes(), tags, old.targets()));
    } else if (arn.contains(":listener-rule/")) {
      Ruling old = Existing.rule(tx, arn);
      tx.put(State.RULES, arn, new Ruling(old.rule(), old.listenerArn(), old.balancerArn(), tags));
    } else if (arn.contains(":listener/")) {
      Listening old = Existing.listener(tx, arn);
      tx.put(
          State.LISTENERS,
          arn,
          new Listening(old.listener(), old.ruleArn(), tags, old.certificates(), old.attributes()));
    } else if (arn.contains(":truststore/")) {
      tx.put(State.TRUST_STORES, arn, Existing.trustStore(tx, arn).with(tags));
    } else {
      Balancing old = Existing.balancer(tx, arn);
      tx.put(
          State.BALANCERS,
          arn,
          new Balancing(
              old.balancer(),
              old.attributes(),
              tags,
              old.nodes(),
              old.front(),
              old.problems(),
              old.deleted()));
    }
  }
}
