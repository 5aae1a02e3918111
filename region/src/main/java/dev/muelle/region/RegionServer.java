package dev.muelle.region;

import dev.muelle.region.DataDirectory.Running;
import java.io.IOException;
import java.time.Clock;

/** placeholder until the rooms are there */
public final class RegionServer implements AutoCloseable {
  public static final String HEALTH_PATH = "/_muelle/health";

  public static RegionServer start(DataDirectory d, int port, boolean open, Clock clock)
      throws IOException {
    d.announce(new Running(ProcessHandle.current().pid(), port, open));
    return new RegionServer();
  }

  public int port() {
    return 0;
  }

  @Override
  public void close() {}
}
