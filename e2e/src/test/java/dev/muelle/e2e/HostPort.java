package dev.muelle.e2e;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;

/**
 * A port of this machine that a load balancer of a lab or a demo listens at, so that names lead
 * there: tests that run at the same time have it one after the other.
 */
final class HostPort implements AutoCloseable {

  private final FileChannel file;

  private HostPort(FileChannel file) {
    this.file = file;
  }

  /** Waits until nobody else has it. */
  static HostPort own(int port) throws IOException {
    FileChannel file =
        FileChannel.open(Path.of("/tmp/muelle-e2e-port-" + port + ".lock"), CREATE, WRITE);
    file.lock(); // until it is closed, or the process ends
    return new HostPort(file);
  }

  @Override
  public void close() throws IOException {
    file.close();
  }
}
