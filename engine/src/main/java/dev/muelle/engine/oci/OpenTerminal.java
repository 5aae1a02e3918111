package dev.muelle.engine.oci;

import dev.muelle.engine.EngineException;
import dev.muelle.engine.Terminal;
import dev.muelle.linux.LinuxException;
import dev.muelle.linux.PseudoTerminal;
import dev.muelle.linux.Syscalls;
import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process in a container behind the OCI runtime's {@code exec}, which leads a session on a
 * pseudo-terminal of ours: what is typed here it passes on to the terminal that it made inside, and
 * it hears of a new size as any program does. When we are gone, the terminal is, and with it the
 * process.
 */
final class OpenTerminal implements Terminal {

  private static final Logger LOG = LoggerFactory.getLogger(OpenTerminal.class);
  private static final int ENDING = 10; // s, for the runtime when its process is dead

  /** Opening a terminal as the first makes it the session's own. */
  private static final String SCRIPT = "tty=$1; shift; exec \"$@\" <>\"$tty\" >&0 2>&1";

  private final PseudoTerminal terminal;
  private final Process process;
  private final Path description;
  private final Path pidFile;

  private OpenTerminal(PseudoTerminal terminal, Process process, Path description, Path pidFile) {
    this.terminal = terminal;
    this.process = process;
    this.description = description;
    this.pidFile = pidFile;
  }

  /**
   * Starts.
   *
   * @param runtime the runtime's whole command line
   * @param description what it reads; removed with the terminal
   * @param pidFile where it writes the process's id
   */
  static OpenTerminal start(List<String> runtime, Path description, Path pidFile)
      throws IOException {
    PseudoTerminal terminal = PseudoTerminal.open().raw(); // the one inside cares
    boolean done = false;
    try {
      List<String> command = new ArrayList<>(List.of("setsid", "/bin/sh", "-c", SCRIPT, "sh"));
      command.add(terminal.path().toString());
      command.addAll(runtime);
      Process process =
          new ProcessBuilder(command)
              .redirectInput(Redirect.from(Path.of("/dev/null").toFile()))
              .redirectOutput(Redirect.DISCARD)
              .redirectError(Redirect.DISCARD)
              .start();
      done = true;
      return new OpenTerminal(terminal, process, description, pidFile);
    } finally {
      if (!done) {
        terminal.close();
      }
    }
  }

  @Override
  public int read(byte[] into) {
    return terminal.read(into);
  }

  @Override
  public void write(byte[] bytes) {
    terminal.write(bytes);
  }

  @Override
  public void resize(int columns, int rows) {
    terminal.resize(columns, rows);
  }

  @Override
  public int exitCode() {
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new EngineException("interrupted", e);
    }
  }

  @Override
  public void end() {
    try {
      String pid =
          process.isAlive() && Files.exists(pidFile) ? Files.readString(pidFile).trim() : "";
      if (pid.isEmpty()) {
        process.destroyForcibly(); // it has hardly begun
      } else {
        kill(Integer.parseInt(pid));
      }
    } catch (IOException e) {
      process.destroyForcibly();
    }
  }

  @Override
  public void close() {
    end();
    try {
      if (!process.waitFor(ENDING, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
      Files.deleteIfExists(description);
      Files.deleteIfExists(pidFile);
    } catch (IOException e) {
      LOG.warn("closing a terminal", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      process.destroyForcibly();
      terminal.close();
    }
  }

  private static void kill(int pid) {
    try {
      Syscalls.kill(pid, Signals.SIGKILL);
    } catch (LinuxException e) {
      // It has just ended.
    }
  }
}
