package dev.muelle.region.command;

import dev.muelle.region.DataDirectory;
import dev.muelle.region.DataDirectory.Running;
import dev.muelle.region.RegionServer;
import dev.muelle.region.doctor.Doctor;
import dev.muelle.region.server.OldGeneration;
import dev.muelle.services.sns.Senders.MailServer;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Starts a region. */
@Command(name = "up", description = "Starts the region.", mixinStandardHelpOptions = true)
final class UpCommand implements Callable<Integer> {

  private static final Duration START_LIMIT = Duration.ofMinutes(3);
  private static final long POLL_MILLIS = 50;
  private static final int PROBE_MILLIS = 2_000;
  private static final int MAX_PORT = 65_535;
  private static final int FASTEST = 60;
  private static final List<Integer> RESOLUTIONS = List.of(1, 5, 10, 20, 30, 60); // s
  private static final Pattern PLACE =
      Pattern.compile("([A-Za-z0-9.-]+|\\[[0-9a-fA-F:]+]):(\\d{1,5})");

  private final Clock clock;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Mixin private DataOption data = new DataOption();

  @Option(names = "--port", defaultValue = "4566", description = "default: ${DEFAULT-VALUE}")
  private int port = 4566;

  @Option(
      names = "--open",
      description =
          "accept any credentials: an access key id of 12 digits names the account, any other is"
              + " account 000000000000")
  private boolean open;

  @Option(
      names = "--smtp",
      paramLabel = "HOST:PORT",
      description = "the mail server that takes what SNS sends to addresses")
  private String smtp = "";

  @Option(
      names = "--smtp-from",
      defaultValue = "no-reply@sns.localhost",
      paramLabel = "ADDRESS",
      description = "whom that mail is from; default: ${DEFAULT-VALUE}")
  private String smtpFrom = "no-reply@sns.localhost";

  @Option(
      names = "--speed",
      defaultValue = "1",
      paramLabel = "N",
      description =
          "the region's time goes N times as fast as this machine's, 1 to 60: periods, cooldowns and"
              + " schedules pass sooner; programs, packets and certificates do not; default:"
              + " ${DEFAULT-VALUE}")
  private int speed = 1;

  @Option(
      names = "--resolution",
      defaultValue = "60",
      paramLabel = "SECONDS",
      description =
          "how finely the region measures tasks and load balancers: every 1, 5, 10, 20, 30 or 60"
              + " seconds of its time; default: ${DEFAULT-VALUE}")
  private int resolution = 60;

  @Option(names = "--detach", description = "return when the region answers")
  private boolean detach;

  UpCommand(Clock clock) {
    this.clock = clock;
  }

  @Override
  public Integer call() throws Exception {
    mail(); // a mistake is told before anything starts
    if (speed < 1 || speed > FASTEST) {
      throw new ParameterException(
          spec.commandLine(), "--speed " + speed + " is not between 1 and " + FASTEST);
    }
    if (!RESOLUTIONS.contains(resolution)) {
      throw new ParameterException(
          spec.commandLine(), "--resolution " + resolution + " is none of 1, 5, 10, 20, 30 and 60");
    }
    if (speed > 2 * resolution) {
      throw new ParameterException(
          spec.commandLine(),
          "--resolution "
              + resolution
              + " at --speed "
              + speed
              + " would measure more than twice a second of this machine's time");
    }
    Doctor doctor = new Doctor(port);
    doctor.obstacle().ifPresent(UpCommand::refuse);
    DataDirectory directory = data.directory();
    Optional<Running> running = directory.running().filter(Running::alive);
    if (running.isPresent()) {
      return alreadyUp(directory, running.get());
    }
    doctor.portObstacle().ifPresent(UpCommand::refuse);
    return detach ? startDetached(directory) : serve(directory);
  }

  private @Nullable MailServer mail() {
    if (smtp.isEmpty()) {
      return null;
    }
    Matcher place = PLACE.matcher(smtp);
    if (!place.matches() || Integer.parseInt(place.group(2)) > MAX_PORT) {
      throw new ParameterException(
          spec.commandLine(), "--smtp " + smtp + " is not HOST:PORT, for example localhost:25");
    }
    return new MailServer(place.group(1), Integer.parseInt(place.group(2)), smtpFrom);
  }

  private static void refuse(Doctor.Obstacle lack) {
    throw new IllegalStateException(lack.what() + "\n  " + lack.mend());
  }

  /** Asked twice for the same, it is there; asked for another, it is not what was asked for. */
  private int alreadyUp(DataDirectory directory, Running running) {
    boolean otherPort = given("--port") && port != running.port();
    boolean otherSpeed = given("--speed") && speed != running.speed();
    boolean otherResolution = given("--resolution") && resolution != running.resolution();
    if (otherPort || otherSpeed || otherResolution || open && !running.open()) {
      throw new IllegalStateException(
          "the data directory "
              + directory.root()
              + " is in use by the region at "
              + running.endpoint()
              + (otherPort
                  ? "."
                  : otherSpeed
                      ? ", at --speed " + running.speed() + "."
                      : otherResolution
                          ? ", at --resolution " + running.resolution() + "."
                          : ", which verifies signatures.")
              + "\n  ./muelle down"
              + dataArgument(directory)
              + " ends that one; --data DIR starts another beside it");
    }
    System.out.println("Muelle is up already at " + running.endpoint());
    tellTime(Optional.of(running));
    return 0;
  }

  private boolean given(String option) {
    return spec.commandLine().getParseResult().hasMatchedOption(option);
  }

  private int serve(DataDirectory directory) throws Exception {
    CountDownLatch stopped = new CountDownLatch(1);
    RegionServer server =
        RegionServer.start(
            directory, new RegionServer.Settings(port, open, mail(), speed, resolution));
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  server.close();
                  stopped.countDown();
                },
                "shutdown"));
    OldGeneration.watch(OldGeneration.ROOM, System::gc);
    System.out.println("Muelle is up at http://localhost:" + server.port());
    System.out.println("  eval \"$(./muelle env" + dataArgument(directory) + ")\"");
    tellTime(directory.running());
    System.out.println(
        "Containers outlive this process; ./muelle down"
            + dataArgument(directory)
            + " ends everything.");
    stopped.await();
    return 0;
  }

  private int startDetached(DataDirectory directory) throws IOException, InterruptedException {
    directory.create();
    Process process =
        new ProcessBuilder(serverCommand(directory))
            .redirectInput(Redirect.from(new java.io.File("/dev/null")))
            .redirectOutput(Redirect.appendTo(directory.log().toFile()))
            .redirectErrorStream(true)
            .start();
    Instant end = clock.instant().plus(START_LIMIT);
    while (clock.instant().isBefore(end)) {
      if (!process.isAlive()) {
        throw new IllegalStateException(
            lastWords(directory) + "\n  all that the server said: " + directory.log());
      }
      Optional<Running> running =
          directory
              .running()
              .filter(said -> said.pid() == process.pid())
              .filter(UpCommand::answers);
      if (running.isPresent()) {
        System.out.println("Muelle is up at " + running.get().endpoint());
        tellTime(running);
        return 0;
      }
      process.waitFor(POLL_MILLIS, TimeUnit.MILLISECONDS);
    }
    process.destroy();
    throw new IllegalStateException(
        "the region did not answer within "
            + START_LIMIT.toSeconds()
            + " s; see "
            + directory.log());
  }

  private static void tellTime(Optional<Running> running) {
    running.flatMap(Running::time).ifPresent(System.out::println);
  }

  /** The same Java with the same options, in a session of its own, so that no Ctrl-C reaches it. */
  private List<String> serverCommand(DataDirectory directory) {
    List<String> command = new ArrayList<>(List.of("setsid"));
    ProcessHandle.Info self = ProcessHandle.current().info();
    command.add(self.command().orElseThrow());
    for (String argument :
        java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()) {
      if (!argument.startsWith("-XX:TieredStopAtLevel")) {
        command.add(argument);
      }
    }
    command.addAll(
        List.of(
            "-cp", System.getProperty("java.class.path"), "dev.muelle.region.command.Main", "up"));
    command.addAll(List.of("--port", String.valueOf(port), "--data", directory.root().toString()));
    if (open) {
      command.add("--open");
    }
    command.addAll(List.of("--speed", String.valueOf(speed)));
    command.addAll(List.of("--resolution", String.valueOf(resolution)));
    if (!smtp.isEmpty()) {
      command.addAll(List.of("--smtp", smtp, "--smtp-from", smtpFrom));
    }
    return command;
  }

  /** Whether a region answers at its port. */
  static boolean answers(Running running) {
    try {
      HttpURLConnection connection =
          (HttpURLConnection)
              URI.create("http://127.0.0.1:" + running.port() + RegionServer.HEALTH_PATH)
                  .toURL()
                  .openConnection();
      connection.setConnectTimeout(PROBE_MILLIS);
      connection.setReadTimeout(PROBE_MILLIS);
      return connection.getResponseCode() == 200;
    } catch (IOException e) {
      return false;
    }
  }

  /** Why the server gave up, in its own words. */
  private static String lastWords(DataDirectory directory) throws IOException {
    List<String> lines = Files.readAllLines(directory.log());
    for (int from = lines.size() - 1; from >= 0; from--) {
      if (lines.get(from).startsWith(CommandLineRoot.SAYS)) {
        return String.join("\n", lines.subList(from, lines.size()))
            .substring(CommandLineRoot.SAYS.length());
      }
    }
    return "the region did not start";
  }

  private static String dataArgument(DataDirectory directory) {
    return directory.root().equals(DataDirectory.DEFAULT) ? "" : " --data " + directory.root();
  }
}
