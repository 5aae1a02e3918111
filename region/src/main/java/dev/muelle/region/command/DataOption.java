package dev.muelle.region.command;

import dev.muelle.region.DataDirectory;
import dev.muelle.region.DataDirectory.Running;
import dev.muelle.region.RootKey;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which region is meant. */
final class DataOption {

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description =
          "where the region keeps everything (default: the variable MUELLE_DATA, or"
              + " /var/lib/muelle)")
  private @Nullable Path data;

  DataDirectory directory() {
    if (data != null) {
      return new DataDirectory(data);
    }
    Map<String, String> env = System.getenv();
    String variable = env.get("MUELLE_DATA");
    return new DataDirectory(variable == null ? DataDirectory.DEFAULT : Path.of(variable));
  }

  /**
   * The running region.
   *
   * @throws IllegalStateException with the command that starts one, if there is none
   */
  Running running() throws IOException {
    return directory()
        .running()
        .filter(Running::alive)
        .orElseThrow(() ->
            new IllegalStateException(
                "no region is running in "
                    + directory().root()
                    + ". Start one: ./muelle up --detach"));
  }

  RootKey key() throws IOException {
    return RootKey.read(directory().credentials())
        .orElseThrow(() ->
            new IllegalStateException(
                directory().root() + " has no credentials yet: start the region first"));
  }
}
