package dev.muelle.region.command;

import dev.muelle.region.RegionServer;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.Callable;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Prints the region's time, for clients that have to say from when to when. */
@Command(
    name = "time",
    description =
        "Prints the region's time, which is this machine's unless it was started with --speed:"
            + " aws cloudwatch get-metric-statistics --start-time $(./muelle time --ago 10m) ...",
    mixinStandardHelpOptions = true)
final class TimeCommand implements Callable<Integer> {

  /** 90s, 10m, 2h, 1d. */
  static final class Span implements ITypeConverter<Duration> {
    private static final Pattern SPAN = Pattern.compile("(\\d{1,6})([smhd])");

    @Override
    public Duration convert(String text) {
      Matcher span = SPAN.matcher(text);
      if (!span.matches()) {
        throw new TypeConversionException("'" + text + "' is not a time like 90s, 10m, 2h or 1d");
      }
      return Duration.of(
          Long.parseLong(span.group(1)),
          switch (span.group(2)) {
            case "s" -> ChronoUnit.SECONDS;
            case "m" -> ChronoUnit.MINUTES;
            case "h" -> ChronoUnit.HOURS;
            default -> ChronoUnit.DAYS;
          });
    }
  }

  @Mixin private DataOption data = new DataOption();

  @Option(
      names = "--ago",
      paramLabel = "TIME",
      converter = Span.class,
      description = "as much earlier: 90s, 10m, 2h, 1d")
  private @Nullable Duration ago;

  @Option(
      names = "--millis",
      description = "milliseconds since 1970, as CloudWatch Logs takes them")
  private boolean millis;

  @Override
  public Integer call() throws Exception {
    Instant now = ask(data);
    Instant asked = ago == null ? now : now.minus(ago);
    System.out.println(
        millis ? String.valueOf(asked.toEpochMilli()) : asked.truncatedTo(ChronoUnit.SECONDS));
    return 0;
  }

  /** The running region's time. */
  static Instant ask(DataOption data) throws IOException {
    URI at = URI.create("http://127.0.0.1:" + data.running().port() + RegionServer.TIME_PATH);
    try (var in = at.toURL().openStream()) {
      return Instant.parse(new String(in.readAllBytes(), StandardCharsets.UTF_8).trim());
    }
  }
}
