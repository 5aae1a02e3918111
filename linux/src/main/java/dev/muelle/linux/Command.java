package dev.muelle.linux;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * Runs another program, without a shell, with a limit on its time and on what is kept of its
 * output.
 */
public final class Command {

  private static final int MAX_OUTPUT = 1 << 20;
  private static final Duration LIMIT = Duration.ofSeconds(30);

  private Command() {}

  /** How a program ended. */
  public record Result(int exitCode, String output, String error) {

    public boolean ok() {
      return exitCode == 0;
    }
  }

  /**
   * Runs a program that must succeed, and gives its standard output.
   *
   * @throws CommandException with what it said on standard error
   */
  public static String run(String... command) {
    return runWith("", command);
  }

  /** As {@link #run}, with standard input. */
  public static String runWith(String input, String... command) {
    Result result = attempt(List.of(command), Map.of(), input, LIMIT);
    if (!result.ok()) {
      throw new CommandException(command[0], result);
    }
    return result.output();
  }

  /** Runs a program to its end, whatever that is. */
  public static Result attempt(
      List<String> command, Map<String, String> environment, String input, Duration limit) {
    try {
      ProcessBuilder builder = new ProcessBuilder(command);
      builder.environment().putAll(environment);
      Process process = builder.start();
      ByteArrayOutputStream output = new ByteArrayOutputStream();
      ByteArrayOutputStream error = new ByteArrayOutputStream();
      Thread reader = Thread.startVirtualThread(() -> keep(process.getInputStream(), output));
      Thread errors = Thread.startVirtualThread(() -> keep(process.getErrorStream(), error));
      try (OutputStream in = process.getOutputStream()) {
        in.write(input.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        // It ended without reading everything; its exit code tells the rest.
      }
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        process.descendants().forEach(ProcessHandle::destroyForcibly);
        process.destroyForcibly();
        throw new CommandException(
            command.getFirst(), new Result(-1, "", "no end within " + limit.toSeconds() + " s"));
      }
      reader.join();
      errors.join();
      return new Result(
          process.exitValue(),
          output.toString(StandardCharsets.UTF_8),
          error.toString(StandardCharsets.UTF_8));
    } catch (IOException e) {
      return new Result(127, "", String.valueOf(e.getMessage()));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException(command.getFirst(), new Result(-1, "", "interrupted"));
    }
  }

  private static void keep(InputStream from, ByteArrayOutputStream into) {
    byte[] buffer = new byte[8192];
    try (from) {
      for (int read = from.read(buffer); read >= 0; read = from.read(buffer)) {
        if (into.size() < MAX_OUTPUT) {
          into.write(buffer, 0, read);
        }
      }
    } catch (IOException e) {
      // The program is gone; what was read so far is what there is.
    }
  }

  /** A program that had to succeed did not. */
  public static final class CommandException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    CommandException(String program, Result result) {
      super(
          program
              + ": "
              + (result.error().isBlank() ? "exit " + result.exitCode() : result.error().trim()));
    }
  }
}
