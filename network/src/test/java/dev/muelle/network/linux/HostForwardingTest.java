package dev.muelle.network.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;

/** On the machine's own settings, which others may need at the same time. */
class HostForwardingTest {

  private static KernelNames server() {
    return new KernelNames(
        "mt" + String.format("%06x", ThreadLocalRandom.current().nextInt(1 << 24)));
  }

  private static void assertForwards() throws IOException {
    assertEquals("1", Files.readString(Path.of("/proc/sys/net/ipv4/ip_forward")).trim());
    assertEquals("1", Files.readString(Family.settings("conf/all/forwarding")).trim());
  }

  @Test
  void itStaysOnWhileAnyServerNeedsIt() throws IOException {
    KernelNames first = server();
    KernelNames second = server();
    try {
      for (KernelNames server : new KernelNames[] {first, second, first}) {
        HostForwarding.ipv4(server);
        HostForwarding.ipv6(server);
      }
      assertForwards();
      HostForwarding.release(first);
      HostForwarding.release(first);
      assertForwards();
    } finally {
      HostForwarding.release(first);
      HostForwarding.release(second);
    }
  }
}
