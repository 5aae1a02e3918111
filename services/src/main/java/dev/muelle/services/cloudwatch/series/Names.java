package dev.muelle.services.cloudwatch.series;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.cloudwatch.model.Dimension;

/** What names look like. */
public final class Names {

  public static final int MOST_DIMENSIONS = 30;

  private Names() {}

  public static String namespace(@Nullable String namespace) {
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
  public static void plain(@Nullable String text, String parameter) {
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

  public static String required(@Nullable String text, String parameter, int longest) {
    if (text == null || text.isEmpty()) {
      throw Refuse.missing(parameter);
    }
    return fits(text, parameter, longest);
  }

  public static String fits(String text, String parameter, int longest) {
    if (text.length() > longest) {
      throw Refuse.validation(
          text, parameter, "Member must have length less than or equal to " + longest);
    }
    if (text.chars().anyMatch(c -> c < ' ' || c == 0x7F)) {
      throw Refuse.value(parameter, text);
    }
    return text;
  }

  /** Refuses dimensions that name no series. */
  public static List<Dimension> dimensions(List<Dimension> dimensions, String member) {
    if (dimensions.size() > MOST_DIMENSIONS) {
      throw Refuse.invalid(
          "The collection "
              + member
              + " must not have a size greater than "
              + MOST_DIMENSIONS
              + ".");
    }
    Set<String> names = new HashSet<>();
    for (int i = 0; i < dimensions.size(); i++) {
      Dimension dimension = dimensions.get(i);
      String each = member + ".member." + (i + 1);
      required(dimension.name(), each + ".Name", 255);
      required(dimension.value(), each + ".Value", 1_024);
      if (dimension.name().startsWith(":")) {
        throw Refuse.value(each + ".Name", dimension.name());
      }
      if (!names.add(dimension.name())) {
        throw Refuse.invalid(
            "The dimension name "
                + dimension.name()
                + " is used more than once in "
                + member
                + ".");
      }
    }
    return dimensions;
  }
}
