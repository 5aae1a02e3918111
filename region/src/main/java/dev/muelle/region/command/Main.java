package dev.muelle.region.command;

import java.io.IOException;
import java.io.InputStream;
import java.util.Objects;
import java.util.logging.LogManager;

/** Where {@code ./muelle} hands over. */
public final class Main {

  private Main() {}

  /**
   * Runs one command.
   *
   * @param args the command and its options; see {@code ./muelle help}
   */
  public static void main(String[] args) throws IOException {
    try (InputStream logging =
        Objects.requireNonNull(Main.class.getResourceAsStream("logging.properties"))) {
      LogManager.getLogManager().readConfiguration(logging);
    }
    System.exit(CommandLineRoot.run(args));
  }
}
