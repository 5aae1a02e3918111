package dev.muelle.network.linux;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.WRITE;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * Whether the host forwards packets. Several servers of one machine need it at once: each leaves
 * its name in /run, and so does whether the first of them found it off; the last one that goes
 * makes it as it was. A reboot clears /run as it clears the settings.
 *
 * @see <a href="https://docs.kernel.org/networking/ip-sysctl.html">ip-sysctl</a>
 */
final class HostForwarding {

  private static final Path NOTES = Path.of("/run/muelle-forwarding");
  private static final HostForwarding IPV4 =
      new HostForwarding("ipv4", Path.of("/proc/sys/net/ipv4/ip_forward"), false);

  /** A host that has its own address from a router keeps it: who forwards would not listen else. */
  private static final HostForwarding IPV6 =
      new HostForwarding("ipv6", Family.settings("conf/all/forwarding"), true);

  private static final String OFF = "0";
  private static final String ON = "1";

  /** Of {@code accept_ra}: as long as it does not forward, and whether it does or not. */
  private static final String UNLESS_ROUTER = "1";

  private static final String ALWAYS = "2";

  private final Path needed;
  private final Path wasOff;
  private final Path setting;
  private final boolean listens;

  /**
   * Of one family of addresses.
   *
   * @param listens whether links hear of their addresses from routers
   */
  private HostForwarding(String family, Path setting, boolean listens) {
    this.needed = NOTES.resolve(family);
    this.wasOff = NOTES.resolve(family + "-was-off");
    this.setting = setting;
    this.listens = listens;
  }

  static void ipv4(KernelNames names) {
    locked(() -> IPV4.need(names));
  }

  static void ipv6(KernelNames names) {
    locked(() -> IPV6.need(names));
  }

  /** A server needs it no longer. */
  static void release(KernelNames names) {
    locked(() -> {
      IPV4.forget(names);
      IPV6.forget(names);
    });
  }

  private void need(KernelNames names) throws IOException {
    Files.createDirectories(needed);
    Files.writeString(needed.resolve(names.instance()), "");
    if (Files.readString(setting).trim().equals(OFF)) {
      List<String> listening = listens ? links(UNLESS_ROUTER) : List.of();
      Files.writeString(wasOff, String.join("\n", listening));
      set(listening, UNLESS_ROUTER, ALWAYS);
      Files.writeString(setting, ON);
    }
  }

  private void forget(KernelNames names) throws IOException {
    if (!Files.deleteIfExists(needed.resolve(names.instance())) || isNeeded()) {
      return;
    }
    if (Files.exists(wasOff)) {
      List<String> listening = Files.readAllLines(wasOff);
      Files.writeString(setting, OFF);
      set(listening, ALWAYS, UNLESS_ROUTER);
      Files.delete(wasOff);
    }
  }

  private boolean isNeeded() throws IOException {
    try (Stream<Path> servers = Files.list(needed)) {
      return servers.findAny().isPresent();
    }
  }

  /** The links that hear routers in this way. */
  private static List<String> links(String way) throws IOException {
    try (Stream<Path> links = Files.list(Family.settings("conf"))) {
      return links
          .filter(link -> is(link, way))
          .map(link -> link.getFileName().toString())
          .toList();
    }
  }

  private static boolean is(Path link, String value) {
    try {
      return Files.readString(link.resolve("accept_ra")).trim().equals(value);
    } catch (IOException e) {
      return false; // a link that has gone meanwhile
    }
  }

  private static void set(List<String> links, String from, String to) throws IOException {
    for (String name : links) {
      Path link = Family.settings("conf").resolve(name);
      if (is(link, from)) {
        Files.writeString(link.resolve("accept_ra"), to);
      }
    }
  }

  private interface Change {
    void make() throws IOException;
  }

  /** One server at a time, and one thread of it. */
  private static synchronized void locked(Change change) {
    try {
      Files.createDirectories(NOTES);
      try (FileChannel file = FileChannel.open(NOTES.resolve("lock"), CREATE, WRITE)) {
        file.lock(); // until it is closed
        change.make();
      }
    } catch (IOException e) {
      throw new UncheckedIOException("the host's forwarding cannot be set", e);
    }
  }
}
