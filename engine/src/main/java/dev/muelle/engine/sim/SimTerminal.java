package dev.muelle.engine.sim;

import dev.muelle.engine.Terminal;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * A terminal with somebody on its other side who first says what was to be run, then repeats each
 * line that is typed, tells each new size, and leaves at {@code exit CODE}.
 */
final class SimTerminal implements Terminal {

  private static final int KILLED = 137;

  private final Deque<byte[]> output = new ArrayDeque<>();
  private final ByteArrayOutputStream line = new ByteArrayOutputStream();
  private int exitCode = -1;

  SimTerminal(List<String> command) {
    say("runs " + command);
  }

  private synchronized void say(String text) {
    output.add((text + "\r\n").getBytes(StandardCharsets.UTF_8));
    notifyAll();
  }

  @Override
  public synchronized int read(byte[] into) {
    awaitUntil(() -> !output.isEmpty() || exitCode >= 0);
    byte[] next = output.poll();
    if (next == null) {
      return -1;
    }
    int length = Math.min(next.length, into.length);
    System.arraycopy(next, 0, into, 0, length);
    if (length < next.length) {
      output.addFirst(Arrays.copyOfRange(next, length, next.length));
    }
    return length;
  }

  private synchronized void awaitUntil(BooleanSupplier condition) {
    try {
      while (!condition.getAsBoolean()) {
        wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  @Override
  public synchronized void write(byte[] bytes) {
    for (byte one : bytes) {
      if (one == '\r' || one == '\n') {
        String typed = line.toString(StandardCharsets.UTF_8);
        line.reset();
        if (typed.startsWith("exit ")) {
          leave(Integer.parseInt(typed.substring(5)));
        } else {
          say(typed);
        }
      } else {
        line.write(one);
      }
    }
  }

  private synchronized void leave(int code) {
    if (exitCode < 0) {
      exitCode = code;
      notifyAll();
    }
  }

  @Override
  public void resize(int columns, int rows) {
    say("size " + columns + "x" + rows);
  }

  @Override
  public synchronized int exitCode() {
    awaitUntil(() -> exitCode >= 0);
    return exitCode;
  }

  @Override
  public void end() {
    leave(KILLED);
  }

  @Override
  public void close() {
    end();
  }
}
