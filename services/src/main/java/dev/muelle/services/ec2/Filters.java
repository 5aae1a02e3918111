package dev.muelle.services.ec2;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ec2.model.Filter;
import software.amazon.awssdk.services.ec2.model.Tag;

/**
 * The filters of one kind of resource: a name each, and the values that a resource has for it. All
 * filters of a request must match, each by any of its values; {@code *} and {@code ?} are
 * wildcards.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html">Filtering</a>
 */
final class Filters<T> {

  private static final int MAX_PAGE = 1_000;

  private final Map<String, Function<T, Collection<String>>> values = new LinkedHashMap<>();
  private final Function<T, List<Tag>> tags;

  Filters(Function<T, List<Tag>> tags) {
    this.tags = tags;
    many("tag-key", resource -> tags.apply(resource).stream().map(Tag::key).toList());
    many("tag-value", resource -> tags.apply(resource).stream().map(Tag::value).toList());
  }

  /** A filter on one value, which a resource may lack. */
  Filters<T> one(String name, Function<T, @Nullable Object> value) {
    return many(
        name,
        resource -> {
          Object found = value.apply(resource);
          return found == null ? List.of() : List.of(found.toString());
        });
  }

  Filters<T> many(String name, Function<T, Collection<String>> value) {
    values.put(name, value);
    return this;
  }

  /** The resources that match. */
  List<T> apply(List<T> resources, List<Filter> filters) {
    List<T> left = new ArrayList<>(resources);
    for (Filter filter : filters) {
      Function<T, Collection<String>> value = value(filter.name());
      List<Pattern> wanted = filter.values().stream().map(Filters::pattern).toList();
      left.removeIf(resource ->
          value.apply(resource).stream()
              .filter(Objects::nonNull)
              .noneMatch(v -> wanted.stream().anyMatch(p -> p.matcher(v).matches())));
    }
    return left;
  }

  private Function<T, Collection<String>> value(@Nullable String name) {
    if (name == null) {
      throw Faults.missing("Filter.1.Name");
    }
    if (name.startsWith("tag:")) {
      String key = name.substring("tag:".length());
      return resource ->
          tags.apply(resource).stream()
              .filter(tag -> tag.key().equals(key))
              .map(Tag::value)
              .toList();
    }
    Function<T, Collection<String>> value = values.get(name);
    if (value == null) {
      throw Faults.invalid("The filter '" + name + "' is invalid");
    }
    return value;
  }

  private static Pattern pattern(String value) {
    StringBuilder regex = new StringBuilder();
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      boolean escaped = c == '\\' && i + 1 < value.length();
      switch (c) {
        case '*' -> regex.append(".*");
        case '?' -> regex.append('.');
        default -> regex.append(Pattern.quote(String.valueOf(escaped ? value.charAt(++i) : c)));
      }
    }
    return Pattern.compile(regex.toString(), Pattern.DOTALL);
  }

  /** A page of results and the token of the next one. */
  record Page<T>(List<T> items, @Nullable String nextToken) {}

  /**
   * Cuts a page.
   *
   * @param maxResults 5 to 1000, or null for everything
   */
  static <T> Page<T> page(List<T> all, @Nullable String token, @Nullable Integer maxResults) {
    if (maxResults != null && (maxResults < 5 || maxResults > MAX_PAGE)) {
      throw Faults.invalid(
          "Value ( "
              + maxResults
              + " ) for parameter maxResults is invalid. Expecting a value between 5 and 1000.");
    }
    int from = token == null ? 0 : offset(token, all.size());
    int to = maxResults == null ? all.size() : Math.min(all.size(), from + maxResults);
    String next =
        to == all.size()
            ? null
            : Base64.getUrlEncoder()
                .encodeToString(String.valueOf(to).getBytes(StandardCharsets.US_ASCII));
    return new Page<>(all.subList(from, to), next);
  }

  private static int offset(String token, int size) {
    try {
      int offset =
          Integer.parseInt(
              new String(Base64.getUrlDecoder().decode(token), StandardCharsets.US_ASCII));
      if (offset >= 0 && offset <= size) {
        return offset;
      }
    } catch (IllegalArgumentException e) {
      // Not one of ours: refused below.
    }
    throw Faults.of("InvalidNextToken", "The token '" + token + "' is invalid");
  }
}
