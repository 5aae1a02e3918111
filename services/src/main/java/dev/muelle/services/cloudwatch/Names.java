package dev.muelle.services.cloudwatch;

import dev.muelle.services.cloudwatch.series.Refuse;
import org.jspecify.annotations.Nullable;

/** What names look like. */
final class Names {

  static final int MOST_DIMENSIONS = 30;

  private Names() {}

  static String namespace(@Nullable String namespace) {
    String given = required(namespace, "Namespace", 255);
    if (given.startsWith(":")) {
      throw Refuse.value("Namespace", given);
    }
    return given;
  }

  /**
   * Refuses what namespaces and dimensions may not be: other than ASCII, or only space.
   *
   * @see <a
   *     href="https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_Dimension.html">Dimension</a>
   */
  static void plain(@Nullable String text, String parameter) {
    if (text == null || text.isEmpty()) {
      throw Refuse.missing(parameter);
    }
    if (!text.chars().allMatch(c -> c < 0x7F)) {
      throw Refuse.invalid(
          "The value "
              + text
              + " for parameter "
              + parameter
              + " must contain only ASCII characters.");
    }
    if (text.isBlank()) {
      throw Refuse.value(parameter, text);
    }
  }

  static String required(@Nullable String text, String parameter, int longest) {
    if (text == null || text.isEmpty()) {
      throw Refuse.missing(parameter);
    }
    return fits(text, parameter, longest);
  }

  static String fits(String text, String parameter, int longest) {
    if (text.length() > longest) {
      throw Refuse.validation(
          text, parameter, "Member must have length less than or equal to " + longest);
    }
    if (text.chars().anyMatch(c -> c < ' ' || c == 0x7F)) {
      throw Refuse.value(parameter, text);
    }
    return text;
  }
}
