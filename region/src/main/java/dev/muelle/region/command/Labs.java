package dev.muelle.region.command;

import dev.muelle.region.DataDirectory.Running;
import dev.muelle.region.RootKey;
import dev.muelle.region.demo.AlbaDigiLab;
import dev.muelle.region.demo.Clients;
import dev.muelle.region.demo.ExampleImage;
import dev.muelle.region.demo.Progress;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.time.Clock;

/** The lab, for the running region. */
final class Labs {

  private static final String REGION = "us-east-1";

  private Labs() {}

  static Clients clients(DataOption data) throws IOException {
    RootKey key = data.key();
    return new Clients(URI.create(data.running().endpoint()), REGION, key.id(), key.secret());
  }

  static AlbaDigiLab albaDigi(Clients clients, DataOption data, Clock clock) throws IOException {
    // Jib sends a password over plain HTTP only when told; the registry is on this machine.
    System.setProperty("sendCredentialsOverHttp", "true");
    Running running = data.running();
    return new AlbaDigiLab(
        clients,
        new ExampleImage(home()),
        "localhost:" + running.port(),
        new Progress(System.out, clock),
        clock);
  }

  private static Path home() {
    String home = System.getenv("MUELLE_HOME");
    return Path.of(home == null ? "." : home).toAbsolutePath();
  }
}
