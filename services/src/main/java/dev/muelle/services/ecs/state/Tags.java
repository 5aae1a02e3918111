package dev.muelle.services.ecs.state;

import dev.muelle.services.TagRules;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.Tag;

/**
 * What tags may be.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-using-tags.html">Tagging
 *     Amazon ECS resources</a>
 */
public final class Tags {

  private static final int MOST = 50;

  private Tags() {}

  /** Checks tags as a request brings them. */
  public static void check(List<Tag> tags) {
    checkNumber(tags);
    Set<String> keys = new HashSet<>();
    for (Tag tag : tags) {
      String key = tag.key();
      if (key == null || key.isEmpty() || key.length() > 128) {
        throw Refuse.invalid("Tag keys must be between 1 and 128 characters in length.");
      }
      if (isManaged(key)) {
        throw Refuse.invalid(
            "Tag keys starting with the reserved prefix aws: are not allowed: " + key);
      }
      if (tag.value() != null && tag.value().length() > 256) {
        throw Refuse.invalid("Tag values must be at most 256 characters in length.");
      }
      if (!TagRules.isKey(key) || (tag.value() != null && !TagRules.isValue(tag.value()))) {
        throw Refuse.invalid(
            "Tags can have letters, numbers, spaces, and the characters _ . : / = + - @: " + key);
      }
      if (!keys.add(key)) {
        throw Refuse.invalid("Duplicate tag keys found: " + key);
      }
    }
  }

  /** Those that ECS itself puts on tasks do not count. */
  public static void checkNumber(List<Tag> tags) {
    if (tags.stream().filter(tag -> !isManaged(tag.key())).count() > MOST) {
      throw Refuse.invalid("The maximum number of tags that you can apply to a resource is 50.");
    }
  }

  public static boolean isManaged(@Nullable String key) {
    return key != null && TagRules.isReserved(key);
  }
}
