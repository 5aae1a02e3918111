package dev.muelle.services.ec2.state;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Cuts a list that is ordered by id into pages. The token names the last id that was shown, so that
 * what is made or deleted between two pages neither repeats nor hides another one.
 *
 * @see <a
 *     href="https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html#api-pagination">Pagination</a>
 */
public record Pages<T>(List<T> items, @Nullable String nextToken) {

  /** What a page without a size of its own has at most. */
  private static final int MOST = 1000;

  private static final Sizes USUAL = new Sizes(5, MOST);

  private static final String VERSION = "1:";

  /**
   * One page.
   *
   * @param ids the ids that the request named, which may not be paginated
   * @param maxResults 5 to 1000; without it a page has 1000
   */
  public static <T> Pages<T> of(
      List<T> all,
      Function<T, String> id,
      List<String> ids,
      @Nullable String token,
      @Nullable Integer maxResults) {
    return of(all, id, ids, token, maxResults, USUAL);
  }

  /** How large the pages of an operation may be asked to be. */
  public record Sizes(int least, int most) {}

  /** One page of an operation that has limits of its own. */
  public static <T> Pages<T> of(
      List<T> all,
      Function<T, String> id,
      List<String> ids,
      @Nullable String token,
      @Nullable Integer maxResults,
      Sizes sizes) {
    if (maxResults != null && !ids.isEmpty()) {
      throw Refuse.combination(
          "The parameter maxResults cannot be used with a parameter that lists ids");
    }
    if (maxResults != null && maxResults < sizes.least()) {
      throw Refuse.invalidValue(
          maxResults.toString(),
          "maxResults",
          "Expecting a value greater than or equal to " + sizes.least() + ".");
    }
    if (maxResults != null && maxResults > sizes.most()) {
      throw Refuse.invalidValue(
          maxResults.toString(),
          "maxResults",
          "Expecting a value less than or equal to " + sizes.most() + ".");
    }
    String after = token == null || token.isEmpty() ? "" : lastId(token);
    List<T> rest = all.stream().filter(item -> id.apply(item).compareTo(after) > 0).toList();
    int size = maxResults == null ? MOST : maxResults;
    if (rest.size() <= size || !ids.isEmpty()) {
      return new Pages<>(rest, null);
    }
    List<T> page = rest.subList(0, size);
    return new Pages<>(page, tokenAfter(id.apply(page.getLast())));
  }

  private static String tokenAfter(String id) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString((VERSION + id).getBytes(StandardCharsets.UTF_8));
  }

  private static String lastId(String token) {
    try {
      String text = new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
      if (text.startsWith(VERSION)) {
        return text.substring(VERSION.length());
      }
    } catch (IllegalArgumentException e) {
      // Not base64: answered below like any other token that is not ours.
    }
    throw Refuse.invalidValue("Invalid value '" + token + "' for nextToken");
  }
}
