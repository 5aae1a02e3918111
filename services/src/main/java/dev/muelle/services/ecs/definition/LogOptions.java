package dev.muelle.services.ecs.definition;

import dev.muelle.services.ecs.state.Refuse;
import dev.muelle.services.ecs.state.TaskRecord;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.services.ecs.model.ContainerDefinition;
import software.amazon.awssdk.services.ecs.model.LogConfiguration;
import software.amazon.awssdk.services.ecs.model.LogDriver;

/**
 * What a container's log configuration says to the {@code awslogs} driver. In mode {@code
 * blocking}, the account's default unless it chose the other one, nothing is lost: a container that
 * writes faster than CloudWatch takes it waits.
 *
 * @param eventStart with what a line begins a new event; null where every line is one
 * @param bufferBytes of what may wait to be delivered in mode {@code non-blocking}, where more is
 *     dropped; 0 in mode {@code blocking}
 * @see <a
 *     href="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html">Example
 *     Amazon ECS task definition: Route logs to CloudWatch</a>
 */
public record LogOptions(
    String group,
    String streamPrefix,
    boolean createGroup,
    @Nullable Pattern eventStart,
    long bufferBytes) {

  public static final String BLOCKING = "blocking";
  public static final String NON_BLOCKING = "non-blocking";

  private static final Set<String> KNOWN =
      Set.of(
          "awslogs-group",
          "awslogs-region",
          "awslogs-stream-prefix",
          "awslogs-create-group",
          "awslogs-datetime-format",
          "awslogs-multiline-pattern",
          "mode",
          "max-buffer-size");

  private static final long DEFAULT_BUFFER = 10L << 20;
  private static final Pattern SIZE = Pattern.compile("([0-9]{1,10})\\s*([kmg]?)i?b?");

  /** Docker's, of strftime's. */
  private static final Map<Character, String> TIMES =
      Map.ofEntries(
          Map.entry('a', "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"),
          Map.entry('A', "(?:Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)"),
          Map.entry('w', "[0-6]"),
          Map.entry('d', "(?:0[1-9]|[12][0-9]|3[01])"),
          Map.entry('b', "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"),
          Map.entry(
              'B',
              "(?:January|February|March|April|May|June|July|August|September|October|November"
                  + "|December)"),
          Map.entry('m', "(?:0[1-9]|1[0-2])"),
          Map.entry('Y', "\\d{4}"),
          Map.entry('y', "\\d{2}"),
          Map.entry('H', "(?:[01][0-9]|2[0-3])"),
          Map.entry('I', "(?:0[0-9]|1[0-2])"),
          Map.entry('p', "[AP]M"),
          Map.entry('M', "[0-5][0-9]"),
          Map.entry('S', "[0-5][0-9]"),
          Map.entry('f', "\\d{6}"),
          Map.entry('L', "\\.\\d{3}"),
          Map.entry('z', "[+-]\\d{4}"),
          Map.entry('Z', "[A-Z]{1,4}T"),
          Map.entry('j', "(?:[0-2][0-9][0-9]|3[0-5][0-9]|36[0-6])"));

  /** Whether a container's output is delivered by this driver. */
  public static boolean delivered(ContainerDefinition container) {
    return container.logConfiguration() != null
        && container.logConfiguration().logDriver() == LogDriver.AWSLOGS;
  }

  /**
   * Those of a definition that was registered.
   *
   * @param mode what holds where the definition names none
   */
  public static LogOptions of(LogConfiguration configuration, String mode) {
    Map<String, String> options = new HashMap<>(configuration.options());
    options.putIfAbsent("mode", mode);
    return new LogOptions(
        options.getOrDefault("awslogs-group", ""),
        options.getOrDefault("awslogs-stream-prefix", ""),
        Boolean.parseBoolean(options.getOrDefault("awslogs-create-group", "false")),
        eventStart(options),
        bufferBytes(options));
  }

  /** Refuses what the driver would refuse when a container is to start. */
  static void check(Map<String, String> options) {
    for (String option : options.keySet()) {
      if (!KNOWN.contains(option)) {
        throw Refuse.client("unknown log opt '" + option + "' for awslogs log driver");
      }
    }
    String create = options.getOrDefault("awslogs-create-group", "false");
    if (!create.equalsIgnoreCase("true") && !create.equalsIgnoreCase("false")) {
      throw Refuse.client("Invalid value for log opt 'awslogs-create-group': " + create);
    }
    eventStart(options);
    bufferBytes(options);
  }

  /** Where a container's lines go; without a prefix (on instances) it is the container's own id. */
  public String stream(String container, TaskRecord task) {
    return streamPrefix.isEmpty()
        ? task.containerId(container)
        : streamPrefix + "/" + container + "/" + task.id();
  }

  /** Of both options the format counts. */
  private static @Nullable Pattern eventStart(Map<String, String> options) {
    String format = options.get("awslogs-datetime-format");
    if (format != null) {
      return Pattern.compile(expression(format));
    }
    String pattern = options.get("awslogs-multiline-pattern");
    if (pattern == null) {
      return null;
    }
    try {
      return Pattern.compile(pattern);
    } catch (PatternSyntaxException e) {
      throw Refuse.client(
          "awslogs could not parse multiline pattern key \""
              + pattern
              + "\": "
              + e.getDescription());
    }
  }

  private static String expression(String format) {
    StringBuilder expression = new StringBuilder();
    for (int i = 0; i < format.length(); i++) {
      char c = format.charAt(i);
      String time = c == '%' && i + 1 < format.length() ? TIMES.get(format.charAt(i + 1)) : null;
      if (time != null) {
        expression.append(time);
        i++;
      } else {
        expression.append(Pattern.quote(String.valueOf(c)));
      }
    }
    return expression.toString();
  }

  private static long bufferBytes(Map<String, String> options) {
    String mode = options.getOrDefault("mode", BLOCKING);
    String size = options.get("max-buffer-size");
    return switch (mode) {
      case BLOCKING -> {
        if (size != null) {
          throw Refuse.client(
              "logger: max-buffer-size option is only supported with 'mode=non-blocking'");
        }
        yield 0;
      }
      case NON_BLOCKING -> size == null ? DEFAULT_BUFFER : bytes(size);
      default -> throw Refuse.client("logger: logging mode not supported: " + mode);
    };
  }

  /** As Docker reads sizes: {@code 25m}, {@code 1048576}. */
  private static long bytes(String size) {
    Matcher matcher = SIZE.matcher(size.trim().toLowerCase(Locale.ROOT));
    if (!matcher.matches()) {
      throw Refuse.client(
          "logger: error parsing option max-buffer-size: invalid size: '" + size + "'");
    }
    long number = Long.parseLong(matcher.group(1));
    return switch (matcher.group(2)) {
      case "k" -> number << 10;
      case "m" -> number << 20;
      case "g" -> number << 30;
      default -> number;
    };
  }
}
