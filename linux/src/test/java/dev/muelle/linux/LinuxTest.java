package dev.muelle.linux;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.InetSocketAddress;
import java.nio.channels.ServerSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LinuxTest {

  @TempDir private Path directory;

  @Test
  void mountsAndUnmounts() throws Exception {
    Path target = Files.createDirectory(directory.resolve("m"));
    Syscalls.mount("tmpfs", target, "tmpfs", Syscalls.MS_NODEV, "size=64k");
    Files.writeString(target.resolve("inside"), "x");
    Syscalls.unmount(target);
    assertFalse(Files.exists(target.resolve("inside")));
    LinuxException again = assertThrows(LinuxException.class, () -> Syscalls.unmount(target));
    assertEquals(LinuxException.EINVAL, again.errno());
  }

  @Test
  void socketsStayWhereTheyWereBorn() throws Exception {
    String name = "mt" + Integer.toHexString(ThreadLocalRandom.current().nextInt(1 << 24));
    Command.run("ip", "netns", "add", name);
    try (NetworkNamespace namespace = new NetworkNamespace(name)) {
      Command.run("ip", "-n", name, "link", "set", "lo", "up");
      InetSocketAddress address = new InetSocketAddress("127.0.0.1", 4242);
      ServerSocketChannel inside =
          namespace.call(
              () -> ServerSocketChannel.open(java.net.StandardProtocolFamily.INET).bind(address));
      String listeners = Command.run("ip", "netns", "exec", name, "ss", "-Hltn");
      assertTrue(listeners.contains("127.0.0.1:4242 "), listeners);
      assertFalse(Command.run("ss", "-Hltn").contains("127.0.0.1:4242 "));
      inside.close();
    } finally {
      Command.run("ip", "netns", "del", name);
    }
  }

  @Test
  void aCommandThatHangsIsEnded() {
    Command.CommandException ended =
        assertThrows(
            Command.CommandException.class,
            () -> Command.attempt(List.of("sleep", "60"), Map.of(), "", Duration.ofMillis(200)));
    assertTrue(ended.getMessage().contains("no end within"), ended.getMessage());
  }

  @Test
  void aCommandThatFailsSaysWhy() {
    Command.CommandException failed =
        assertThrows(
            Command.CommandException.class, () -> Command.run("ip", "link", "show", "nope"));
    assertTrue(failed.getMessage().contains("nope"), failed.getMessage());
  }
}
