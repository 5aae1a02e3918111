package dev.muelle.services.ecs.definition;

import dev.muelle.engine.ContainerSpec.JsonFile;
import dev.muelle.services.ecs.state.Refuse;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.LogConfiguration;
import software.amazon.awssdk.services.ecs.model.LogDriver;

/**
 * What a container's log configuration says to Docker's {@code json-file} driver.
 *
 * @see <a href="https://docs.docker.com/engine/logging/drivers/json-file/">JSON File logging
 *     driver</a>
 */
public final class JsonFileOptions {

  private static final Set<String> KNOWN = Set.of("max-size", "max-file");
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,9})([kmg]?)b?");

  private JsonFileOptions() {}

  /** What is written down of a container's output; null for another driver. */
  public static @Nullable JsonFile of(@Nullable LogConfiguration logs) {
    if (logs == null || logs.logDriver() != LogDriver.JSON_FILE) {
      return null;
    }
    Map<String, String> options = logs.options();
    for (String option : options.keySet()) {
      if (!KNOWN.contains(option)) {
        throw Refuse.client(
            "Log option "
                + option
                + " of log driver json-file is not supported by this region yet: use max-size and"
                + " max-file.");
      }
    }
    return new JsonFile(size(options.get("max-size")), files(options.get("max-file")));
  }

  private static long size(@Nullable String text) {
    if (text == null) {
      return 0;
    }
    Matcher matcher = SIZE.matcher(text.trim().toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw Refuse.client("Invalid log option max-size: invalid size: '" + text + "'");
    }
    long number = Long.parseLong(matcher.group(1));
    if (number == 0) {
      throw Refuse.client("Invalid log option max-size: max-size must be a positive number");
    }
    return number
        * switch (matcher.group(2)) { // Docker's are decimal here
          case "k" -> 1_000L;
          case "m" -> 1_000_000L;
          case "g" -> 1_000_000_000L;
          default -> 1L;
        };
  }

  private static int files(@Nullable String text) {
    if (text == null) {
      return 1;
    }
    if (!text.matches("[0-9]{1,4}")) {
      throw Refuse.client("Invalid log option max-file: " + text);
    }
    if (Integer.parseInt(text) < 1) {
      throw Refuse.client("Invalid log option max-file: max-file cannot be less than 1");
    }
    return Integer.parseInt(text);
  }
}
