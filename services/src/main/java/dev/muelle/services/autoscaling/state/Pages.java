package dev.muelle.services.autoscaling.state;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.awscore.exception.AwsErrorDetails;
import software.amazon.awssdk.services.autoscaling.model.InvalidNextTokenException;

/**
 * One page of a list. The token names the last item that was shown, so that what comes and goes
 * between two pages neither repeats nor hides another one.
 *
 * @param nextToken null on the last page
 */
public record Pages<T>(List<T> items, @Nullable String nextToken) {

  public static final int MOST = 100;

  /**
   * One page.
   *
   * @param all in their order
   * @param id unique in the list
   * @param size 1 to {@code most}; {@code usual} if it is not said
   */
  public static <T> Pages<T> of(
      List<T> all,
      Function<T, String> id,
      @Nullable String token,
      @Nullable Integer size,
      int usual,
      int most) {
    Refuse.unlessWithin("maxRecords", size, 1, most);
    int begin = 0;
    if (token != null && !token.isEmpty()) {
      String last = decoded(token);
      List<String> ids = all.stream().map(id).toList();
      begin = ids.indexOf(last) + 1;
      if (begin == 0) {
        throw invalid(token);
      }
    }
    int end = Math.min(all.size(), begin + (size == null ? usual : size));
    List<T> page = all.subList(begin, end);
    return new Pages<>(
        List.copyOf(page), end < all.size() ? encoded(id.apply(page.getLast())) : null);
  }

  private static String encoded(String last) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(last.getBytes(StandardCharsets.UTF_8));
  }

  private static String decoded(String token) {
    try {
      return new String(Base64.getUrlDecoder().decode(token), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      throw invalid(token);
    }
  }

  private static RuntimeException invalid(String token) {
    String message = "The token '" + token + "' is invalid.";
    return InvalidNextTokenException.builder()
        .message(message)
        .statusCode(400)
        .awsErrorDetails(
            AwsErrorDetails.builder()
                .errorCode("InvalidNextToken")
                .errorMessage(message)
                .serviceName("AutoScaling")
                .build())
        .build();
  }
}
