package dev.muelle.services.ec2.state;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * What one kind of resource can be filtered by. Filters must all match, and one of the values of
 * each; {@code *} stands for any text and {@code ?} for any character, a backslash takes their
 * meaning away.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html#Filtering_Resources_CLI">Filtering</a>
 */
public final class Filters<T> {

  private static final int MOST_VALUES = 200;

  private final Map<String, Function<T, List<String>>> questions = new LinkedHashMap<>();
  private final @Nullable Function<T, List<Tag>> tags;

  /** Of something that bears no tags. */
  public Filters() {
    tags = null;
  }

  public Filters(Function<T, List<Tag>> tags) {
    this.tags = tags;
    questions.put("tag-key", resource -> tags.apply(resource).stream().map(Tag::key).toList());
    questions.put("tag-value", resource -> tags.apply(resource).stream().map(Tag::value).toList());
  }

  /** Adds a filter on one value, which may be missing. */
  public Filters<T> by(String name, Function<T, @Nullable Object> value) {
    return byAny(
        name,
        resource -> {
          Object found = value.apply(resource);
          return found == null ? List.of() : List.of(found.toString());
        });
  }

  /** Adds a filter on several values, one of which must match. */
  public Filters<T> byAny(String name, Function<T, List<String>> values) {
    questions.put(name, values);
    return this;
  }

  /** Adds filters on what nothing here ever has: they match nothing. */
  public Filters<T> none(String... names) {
    for (String name : names) {
      byAny(name, resource -> List.of());
    }
    return this;
  }

  /** Adds filters on what is never so here. */
  public Filters<T> never(String... names) {
    for (String name : names) {
      by(name, resource -> false);
    }
    return this;
  }

  /** Those of {@code all} that match. */
  public List<T> select(List<T> all, List<Filter> filters) {
    List<T> left = all;
    for (Filter filter : filters) {
      String name = Refuse.required(filter.name(), "Filter.Name");
      if (filter.values().size() > MOST_VALUES) {
        throw Refuse.because(
            "FilterLimitExceeded", "The maximum number of filter values is " + MOST_VALUES);
      }
      if (filter.values().isEmpty()) {
        throw Refuse.invalidValue("The filter '" + name + "' has no values");
      }
      Function<T, List<String>> question = question(name);
      List<T> matching =
          left.stream()
              .filter(resource ->
                  question.apply(resource).stream()
                      .anyMatch(value ->
                          filter.values().stream().anyMatch(pattern -> matches(pattern, value))))
              .toList();
      left = matching;
    }
    return left;
  }

  private Function<T, List<String>> question(String name) {
    Function<T, List<Tag>> tagsOf = tags;
    if (tagsOf != null && name.startsWith("tag:")) {
      String key = name.substring("tag:".length());
      return resource ->
          tagsOf.apply(resource).stream()
              .filter(tag -> tag.key().equals(key))
              .map(tag -> Objects.requireNonNullElse(tag.value(), ""))
              .toList();
    }
    Function<T, List<String>> question = questions.get(name);
    if (question == null) {
      throw Refuse.invalidValue("The filter '" + name + "' is invalid");
    }
    return question;
  }

  /**
   * Whether a pattern stands for a text. Takes time in proportion to the product of both lengths,
   * whatever the pattern.
   */
  public static boolean matches(String pattern, String text) {
    int p = 0;
    int t = 0;
    int starAt = -1;
    int resumeAt = 0;
    while (t < text.length()) {
      if (p < pattern.length() && pattern.charAt(p) == '*') {
        starAt = p++;
        resumeAt = t;
        continue;
      }
      if (p < pattern.length()) {
        boolean escaped = pattern.charAt(p) == '\\' && p + 1 < pattern.length();
        char wanted = pattern.charAt(escaped ? p + 1 : p);
        if ((!escaped && wanted == '?') || wanted == text.charAt(t)) {
          p += escaped ? 2 : 1;
          t++;
          continue;
        }
      }
      if (starAt < 0) {
        return false;
      }
      p = starAt + 1;
      t = ++resumeAt;
    }
    while (p < pattern.length() && pattern.charAt(p) == '*') {
      p++;
    }
    return p == pattern.length();
  }
}
