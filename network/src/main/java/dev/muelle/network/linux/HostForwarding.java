package dev.muelle.network.linux;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * Whether the host forwards packets. What we switch on is remembered in /run, which a reboot clears
 * as it clears the settings, and switched off again when nobody needs it any more.
 *
 * @see <a href="https://docs.kernel.org/networking/ip-sysctl.html">ip-sysctl</a>
 */
final class HostForwarding {

  private static final Path IPV4 = Path.of("/proc/sys/net/ipv4/ip_forward");
  private static final Path IPV6 = Family.settings("conf/all/forwarding");
  private static final String OFF = "0";
  private static final String ON = "1";

  /** Of {@code accept_ra}: as long as it does not forward, and whether it does or not. */
  private static final String UNLESS_ROUTER = "1";

  private static final String ALWAYS = "2";

  private HostForwarding() {}

  static void ipv4(KernelNames names) {
    try {
      if (Files.readString(IPV4).trim().equals(OFF)) {
        Files.writeString(mark(names, ""), "");
        Files.writeString(IPV4, ON);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("packets cannot be forwarded", e);
    }
  }

  /** A host that has its own address from a router keeps it: who forwards would not listen else. */
  static void ipv6(KernelNames names) {
    try {
      if (Files.readString(IPV6).trim().equals(OFF)) {
        List<String> listening = new ArrayList<>();
        try (Stream<Path> links = Files.list(Family.settings("conf"))) {
          for (Path link : links.toList()) {
            if (is(link, UNLESS_ROUTER)) {
              listening.add(link.getFileName().toString());
            }
          }
        }
        Files.writeString(mark(names, "6"), String.join("\n", listening));
        set(listening, UNLESS_ROUTER, ALWAYS);
        Files.writeString(IPV6, ON);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("packets of IPv6 cannot be forwarded", e);
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

  /** Switches off what we switched on. */
  static void asItWas(KernelNames names) {
    try {
      if (Files.deleteIfExists(mark(names, ""))) {
        Files.writeString(IPV4, OFF);
      }
      Path mark = mark(names, "6");
      if (Files.exists(mark)) {
        List<String> listening = Files.readAllLines(mark);
        Files.writeString(IPV6, OFF);
        set(listening, ALWAYS, UNLESS_ROUTER);
        Files.delete(mark);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("forwarding cannot be switched off", e);
    }
  }

  private static Path mark(KernelNames names, String family) {
    return Path.of("/run", names.instance() + "-forwarding" + family);
  }
}
