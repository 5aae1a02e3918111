package dev.muelle.region.command;

import dev.muelle.region.RootKey;
import dev.muelle.region.demo.AlbaDigiLab;
import dev.muelle.region.demo.Clients;
import dev.muelle.region.demo.Example;
import dev.muelle.region.demo.ExampleImage;
import dev.muelle.region.demo.Progress;
import dev.muelle.region.demo.Repository;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;

/** The lab and the examples, for the running region. */
final class Labs {

  static final String REGION = "us-east-1";

  private Labs() {}

  static Clients clients(DataOption data) throws IOException {
    RootKey key = data.key();
    return new Clients(URI.create(data.running().endpoint()), REGION, key.id(), key.secret());
  }

  static AlbaDigiLab albaDigi(Clients clients, DataOption data, Clock clock) throws IOException {
    return new AlbaDigiLab(
        clients, image(Example.ALBA_DIGI), registry(data), new Progress(System.out, clock), clock);
  }

  static Repository repository(Clients clients, DataOption data, Example example)
      throws IOException {
    return new Repository(clients.ecr, image(example), registry(data));
  }

  private static ExampleImage image(Example example) {
    allowPasswordsOverHttp();
    return new ExampleImage(home(), example);
  }

  private static String registry(DataOption data) throws IOException {
    return "localhost:" + data.running().port();
  }

  /** Jib sends a password over plain HTTP only when told; the registry is on this machine. */
  static void allowPasswordsOverHttp() {
    System.setProperty("sendCredentialsOverHttp", "true");
  }

  /** The checkout: the folder that holds {@code ./muelle}. */
  static Path home() {
    String home = System.getenv("MUELLE_HOME");
    return Path.of(home == null ? "." : home).toAbsolutePath();
  }
}
