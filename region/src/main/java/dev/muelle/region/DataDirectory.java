package dev.muelle.region;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;
import java.util.Optional;
import java.util.Properties;

/** Where one region server keeps everything, and what it tells its clients there. */
public final class DataDirectory {

  /** Used if neither {@code --data} nor {@code MUELLE_DATA} says otherwise. */
  public static final Path DEFAULT = Path.of("/var/lib/muelle");

  private final Path root;

  public DataDirectory(Path root) {
    this.root = root.toAbsolutePath().normalize();
  }

  /** Makes the directory, readable by its owner only. */
  public void create() throws IOException {
    Files.createDirectories(
        root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
  }

  public Path root() {
    return root;
  }

  public Path database() {
    return root.resolve("muelle.db");
  }

  public Path blobs() {
    return root.resolve("blobs");
  }

  /** Objects in buckets: a directory for each bucket, until S3 keeps them. */
  public Path objects() {
    return root.resolve("objects");
  }

  public Path engine() {
    return root.resolve("engine");
  }

  public Path log() {
    return root.resolve("server.log");
  }

  /** What the registry's tokens are signed with. */
  public Path registrySecret() {
    return root.resolve("registry-secret");
  }

  /** With what the region's certificate authority signs. */
  public Path authorityKey() {
    return root.resolve("authority.key");
  }

  /** What clients have to trust to trust the region's certificates. */
  public Path authorityCertificate() {
    return root.resolve("authority.pem");
  }

  /** In the form that AWS tools read as a shared credentials file. */
  public Path credentials() {
    return root.resolve("credentials");
  }

  /**
   * A short name for the kernel objects of this server, so that several live on one machine: made
   * from the directory's path, and so the same after every restart.
   */
  public String instance() {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256")
              .digest(root.toString().getBytes(StandardCharsets.UTF_8));
      return "mu" + HexFormat.of().formatHex(hash, 0, 3);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** What the running server (or the last one) said of itself. */
  public Optional<Running> running() throws IOException {
    Path file = root.resolve("server.properties");
    if (!Files.exists(file)) {
      return Optional.empty();
    }
    Properties properties = new Properties();
    try (var in = Files.newBufferedReader(file)) {
      properties.load(in);
    }
    return Optional.of(
        new Running(
            Long.parseLong(properties.getProperty("pid")),
            Integer.parseInt(properties.getProperty("port")),
            Boolean.parseBoolean(properties.getProperty("open")),
            Integer.parseInt(properties.getProperty("speed", "1")),
            Integer.parseInt(properties.getProperty("resolution", "60")),
            Duration.parse(properties.getProperty("ahead", "PT0S"))));
  }

  void announce(Running running) throws IOException {
    Properties properties = new Properties();
    properties.setProperty("pid", String.valueOf(running.pid()));
    properties.setProperty("port", String.valueOf(running.port()));
    properties.setProperty("open", String.valueOf(running.open()));
    properties.setProperty("speed", String.valueOf(running.speed()));
    properties.setProperty("resolution", String.valueOf(running.resolution()));
    properties.setProperty("ahead", running.ahead().toString());
    properties.setProperty("instance", instance()); // for whoever looks for its kernel objects
    Path half = root.resolve("server.properties.new");
    try (var out = Files.newBufferedWriter(half)) {
      properties.store(out, null);
    }
    Files.move(
        half,
        root.resolve("server.properties"),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
  }

  /**
   * A server's own word of itself.
   *
   * @param open whether it accepts any credentials
   * @param speed how many times as fast as the machine's its time goes
   * @param resolution of what it measures, in seconds
   * @param ahead how far its time was ahead of the machine's when it started
   */
  public record Running(
      long pid, int port, boolean open, int speed, int resolution, Duration ahead) {

    /** What is to be known of its time; empty if that is the machine's. */
    public Optional<String> time() {
      if (speed > 1) {
        return Optional.of(
            "Time goes "
                + speed
                + " times as fast there as on this machine; ./muelle time tells what it is");
      }
      return ahead.isZero()
          ? Optional.empty()
          : Optional.of(
              "Its time is ahead of this machine's, since it went faster once; ./muelle time tells"
                  + " what it is");
    }

    /** Whether that process still lives, and is a region server (process ids are reused). */
    public boolean alive() {
      try {
        return Files.readString(Path.of("/proc", String.valueOf(pid), "cmdline"))
            .contains("dev.muelle.region.command.Main");
      } catch (IOException e) {
        return false; // there is no such process
      }
    }

    public String endpoint() {
      return "http://localhost:" + port;
    }
  }
}
